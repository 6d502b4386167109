"""Donors of the lived year: money and goods, at the desk, by transfer, fetched, from abroad, named and unknown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from dispatch.clock import today
from dispatch.demo.day.wire import Answer
from dispatch.demo.names import staff_name
from dispatch.demo.year.shop import CREATED, LOVE, OVERSEAS, SEE_OTHER, Shop

GENERAL, HARDSHIP, ABROAD = 1, 2, 3
TILL, BANK = 1, 2
FOOD = ("rice", "flour", "noodles", "milk", "fresh_milk", "yogurt", "bread", "eggs", "oil", "canned", "biscuits")
THINGS = ("coat", "sweater", "socks", "towel", "soap", "paper", "toothpaste", "notebook", "bag")
WISHES = ("", "", "给孤寡老人", "给孩子添件冬衣", "希望用在大病家庭")
PLEDGED, FETCHED_AT = "两袋大米，请来取", "后庆小区 3幢1单元 201"
BY_PAGE = 10
USED_UP = 30
OLDEST_AGE = 3
SIGNED_UP, NAMED, INTO_GENERAL, TO_LOVE, COMES_AGAIN = 0.5, 0.5, 0.7, 0.7, 0.6
"""How often a donor says who they are, wants the name published, gives to the general fund, to which market, again."""
KINDS = (("till", 34), ("bank", 16), ("food", 30), ("things", 12), ("abroad", 3), ("pledge", 4), ("several", 1))


@dataclass(slots=True)
class Donors:
    """Everybody who gives, and whoever writes it down."""

    shop: Shop
    number: int = 0
    known: list[int] = field(default_factory=list)
    pledged: list[int] = field(default_factory=list)

    def give(self, count: int) -> None:
        """So many gifts of a day; a promise is a gift when it has been fetched."""
        done = 0
        while done < count:
            self.number += 1
            chance = self.shop.chance("gift", self.number)
            kinds, weights = zip(*KINDS, strict=True)
            kind = chance.choices(kinds, weights)[0]
            done += self.promise(chance) if kind == "pledge" else self.receive(kind, chance)

    def receive(self, kind: str, chance: Random) -> int:
        """One gift, every tenth typed into the page by a keeper, the others through the API; 1."""
        draft = self.draft(kind, chance)
        by_hand = self.number % BY_PAGE == 0 and len(draft["items"]) == 1 and kind in {"till", "food", "things"}
        answer = self.type(draft) if by_hand else self.shop.api("/api/gifts", draft)
        if self.shop.diary.expect(answer, CREATED, SEE_OTHER, what=f"gift of {kind}"):
            self.shop.diary.count("gifts")
            self.shop.diary.count(f"gifts: {kind}")
            self.note(answer, draft)
        return 1

    def note(self, answer: Answer, draft: Mapping[str, Any]) -> None:
        """What the donor goes home with; what the bank will tell of it."""
        diary = self.shop.diary
        if answer.status == CREATED:
            gift = answer.json()
            diary.keep("gifts", {"id": gift["id"], "receipts": [line["receipt"] for line in gift["lines"]]})
            if draft["holding_id"] == BANK:
                diary.keep("bank", [gift["happened_on"], sum(one["amount"] for one in gift["lines"]), "捐款"])
        else:
            diary.keep("gifts", {"id": int(answer.headers["Location"].rpartition("/")[2]), "receipts": []})

    def draft(self, kind: str, chance: Random) -> dict[str, Any]:
        """The body of a gift."""
        donor = self.donor(chance) if chance.random() < SIGNED_UP else None
        draft: dict[str, Any] = {
            "fund_id": GENERAL if chance.random() < INTO_GENERAL else HARDSHIP,
            "way": "desk",
            "donor_id": donor,
            "is_named": donor is not None and chance.random() < NAMED,
            "note": chance.choice(WISHES),
            "holding_id": None,
            "facility_id": None,
        }
        if kind in {"till", "bank"}:
            draft |= {"holding_id": BANK, "way": "bank"} if kind == "bank" else {"holding_id": TILL}
            return draft | {"items": [self.money(chance)]}
        if kind == "abroad":
            return draft | {"fund_id": ABROAD, "holding_id": BANK, "way": "bank", "items": [self.dollars(chance)]}
        place = LOVE if chance.random() < TO_LOVE else OVERSEAS
        draft |= {"facility_id": self.shop.facilities[place]["id"]}
        if place == OVERSEAS:
            draft["fund_id"] = ABROAD
        codes = chance.sample(FOOD if kind == "food" else THINGS, 1 if kind != "several" else 3)
        return draft | {"items": [self.item(code, chance) for code in codes]}

    def money(self, chance: Random) -> dict[str, Any]:
        """Some yuan."""
        return {"item": "捐款", "commodity": "fen", "amount": chance.randint(10, 2_000) * 100 + chance.randrange(100)}

    def dollars(self, chance: Random) -> dict[str, Any]:
        """Some dollars at a rate of these days."""
        rate = f"7.{chance.randint(500, 2999):04}"
        day = today(self.shop.time.now()).isoformat()
        foreign = {"currency": "USD", "minor": chance.randint(1_000, 90_000), "rate": rate, "rate_on": day}
        return {"item": "侨胞捐款", "commodity": "fen", "amount": 0, "foreign": foreign}

    def item(self, code: str, chance: Random) -> dict[str, Any]:
        """Some goods with the day of production that stands on them."""
        goods = self.shop.goods[code]
        produced = (today(self.shop.time.now()) - timedelta(days=chance.randint(0, OLDEST_AGE))).isoformat()
        amount = chance.randint(4, 40) * 500 if goods["commodity"] == "gram" else chance.randint(2, USED_UP)
        package = {"produced_on": produced if goods["is_food"] else None, "batch_number": f"{code[:3]}{produced[:7]}"}
        return {
            "item": goods["name"],
            "commodity": goods["commodity"],
            "amount": amount,
            "goods_id": goods["id"],
            "package": package,
        }

    def donor(self, chance: Random) -> int:
        """A donor who has come before, or a new one."""
        if self.known and chance.random() < COMES_AGAIN:
            return chance.choice(self.known)
        content = {
            "community_id": self.shop.community_id,
            "name": staff_name(chance),
            "phone": f"174{chance.randrange(10**8):08}",
            "is_named": chance.random() < NAMED,
        }
        self.known.append(int(self.shop.made("/api/donors", content)["id"]))
        return self.known[-1]

    def type(self, draft: Mapping[str, Any]) -> Answer:
        """The same on the page of a keeper: yuan and 斤 instead of fen and grams."""
        (one,) = draft["items"]
        steps = {"fen": 100, "gram": 500, "piece": 1}
        form = {name: str(draft[name] or "") for name in ("way", "donor_id", "holding_id", "facility_id", "note")}
        form |= {"fund": str(draft["fund_id"]), "is_named": "yes" if draft["is_named"] else ""}
        form |= {"goods_id": str(one.get("goods_id") or ""), "item": one["item"]}
        form |= {"amount": str(one["amount"] / steps[one["commodity"]]), "expires_on": ""}
        form["produced_on"] = str(one.get("package", {}).get("produced_on") or "")
        return self.shop.screens["keeper1"].send("/giving/gifts/new", form)

    def promise(self, chance: Random) -> int:
        """A call on the donation line: the pledge is taken and somebody sent to fetch it; 0."""
        content = {
            "community_id": self.shop.community_id,
            "kind": "goods",
            "words": PLEDGED,
            "wish": chance.choice(WISHES),
            "name": staff_name(chance),
            "phone": f"174{chance.randrange(10**8):08}",
            "address_text": FETCHED_AT,
        }
        pledge = self.shop.made("/api/pledges", content)
        self.shop.made(f"/api/pledges/{pledge['id']}/fetching", {})
        self.pledged.append(pledge["id"])
        return 0

    def receive_fetched(self) -> int:
        """What has been brought is received, each with its receipt; how many pledges are still on their way."""
        for pledge_id in list(self.pledged):
            if self.shop.read(f"/api/pledges/{pledge_id}")["state"] != "fetched":
                continue
            chance = self.shop.chance("fetched", pledge_id)
            draft = self.draft("food", chance) | {"way": "fetched", "pledge_id": pledge_id, "donor_id": None}
            draft |= {"is_named": False, "items": [self.item("rice", chance)]}
            answer = self.shop.api("/api/gifts", draft)
            self.pledged.remove(pledge_id)
            if self.shop.diary.expect(answer, CREATED, what="gift of a pledge"):
                self.shop.diary.count("gifts")
                self.shop.diary.count("gifts: pledge")
                self.note(answer, draft)
        return len(self.pledged)
