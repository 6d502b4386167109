"""The counter of the lived year: cards read, goods chosen, lists signed; two counters want the last unit at once."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from dispatch.demo.day.firms import signature
from dispatch.demo.day.wire import Answer, Part
from dispatch.demo.year.screen import Screen
from dispatch.demo.year.shop import CREATED, LOVE, OK, OVERSEAS, Shop, Surprise

ROW = re.compile(
    r'<tr data-goods="[^"]*"><td>(?P<name>[^<]*)</td><td class="number">(?P<free>[\d.]+) [^<]*</td>'
    r'<td class="number">(?P<points>\d+) / (?P<step>[\d.]+) [^<]*</td>.*?name="goods\.(?P<goods>\d+)"'
)
SEEN = re.compile(r'name="seen" value="(\d+)"')
LEFT = re.compile(r"本月还可领 (\d+) 分")
SIGN = re.compile(r'action="(/counter/hand-outs/(\d+)/signature)"')
LIST = re.compile(r'name="list_hash" value="([0-9a-f]+)"')
ALERT = re.compile(r'role="alert".*?<span>([^<]+)</span>', re.DOTALL)
REFUSED = re.compile(r"<span>([^<]+)</span>|<p[^>]*>([^<]+)</p>")
WAYS = ("stroke", "stroke", "stroke", "scan", "thumb")
PROXIES = ("女儿", "邻居", "楼道长")
KEEPER_OF = {LOVE: "keeper1", OVERSEAS: "keeper2"}
MOST_TRIES = 120
MOST_KINDS, ONE_KIND, BY_PROXY, WALKS_AWAY, PUT_BACK = 2, 0.9, 0.1, 0.03, 0.02
LAST_GOODS = "last_blanket"


@dataclass(frozen=True, slots=True)
class Offer:
    """Goods that may be had here, as the page shows them."""

    goods: str
    free: float
    points: int
    step: float


@dataclass(frozen=True, slots=True)
class Reserved:
    """A list that waits for its signature."""

    number: int
    path: str
    list_hash: str


@dataclass(slots=True)
class Counter:
    """One facility's counter with its keeper; each card comes in its turn."""

    shop: Shop
    kind: str
    screen: Screen
    cards: list[str]
    number: int = 0

    @property
    def facility_id(self) -> int:
        """Where it stands."""
        return int(self.shop.facilities[self.kind]["id"])

    def serve(self, count: int) -> None:
        """So many hand-outs, unless nobody may have anything any more."""
        done = tried = 0
        while done < count and tried < count + MOST_TRIES:
            tried += 1
            self.number += 1
            done += self.hand_out(self.cards[self.number % len(self.cards)])

    def hand_out(self, card: str) -> int:
        """One household: what the month allows, chosen, reserved and signed; 1 when something was handed out."""
        chance = self.shop.chance("hand out", self.kind, self.number)
        page = self.screen.send("/counter/card", self.typed(card))
        if page.status != OK:
            self.shop.diary.count(f"card refused: {words_of(page)}")
            return 0
        amounts = choose(page.text, chance)
        if not amounts:
            self.shop.diary.count("nothing left of the month or the shelf")
            return 0
        if "seen" in page.text:
            self.shop.diary.count("warnings seen")
        reserved = self.reserve(card, amounts, seen=SEEN.findall(page.text))
        if isinstance(reserved, Answer):
            self.shop.diary.count(f"reservation refused: {words_of(reserved)}")
            return 0
        return self.finish(reserved, chance) if self.stays(reserved, chance) else 0

    def stays(self, reserved: Reserved, chance: Random) -> bool:
        """Now and then somebody walks away before signing, or the keeper puts the goods back."""
        luck = chance.random()
        if luck < WALKS_AWAY:
            self.shop.diary.count("walked away without signing")
        elif luck < WALKS_AWAY + PUT_BACK:
            answer = self.screen.send(reserved.path.replace("/signature", "/cancellation"))
            self.shop.diary.count(f"put back {answer.status}")
        return luck >= WALKS_AWAY + PUT_BACK

    def typed(self, card: str) -> dict[str, str]:
        """The form of a card."""
        return {"facility_id": str(self.facility_id), "card": card}

    def reserve(self, card: str, amounts: Mapping[str, str], *, seen: list[str]) -> Reserved | Answer:
        """The list to be signed, or the refusal."""
        form = self.typed(card) | {f"goods.{goods}": amount for goods, amount in amounts.items()}
        answer = self.screen.send("/counter/reservations", form, many={"seen": seen})
        action, listed = SIGN.search(answer.text), LIST.search(answer.text)
        if answer.status != OK or action is None or listed is None:
            return answer
        return Reserved(int(action[2]), action[1], listed[1])

    def finish(self, reserved: Reserved, chance: Random) -> int:
        """The holder signs, sometimes somebody for them; 1 when it is done."""
        answer = self.sign(reserved, chance)
        if not self.shop.diary.expect(answer, OK, what=f"signature of {reserved.number}"):
            return 0
        self.shop.diary.count("hand-outs")
        self.shop.diary.keep("hand_outs", reserved.number)
        return 1

    def sign(self, reserved: Reserved, chance: Random, *, signed_at: str = "") -> Answer:
        """The signature of a list, at an instant (now)."""
        form = {
            "way": chance.choice(WAYS),
            "list_hash": reserved.list_hash,
            "signed_at": signed_at or self.shop.time.now().isoformat(),
        }
        if chance.random() < BY_PROXY:
            form |= {"proxy_name": "王小明", "proxy_relation": chance.choice(PROXIES)}
        picture = Part("signature", "signature.png", "image/png", signature(chance))
        once = f"sign-{self.shop.mark}-{reserved.number}-{signed_at}"
        return self.screen.send(reserved.path, form, parts=(picture,), once=once)


def choose(html: str, chance: Random) -> dict[str, str]:
    """One kind of goods, now and then two, the least of each: forty households' months have to last for the year."""
    said = LEFT.search(html)
    left = int(said[1]) if said else 0
    offers = [
        Offer(row["goods"], float(row["free"]), int(row["points"]), float(row["step"])) for row in ROW.finditer(html)
    ]
    chance.shuffle(offers)
    chosen: dict[str, str] = {}
    most = 1 if chance.random() < ONE_KIND else MOST_KINDS
    for one in offers:
        amount = min(one.step, one.free)
        cost = -int(-amount // one.step) * one.points
        if 0 < cost <= left and len(chosen) < most:
            chosen[one.goods] = f"{amount:g}"
            left -= cost
    return chosen


def words_of(answer: Answer) -> str:
    """Why something was refused, as the page says it."""
    if answer.text.startswith("{"):
        return str(answer.json().get("detail", answer.status))
    found = ALERT.findall(answer.text) or [one or two for one, two in REFUSED.findall(answer.text)]
    return next((words.strip() for words in found if words.strip()), str(answer.status))


@dataclass(slots=True)
class Race:
    """Two counters of one shop want the last unit in the same moment: one gets it."""

    shop: Shop
    first: Counter
    second: Counter
    goods_id: int = 0
    outcomes: list[tuple[int, ...]] = field(default_factory=list)

    def prepare(self) -> None:
        """Goods of which there is never more than one, at no points, so that the month does not decide."""
        content = {
            "community_id": self.shop.community_id,
            "code": LAST_GOODS,
            "name": "毛毯（单件）",
            "category": "daily",
            "commodity": "piece",
            "unit": "条",
        }
        self.goods_id = int(self.shop.made("/api/goods", content)["id"])
        self.shop.made(f"/api/goods/{self.goods_id}/points", {"points": 0, "step": 1})

    def run(self, number: int, cards: tuple[str, str]) -> None:
        """One unit is given, both reserve at once; whoever has it signs."""
        if not self.goods_id:
            self.prepare()
        self.give_one()
        amounts = {str(self.goods_id): "1"}
        seen = [SEEN.findall(self.first.screen.send("/counter/card", self.first.typed(card)).text) for card in cards]
        with ThreadPoolExecutor(2) as counters:
            asked = [
                counters.submit(counter.reserve, card, amounts, seen=warned)
                for counter, card, warned in zip((self.first, self.second), cards, seen, strict=True)
            ]
            answers = [one.result() for one in asked]
        won = [place for place, answer in enumerate(answers) if isinstance(answer, Reserved)]
        refused = [words_of(answer) for answer in answers if isinstance(answer, Answer)]
        self.shop.diary.count("races for the last unit")
        if len(won) != 1:
            self.shop.diary.surprise(f"race {number}: {len(won)} won, {refused}")
            return
        self.shop.diary.count(f"lost the race: {refused[0]}")
        winner = answers[won[0]]
        if isinstance(winner, Reserved):
            counter = (self.first, self.second)[won[0]]
            counter.finish(winner, self.shop.chance("race", number))

    def give_one(self) -> None:
        """Somebody gives one blanket."""
        item = {"item": "毛毯", "commodity": "piece", "amount": 1, "goods_id": self.goods_id}
        draft = {"fund_id": 1, "facility_id": self.first.facility_id, "items": [item]}
        answer = self.shop.api("/api/gifts", draft)
        if answer.status != CREATED:
            raise Surprise(f"the last unit was not taken in: {answer.status} {answer.text[:200]!r}")
        gift = answer.json()
        self.shop.diary.count("gifts")
        self.shop.diary.keep("gifts", {"id": gift["id"], "receipts": [line["receipt"] for line in gift["lines"]]})
