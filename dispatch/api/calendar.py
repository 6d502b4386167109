"""The working calendar over HTTP: a year with its days that differ, one day changed, a year begun."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.rules.access.roles import Right
from dispatch.schemas import calendar as schemas
from dispatch.services import catalogue, notify
from dispatch.transaction import transaction

MISSING = "calendar_missing"

blueprint = Blueprint("calendar", __name__, url_prefix="/api", description="工作日历 · Working calendar")


def year_out(session: Session, year: int) -> dict[str, Any]:
    """A year as the actor's organisation has it."""
    home = catalogue.kept_at(session, actor())
    found = catalogue.year_of(session, home, year)
    missing = catalogue.missing_year(session, home.id, clock.today(clock.now(session)))
    return {
        "year": year,
        "organisation": home.name,
        "source": found.source,
        "missing": missing,
        "days": list(found.days.values()),
    }


@blueprint.route("/calendar")
class Calendar(MethodView):
    """A year of the calendar."""

    @allow(Right.CATALOGUE_READ)
    @blueprint.arguments(schemas.CalendarQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.CalendarYearOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Show a year with its days that differ from the week's pattern, inherited ones too."""
        with transaction() as session:
            year = query["year"] or clock.today(clock.now(session)).year
            return year_out(session, year)


@blueprint.route("/calendar/days")
class CalendarDays(MethodView):
    """One day that differs."""

    @allow(Right.CATALOGUE_EDIT)
    @blueprint.arguments(schemas.EditDay)
    @blueprint.response(200, schemas.CalendarYearOut)
    def put(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Enter or change a day; the limits of open orders follow by a job. Shows the day's year."""
        with transaction() as session:
            home = catalogue.kept_at(session, actor())
            catalogue.edit_day(session, home.id, **data, actor=actor())
            return year_out(session, data["day"].year)

    @allow(Right.CATALOGUE_EDIT)
    @blueprint.arguments(schemas.RemoveDay, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.CalendarYearOut)
    def delete(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a day an ordinary one again; nothing to remove is no error. Shows the day's year."""
        with transaction() as session:
            home = catalogue.kept_at(session, actor())
            catalogue.remove_day(session, home.id, query["day"], actor=actor())
            return year_out(session, query["day"].year)


@blueprint.route("/calendar/years")
class CalendarYears(MethodView):
    """Beginning a year."""

    @allow(Right.CATALOGUE_EDIT)
    @blueprint.takes(schemas.StartYear, schemas.CalendarYearOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Begin a year with the week's pattern and the published list of holidays and make-up workdays."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            home = catalogue.kept_at(session, actor())
            catalogue.start_year(session, home.id, **data, actor=actor(), now=now)
            notify.clear_alarms(session, subject=f"calendar:{home.id}:{data['year']}", kinds=(MISSING,), now=now)
            location = url_for("calendar.Calendar", year=data["year"])
            return 201, schemas.CalendarYearOut().dump(year_out(session, data["year"])), {"Location": location}

        return once("calendar.start_year", data, work)
