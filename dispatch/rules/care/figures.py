"""月探访率: of the monthly visits that were owed, how many were made; with what was counted and what was left out.

Source: rules.md §4 (figure: 月探访率).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dispatch.rules.care.terms import PeriodState

WHOLE = 1000


@dataclass(frozen=True, slots=True)
class VisitRate:
    """How many periods of a month were owed, and of them met, excused, missed and still open."""

    owed: int
    met: int
    excused: int
    missed: int
    due: int

    @property
    def counted(self) -> int:
        """What the rate is of: everything owed but what was excused."""
        return self.owed - self.excused

    @property
    def permille(self) -> int | None:
        """met / (owed - excused), rounded down so that 1000 means all of them; None when nothing counts."""
        return self.met * WHOLE // self.counted if self.counted else None


def visit_rate(states: Iterable[PeriodState]) -> VisitRate:
    """The figure of a month's periods in these states."""
    found = Counter(states)
    return VisitRate(
        owed=found.total(),
        met=found[PeriodState.MET],
        excused=found[PeriodState.EXCUSED],
        missed=found[PeriodState.MISSED],
        due=found[PeriodState.DUE],
    )
