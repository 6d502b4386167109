"""Counts of beneficiaries that are told, and those that are hidden so that no total gives them away.

Source: rules.md §6 (beneficiary counts under 3 are suppressed, and a second cell with them so that totals do not give
them away).

The purposes stand in fixed groups of two or three. Where any count of a group is 1 or 2, both counts of all its
purposes are hidden. A second cell that is chosen by its size would give the first away to whoever
knows how it is chosen; a fixed group does not: the same page comes out of its rows in any order, and of equal rows
also out of others with the same sums. Nobody (0) is told where nothing of its group is hidden.

The sums of goods and money tell for which purposes something was used at all. So the totals are told only where they
leave every hidden count open for whoever knows that: with one purpose alone, or with as many people as purposes, what
the told ones leave of the totals is the hidden count itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dispatch.rules.funds.terms import Purpose

FEWEST: Final = 3
GROUPS: Final = (
    (Purpose.SERIOUS_ILLNESS, Purpose.SEVERE_DISABILITY),
    (Purpose.LONE_ELDER, Purpose.SUDDEN_HARDSHIP),
    (Purpose.YEARLY_ROUND, Purpose.RELIEF),
    (Purpose.VOUCHER, Purpose.PARTY_CARE, Purpose.RUNNING),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """How many were reached: persons (of a household all its members) and the households in which they live."""

    persons: int = 0
    households: int = 0

    @property
    def is_few(self) -> bool:
        """Whether somebody could be recognised by these counts."""
        return 0 < self.persons < FEWEST or 0 < self.households < FEWEST


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of the counts: None is hidden; the totals are the sums over the purposes, or hidden as well."""

    by_purpose: Mapping[Purpose, Reached | None]
    total: Reached | None


def told(counts: Mapping[Purpose, Reached]) -> Told:
    """The counts with every group hidden in which somebody could be recognised."""
    by_purpose: dict[Purpose, Reached | None] = {}
    for group in GROUPS:
        is_hidden = any(counts.get(purpose, Reached()).is_few for purpose in group)
        by_purpose |= {purpose: None if is_hidden else counts.get(purpose, Reached()) for purpose in group}
    hidden = [
        [counts[purpose] for purpose in group if counts.get(purpose, Reached()).persons]
        for group in GROUPS
        if by_purpose[group[0]] is None
    ]
    return Told(by_purpose, total_of(counts.values()) if leaves_open(hidden) else None)


def leaves_open(hidden: Sequence[Sequence[Reached]]) -> bool:
    """Whether totals leave every hidden count open: two of one group share, and any of all could be no small one."""
    every = [one for group in hidden for one in group]
    if not every:
        return True
    least, total = len(every) - 1 + FEWEST, total_of(every)
    return max(map(len, hidden)) > 1 and min(total.persons, total.households) >= least


def total_of(counts: Iterable[Reached]) -> Reached:
    """The sum over the purposes; who was reached for two purposes counts twice."""
    every = list(counts)
    return Reached(sum(one.persons for one in every), sum(one.households for one in every))
