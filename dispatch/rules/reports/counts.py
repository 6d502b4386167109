"""What reports count: one whole number each, added up over days, places, kinds, teams and firms."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of some days; the day that an order counts for stands in docs/decisions (figures).

    placed: orders taken in; answered: of these, those answered in the call. repeat_base: those with a stairwell
    that were neither voided nor merged; repeated: of these, those whose stairwell had the same kind some days
    before (policy figures.repeat_days).
    dispatched: orders given to a team; returned: of these, those with an upheld 退单; misrouted: those returned or
    given to somebody else; overridden: those where a person chose otherwise than the router.
    A limit counts from when it was met or has passed: one that is neither is not due yet, though its day has begun.
    to_sign: orders that a team has to sign for; signed_in_time of these.
    offered: orders that were offered; rounds: their offer rounds; first_answered: those whose first round ended
    with an answer or a lapse; first_accepted of these; accepted of the offered; accept_seconds: from the first
    offer to the first acceptance, of the accepted.
    arrivals_due: orders with a limit to arrive; arrived_in_time of these.
    due: orders that should be closed; due_closed, closed_in_time of these. answers_due: orders that a team should
    have answered; answered_in_time of these.
    finished: orders whose work was reported done. closed: orders closed.
    called: orders whose callback reached the caller; reopened of these; valued (V): those without a final answer;
    contacted, solved, and the five steps of satisfaction: of V.
    """

    placed: int = 0
    answered: int = 0
    repeat_base: int = 0
    repeated: int = 0
    dispatched: int = 0
    returned: int = 0
    misrouted: int = 0
    overridden: int = 0
    to_sign: int = 0
    signed_in_time: int = 0
    offered: int = 0
    rounds: int = 0
    first_answered: int = 0
    first_accepted: int = 0
    accepted: int = 0
    accept_seconds: int = 0
    arrivals_due: int = 0
    arrived_in_time: int = 0
    due: int = 0
    due_closed: int = 0
    closed_in_time: int = 0
    answers_due: int = 0
    answered_in_time: int = 0
    finished: int = 0
    closed: int = 0
    called: int = 0
    reopened: int = 0
    valued: int = 0
    contacted: int = 0
    solved: int = 0
    very_satisfied: int = 0
    satisfied: int = 0
    basically_satisfied: int = 0
    dissatisfied: int = 0
    very_dissatisfied: int = 0

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in MEASURES})

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The counts in a row of the database; what is missing is nothing."""
        return cls(**{name: int(row.get(name) or 0) for name in MEASURES})


MEASURES: tuple[str, ...] = tuple(field.name for field in fields(Counts))
"""The names of all counts, in the order of the columns of the maintained totals."""
NOTHING_COUNTED = Counts()
