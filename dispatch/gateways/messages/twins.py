"""The twin in memory: receivers that accept, refuse, or fail before or after accepting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from dispatch.errors import Unavailable
from dispatch.gateways.messages.message import Message, Refused, Uncertain
from dispatch.rules.notify.delivery import DEDUPES


class Trouble(StrEnum):
    """What may happen to one sending."""

    NONE = "none"
    BEFORE = "before"
    AFTER = "after"
    REFUSED = "refused"


def no_trouble(_message: Message, _sending: int) -> Trouble:
    """Everything arrives."""
    return Trouble.NONE


@dataclass(slots=True)
class Remembered:
    """Receivers that keep what arrives. `plan(message, n-th sending)` says what happens to each sending.

    `arrivals` holds every arrival; `accepted` what a receiver took as new: a webhook's receiver dedupes by
    message id, a mailbox takes each.
    """

    plan: Callable[[Message, int], Trouble] = no_trouble
    arrivals: list[Message] = field(default_factory=list)
    accepted: list[Message] = field(default_factory=list)
    sendings: dict[str, int] = field(default_factory=dict)

    def send(self, message: Message) -> str:
        """Receive one message as the plan says; raises Refused, Unavailable (before), Uncertain (after)."""
        sending = self.sendings.get(message.message_id, 0) + 1
        self.sendings[message.message_id] = sending
        trouble = self.plan(message, sending)
        if trouble is Trouble.REFUSED:
            raise Refused
        if trouble is Trouble.BEFORE:
            raise Unavailable
        reference = self.receive(message)
        if trouble is Trouble.AFTER:
            raise Uncertain
        return reference

    def receive(self, message: Message) -> str:
        """Keep the arrival; returns 200 for a new one, 409 for one that a deduping receiver knew."""
        known = any(one.message_id == message.message_id for one in self.accepted)
        self.arrivals.append(message)
        if known and message.channel in DEDUPES:
            return "409"
        self.accepted.append(message)
        return "200"
