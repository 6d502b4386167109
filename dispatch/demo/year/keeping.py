"""What the keepers do besides handing out: rounds ticked lot by lot, goods shelved, what is past destroyed by two."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from dispatch.demo.day.firms import signature
from dispatch.demo.day.wire import Part
from dispatch.demo.year.counter import KEEPER_OF
from dispatch.demo.year.shop import SEE_OTHER, Shop

ROUND = re.compile(r"/stock/rounds/(\d+)")
DISPOSAL = re.compile(r"/stock/disposals/(\d+)")
TICK = re.compile(
    r'name="lot_id" value="(?P<lot>\d+)"><input type="hidden" name="spot" value="(?P<spot>\w+)">.*?'
    r'btn-primary" type="submit" name="finding" value="(?P<finding>\w+)"',
    re.DOTALL,
)
APPROVER = "centre1"
SPOILED = 0.01
CONFLICT = 409
MOST_SHELVED = 5


@dataclass(slots=True)
class Keeping:
    """The keepers of both markets, and the centre that signs second."""

    shop: Shop

    def look(self) -> None:
        """Everything that is open in both markets, each by its keeper."""
        with ThreadPoolExecutor(len(KEEPER_OF)) as keepers:
            list(keepers.map(self.look_at, KEEPER_OF))

    def look_at(self, kind: str) -> None:
        """What is open in one market."""
        login, facility = KEEPER_OF[kind], int(self.shop.facilities[kind]["id"])
        page = self.shop.screens[login].read(f"/stock/{facility}").text
        for number in dict.fromkeys(ROUND.findall(page)):
            self.inspect(login, number)
        for number in dict.fromkeys(DISPOSAL.findall(page)):
            self.destroy(login, number)

    def inspect(self, login: str, number: str) -> None:
        """Tick every lot of a round as its dates say; now and then something is spoiled."""
        screen, chance = self.shop.screens[login], self.shop.chance("inspect", number)
        page = screen.read(f"/stock/rounds/{number}").text
        for row in TICK.finditer(page):
            finding = "spoiled" if chance.random() < SPOILED else row["finding"]
            form = {"lot_id": row["lot"], "spot": row["spot"], "finding": finding, "amount": ""}
            answer = screen.send(f"/stock/rounds/{number}/ticks", form)
            if self.shop.diary.expect(answer, SEE_OTHER, CONFLICT, what=f"tick of lot {row['lot']}"):
                self.shop.diary.count(f"ticked {finding}" if answer.status == SEE_OTHER else "tick refused")
        self.shop.diary.count("rounds of inspection looked at")

    def destroy(self, login: str, number: str) -> None:
        """The keeper signs, the centre signs second."""
        chance = self.shop.chance("destroy", number)
        picture = Part("signature_file", "signature.png", "image/png", signature(chance))
        screen, second = self.shop.screens[login], self.shop.screens[APPROVER]
        first = screen.send(f"/stock/disposals/{number}/signature", {"way": "bin"}, parts=(picture,))
        if not self.shop.diary.expect(first, SEE_OTHER, what=f"first signature of disposal {number}"):
            return
        answer = second.send(f"/stock/disposals/{number}/approval", {}, parts=(picture,))
        if self.shop.diary.expect(answer, SEE_OTHER, what=f"second signature of disposal {number}"):
            self.shop.diary.count("disposals signed by two")

    def shelve(self, kind: str) -> None:
        """Put some of what stands in the store on the shelf."""
        facility, login = int(self.shop.facilities[kind]["id"]), KEEPER_OF[kind]
        stock: list[dict[str, Any]] = self.shop.read(f"/api/facilities/{facility}/stock")["items"]
        waiting = [one for one in stock if one["spot"] == "store" and one["may_be_given"]]
        for one in waiting[:MOST_SHELVED]:
            steps = 500 if one["commodity"] == "gram" else 1
            form = {"facility_id": str(facility), "from_spot": "store", "to_spot": "shelf", "reason": ""}
            form["amount"] = f"{one['amount'] / steps:g}"
            answer = self.shop.screens[login].send(f"/stock/lots/{one['lot_id']}/shift", form)
            self.shop.diary.count(f"shelved {answer.status}")
