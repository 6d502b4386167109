"""By what the totals are kept: by every combination of whose an order is, and by few things alone for wide reports.

A report over years by one thing is a sum of one row a month for each team, area, kind or firm. Only filters that
combine two things read the rows of all combinations. Each row is kept by the same count, so all of them agree.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

PLACES: Final = ("area_id", "service_id", "lead_team_id", "accountable_team_id", "performer_id")
"""Whose the counts are: area, kind, lead team, accountable team, performer."""


class Kept(StrEnum):
    """By what a row of the totals is kept; the others of PLACES are empty in it."""

    ALL = "all"
    AREA = "area"
    KIND = "kind"
    LEAD = "lead"
    ACCOUNTABLE = "accountable"
    FIRM = "firm"
    WORK = "work"
    EACH = "each"


KNOWN: Final[Mapping[Kept, tuple[str, ...]]] = {
    Kept.ALL: (),
    Kept.AREA: ("area_id",),
    Kept.KIND: ("service_id",),
    Kept.LEAD: ("lead_team_id",),
    Kept.ACCOUNTABLE: ("accountable_team_id",),
    Kept.FIRM: ("performer_id",),
    Kept.WORK: ("service_id", "performer_id"),
    Kept.EACH: PLACES,
}
"""What the rows kept by each know, fewest rows first."""


class HeatKept(StrEnum):
    """By what a row of the heat totals is kept, beside its area: by building, or by hour of the day."""

    BUILDING = "building"
    HOUR = "hour"


HEAT_KNOWN: Final[Mapping[HeatKept, tuple[str, ...]]] = {
    HeatKept.BUILDING: ("area_id", "building_id"),
    HeatKept.HOUR: ("area_id", "hour"),
}
"""What the rows of heat kept by each know."""


def kept_for(columns: Collection[str]) -> Kept:
    """The fewest rows that know all of these columns; raises KeyError for a column that no row knows."""
    for kept, known in KNOWN.items():
        if set(columns) <= set(known):
            return kept
    raise KeyError(*(set(columns) - set(PLACES)))
