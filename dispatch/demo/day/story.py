"""What the lived day remembers of itself: each call's order, what firms did, and what came back."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from dispatch.demo.calls import DraftCall


@dataclass(slots=True)
class Told:
    """One call that was answered with 201."""

    call: DraftCall
    number: str
    placed_at: datetime
    accepted_at: datetime | None = None
    rounds: int = 0
    callbacks: int = 0


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
