"""Which periods a contact discharges: one visit may discharge several duties, each on its own clock.

Source: rules.md §4 (one visit may discharge several duties; phone does not count for the monthly visit (Q); never
back-filled).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dispatch.rules.care.terms import ContactKind, DutyKind, PeriodState


@dataclass(frozen=True, slots=True)
class Happened:
    """A contact, as far as the question goes: its day, how, whether somebody answered and the device was tried."""

    day: date
    kind: ContactKind
    answered: bool
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Owed:
    """A period, as far as the question goes."""

    id: int
    kind: DutyKind
    starts_on: date
    until: date
    state: PeriodState


def discharges(contact: Happened, periods: Iterable[Owed], *, by_phone: bool = False) -> list[int]:
    """The ids of the periods that a contact meets: due ones in which its day lies and for which its kind counts."""
    return [
        one.id
        for one in periods
        if one.state is PeriodState.DUE
        and one.starts_on <= contact.day <= one.until
        and counts_for(contact, one.kind, by_phone=by_phone)
    ]


def counts_for(contact: Happened, kind: DutyKind, *, by_phone: bool = False) -> bool:
    """Whether such a contact is what a duty asks: a live test is the device's, a visit is in person, a call is heard.

    `by_phone`: the community lets a call count for the monthly visit (policy, false to start with).
    """
    if not contact.answered:
        return False
    if kind is DutyKind.LIVE_TEST:
        return contact.tested
    if contact.kind is ContactKind.TEST:
        return False
    at_the_door = contact.kind is ContactKind.VISIT
    return at_the_door or kind is DutyKind.GREETING or (kind is DutyKind.MONTHLY_VISIT and by_phone)
