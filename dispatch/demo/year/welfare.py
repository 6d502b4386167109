"""The welfare worker of the lived year: whose approval ends soon applies again, and the centre decides."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from dispatch.demo.day.wire import Part
from dispatch.demo.loading.aid import GROUNDS, paper
from dispatch.demo.people import Resident
from dispatch.demo.year.shop import SEE_OTHER, Shop
from dispatch.rules.market.eligibility import Ground

WELFARE, APPROVER = "welfare1", "centre1"
FOUND = re.compile(r'name="resident_id" value="(\d+)"[^>]*><span>([^<]*)')
APPROVAL = re.compile(r'action="(/aid-applications/\d+/approval)"')


@dataclass(slots=True)
class Welfare:
    """Renews what ends."""

    shop: Shop

    def look(self) -> None:
        """Everybody whose approval ends soon or has ended."""
        holders = holders_of(self.shop)
        for shown in ("recheck", "over"):
            for one in self.shop.read(f"/api/beneficiaries?shown={shown}&limit=50")["items"]:
                if one["card_number"] is not None:
                    self.renew(one["id"], *holders[one["card_number"] - 1])

    def renew(self, beneficiary_id: int, ground: Ground, words: str, holder: Resident) -> None:
        """Apply again with new evidence; the centre approves."""
        screen = self.shop.screens[WELFARE]
        page = screen.read(f"/beneficiaries/new?q={quote(holder.name)}").text
        born = f"{holder.birth_date.year} 年生"
        found = [number for number, said in FOUND.findall(page) if born in said]
        form = {"ground": str(ground), "resident_id": found[0] if found else "", "circumstances": words}
        evidence = Part("evidence", "paper.png", "image/png", paper())
        answer = screen.send("/beneficiaries/new", form, parts=(evidence,))
        if not self.shop.diary.expect(answer, SEE_OTHER, what=f"application of beneficiary {beneficiary_id}"):
            return
        address = self.shop.screens[APPROVER].read(answer.headers["Location"]).text
        action = APPROVAL.search(address)
        decided = self.shop.screens[APPROVER].send(action[1] if action else "/aid-applications/0/approval")
        if self.shop.diary.expect(decided, SEE_OTHER, what=f"approval of beneficiary {beneficiary_id}"):
            self.shop.diary.count("approvals renewed")


def holders_of(shop: Shop) -> list[tuple[Ground, str, Resident]]:
    """Who holds which card, as the demo was loaded: elders who live alone first, then heads of other households."""
    people = sorted(shop.community.register.residents, key=lambda one: one.code)
    alone = [one for one in people if one.lives_alone]
    others = [one for one in people if not one.lives_alone and one.relation == people[0].relation]
    return [
        (ground, words, (alone if ground is Ground.LONE_ELDER else others).pop(0))
        for ground, count, words in GROUNDS
        for _ in range(count)
    ]
