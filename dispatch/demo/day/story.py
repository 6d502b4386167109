"""What a lived day or week remembers of itself: each call's order, what firms did, and what came back."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from dispatch.demo.calls import DraftCall


@dataclass(slots=True)
class Manner:
    """How firms and the resident take one order where a tale needs it; what it does not say is left to luck.

    `answers`: accept, decline or lapse of those who are asked first, one after the other; `then`: of all others.
    `gives_back`: so many who accept give the order back. `waits`: whoever accepts does nothing until told to go on.
    `together`: "twice" accepts from two phones at once, "race" has all of a round accept at once. `says`: solved,
    unsolved or away at each callback, the last word for all that follow. `is_ours`: the tale rescues it by itself.
    """

    answers: tuple[str, ...] = ()
    then: str = ""
    gives_back: int = 0
    waits: bool = False
    together: str = ""
    says: tuple[str, ...] = ()
    is_ours: bool = False

    def answer(self, asked: int) -> str:
        """What the one who is asked as number `asked` (from 1) does; empty: luck decides."""
        return self.answers[asked - 1] if asked <= len(self.answers) else self.then

    def word(self, attempt: int) -> str:
        """What is said at a callback (from 1); empty: luck decides."""
        return self.says[min(attempt, len(self.says)) - 1] if self.says else ""


@dataclass(slots=True)
class Told:
    """One call that was answered with 201; `visit` is whoever accepted and waits, `at_once` what both were told."""

    call: DraftCall
    number: str
    placed_at: datetime
    accepted_at: datetime | None = None
    rounds: int = 0
    callbacks: int = 0
    manner: Manner = field(default_factory=Manner)
    visit: Any = None
    rivals: list[Any] = field(default_factory=list)
    at_once: list[int] = field(default_factory=list)
    linked_at: float = 0.0


@dataclass(slots=True)
class Story:
    """The day so far. `ids` are what the desk has learned of places and people from the answers."""

    seed: int
    orders: dict[str, Told] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    area_ids: dict[str, int] = field(default_factory=dict)
    stairwell_ids: dict[str, int] = field(default_factory=dict)
    performers_of_service: dict[int, list[int]] = field(default_factory=dict)
    stirred_at: float = 0.0
    patient_until: float = 0.0

    def be_patient(self, seconds: float) -> None:
        """For so long, in real time, minutes count: several are about to be asked and to meet."""
        self.patient_until = time.monotonic() + seconds

    def stir(self) -> None:
        """Somebody has just done what the installation follows up at once (real time)."""
        self.stirred_at = time.monotonic()

    def chance(self, *parts: object) -> Random:
        """A stream of its own for one decision: the same seed and the same facts, the same choice."""
        words = ":".join(str(part) for part in (self.seed, *parts))
        return Random(words)  # noqa: S311 - a day that can be lived again is the point

    def learn(self, told: Told, order: dict[str, Any]) -> None:
        """Keep what an order shows of places, teams and performers."""
        if order.get("area_id"):
            self.area_ids.setdefault(told.call.area_code, order["area_id"])
        if order.get("place_outcome") == "stairwell" and told.call.place_level == "stairwell":
            self.stairwell_ids.setdefault(told.call.stairwell_code, order["stairwell_id"])
        if order.get("performer_id"):
            known = self.performers_of_service.setdefault(order["service_id"], [])
            if order["performer_id"] not in known:
                known.append(order["performer_id"])
