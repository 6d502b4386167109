"""Tales of single orders, told side by side: each waits for a time or for something to be so, and goes on."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.week.paths import Ledger, Path

FIRST_GAP, LONGEST_GAP, GROWTH = 0.4, 5.0, 1.6
"""A tale looks whether something is so after these real seconds, then less and less often."""


class Surprise(Exception):
    """Something was otherwise than the tale has it."""


class NotBuilt(Exception):
    """The installation has no such route."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Until an instant; or until something is so, at the latest at an instant."""

    until: datetime
    test: Callable[[], bool] | None = None
    what: str = ""


Tale = Generator[Wait, None, None]


@dataclass(slots=True)
class Running:
    """A tale that has begun: its paths, what lets its order go when it ends early, and what it waits for."""

    paths: tuple[Path, ...]
    tale: Tale
    release: Callable[[], None]
    wait: Wait | None = None
    gap: float = FIRST_GAP
    look_at: float = 0.0


@dataclass(slots=True)
class Director:
    """Begins tales and goes on with those whose wait is over."""

    time: BusinessTime
    agenda: Agenda
    ledger: Ledger
    watched: list[Running] = field(default_factory=list)
    running: int = 0

    def begin(self, paths: tuple[Path, ...], tale: Tale, release: Callable[[], None] = lambda: None) -> None:
        """The first step of a tale."""
        self.ledger.tried.update(paths)
        self.running += 1
        self.go_on(Running(paths, tale, release))

    def go_on(self, one: Running, surprise: Surprise | None = None) -> None:
        """The next step of a tale; what is not as it should be ends it and is noted."""
        try:
            one.wait = one.tale.throw(surprise) if surprise else next(one.tale)
        except StopIteration:
            self.ledger.well.update(one.paths)
            self.running -= 1
        except Surprise as found:
            self.ledger.surprise(one.paths[0], str(found))
            self.running -= 1
            one.release()
        except NotBuilt as found:
            self.ledger.missing.update(dict.fromkeys(one.paths, str(found)))
            self.running -= 1
        else:
            self.note(one, one.wait)

    def note(self, one: Running, wait: Wait) -> None:
        """Go on when the time has come, or watch for what is to be so."""
        if wait.test is None:
            self.agenda.at(wait.until, lambda: self.go_on(one))
        else:
            one.gap, one.look_at = FIRST_GAP, 0.0
            self.watched.append(one)

    def look(self) -> int:
        """Go on with every tale whose wait is over; returns with how many."""
        watched, self.watched = self.watched, []
        moved = 0
        for one in watched:
            if time.monotonic() < one.look_at:
                self.watched.append(one)
            else:
                moved += self.look_at(one)
        return moved

    def look_at(self, one: Running) -> bool:
        """Look whether what a tale waits for is so; returns whether it went on."""
        wait = one.wait
        if wait is None or wait.test is None or wait.test():
            self.go_on(one)
        elif self.time.now() > wait.until:
            self.go_on(one, Surprise(f"waited in vain for {wait.what}"))
        else:
            one.gap, one.look_at = min(one.gap * GROWTH, LONGEST_GAP), time.monotonic() + one.gap
            self.watched.append(one)
            return False
        return True

    def pause(self, **span: float) -> Wait:
        """Wait for some business time: minutes=…, hours=…."""
        return Wait(self.time.now() + timedelta(**span))
