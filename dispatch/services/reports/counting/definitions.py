"""What each figure counts and leaves out, and why, as conditions on the sheet of an order (table order_counts).

The same conditions make the maintained totals and open a figure to its orders, so the two cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dispatch.rules.reports.counts import MEASURES
from dispatch.rules.reports.figures import Figure

Reasons = tuple[tuple[str, str], ...]
"""(reason, condition) in the order in which they are looked at; the first that holds is the reason."""


@dataclass(frozen=True, slots=True)
class Basis:
    """The day for which orders count, and whose they are on it: the teams and firm of today, or the first ones."""

    day: str
    teams_of: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """The columns of the sheet that say whose the order is: area, kind, lead, accountable, performer."""
        teams = (f"{self.teams_of}lead_team_id", f"{self.teams_of}accountable_team_id", f"{self.teams_of}performer_id")
        return ("area_id", "service_id", *teams)


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure: who stands on its day, who is left out and why, who counts, and why others do not."""

    basis: Basis
    counted: str
    left_out: Reasons = ()
    not_counted: Reasons = ()

    @property
    def base(self) -> str:
        """The condition that an order is in the denominator."""
        return " AND ".join(f"NOT ({condition})" for _, condition in self.left_out) or "TRUE"

    @property
    def both(self) -> str:
        """The condition that an order is in the numerator."""
        return f"{self.base} AND ({self.counted})"


PLACED: Final = Basis("placed_on")
DISPATCHED: Final = Basis("dispatched_on", "first_")
SIGN_DUE: Final = Basis("sign_due_on")
OFFERED: Final = Basis("offered_on", "first_")
ARRIVE_DUE: Final = Basis("arrive_due_on")
DUE: Final = Basis("due_on")
FINISHED: Final = Basis("finished_on")
CLOSED: Final = Basis("closed_on")
CALLED: Final = Basis("called_on")
BASES: Final = (PLACED, DISPATCHED, SIGN_DUE, OFFERED, ARRIVE_DUE, DUE, FINISHED, CLOSED, CALLED)

GONE: Final[Reasons] = (("voided", "fate = 'voided'"), ("merged", "fate = 'merged'"))
NO_TASK: Final[Reasons] = (*GONE, ("answered", "fate = 'answered'"))
UNREACHED: Final[Reasons] = (("unreached", "NOT is_reached"),)


def undecided(column: str) -> Reasons:
    """Who is left out of a figure by a limit: without a task, or neither met the limit yet nor missed it."""
    return (*NO_TASK, ("not_due", f"{column} = 'not_due'"))


OUTSIDE_V: Final[Reasons] = (*UNREACHED, ("final_answer", "is_final"))
GOOD: Final = "'very_satisfied', 'satisfied', 'basically_satisfied'"

DEFINITIONS: Final[Mapping[Figure, Definition]] = {
    Figure.RESPONSE: Definition(CALLED, "is_contacted", OUTSIDE_V, (("not_contacted", "TRUE"),)),
    Figure.SOLVED: Definition(CALLED, "is_solved", OUTSIDE_V, (("unsolved", "TRUE"),)),
    Figure.SATISFIED: Definition(
        CALLED,
        f"coalesce(satisfaction IN ({GOOD}), false)",
        OUTSIDE_V,
        (("no_opinion", "satisfaction IS NULL"), ("dissatisfied", "TRUE")),
    ),
    Figure.COMPOSITE: Definition(CALLED, "TRUE", OUTSIDE_V),
    Figure.CLOSED: Definition(DUE, "closing <> 'open'", undecided("closing"), (("still_open", "TRUE"),)),
    Figure.CLOSED_IN_TIME: Definition(
        DUE, "closing = 'in_time'", undecided("closing"), (("late", "closing = 'late'"), ("still_open", "TRUE"))
    ),
    Figure.ANSWERED_IN_TIME: Definition(
        DUE, "answering = 'in_time'", undecided("answering"), (("late", "answering = 'late'"), ("unanswered", "TRUE"))
    ),
    Figure.SIGNED_IN_TIME: Definition(
        SIGN_DUE,
        "signing = 'in_time'",
        (*undecided("signing"), ("signed_by_house", "signing = 'by_house'")),
        (("late", "signing = 'late'"), ("unsigned", "TRUE")),
    ),
    Figure.ARRIVED_IN_TIME: Definition(
        ARRIVE_DUE, "arrival = 'in_time'", undecided("arrival"), (("late", "arrival = 'late'"), ("not_arrived", "TRUE"))
    ),
    Figure.FIRST_ACCEPTED: Definition(
        OFFERED,
        "first_round = 'accepted'",
        (("round_open", "first_round = 'open'"), ("round_withdrawn", "first_round = 'withdrawn'")),
        (("declined", "first_round = 'declined'"), ("lapsed", "TRUE")),
    ),
    Figure.OFFERS_PER_ORDER: Definition(OFFERED, "TRUE"),
    Figure.MINUTES_TO_ACCEPT: Definition(OFFERED, "TRUE", (("not_accepted", "accept_seconds IS NULL"),)),
    Figure.RETURNED: Definition(DISPATCHED, "is_returned", (), (("kept", "TRUE"),)),
    Figure.MISROUTED: Definition(DISPATCHED, "is_returned OR is_rerouted", (), (("kept", "TRUE"),)),
    Figure.OVERRIDDEN: Definition(DISPATCHED, "is_overridden", (), (("by_router", "TRUE"),)),
    Figure.REOPENED: Definition(CALLED, "is_reopened", UNREACHED, (("done_once", "TRUE"),)),
    Figure.REPEATED: Definition(
        PLACED,
        "is_repeat",
        (*GONE, ("confidential", "service_id IS NULL"), ("no_stairwell", "stairwell_id IS NULL")),
        (("first_time", "TRUE"),),
    ),
    Figure.FAIRNESS: Definition(FINISHED, "TRUE"),
    Figure.PER_TEN_THOUSAND: Definition(PLACED, "TRUE"),
}
"""Every figure."""

OF: Final = DEFINITIONS
V: Final = OF[Figure.COMPOSITE].base

COUNTED_BY: Final[Mapping[str, tuple[Basis, str, str]]] = {
    "placed": (PLACED, "TRUE", "1"),
    "answered": (PLACED, "fate = 'answered'", "1"),
    "repeat_base": (PLACED, OF[Figure.REPEATED].base, "1"),
    "repeated": (PLACED, OF[Figure.REPEATED].both, "1"),
    "dispatched": (DISPATCHED, "TRUE", "1"),
    "returned": (DISPATCHED, OF[Figure.RETURNED].both, "1"),
    "misrouted": (DISPATCHED, OF[Figure.MISROUTED].both, "1"),
    "overridden": (DISPATCHED, OF[Figure.OVERRIDDEN].both, "1"),
    "to_sign": (SIGN_DUE, OF[Figure.SIGNED_IN_TIME].base, "1"),
    "signed_in_time": (SIGN_DUE, OF[Figure.SIGNED_IN_TIME].both, "1"),
    "offered": (OFFERED, "TRUE", "1"),
    "rounds": (OFFERED, "TRUE", "rounds"),
    "first_answered": (OFFERED, OF[Figure.FIRST_ACCEPTED].base, "1"),
    "first_accepted": (OFFERED, OF[Figure.FIRST_ACCEPTED].both, "1"),
    "accepted": (OFFERED, OF[Figure.MINUTES_TO_ACCEPT].base, "1"),
    "accept_seconds": (OFFERED, OF[Figure.MINUTES_TO_ACCEPT].base, "accept_seconds"),
    "arrivals_due": (ARRIVE_DUE, OF[Figure.ARRIVED_IN_TIME].base, "1"),
    "arrived_in_time": (ARRIVE_DUE, OF[Figure.ARRIVED_IN_TIME].both, "1"),
    "due": (DUE, OF[Figure.CLOSED].base, "1"),
    "due_closed": (DUE, OF[Figure.CLOSED].both, "1"),
    "closed_in_time": (DUE, OF[Figure.CLOSED_IN_TIME].both, "1"),
    "answers_due": (DUE, OF[Figure.ANSWERED_IN_TIME].base, "1"),
    "answered_in_time": (DUE, OF[Figure.ANSWERED_IN_TIME].both, "1"),
    "finished": (FINISHED, "TRUE", "1"),
    "closed": (CLOSED, "TRUE", "1"),
    "called": (CALLED, OF[Figure.REOPENED].base, "1"),
    "reopened": (CALLED, OF[Figure.REOPENED].both, "1"),
    "valued": (CALLED, V, "1"),
    "contacted": (CALLED, OF[Figure.RESPONSE].both, "1"),
    "solved": (CALLED, OF[Figure.SOLVED].both, "1"),
    **{
        step: (CALLED, f"{V} AND satisfaction = '{step}'", "1")
        for step in ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
    },
}
"""Each count of a report: the day it is for, the orders it counts, and how much each adds."""


def amount(measure: str, basis: Basis) -> str:
    """What an order adds to a count on its day of a basis: an expression over the sheet."""
    own, condition, worth = COUNTED_BY[measure]
    return f"CASE WHEN {condition} THEN {worth} ELSE 0 END" if own is basis else "0"


def amounts(basis: Basis) -> tuple[str, ...]:
    """What an order adds to every count, in the order of MEASURES."""
    return tuple(amount(measure, basis) for measure in MEASURES)
