"""How much of the receiver one address may take, and all of them together."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

MOST_ADDRESSES = 10_000
"""Of which it is remembered how much they sent; the longest silent is forgotten first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed; times in seconds."""

    connections: int = 2_000
    per_address: int = 256
    frames_per_second: float = 400.0
    frame_seconds: float = 10.0
    idle_seconds: float = 180.0
    answer_seconds: float = 10.0
    waiting: int = 512
    together: int = 64
    events_together: int = 32
    clerks: int = 4
    gather_seconds: float = 0.1
    refusals_per_minute: float = 30.0


@dataclass(slots=True)
class Bucket:
    """So many a second: what was not used is saved, up to `most`; what was taken too early is owed."""

    rate: float
    most: float
    held: float
    at: float

    def fill(self, moment: float) -> None:
        """Let time pass."""
        self.held = min(self.most, self.held + (moment - self.at) * self.rate)
        self.at = moment

    def take(self, moment: float) -> bool:
        """Take one, if one is there."""
        self.fill(moment)
        if self.held < 1.0:
            return False
        self.held -= 1.0
        return True

    def owe(self, moment: float) -> float:
        """Take one all the same; returns the seconds to wait for it."""
        self.fill(moment)
        self.held -= 1.0
        return max(0.0, -self.held / self.rate)


@dataclass(slots=True)
class Door:
    """Who is inside: connections by address, and how fast each address sends."""

    limits: Limits
    inside: dict[str, int] = field(default_factory=dict)
    count: int = 0
    buckets: OrderedDict[str, Bucket] = field(default_factory=OrderedDict)

    def enter(self, address: str) -> bool:
        """Let a connection in, if there is room for it."""
        here = self.inside.get(address, 0)
        if self.count >= self.limits.connections or here >= self.limits.per_address:
            return False
        self.inside[address] = here + 1
        self.count += 1
        return True

    def leave(self, address: str) -> None:
        """A connection that was let in is over."""
        self.count -= 1
        self.inside[address] -= 1
        if not self.inside[address]:
            del self.inside[address]

    def bucket_of(self, address: str, moment: float) -> Bucket:
        """How much this address may send now."""
        rate = self.limits.frames_per_second
        bucket = self.buckets.pop(address, None) or Bucket(rate, rate, rate, moment)
        self.buckets[address] = bucket
        if len(self.buckets) > MOST_ADDRESSES:
            self.buckets.popitem(last=False)
        return bucket


@dataclass(slots=True)
class Refusals:
    """How many refusals are written down: of a flood only so many, and of those that read as an alarm as many again."""

    per_minute: float
    buckets: dict[bool, Bucket] = field(init=False)
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        rate, moment = self.per_minute / 60, monotonic()
        self.buckets = {kind: Bucket(rate, self.per_minute, self.per_minute, moment) for kind in (False, True)}

    def may_count(self, *, pressing: bool) -> bool:
        """Whether another one is written down."""
        with self.lock:
            return self.buckets[pressing].take(monotonic())
