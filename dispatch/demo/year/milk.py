"""A keeper who tries to hand out yesterday's milk in every way there is: each way is told with its refusal."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from urllib.parse import quote

from dispatch.clock import today
from dispatch.demo.day.firms import in_letters, signature
from dispatch.demo.day.wire import Answer
from dispatch.demo.year.counter import Counter, Reserved, words_of
from dispatch.demo.year.giving import GENERAL
from dispatch.demo.year.keeping import ROUND
from dispatch.demo.year.shop import CREATED, Shop
from dispatch.rules.shanghai import SHANGHAI

LATE = time_of_day(23, 50)
JUST_AFTER = timedelta(minutes=10, seconds=30)
REFUSED = frozenset({405, 409, 422})
CODES = {"milk": "yesterdays_milk", "again": "yesterdays_milk_again", "undated": "milk_without_a_day"}
APPROVER = "centre1"
SOMEBODY = "陈"
APART, APART_SECONDS, LOOK_SECONDS = "quarantine", 30.0, 0.5


@dataclass(slots=True)
class Milk:
    """The milk, its goods and its lot, and who tries."""

    shop: Shop
    counter: Counter
    cards: tuple[str, str]
    goods: Mapping[str, int]

    @classmethod
    def bought(cls, shop: Shop, counter: Counter) -> "Milk":
        """Kinds of milk of which there is nothing else here."""
        about = {"community_id": shop.community_id, "category": "food", "commodity": "piece", "unit": "瓶"}
        made = {
            name: int(shop.made("/api/goods", about | {"code": code, "name": f"牛奶（{code}）"})["id"])
            for name, code in CODES.items()
        }
        for goods in made.values():
            shop.made(f"/api/goods/{goods}/points", {"points": 0, "step": 1})
        return cls(shop, counter, (shop.cards[0], shop.cards[2]), made)

    def try_everything(self) -> None:
        """Until midnight the milk is good and a bottle is handed out; after it nobody gets any."""
        day = today(self.shop.time.now())
        self.take_in("milk", {"expires_on": day.isoformat()})
        self.shop.time.leap(datetime.combine(day, LATE, SHANGHAI))
        good = self.reserve("milk")
        if isinstance(good, Reserved):
            self.counter.finish(good, self.shop.chance("milk"))
        else:
            self.shop.diary.surprise(f"milk of its last day was refused: {words_of(good)}")
        kept = self.reserve("milk")
        before = self.shop.time.now()
        self.shop.time.leap(datetime.combine(day, LATE, SHANGHAI) + JUST_AFTER)
        self.at_the_counter(kept, before)
        self.in_the_store()
        self.on_its_way()

    def take_in(self, name: str, package: Mapping[str, str]) -> Answer:
        """A gift of five bottles."""
        item = {"item": "牛奶", "commodity": "piece", "amount": 5, "goods_id": self.goods[name], "package": package}
        draft = {"fund_id": GENERAL, "facility_id": self.counter.facility_id, "items": [item]}
        answer = self.shop.api("/api/gifts", draft)
        if answer.status == CREATED:
            gift = answer.json()
            self.shop.diary.count("gifts")
            self.shop.diary.keep("gifts", {"id": gift["id"], "receipts": [one["receipt"] for one in gift["lines"]]})
        return answer

    def reserve(self, name: str, card: int = 0) -> Reserved | Answer:
        """A bottle for somebody, whatever the page shows."""
        page = self.counter.screen.send("/counter/card", self.counter.typed(self.cards[card]))
        seen = [part.partition('"')[0] for part in page.text.split('name="seen" value="')[1:]]
        return self.counter.reserve(self.cards[card], {str(self.goods[name]): "1"}, seen=seen)

    def tell(self, way: str, answer: Answer | Reserved) -> None:
        """Note a way with its refusal; anything else is a surprise."""
        if isinstance(answer, Reserved) or answer.status not in REFUSED:
            self.shop.diary.surprise(f"yesterday's milk {way}: {getattr(answer, 'status', 'reserved')}")
            return
        self.shop.diary.count("ways of yesterday's milk refused")
        self.shop.diary.keep("milk", [way, answer.status, words_of(answer)])

    def at_the_counter(self, kept: Reserved | Answer, before: datetime) -> None:
        """Signed after midnight, signed for before it, chosen anew, through the API, taken in again, without a day."""
        chance = self.shop.chance("milk", "signature")
        if isinstance(kept, Reserved):
            self.tell("reserved yesterday, signed today", self.counter.sign(kept, chance))
            back = self.counter.sign(kept, chance, signed_at=before.isoformat())
            self.tell("reserved yesterday, signature dated back to yesterday", back)
            self.counter.screen.send(kept.path.replace("signature", "cancellation"))
        else:
            self.shop.diary.surprise(f"milk of its last day was refused: {words_of(kept)}")
        self.tell("typed into the list though it is not on offer", self.reserve("milk"))
        content = {"facility_id": self.counter.facility_id, "goods_id": self.goods["milk"], "amount": 1}
        self.tell("by a machine's key", self.shop.api("/api/hand-outs", content))
        yesterday = (today(self.shop.time.now()) - timedelta(days=1)).isoformat()
        answer = self.take_in("again", {"expires_on": yesterday})
        self.tell("taken in anew, handed out", self.reserve("again") if answer.status == CREATED else answer)
        answer = self.take_in("undated", {})
        self.tell("without a day on the package", self.reserve("undated") if answer.status == CREATED else answer)

    def in_the_store(self) -> None:
        """Ticked as good, shelved, its day put off; when it stands apart: shelved again, let out by the centre."""
        lot, spot = self.where()
        self.tick_as_good(lot, spot)
        form = {"facility_id": str(self.counter.facility_id), "amount": "1", "reason": "看着还好"}
        onto = f"/stock/lots/{lot}/shift"
        self.tell("put on the shelf", self.counter.screen.send(onto, form | {"from_spot": spot, "to_spot": "shelf"}))
        later = (today(self.shop.time.now()) + timedelta(days=5)).isoformat()
        put_off = self.counter.screen.send(f"/stock/lots/{lot}/forward", {"expires_on": later})
        self.tell("its last day put off", put_off)
        limit = time.monotonic() + APART_SECONDS
        while self.where()[1] != APART and time.monotonic() < limit:
            time.sleep(LOOK_SECONDS)
        form |= {"from_spot": APART, "to_spot": "shelf"}
        self.tell("put on the shelf out of quarantine", self.counter.screen.send(onto, form))
        released = self.shop.screens[APPROVER].send(f"/stock/lots/{lot}/release", form)
        self.tell("let out of quarantine by the centre", released)

    def where(self) -> tuple[int, str]:
        """The lot of yesterday's milk, and where it stands."""
        stock = self.shop.read(f"/api/facilities/{self.counter.facility_id}/stock")["items"]
        here = next(one for one in stock if one["goods_id"] == self.goods["milk"])
        return int(here["lot_id"]), str(here["spot"])

    def tick_as_good(self, lot: int, spot: str) -> None:
        """In the round in which it stands the keeper says that it is good."""
        screen = self.counter.screen
        page = screen.read(f"/stock/{self.counter.facility_id}").text
        form = {"lot_id": str(lot), "spot": spot, "finding": "good", "amount": ""}
        rounds = dict.fromkeys(ROUND.findall(page))
        own = [one for one in rounds if f'name="lot_id" value="{lot}"' in screen.read(f"/stock/rounds/{one}").text]
        for number in own[:1] or list(rounds)[:1]:
            self.tell("ticked as good", screen.send(f"/stock/rounds/{number}/ticks", form))

    def on_its_way(self) -> None:
        """In a parcel of a yearly round, and with relief to another town."""
        day = today(self.shop.time.now())
        bill = [{"goods_id": self.goods["milk"], "amount": 1}]
        plan = {
            "facility_id": self.counter.facility_id,
            "city": "丽水市",
            "county": "景宁县",
            "town": "鹤溪街道",
            "receiver": "救灾点（演示）",
            "persons": 10,
            "sends_on": day.isoformat(),
            "consumed_by": (day + timedelta(days=1)).isoformat(),
            "lines": bill,
        }
        shipment = self.shop.made("/api/shipments", plan)["id"]
        self.tell("sent as relief", self.shop.api(f"/api/shipments/{shipment}/sending", {}))
        self.shop.screens["welfare1"].send(f"/shipments/{shipment}/cancellation")
        about = {"year": day.year, "name": "牛奶（演示）", "facility_id": self.counter.facility_id, "bill": bill}
        made = self.shop.made("/api/rounds", about)
        self.parcel(made["id"])

    def parcel(self, number: int) -> None:
        """The round's only household: yesterday's milk is not signed for, fresh milk is, and the round ends."""
        people: list[Any] = self.shop.read(f"/api/residents?q={quote(SOMEBODY)}&limit=1")["items"]
        self.shop.made(f"/api/rounds/{number}/entries", {"resident_id": people[0]["id"]})
        entry = self.shop.made(f"/api/rounds/{number}/freezing", {})["entries"][0]["id"]
        self.shop.made(f"/api/round-entries/{entry}/delivery", {})
        said = {"signer": "本人", "signature": in_letters(signature(self.shop.chance("parcel")))}
        signed = self.shop.api(f"/api/round-entries/{entry}/signature", said)
        self.tell("in a parcel of the yearly round", signed)
        fresh = today(self.shop.time.now()) + timedelta(days=5)
        self.take_in("milk", {"expires_on": fresh.isoformat()})
        self.shop.made(f"/api/round-entries/{entry}/signature", said)
        self.shop.made(f"/api/rounds/{number}/closing", {})
