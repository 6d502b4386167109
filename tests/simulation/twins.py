"""The twins of a simulation: a broker that loses, copies and delays hints, and receivers that fail or stall."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from dispatch.gateways.messages import Message, Remembered, Trouble
from dispatch.rules.queue import Lane
from tests.simulation.fate import Moment, meet

MOST_FAILURES = 2


@dataclass(slots=True)
class LossyBroker:
    """Hints wait here until the simulation delivers one, in any order; while `gone`, none arrives."""

    random: Random
    waiting: list[tuple[Lane, int]] = field(default_factory=list)
    gone: bool = False

    def send(self, lane: Lane, job_id: int) -> None:
        """Take a hint, lose it, or copy it."""
        meet(Moment.HINT)
        chance = self.random.random()
        if self.gone or chance < 0.3:
            return
        self.waiting.append((lane, job_id))
        if chance > 0.85:
            self.waiting.append((lane, job_id))

    def come_or_go(self) -> None:
        """Redis is stopped, or started again."""
        self.gone = not self.gone

    def lose_all(self) -> None:
        """Redis is wiped."""
        self.waiting.clear()

    def take(self) -> tuple[Lane, int] | None:
        """Deliver one of the waiting hints."""
        if not self.waiting:
            return None
        return self.waiting.pop(self.random.randrange(len(self.waiting)))


@dataclass(slots=True)
class Receivers:
    """Everybody's receiver; the sender may die before or after it, and others may act while it stalls."""

    random: Random
    while_stalled: Callable[[], None] = lambda: None
    is_calm: bool = False
    stubborn: dict[str, bool] = field(default_factory=dict)
    inner: Remembered = field(init=False)

    def __post_init__(self) -> None:
        """The receivers themselves are the gateway's own twin."""
        self.inner = Remembered(plan=self.plan)

    def plan(self, message: Message, sending: int) -> Trouble:
        """Fail before or after accepting, at most twice a message; a stubborn one never says that it accepted."""
        chance = self.random.random()
        if self.stubborn.setdefault(message.message_id, chance < 0.08):
            return Trouble.AFTER
        if self.is_calm or sending > MOST_FAILURES or chance > 0.3:
            return Trouble.NONE
        return Trouble.BEFORE if chance > 0.15 else Trouble.AFTER

    def send(self, message: Message) -> str:
        """Receive a message, with all that may happen on the way."""
        meet(Moment.SEND)
        if not self.is_calm and self.random.random() < 0.1:
            self.while_stalled()
        reference = self.inner.send(message)
        meet(Moment.ACCEPTED)
        return reference
