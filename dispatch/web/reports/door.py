"""The blueprint of the pages of reports, and what their addresses ask for."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from flask import Blueprint, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.rules.access.roles import Actor
from dispatch.rules.reports.figures import Figure
from dispatch.rules.reports.periods import Grain, first_day
from dispatch.services import reports
from dispatch.services.reports import AssignedBy, FileFormat, Grouping, Part, ReportQuery
from dispatch.web.orders.form import number

blueprint = Blueprint("pages_reports", __name__)

DAYS_SHOWN = 7
ARGUMENTS = {
    "from": "begin",
    "until": "end",
    "by": "by",
    "assigned": "assigned_by",
    "community": "community_id",
    "area": "area_id",
    "service": "service_id",
    "team": "team_id",
    "performer": "performer_id",
}
"""The names of an address and the fields of a query that they mean."""
Choice = TypeVar("Choice", bound=StrEnum)


def say(text: str) -> str:
    """A text in the reader's language."""
    return str(gettext(text))


def read_query(session: Session, actor: Actor) -> ReportQuery:
    """The report that this request asks for; without days the last seven. Raises Invalid."""
    today = clock.today(clock.now(session))
    given = request.args
    end = read_day(given, "until") or today
    begin = read_day(given, "from") or min(end, end - timedelta(days=DAYS_SHOWN - 1))
    default = AssignedBy(given["assigned"]) if given.get("assigned") in set(AssignedBy) else None
    return ReportQuery(
        begin=begin,
        end=end,
        by=one_of(Grouping, given.get("by")) or Grouping.TEAM,
        assigned_by=default or reports.assigned_by(session, actor),
        community_id=number(given, "community"),
        area_id=number(given, "area"),
        service_id=number(given, "service"),
        team_id=number(given, "team"),
        performer_id=number(given, "performer"),
    )


def read_day(given: Mapping[str, str], name: str) -> date | None:
    """A day of the address, None when it is not said; raises Invalid."""
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(name, "日期应写成2026-11-23的样子") from error


def one_of(kind: type[Choice], text: str | None) -> Choice | None:
    """The member that a text names, None for none and for an unknown one."""
    return kind(text) if text in set(kind) else None


def the_figure() -> Figure:
    """The figure that the address names; raises NotFound."""
    found = one_of(Figure, request.args.get("figure"))
    if found is None:
        raise NotFound
    return found


def the_format() -> FileFormat:
    """The form of a file that the address names; raises NotFound."""
    found = one_of(FileFormat, request.args.get("format"))
    if found is None:
        raise NotFound
    return found


def read_part() -> Part | None:
    """Which part of a figure is asked for; None is all."""
    return one_of(Part, request.args.get("part"))


def address_of(query: ReportQuery, **changes: object) -> dict[str, str]:
    """The arguments of an address that asks for a query, with changes by the address's own names."""
    values = {name: getattr(query, field) for name, field in ARGUMENTS.items()} | changes
    return {name: str(value) for name, value in values.items() if value is not None}


def ready_days(today: date) -> list[tuple[str, date, date]]:
    """Days that people often ask for, with their words."""
    yesterday = today - timedelta(days=1)
    monday, first = first_day(Grain.WEEK, today), today.replace(day=1)
    last_sunday, last_month = monday - timedelta(days=1), first - timedelta(days=1)
    return [
        (gettext("今天"), today, today),
        (gettext("昨天"), yesterday, yesterday),
        (gettext("本周"), monday, today),
        (gettext("上周"), first_day(Grain.WEEK, last_sunday), last_sunday),
        (gettext("本月"), first, today),
        (gettext("上月"), last_month.replace(day=1), last_month),
        (gettext("今年"), today.replace(month=1, day=1), today),
    ]
