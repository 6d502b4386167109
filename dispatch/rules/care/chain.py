"""Whom to call about an alarm: one after the other, until somebody confirms.

Source: rules.md §4 (children are contacts), issue “Alarm devices” (home, children, neighbours, stairwell leader, duty,
note to 120/110, with who confirmed).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class CallKind(StrEnum):
    """Who is called; the last two are a note that a public service was told."""

    HOME = "home"
    CHILD = "child"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    STAIRWELL_LEADER = "stairwell_leader"
    DUTY = "duty"
    RESCUE = "rescue_120"
    POLICE = "police_110"


class CallOutcome(StrEnum):
    """What came of a call: nobody; somebody; somebody who goes there; somebody who is there and knows."""

    NO_ANSWER = "no_answer"
    ANSWERED = "answered"
    GOES = "goes"
    CONFIRMED = "confirmed"


KIND_LABELS = {
    CallKind.HOME: "老人家里",
    CallKind.CHILD: "子女",
    CallKind.RELATIVE: "亲属",
    CallKind.NEIGHBOUR: "邻居",
    CallKind.STAIRWELL_LEADER: "楼道长",
    CallKind.DUTY: "值班",
    CallKind.RESCUE: "120 急救",
    CallKind.POLICE: "110 公安",
}
OUTCOME_LABELS = {
    CallOutcome.NO_ANSWER: "没有接",
    CallOutcome.ANSWERED: "接了，情况不清",
    CallOutcome.GOES: "接了，正赶过去",
    CallOutcome.CONFIRMED: "已确认情况",
}

OUTSIDE = frozenset({CallKind.RESCUE, CallKind.POLICE})
"""Public services: they are told, not asked to confirm."""

CONTACTS = frozenset(CallKind) - OUTSIDE


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to call: `id` None for who is found by a post and stands on no list."""

    id: int | None
    kind: CallKind
    rank: int


@dataclass(frozen=True, slots=True)
class Called:
    """A call that was made."""

    contact_id: int | None
    kind: CallKind
    outcome: CallOutcome


def is_confirmed(calls: Iterable[Called]) -> bool:
    """Whether somebody has confirmed: nobody else needs to be called."""
    return any(call.outcome is CallOutcome.CONFIRMED for call in calls)


def next_contact(contacts: Sequence[Contact], calls: Sequence[Called]) -> Contact | None:
    """Whom to call next: the first by rank whom nobody has called, then who did not answer, the longest ago first.

    None when somebody has confirmed, or when nobody is left whom it is worth calling: then 120, 110 and the helpers on
    their way are what there is.
    """
    if is_confirmed(calls):
        return None
    ranked = sorted(contacts, key=lambda contact: contact.rank)
    tried = {(call.contact_id, call.kind): place for place, call in enumerate(calls)}
    fresh = next((one for one in ranked if (one.id, one.kind) not in tried), None)
    if fresh is not None:
        return fresh
    silent = [one for one in ranked if calls[tried[one.id, one.kind]].outcome is CallOutcome.NO_ANSWER]
    return min(silent, key=lambda one: tried[one.id, one.kind], default=None)
