"""What life brings, and whom 三访 then sends: which visits are due until when.

Source: rules.md §5 (三访: 生病住院 / 家庭受灾或突发意外 / 亡故, 派专人登门慰问; three triggers, each a visit in person
by a named person; a disaster concerns the household, 突发意外 the member or the household; groups are data, a switch
per group and trigger). The days and hours are Q and come as `Terms`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from dispatch.errors import Invalid
from dispatch.rules.shanghai import SHANGHAI

ONE_DAY = timedelta(days=1)


class Event(StrEnum):
    """What happened."""

    HOSPITAL = "hospital"
    DISCHARGE = "discharge"
    DISASTER = "disaster"
    ACCIDENT = "accident"
    DEATH = "death"
    MOVED_AWAY = "moved_away"
    COME_HOME = "come_home"


class Trigger(StrEnum):
    """The three of 三访."""

    HOSPITAL = "hospital"
    DISASTER = "disaster"
    DEATH = "death"


class Source(StrEnum):
    """Who told."""

    DESK = "desk"
    REGISTER = "register"
    CALL = "call"
    HELPER = "helper"


EVENT_LABELS: dict[Event, str] = {
    Event.HOSPITAL: "生病住院",
    Event.DISCHARGE: "出院",
    Event.DISASTER: "家庭受灾",
    Event.ACCIDENT: "突发意外",
    Event.DEATH: "亡故",
    Event.MOVED_AWAY: "迁出",
    Event.COME_HOME: "回家居住",
}
TRIGGER_LABELS: dict[Trigger, str] = {
    Trigger.HOSPITAL: "生病住院",
    Trigger.DISASTER: "受灾或意外",
    Trigger.DEATH: "亡故",
}
SOURCE_LABELS: dict[Source, str] = {
    Source.DESK: "社区登记",
    Source.REGISTER: "居民台账",
    Source.CALL: "来电",
    Source.HELPER: "上门的人",
}
TRIGGER_OF: dict[Event, Trigger] = {
    Event.HOSPITAL: Trigger.HOSPITAL,
    Event.DISCHARGE: Trigger.HOSPITAL,
    Event.DISASTER: Trigger.DISASTER,
    Event.ACCIDENT: Trigger.DISASTER,
    Event.DEATH: Trigger.DEATH,
}
OF_A_HOUSEHOLD = frozenset({Event.DISASTER, Event.ACCIDENT})
"""What may concern a household as a whole; everything else concerns a person."""
TELLING = frozenset({Event.HOSPITAL, Event.DISASTER, Event.ACCIDENT, Event.DEATH})
"""What a call or a helper may tell."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The Q values: within how many days or hours somebody is visited."""

    hospital_first_days: int
    hospital_repeat_days: int
    discharge_days: int
    disaster_hours: int
    death_hours: int


@dataclass(frozen=True, slots=True)
class Due:
    """A visit that is due: its name among those of the event, and the moment by which it is made."""

    occasion: str
    until: datetime


def end_of(day: date) -> datetime:
    """The end of a day in Shanghai: what is due on the day is late from then on."""
    return datetime.combine(day + ONE_DAY, time(), SHANGHAI)


def is_triggered(event: Event, groups: Iterable[int], switched_on: Collection[tuple[int, Trigger]]) -> bool:
    """Whether 三访 is owed: one of the groups of those concerned has its switch on for this trigger."""
    trigger = TRIGGER_OF.get(event)
    return trigger is not None and any((group, trigger) in switched_on for group in groups)


def first_visit(event: Event, told_at: datetime, terms: Terms) -> Due:
    """The first visit after an event was told; raises ValueError for an event that owes none.

    The clock runs from the telling: nobody can be sent before the house knows, and both moments are kept.
    """
    day = told_at.astimezone(SHANGHAI).date()
    if event is Event.HOSPITAL:
        return Due("first", end_of(day + terms.hospital_first_days * ONE_DAY))
    if event is Event.DISCHARGE:
        return Due("discharge", end_of(day + terms.discharge_days * ONE_DAY))
    if event in OF_A_HOUSEHOLD:
        return Due("first", told_at + timedelta(hours=terms.disaster_hours))
    if event is Event.DEATH:
        return Due("first", told_at + timedelta(hours=terms.death_hours))
    raise ValueError(event)


def next_visit(made: int, last_due: datetime, done_at: datetime | None, terms: Terms) -> Due:
    """The next visit of a stay in hospital after `made` of them: so many days after the last was paid, or was due."""
    last = done_at or last_due - timedelta(microseconds=1)
    day = last.astimezone(SHANGHAI).date()
    return Due(f"again-{made}", end_of(day + terms.hospital_repeat_days * ONE_DAY))


def check_event(event: Event, happened_on: date, today: date, *, person: bool, household: bool) -> None:
    """Refuse an event of a day to come, or about nobody; raises Invalid naming the field."""
    if happened_on > today:
        raise Invalid("happened_on", "发生的日子不能晚于今天")
    if event in OF_A_HOUSEHOLD:
        if not (person or household):
            raise Invalid("resident_id", "请说明是哪一户或哪一位")
    elif not person:
        raise Invalid("resident_id", "请说明是哪一位居民")
