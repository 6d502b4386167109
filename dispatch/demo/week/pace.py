"""How fast the week's time runs: slowly while the installation has work at once, else ahead to what comes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.day.people import Desk
from dispatch.demo.day.story import Story
from dispatch.rules.orders.urgency import PRESSING

LINK_SECONDS = 2.5
STIR_SECONDS = 0.8
LEAD_SECONDS = 1.0
# how far away the next deed is → how many business seconds may pass in a real one
AHEAD: tuple[tuple[timedelta, float], ...] = (
    (timedelta(hours=4), 14_400.0),
    (timedelta(hours=1), 3_600.0),
    (timedelta(minutes=10), 2_400.0),
    (timedelta(minutes=2), 1_200.0),
    (timedelta(seconds=20), 400.0),
)
BUSY, LATE, PATIENT = 2.0, 0.5, 0.2
"""The pace, as a multiple of the slow rate: something moves and nobody is in danger; people are behind; some meet."""
BEHIND = timedelta(seconds=20)


@dataclass(slots=True)
class Pace:
    """Chooses the rate by what moves in the installation, what presses, and what comes next."""

    time: BusinessTime
    rate: float
    agenda: Agenda
    desk: Desk
    story: Story
    first_seen: dict[tuple[str, int], float] = field(default_factory=dict)
    settled: bool = False
    pressing: bool = False
    hurried: bool = False

    def look(self, offered: list[Mapping[str, Any]]) -> None:
        """See what is on its way to somebody: offers whose link nobody has opened; and which of them press."""
        now = time.monotonic()
        moving = [order for order in offered if not self.is_known(order, now)]
        self.settled = not moving
        self.pressing = any(order["urgency"] in PRESSING for order in moving)
        self.hurried = any(order["urgency"] in PRESSING for order in offered)

    def is_known(self, order: Mapping[str, Any], now: float) -> bool:
        """Whether whoever was offered the order has seen it, or has had the time to."""
        seen = self.first_seen.setdefault((order["number"], order["version"]), now)
        told = self.story.orders.get(order["number"])
        return now - seen > LINK_SECONDS or (told is not None and told.linked_at >= seen - LEAD_SECONDS)

    def choose(self) -> None:
        """Slow while people are behind or something presses, busy while something moves; else by what comes next."""
        if time.monotonic() < self.story.patient_until:
            self.time.run(self.rate * PATIENT)
            return
        fresh = time.monotonic() - self.story.stirred_at < STIR_SECONDS
        next_at = self.agenda.next_at
        left = timedelta(days=1) if next_at is None else next_at - self.time.now()
        if left < -BEHIND:
            self.time.run(self.rate * LATE)
            return
        if fresh or self.hurried or not self.settled:
            self.time.run(self.rate if self.pressing or self.hurried else self.rate * BUSY)
            return
        self.time.run(next((rate for span, rate in AHEAD if left > span), self.rate * BUSY))
