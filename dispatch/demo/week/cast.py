"""Who calls when in the lived week: ordinary calls by the hour of each day, and the calls of the tales among them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from dispatch.demo.calls import MINUTES_OF_DAY, Caller, DraftCall, draft_calls
from dispatch.demo.community import Community
from dispatch.demo.week.tales import PLOTS, Plot
from dispatch.rules.shanghai import SHANGHAI

WEEKEND_SHARE = 0.6
SATURDAY = 6
TALE_MINUTES = (8 * 60 + 35, 15 * 60 + 30)
LUNCH = (11 * 60 + 40, 13 * 60 + 50)
TALES_FROM = 100_000


@dataclass(frozen=True, slots=True)
class Cue:
    """A tale with the call that begins it, and the number of the trial."""

    plot: Plot
    call: DraftCall
    trial: int


def is_weekend(begins: datetime, day: int) -> bool:
    """Whether the day with this number (from 0) is a Saturday or Sunday."""
    return (begins.astimezone(SHANGHAI) + timedelta(days=day)).isoweekday() >= SATURDAY


def ordinary_calls(random: Random, begins: datetime, days: int, calls: int, community: Community) -> list[DraftCall]:
    """The calls of all days, `calls` on a workday and fewer on a weekend; minutes count from the first midnight."""
    found: list[DraftCall] = []
    for day in range(days):
        count = round(calls * WEEKEND_SHARE) if is_weekend(begins, day) else calls
        for call in draft_calls(random, count, community):
            moved = replace(call, minute=call.minute + day * MINUTES_OF_DAY, number=len(found) + 1)
            found.append(moved)
    return found


def cues(random: Random, begins: datetime, days: int, times: int, community: Community) -> Iterator[Cue]:
    """Every tale `times` times, spread over the days on which it may begin, in the hours of daylight."""
    caller = Caller(random, community)
    number = TALES_FROM
    for plot in PLOTS:
        open_days = days_of(plot, begins, days)
        for trial in range(times):
            number += 1
            day = open_days[trial * len(open_days) // times]
            minute = day * MINUTES_OF_DAY + daylight(random)
            call = caller.call(plot.level, plot.kind)
            yield Cue(plot, replace(call, number=number, minute=minute), trial)


def days_of(plot: Plot, begins: datetime, days: int) -> list[int]:
    """On which days a tale may begin: workdays, the first ones only where it takes long."""
    workdays = [day for day in range(days) if not is_weekend(begins, day)] or list(range(days))
    return workdays[: plot.first_days] if plot.first_days else workdays


def daylight(random: Random) -> int:
    """A minute of the day at which somebody of the office is there."""
    minute = random.randint(*TALE_MINUTES)
    return minute if not LUNCH[0] <= minute < LUNCH[1] else minute + LUNCH[1] - LUNCH[0]
