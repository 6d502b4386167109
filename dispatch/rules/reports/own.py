"""What a firm may know of its own part: its work against the fair share of each kind, and how even the kind is."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dispatch.rules.reports.figures import gini

FEWEST_TOLD = 3
"""Among fewer firms the unevenness would tell one the number of the other. Source: rules.md §6 (counts under 3)."""


@dataclass(frozen=True, slots=True)
class OwnShare:
    """A kind as one firm sees it: done by itself, its fair share, how many share, Gini (None: no work or too few)."""

    done: int
    fair: Fraction
    firms: int
    unevenness: Fraction | None


def own_share(done: Mapping[int, int], capacities: Mapping[int, int], firm: int) -> OwnShare:
    """One firm's part of a kind: what all have finished, shared out by capacity among those who may do it.

    `done` and `capacities` are by firm; work of a firm that may do the kind no more counts for nobody. Nothing
    about another firm can be read from it but how many there are. Source: hotline.md §4 (fairness).
    """
    finished = {one: done.get(one, 0) for one in capacities}
    everything, capacity = sum(finished.values()), sum(capacities.values())
    fair = {one: Fraction(everything * own, capacity) for one, own in capacities.items()}
    shares = [finished[one] / part for one, part in fair.items() if part]
    unevenness = gini(shares) if len(capacities) >= FEWEST_TOLD else None
    return OwnShare(finished.get(firm, 0), fair.get(firm, Fraction()), len(capacities), unevenness)
