"""Working calendars: weekly periods from policies, inherited days that differ, years entered."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.models.catalogue import CalendarDay, CalendarYear
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.calendar import DayKind, Period, WeeklyPeriods, WorkingCalendar, seed_year
from dispatch.rules.queue import Lane
from dispatch.services.access import audit, policies
from dispatch.services.access.memory import ShortMemory

SPECIAL = "special"
POLICIES = ("calendar.working_periods", "calendar.working_weekdays")
LONGEST_NAME = 60
EARLIEST_YEAR = 2000
LATEST_YEAR = 2100


remembered: ShortMemory[WorkingCalendar] = ShortMemory("calendars")


def calendar_of(session: Session, organisation_id: int) -> WorkingCalendar:
    """The working calendar of an organisation; a change elsewhere is seen within five seconds.

    A day entered nearer to the organisation wins over one entered above it. A transaction that changed a
    calendar sees its own change. Three queries, none while the remembered one is fresh.
    """
    calendar = remembered.get(session, organisation_id)
    if calendar is None:
        calendar = read(session, organisation_id)
        remembered.put(session, organisation_id, calendar)
    return calendar


def read(session: Session, organisation_id: int) -> WorkingCalendar:
    """Read the calendar of an organisation."""
    values = policies.policies(session, organisation_id, POLICIES)
    above = path_of(organisation_id)
    days = session.execute(
        select(CalendarDay.day, CalendarDay.kind, CalendarDay.periods)
        .join(Organisation, Organisation.id == CalendarDay.organisation_id)
        .where(CalendarDay.organisation_id.in_(above))
        .order_by(func.cardinality(Organisation.path))
    ).all()
    years = session.scalars(select(CalendarYear.year).where(CalendarYear.organisation_id.in_(above)))
    exceptions = {day: exception(kind, periods) for day, kind, periods in days}
    return WorkingCalendar(week_of(values), exceptions, frozenset(years))


def path_of(organisation_id: int) -> ColumnElement[int]:
    """The ids of an organisation and of those above it, as a subquery."""
    return select(func.unnest(Organisation.path)).where(Organisation.id == organisation_id).scalar_subquery()


def week_of(values: Mapping[str, object]) -> WeeklyPeriods:
    """The working week as the policies have it."""
    texts, weekdays = (values[key] for key in POLICIES)
    if not isinstance(texts, list) or not isinstance(weekdays, list):
        raise Invalid("policies", "工作时段和工作日应为列表。")
    periods = tuple(Period.of(text) for text in texts)
    return {int(weekday) - 1: periods for weekday in weekdays}


def exception(kind: str, periods: Sequence[str] | None) -> DayKind | tuple[Period, ...]:
    """A stored day as the calculator knows it."""
    if kind == SPECIAL:
        return tuple(Period.of(text) for text in periods or ())
    return DayKind(kind)


def forget(session: Session) -> None:
    """Trust only the database from here on: a calendar that was corrected elsewhere a moment ago is seen."""
    policies.remembered.forget(session)
    remembered.forget(session)


def edit_day(
    session: Session,
    organisation_id: int,
    day: date,
    *,
    kind: str,
    name: str,
    periods: Sequence[str] | None = None,
    actor: Actor,
) -> None:
    """Enter or change a day that differs: kind holiday, workday or special (then with its periods); audited.

    The limits of open orders follow by a job. Raises Invalid("day" | "kind" | "name" | "periods" | "period", …).
    """
    write_day(session, organisation_id, day, kind=kind, name=name, periods=periods, actor=actor)
    changed(session, "calendar.edit_day", organisation_id, {"day": day.isoformat()}, actor=actor)


def write_day(
    session: Session,
    organisation_id: int,
    day: date,
    *,
    kind: str,
    name: str,
    periods: Sequence[str] | None = None,
    actor: Actor,
) -> None:
    """Check and write one day, without what follows from it; see edit_day."""
    check_day(day, kind, name, periods)
    values = {
        "kind": kind,
        "name": name.strip(),
        "periods": list(periods) if periods else None,
        "edited_by": actor.user_id,
        "edited_at": func.dispatch_now(),
    }
    session.execute(
        insert(CalendarDay)
        .values(organisation_id=organisation_id, day=day, **values)
        .on_conflict_do_update(index_elements=["organisation_id", "day"], set_=values)
    )


def check_day(day: date, kind: str, name: str, periods: Sequence[str] | None) -> None:
    """Raise Invalid naming what is wrong with a day that differs."""
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise Invalid("day", "年份不对,请核对后重新输入")
    if kind not in {*DayKind, SPECIAL}:
        raise Invalid("kind", "请选择休息日、调休上班或特别时段")
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("name", "请写明这一天为什么不同,不超过60个字")
    if (kind == SPECIAL) != bool(periods):
        raise Invalid("periods", "特别时段的日子要写明时段,其他日子不写")
    check_periods(exception(kind, periods))


def check_periods(made: DayKind | tuple[Period, ...]) -> None:
    """Hold the periods of a day to those of a week: none over midnight, none over another."""
    if not isinstance(made, DayKind):
        WorkingCalendar({0: made}, {}, frozenset())


def remove_day(session: Session, organisation_id: int, day: date, *, actor: Actor) -> None:
    """Make a day an ordinary one again; audited. Nothing to remove is no error."""
    row = session.scalars(
        select(CalendarDay).where(CalendarDay.organisation_id == organisation_id, CalendarDay.day == day)
    ).one_or_none()
    if row is not None:
        session.delete(row)
        session.flush()
        changed(session, "calendar.remove_day", organisation_id, {"day": day.isoformat()}, actor=actor)


def enter_year(session: Session, organisation_id: int, year: int, *, source: str, actor: Actor, now: datetime) -> None:
    """State that the days of a year have been entered, from where; audited. Raises Invalid("year", …)."""
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise Invalid("year", "年份不对,请核对后重新输入")
    session.execute(
        insert(CalendarYear)
        .values(organisation_id=organisation_id, year=year, source=source, entered_at=now, entered_by=actor.user_id)
        .on_conflict_do_nothing()
    )
    changed(session, "calendar.enter_year", organisation_id, {"year": str(year)}, actor=actor)


def seed_calendar_year(session: Session, organisation_id: int, year: int, *, actor: Actor, now: datetime) -> None:
    """Enter the holidays and make-up workdays of a year as the library holds them; days already entered stay.

    Raises YearNotKnown for a year that it does not hold: then the days are entered by hand. Source:
    rules/catalogue/calendar.seed_year.
    """
    rows = [
        {"organisation_id": organisation_id, "day": day, "kind": str(kind), "name": name}
        for day, kind, name in seed_year(year)
    ]
    session.execute(insert(CalendarDay).on_conflict_do_nothing(), rows)
    enter_year(session, organisation_id, year, source="chinesecalendar", actor=actor, now=now)


def changed(session: Session, action: str, organisation_id: int, fields: Mapping[str, str], *, actor: Actor) -> None:
    """Record a change of a calendar; it is no longer remembered, and the limits of open orders follow by a job."""
    remembered.forget(session)
    queue.enqueue(session, "orders.recompute_due", lane=Lane.PERIODIC, reference=organisation_id)
    audit.record(
        session,
        action,
        "organisations",
        organisation_id,
        actor=actor,
        organisation_id=organisation_id,
        fields=fields,
    )


def missing_year(session: Session, organisation_id: int, today: date) -> int | None:
    """The year whose calendar is missing and soon needed, None when all is entered.

    This year, or the next one from the day of warning on: policy calendar.missing_year_warning_days (60: from
    2 November) before the year ends.
    """
    days = int(str(policies.policy(session, organisation_id, "calendar.missing_year_warning_days")))
    query = select(CalendarYear.year).where(CalendarYear.organisation_id.in_(path_of(organisation_id)))
    known = {*session.scalars(query)}
    if today.year not in known:
        return today.year
    if (date(today.year + 1, 1, 1) - today).days <= days and today.year + 1 not in known:
        return today.year + 1
    return None
