"""A year of the calendar as it is looked at and begun: whose it is, its days that differ, the published list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.access import Organisation
from dispatch.models.catalogue import CalendarDay, CalendarYear
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.calendar import WorkingCalendar
from dispatch.rules.catalogue.holidays import read_notice
from dispatch.services.catalogue import calendars

BY_WEEK = "weekly"
PUBLISHED = "notice"


@dataclass(frozen=True, slots=True)
class DayEntry:
    """A day that differs, where it was entered, by whom and when."""

    day: date
    kind: str
    name: str
    periods: Sequence[str]
    organisation_id: int
    organisation: str
    edited_by: int | None
    edited_at: datetime | None


@dataclass(frozen=True, slots=True)
class Year:
    """A year as an organisation sees it: days by date (the nearest entry wins), from where it was entered."""

    organisation: Organisation
    year: int
    days: Mapping[date, DayEntry]
    source: str | None
    calendar: WorkingCalendar


def kept_at(session: Session, actor: Actor) -> Organisation:
    """The organisation whose calendar an actor keeps: their own, at a centre the one above. Raises NotFound."""
    found = session.get(Organisation, actor.organisation_id) if actor.organisation_id is not None else None
    if found is None:
        raise NotFound
    if found.kind != "centre" or found.parent_id is None:
        return found
    return session.get_one(Organisation, found.parent_id)


def year_of(session: Session, organisation: Organisation, year: int) -> Year:
    """A year with what is inherited. Raises Invalid("year", …) for one that no calendar is kept for."""
    if not calendars.EARLIEST_YEAR <= year <= calendars.LATEST_YEAR:
        raise Invalid("year", "年份不对,请核对后重新输入")
    rows = session.execute(
        select(CalendarDay, Organisation.name)
        .join(Organisation, Organisation.id == CalendarDay.organisation_id)
        .where(
            CalendarDay.organisation_id.in_(organisation.path),
            CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .order_by(func.cardinality(Organisation.path), CalendarDay.day)
    )
    nearest = {
        row.day: DayEntry(
            row.day, row.kind, row.name, row.periods or (), row.organisation_id, name, row.edited_by, row.edited_at
        )
        for row, name in rows
    }
    source = session.scalars(
        select(CalendarYear.source)
        .where(CalendarYear.organisation_id.in_(organisation.path), CalendarYear.year == year)
        .order_by(CalendarYear.entered_at.desc())
        .limit(1)
    ).one_or_none()
    days = dict(sorted(nearest.items()))
    return Year(organisation, year, days, source, calendars.calendar_of(session, organisation.id))


def start_year(
    session: Session,
    organisation_id: int,
    year: int,
    *,
    text: str,
    only_week: bool = False,
    actor: Actor,
    now: datetime,
) -> int:
    """Begin a year with the week's pattern and the list that was published; gives how many days it named.

    Days that were entered before stay where the list does not name them. Audited; one job recomputes. Raises
    Invalid("year" | "text", …); an empty list only with `only_week`.
    """
    if not text.strip() and not only_week:
        raise Invalid("text", "请粘贴放假安排的原文;确实没有节假日安排的,请选“只按每周时段”")
    published = read_notice(text, year) if text.strip() else []
    for one in published:
        calendars.write_day(session, organisation_id, one.day, kind=str(one.kind), name=one.name, actor=actor)
    source = PUBLISHED if published else BY_WEEK
    calendars.enter_year(session, organisation_id, year, source=source, actor=actor, now=now)
    return len(published)
