"""Schedules of visits over HTTP: planned, listed, changed, ended."""

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
from dispatch.models.care import VisitSchedule
from dispatch.rules.access.roles import Right
from dispatch.schemas import care as schemas
from dispatch.services import care
from dispatch.transaction import transaction

blueprint = Blueprint("care", __name__, url_prefix="/api", description="探访 · Care visits")

NAMES = {"dtstart": "starts_at", "rrule": "rule"}
PLAIN = tuple(name for name in schemas.VisitScheduleOut().fields if name not in NAMES)


def schedule_out(schedule: VisitSchedule) -> dict[str, Any]:
    """What leaves of a schedule, its instants in Shanghai."""
    out = {name: getattr(schedule, name) for name in PLAIN}
    return out | {"dtstart": schedule.starts_at.astimezone(clock.SHANGHAI), "rrule": schedule.rule}


def in_service_words(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a body by the names that the service has for them."""
    return {NAMES.get(name, name): value for name, value in data.items()}


@blueprint.route("/visit-schedules")
class VisitSchedules(MethodView):
    """The list of schedules, and planning one."""

    @allow(Right.VISITS_READ)
    @blueprint.arguments(schemas.ListVisits, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.VisitSchedulePageOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List schedules, newest first."""
        filters = care.ScheduleFilters(
            resident_id=query.get("resident_id"),
            performer_id=query.get("performer_id"),
            team_id=query.get("team_id"),
            only_open=not query["ended"],
        )
        with transaction() as session:
            page = care.list_schedules(
                session, actor=actor(), filters=filters, cursor=query["cursor"], limit=query["limit"]
            )
            return {"items": [schedule_out(one) for one in page.items], "next": page.next}

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.PlanVisits, schemas.VisitScheduleOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Plan visits; those of the coming days become orders at once. 422 names the field or part of the rule."""

        def work(session: Session) -> Answer:
            draft = care.VisitDraft(**in_service_words(data))
            schedule = care.plan_visits(session, draft, actor=actor(), now=clock.now(session))
            location = url_for("care.OneVisitSchedule", schedule_id=schedule.id)
            return 201, schemas.VisitScheduleOut().dump(schedule_out(schedule)), {"Location": location}

        return once("visits.plan", data, work)


@blueprint.route("/visit-schedules/<int(min=1, max=9223372036854775807):schedule_id>")
class OneVisitSchedule(MethodView):
    """One schedule."""

    @allow(Right.VISITS_READ)
    @blueprint.response(200, schemas.VisitScheduleOut)
    def get(self, schedule_id: int) -> Mapping[str, Any]:
        """Show one schedule."""
        with transaction() as session:
            return schedule_out(care.find(session, schedule_id, actor=actor()))

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.ChangeVisits, schemas.VisitScheduleOut)
    def patch(self, data: Mapping[str, Any], schedule_id: int) -> Response:
        """Change a schedule: placed but unaccepted orders are cancelled with the reason, the new plan is placed."""

        def work(session: Session) -> Answer:
            said = {name: value for name, value in data.items() if name not in {"reason", "version"}}
            change = care.VisitChange(data["reason"], in_service_words(said), data["version"])
            now = clock.now(session)
            schedule = care.change_schedule(session, schedule_id, change, actor=actor(), now=now)
            return 200, schemas.VisitScheduleOut().dump(schedule_out(schedule)), {}

        return once(f"visits.change:{schedule_id}", data, work)

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.EndVisits, schemas.VisitScheduleOut)
    def delete(self, data: Mapping[str, Any], schedule_id: int) -> Response:
        """End a schedule: placed but unaccepted orders are cancelled with the reason. Said twice is said once."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            schedule = care.end_schedule(session, schedule_id, **data, actor=actor(), now=now)
            return 200, schemas.VisitScheduleOut().dump(schedule_out(schedule)), {}

        return once(f"visits.end:{schedule_id}", data, work)


@blueprint.route("/visit-schedules/<int(min=1, max=9223372036854775807):schedule_id>/occurrences")
class VisitOccurrences(MethodView):
    """The visits of a schedule."""

    @allow(Right.VISITS_READ)
    @blueprint.response(200, schemas.OccurrencesOut)
    def get(self, schedule_id: int) -> Mapping[str, Any]:
        """Show the newest hundred visits, newest first, with the numbers of their orders."""
        with transaction() as session:
            schedule = care.find(session, schedule_id, actor=actor())
            return {
                "items": [
                    {
                        "occurs_at": occurrence.occurs_at.astimezone(clock.SHANGHAI),
                        "window_until": occurrence.window_until.astimezone(clock.SHANGHAI),
                        "state": occurrence.state,
                        "reason": occurrence.reason,
                        "order_number": number,
                    }
                    for occurrence, number in care.occurrences_of(session, schedule)
                ]
            }
