"""What is to be done when in the lived day, in business time, and how business time runs beside the machine's."""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatch.demo.clock import set_clock


@dataclass(slots=True)
class BusinessTime:
    """The demo's clock as the day drives it: what it shows is computed here, so that nobody has to ask."""

    owner_url: str
    rate: float
    anchor: datetime
    began: float

    @classmethod
    def start(cls, owner_url: str, instant: datetime, rate: float) -> "BusinessTime":
        """Set the clock to an instant and let it run."""
        reading = set_clock(owner_url, instant, rate)
        return cls(owner_url, rate, reading.instant, time.monotonic())

    def now(self) -> datetime:
        """What the clock shows."""
        return self.anchor + timedelta(seconds=(time.monotonic() - self.began) * self.rate)

    def run(self, rate: float) -> None:
        """Go on from here at another rate."""
        if rate != self.rate:
            reading = set_clock(self.owner_url, None, rate)
            self.anchor, self.began, self.rate = reading.instant, time.monotonic(), rate

    def leap(self, instant: datetime) -> None:
        """Go on from a later instant at the same rate; what was due in between is due now."""
        reading = set_clock(self.owner_url, instant, self.rate)
        self.anchor, self.began = reading.instant, time.monotonic()


@dataclass(slots=True)
class Agenda:
    """Deeds by the instant from which they are due; equal instants in the order in which they were noted."""

    heap: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def at(self, instant: datetime, deed: Callable[[], None]) -> None:
        """Note a deed."""
        heapq.heappush(self.heap, (instant, next(self.numbers), deed))

    def do_due(self, clock: Callable[[], datetime], most: int = 50) -> int:
        """Do what is due, oldest first, at most `most`; returns how many."""
        done = 0
        while self.heap and done < most and self.heap[0][0] <= clock():
            _, _, deed = heapq.heappop(self.heap)
            deed()
            done += 1
        return done

    @property
    def next_at(self) -> datetime | None:
        """When the next deed is due; None when nothing is noted."""
        return self.heap[0][0] if self.heap else None

    def __len__(self) -> int:
        return len(self.heap)
