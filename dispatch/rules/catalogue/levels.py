"""Levels of escalation as data: who is told how late, by policy or by a kind of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from dispatch.errors import Invalid

MOST_LEVELS: Final = 10
MOST_DAYS_PAST: Final = 60
WHOLE: Final = 1000
FIELD: Final = "escalation_levels"
NAMES: Final = frozenset({"tell", "at_ratio", "past_working_days"})


class Audience(StrEnum):
    """Who is told when an order grows late."""

    PERFORMER = "performer"
    TEAM_HEAD = "team_head"
    AREA_CHIEF = "area_chief"
    CENTRE = "centre"
    SUPERVISION = "supervision"


@dataclass(frozen=True, slots=True)
class EscalationLevel:
    """One level: at so many per mille of the limit, or so many working days past it, who is told."""

    audience: Audience
    at_permille: int = WHOLE
    past_working_days: int = 0


def read_levels(rows: object) -> tuple[EscalationLevel, ...]:
    """Return the levels as a policy or a kind has them: a list of `tell`, `at_ratio`, `past_working_days`.

    Raises Invalid("escalation_levels", …) for what is no list of one to ten levels, an unknown audience, a share
    outside (0, 1], days past the limit outside 0 to 60 or before the limit is over, and levels that do not rise.
    """
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_LEVELS:
        raise Invalid(FIELD, "逐级提醒应有一到十级")
    levels = tuple(_level(row, number) for number, row in enumerate(rows, start=1))
    for earlier, later in pairwise(levels):
        if _late(later) <= _late(earlier):
            raise Invalid(FIELD, "逐级提醒应一级比一级晚")
    return levels


def _level(row: object, number: int) -> EscalationLevel:
    if not isinstance(row, Mapping) or not set(row) <= NAMES or "tell" not in row:
        raise Invalid(FIELD, "第%(level)s级应写明提醒谁、到时限的几成、超过几个工作日", level=number)
    ratio, days = row.get("at_ratio", 1), row.get("past_working_days", 0)
    if not _is_number(ratio) or not 0 < ratio <= 1:
        raise Invalid(FIELD, "第%(level)s级的几成应大于0、不超过1", level=number)
    if not _is_number(days) or int(days) != days or not 0 <= days <= MOST_DAYS_PAST:
        raise Invalid(FIELD, "第%(level)s级超过的工作日应为0到60的整数", level=number)
    if days and ratio != 1:
        raise Invalid(FIELD, "第%(level)s级写了超过几个工作日,几成就应为1", level=number)
    try:
        return EscalationLevel(Audience(row["tell"]), round(ratio * WHOLE), int(days))
    except ValueError as error:
        raise Invalid(FIELD, "第%(level)s级不知道提醒谁", level=number) from error


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _late(level: EscalationLevel) -> tuple[int, int]:
    return level.at_permille, level.past_working_days
