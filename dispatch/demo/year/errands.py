"""Whoever is sent: the team signs, those who are asked accept and do it, a dispatcher helps where nobody is left."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatch.demo.day.firms import MACHINE, photo, signature
from dispatch.demo.day.staff import LINK
from dispatch.demo.day.wire import Part, multipart
from dispatch.demo.year.shop import OK, Shop
from dispatch.gateways.messages.received import read_received
from dispatch.rules.orders.states import ENDED, OrderState

MOST_READ = 5_000
LOOK_SECONDS = 0.5
GIVE_UP_SECONDS = 90.0
MOST_HELPED = 4
"""So often a day the desk looks for somebody for an order for whom there is nobody, then leaves it."""


@dataclass(slots=True)
class Errands:
    """Those who go and do what the supermarket needs, all of them by the link that they were sent."""

    shop: Shop
    home: Path
    workers: tuple[str, ...]
    read_until: int = 0
    known: set[str] = field(default_factory=set)
    helped: Counter[str] = field(default_factory=Counter)

    def skip_old(self) -> None:
        """Leave what lies in the inbox from before."""
        old = read_received(self.home, limit=1)
        self.read_until = old[-1].number if old else 0

    def work_off(self, waiting: Callable[[], int]) -> None:
        """Until no order is open that moves and nothing waits, or much time has passed."""
        limit = time.monotonic() + GIVE_UP_SECONDS
        self.helped.clear()
        while time.monotonic() < limit:
            open_orders = self.open_orders()
            if not waiting() and not open_orders:
                return
            self.look(open_orders)
            time.sleep(LOOK_SECONDS)
        self.shop.diary.count("days that ended with something open")

    def open_orders(self) -> list[Mapping[str, Any]]:
        """Every order that has not ended and is not given up for today."""
        found: list[Mapping[str, Any]] = []
        for state in OrderState:
            if state not in ENDED:
                found += self.shop.read(f"/api/orders?state={state}&limit=100")["items"]
        return [order for order in found if self.helped[order["number"]] < MOST_HELPED]

    def look(self, open_orders: list[Mapping[str, Any]]) -> None:
        """Sign, accept, do and answer what there is."""
        for order in open_orders:
            self.help_on(order)
        for one in read_received(self.home, after=self.read_until, limit=MOST_READ):
            self.read_until = one.number
            if one.link and not one.repeat:
                self.take(one.link.rpartition("/w/")[2])
        if any(order["state"] in {"offered", "accepted"} for order in open_orders):
            for login in self.workers:
                for token in LINK.findall(self.shop.screens[login].read("/inbox").text):
                    self.take(token)

    def help_on(self, order: Mapping[str, Any]) -> None:
        """What the team and the desk do with an order in its state."""
        number, state = order["number"], order["state"]
        if state == "dispatched":
            self.step(number, "signature", {})
        elif state == "awaiting_human":
            self.helped[number] += 1
            self.step(number, "route", {"reason": "演示：调度员处理"})
        elif state == "finished":
            self.step(number, "feedback", {"answer": "已办理。"})

    def step(self, number: str, what: str, content: Mapping[str, object]) -> None:
        """One step at the desk; a refusal is a fact."""
        answer = self.shop.api(f"/api/orders/{number}/{what}", content)
        self.shop.diary.count(f"order {what} {answer.status}")

    def take(self, token: str) -> None:
        """Accept, go there, do it and report, once for each link."""
        if token in self.known:
            return
        self.known.add(token)
        answer = self.shop.wire.ask("GET", f"/w/{token}", headers=MACHINE)
        if answer.status != OK or answer.json().get("stage") != "offered":
            self.shop.diary.count("links that were over when opened")
            return
        for act, content in (("accept", {}), ("set-out", {}), ("arrive", {"how": "resident"})):
            answer = self.shop.wire.send_json("POST", f"/w/{token}/{act}", content, MACHINE, once=f"{act}-{token}")
            self.shop.diary.count(f"{act} {answer.status}")
            if answer.status != OK:
                return
        self.finish(token)

    def finish(self, token: str) -> None:
        """Report the work with a photo and a signature."""
        chance = self.shop.chance("errand", token)
        parts = (
            Part("photos", "photo.jpg", "image/jpeg", photo(chance)),
            Part("signature", "signature.png", "image/png", signature(chance)),
        )
        body, content_type = multipart({"result": "done", "cost": "0", "note": ""}, parts)
        headers = {**MACHINE, "Content-Type": content_type, "Idempotency-Key": f"finish-{token}"}
        answer = self.shop.wire.ask("POST", f"/w/{token}/finish", body=body, headers=headers)
        self.shop.diary.count(f"finish {answer.status}")
