"""The journal of a supermarket at 10⁴ and at many more lines: desk, gifts, newest entries, statement and `verify`.

Two houses run beside one another and take turns, so that what is on the machine slows both.
"""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from typing import Any

from benchmarks import bare
from benchmarks.house import HOST, House, house, module_command
from benchmarks.intake import Load, answers, bare_command
from benchmarks.measure import spread, tell
from benchmarks.proofs import READERS
from config.settings import APP_ROLE
from dispatch.demo.credentials import DemoSecrets
from dispatch.demo.day.firms import signature
from dispatch.demo.day.wire import Answer, Part, Wire
from dispatch.demo.year.counter import LIST, SEEN, SIGN, words_of
from dispatch.demo.year.screen import Screen
from dispatch.servers.process import wait_until
from dispatch.supervisor.home import read_json
from dispatch.supervisor.inbox import free_ports

SMALL, SHORT, LARGE = 10_000, 40_000, 10_000_000
CARDS, CREATED, OK = 40, 201, 200
AIM_DESK, AIM_STATEMENT = 100.0, 30.0
CLIENTS = (1, 2, 4)
STEPS = ("card read", "reserved", "signed")
ENOUGH = 10_000_000
KEPT = {"rice": "1", "towel": "1"}


@dataclass(slots=True)
class Desk:
    """One counter of a house with its keeper; `times` are the milliseconds of each step."""

    running: House
    screen: Screen
    facility: int
    goods: dict[str, int]
    cards: list[str]
    served: int = 0

    def hand_out(self) -> tuple[float, ...]:
        """One household: card read, two kinds reserved, signed; milliseconds of the three requests."""
        form = {"facility_id": str(self.facility), "card": self.cards[self.served % len(self.cards)]}
        self.served += 1
        page, read = self.timed("/counter/card", form)
        asked = form | {f"goods.{self.goods[code]}": amount for code, amount in KEPT.items()}
        listed, reserved = self.timed("/counter/reservations", asked, many={"seen": SEEN.findall(page.text)})
        action, digest = SIGN.search(listed.text), LIST.search(listed.text)
        if action is None or digest is None:
            raise RuntimeError(words_of(listed))
        picture = Part("signature", "signature.png", "image/png", signature(Random(self.served)))  # noqa: S311
        signing = {"way": "stroke", "list_hash": digest[1], "signed_at": self.now()}
        _, signed = self.timed(action[1], signing, parts=(picture,), once=f"{id(self)}-{action[2]}")
        return read, reserved, signed

    def timed(self, path: str, form: dict[str, str], **more: Any) -> tuple[Answer, float]:
        """A form sent, and the milliseconds until its answer was there."""
        began = time.perf_counter()
        answer = self.screen.send(path, form, **more)
        took = (time.perf_counter() - began) * 1000
        if answer.status != OK:
            message = f"{path}: {answer.status} {words_of(answer)}"
            raise RuntimeError(message)
        return answer, took

    def now(self) -> str:
        """The business time of the house."""
        with self.running.owner() as owner:
            row = owner.execute("SELECT dispatch_now()").fetchone()
        return "" if row is None else str(row[0].isoformat())


@dataclass(slots=True)
class Books:
    """A house with a journal of so many lines, its desks and its key."""

    running: House
    lines: int
    wire: Wire
    key: str
    desks: list[Desk]
    fund: int
    bank: int

    def gift(self) -> float:
        """A gift of money posted with its receipt; milliseconds."""
        item = {"item": "捐款", "commodity": "fen", "amount": 5_000}
        return self.asked("/api/gifts", {"fund_id": self.fund, "holding_id": self.bank, "items": [item]})

    def asked(self, path: str, content: object) -> float:
        """Something made by the key; milliseconds."""
        began = time.perf_counter()
        answer = self.wire.api(self.key, "POST", path, content)
        took = (time.perf_counter() - began) * 1000
        if answer.status != CREATED:
            message = f"{path}: {answer.status} {answer.text[:200]}"
            raise RuntimeError(message)
        return took

    def read(self, path: str) -> float:
        """Something shown; milliseconds."""
        began = time.perf_counter()
        answer = self.wire.api(self.key, "GET", path)
        took = (time.perf_counter() - began) * 1000
        if answer.status != OK:
            message = f"{path}: {answer.status} {answer.text[:200]}"
            raise RuntimeError(message)
        return took

    def proof(self, name: str) -> dict[str, Any]:
        """One reader of the whole journal in a process of its own."""
        command = module_command("benchmarks.proofs", name)
        done = subprocess.run(command, env=self.running.environment, stdout=subprocess.PIPE, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        if found["found"]:
            raise RuntimeError(found["found"])
        return found


def open_books(running: House, lines: int) -> Books:
    """Make the journal of a house, put much on its shelves, and log its keeper in at several counters."""
    wire, key = Wire(running.url), running.api_key()
    places = wire.api(key, "GET", "/api/facilities").json()["items"]
    place = next(one for one in places if one["kind"] == "love_market")
    command = module_command("benchmarks.ledger", str(lines), str(place["community_id"]))
    subprocess.run(command, env=running.environment, check=True)
    goods = {one["code"]: one["id"] for one in wire.api(key, "GET", "/api/goods?limit=100").json()["items"]}
    with running.owner() as owner:
        fund = owner.execute("SELECT id FROM funds WHERE code = 'general'").fetchone()
        bank = owner.execute("SELECT id FROM holdings WHERE kind = 'bank'").fetchone()
        secret = (running.home / "secret").read_text(encoding="utf-8").strip()
    if fund is None or bank is None:
        raise RuntimeError("the demo has no fund")
    cards = [DemoSecrets(secret).card_token(number) for number in range(CARDS)]
    people = {one["login"]: one for one in read_json(running.home / "demo.json")["accounts"]}
    screens = [Screen(wire, "keeper1", people["keeper1"]["password"], f"127.0.0.{9 + n}") for n in range(max(CLIENTS))]
    kept = {code: goods[code] for code in KEPT}
    desks = [Desk(running, one, place["id"], kept, cards[n :: len(screens)]) for n, one in enumerate(screens)]
    books = Books(running, lines, wire, key, desks, fund[0], bank[0])
    for code, number in kept.items():
        item = {"item": code, "commodity": "gram" if code == "rice" else "piece", "amount": ENOUGH, "goods_id": number}
        package = {"expires_on": "2190-01-01"} if code == "rice" else {}
        draft = {"fund_id": fund[0], "facility_id": place["id"], "items": [item | {"package": package}]}
        books.asked("/api/gifts", draft)
        wire.api(key, "POST", f"/api/goods/{number}/points", {"points": 0, "step": 1})
    for desk in desks:
        desk.hand_out()
    return books


def both(name: str, several: Sequence[Books], ask: Callable[[Books], float], rounds: int) -> None:
    """One question to both houses in turns: medians, 95th percentiles, ratio."""
    times: list[list[float]] = [[] for _ in several]
    for _ in range(rounds):
        for books, kept in zip(several, times, strict=True):
            kept.append(ask(books))
    tell_both(name, several, times)


def tell_both(name: str, several: Sequence[Books], times: Sequence[Sequence[float]]) -> None:
    """What was measured at each size."""
    small, large = (median(one) for one in times)
    p95 = [quantiles(one, n=20)[-1] for one in times]
    tell(
        f"{name}: {large:,.1f} ms (p95 {p95[1]:,.1f}) : {small:,.1f} ms (p95 {p95[0]:,.1f}) = {large / small:.2f} "
        f"at {several[1].lines:,} : {several[0].lines:,} lines"
    )


def desk(several: Sequence[Books], rounds: int) -> None:
    """The hand-out at one counter, step by step."""
    times: list[list[tuple[float, ...]]] = [[] for _ in several]
    for _ in range(rounds):
        for books, kept in zip(several, times, strict=True):
            kept.append(books.desks[0].hand_out())
    for place, step in enumerate(STEPS):
        tell_both(f"desk, {step}", several, [[one[place] for one in kept] for kept in times])
    whole = [[one[1] + one[2] for one in kept] for kept in times]
    tell_both(f"desk, reserved and signed (aim < {AIM_DESK:.0f} ms)", several, whole)


def at_once(books: Books, seconds: float) -> None:
    """Hand-outs a second with several counters at once, against a bare INSERT under the same gunicorn."""

    def work(one: Desk) -> list[float]:
        until, times = time.monotonic() + seconds, []
        while time.monotonic() < until:
            times.append(sum(one.hand_out()[1:]))
        return times

    port = free_ports()["http"]
    with books.running.owner() as owner:
        owner.execute(bare.TABLE)
        owner.execute(f"GRANT SELECT, INSERT ON bare_orders TO {APP_ROLE}")
    body = dict.fromkeys(("service_code", "description", "address_text", "caller_name", "caller_phone"), "x")
    peer = Load(port, "/bare", [{}], [body], seconds)
    with books.running.child("bare", bare_command(port)) as process:
        wait_until(lambda: answers(peer), process, "bare", 30, books.running.log("bare"))
        for clients in CLIENTS:
            began = time.monotonic()
            with ThreadPoolExecutor(clients) as counters:
                times = [took for one in counters.map(work, books.desks[:clients]) for took in one]
            rate = len(times) / (time.monotonic() - began)
            tell(f"{clients} counters: {rate:.1f} hand-outs/s, {median(times):.0f} ms each; bare {peer.rate():,.0f} /s")


def proofs(several: Sequence[Books], rounds: int) -> None:
    """The readers of everything: seconds, lines a second, peak of memory."""
    for name in READERS:
        for books in several:
            runs = [books.proof(name) for _ in range(rounds if books.lines <= SHORT else 1)]
            seconds, peak = median(one["seconds"] for one in runs), max(one["peak"] for one in runs)
            rate = books.lines / seconds
            tell(
                f"{name} at {books.lines:,} lines: {seconds:,.2f} s ({rate:,.0f} lines/s), "
                f"{spread([one['seconds'] for one in runs])}; peak {peak:,.0f} MB, {runs[0]['before']:,.0f} before"
            )


def measure(lines: int, *, short: bool) -> None:
    """Two houses, their journals, everything in turns."""
    large = SHORT if short else lines
    tell(f"== Journal at {SMALL:,} and {large:,} lines, whole requests over {HOST}")
    with ExitStack() as stack:
        running = [stack.enter_context(house()) for _ in range(2)]
        began = time.monotonic()
        several = [open_books(one, size) for one, size in zip(running, (SMALL, large), strict=True)]
        tell(f"made in {time.monotonic() - began:,.0f} s")
        desk(several, 10 if short else 60)
        both("a gift of money posted", several, Books.gift, 10 if short else 60)
        both("the newest entries", several, lambda one: one.read("/api/journal?limit=50"), 10 if short else 60)
        at_once(several[1], 3 if short else 8)
        proofs(several, 1 if short else 3)
