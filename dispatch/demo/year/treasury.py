"""The bank of the lived year: its own book, a month as CSV; the accountant reads it in, the centre confirms."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from dispatch.clock import today
from dispatch.demo.day.wire import Part
from dispatch.demo.loading.giving import TAKINGS
from dispatch.demo.loading.treasury import OPENING
from dispatch.demo.year.giving import BANK, GENERAL
from dispatch.demo.year.shop import SEE_OTHER, Shop

ACCOUNTANT, APPROVER = "accountant1", "centre1"
FIRST_DOLLARS = 354_685
"""The fen of the dollars that lie there since the demo was loaded: 500.00 at 7.0937."""
INTEREST, RENT = 1_234, 45_600
OPEN_LINE = re.compile(
    r'href="/funds/bank/lines/(\d+)">[^<]*</a></td><td>[^<]*</td>\s*<td><span class="badge-word tone-late"'
)
MAY_BE = re.compile(r'name="entry_ids" value="(\d+)"')
TITLES = "交易日期,收入,支出,摘要"


@dataclass(slots=True)
class Bank:
    """What the bank knows: each line with its day, and until which month everything has been told."""

    shop: Shop
    begun: date
    told_until: date
    balance: int = sum(fen for _, place, fen in OPENING if place == "bank")
    lines: list[tuple[date, int, str]] = field(default_factory=list)

    @classmethod
    def opened(cls, shop: Shop, loaded: date) -> "Bank":
        """With what lies there since the demo was loaded."""
        lines = [(loaded, FIRST_DOLLARS, "侨胞捐款"), (loaded, TAKINGS, "义卖款")]
        return cls(shop, loaded, loaded.replace(day=1), lines=lines)

    def look(self) -> None:
        """Every month that is over is told, read in and confirmed; then interest comes and the rent goes."""
        self.learn()
        this_month = today(self.shop.time.now()).replace(day=1)
        while self.told_until < this_month:
            following = (self.told_until + timedelta(days=31)).replace(day=1)
            self.reconcile(self.told_until, following)
            self.told_until = following
            if following == this_month:
                self.book("interest", INTEREST, {})
                self.book("spend", RENT, {"purpose": "running", "words": "交本月房租"})

    def learn(self) -> None:
        """What people have paid in since."""
        paid = self.shop.diary.given.setdefault("bank", [])
        while paid:
            day, fen, words = paid.pop(0)
            self.lines.append((date.fromisoformat(day), fen, words))

    def reconcile(self, first: date, following: date) -> None:
        """One month: the file, and both signatures."""
        month = sorted(line for line in self.lines if first <= line[0] < following)
        closing = self.balance + sum(fen for _, fen, _ in month)
        if month:
            self.read_in(first, month, closing)
        self.balance = closing

    def read_in(self, first: date, month: list[tuple[date, int, str]], closing: int) -> None:
        """The accountant reads a month in, somebody else confirms it."""
        rows = [f"{day},{max(fen, 0) / 100:.2f},{max(-fen, 0) / 100:.2f},{words}" for day, fen, words in month]
        form = {
            "month": f"{first:%Y-%m}",
            "holding_id": str(BANK),
            "opening": f"{self.balance / 100:.2f}",
            "closing": f"{closing / 100:.2f}",
        }
        file = Part("file", f"{first:%Y-%m}.csv", "text/csv", "\n".join((TITLES, *rows)).encode())
        answer = self.shop.screens[ACCOUNTANT].send("/funds/bank", form, parts=(file,))
        if not self.shop.diary.expect(answer, SEE_OTHER, what=f"bank of {first:%Y-%m}"):
            return
        self.shop.diary.count("lines of the bank", len(month))
        address = answer.headers["Location"]
        self.match_by_hand(address)
        confirmed = self.shop.screens[APPROVER].send(f"{address}/confirm", {"note": ""})
        if self.shop.diary.expect(confirmed, SEE_OTHER, what=f"confirmation of {first:%Y-%m}"):
            self.shop.diary.count("months of the bank confirmed")

    def match_by_hand(self, address: str) -> None:
        """What did not find its entry by itself is said by the accountant: the first that it may be."""
        screen = self.shop.screens[ACCOUNTANT]
        for number in dict.fromkeys(OPEN_LINE.findall(screen.read(address).text)):
            entries = MAY_BE.findall(screen.read(f"/funds/bank/lines/{number}").text)
            answer = screen.send(f"/funds/bank/lines/{number}/entries", many={"entry_ids": entries[:1]})
            if self.shop.diary.expect(answer, SEE_OTHER, what=f"line {number} of the bank by hand"):
                self.shop.diary.count("lines of the bank matched by hand")

    def book(self, kind: str, fen: int, more: dict[str, str]) -> None:
        """Money that comes or goes at the bank, by the accountant; what has to be approved is approved."""
        form = {"kind": kind, "fund_id": str(GENERAL), "holding_id": str(BANK), "amount": f"{fen / 100:.2f}"}
        form |= {
            "words": "利息",
            "form_key": str(self.shop.chance("form", kind, self.told_until).getrandbits(52)),
            **more,
        }
        answer = self.shop.screens[ACCOUNTANT].send("/funds/book", form)
        if not self.shop.diary.expect(answer, SEE_OTHER, what=f"booking of {kind}"):
            return
        address = answer.headers["Location"]
        if "spendings" in address:
            answer = self.shop.screens[APPROVER].send(f"{address}/approve", {})
            if not self.shop.diary.expect(answer, SEE_OTHER, what="approval of a spending"):
                return
            self.shop.diary.count("spendings approved")
        self.lines.append((today(self.shop.time.now()), fen if kind == "interest" else -fen, form["words"]))
        self.shop.diary.count(f"booked {kind}")
