"""The care calendar over HTTP: who is enrolled and paired, what is owed, excused and given to others, 月探访率."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.models.care import DutyPeriod, Enrolment
from dispatch.rules.access.roles import Right
from dispatch.schemas import duties as schemas
from dispatch.schemas.beneficiaries import NothingMore
from dispatch.services import care
from dispatch.services.care import cases, listing, reading
from dispatch.services.care.listing import DutyRow, Wanted
from dispatch.transaction import transaction

blueprint = Blueprint("duties", __name__, url_prefix="/api/care", description="关爱日历 · Care calendar")

ID = "<int(min=1, max=9223372036854775807):{}_id>"
ENROLMENT, DUTY = f"/enrolments/{ID.format('enrolment')}", f"/duties/{ID.format('period')}"
OF_ENROLMENT = ("id", "community_id", "household_id", "resident_id", "starts_on", "ends_on", "end_code", "version")
OF_PAIRING = tuple(schemas.PairingOut().fields)
OF_PERIOD = tuple(schemas.DutyOut().fields.keys() - {"enrolment_id", "household_id", "resident_id", "duty"})
OF_RATE = ("owed", "met", "excused", "missed", "due", "counted", "permille")


def page_of(rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """A page of rows of which one more than asked for was read."""
    shown = rows[:limit]
    return {"items": shown, "next": shown[-1]["id"] if len(rows) > limit else None}


def enrolment_line(enrolment: Enrolment, programme: str) -> dict[str, Any]:
    """What leaves of an enrolment in a list."""
    return {name: getattr(enrolment, name) for name in OF_ENROLMENT} | {"programme": programme}


def duty_out(row: DutyRow) -> dict[str, Any]:
    """What leaves of a period."""
    whose = {"enrolment_id": row.enrolment.id, "duty": row.kind}
    plain = {name: getattr(row.enrolment, name) for name in ("household_id", "resident_id")}
    return {name: getattr(row.period, name) for name in OF_PERIOD} | whose | plain


def enrolment_out(session: Session, enrolment_id: int) -> dict[str, Any]:
    """An enrolment with its helpers and what is due; raises NotFound."""
    enrolment = care.find_enrolment(session, enrolment_id, actor=actor())
    case = cases.load(session, [enrolment_id])[0]
    due: Iterable[DutyRow] = (DutyRow(period, kind, enrolment) for kind, period in case.due())
    return enrolment_line(enrolment, case.kind) | {
        "helpers": [{name: getattr(one, name) for name in OF_PAIRING} for one in case.paired],
        "due": [duty_out(row) for row in due],
    }


def enrolment_answer(session: Session, enrolment_id: int) -> Answer:
    """An enrolment as an answer."""
    return 200, schemas.EnrolmentOut().dump(enrolment_out(session, enrolment_id)), {}


def duty_answer(session: Session, period: DutyPeriod) -> Answer:
    """A period as an answer."""
    return 200, schemas.DutyOut().dump(duty_out(listing.duty_row(session, period))), {}


@blueprint.route("/enrolments")
class Enrolments(MethodView):
    """Who is enrolled."""

    @allow(Right.VISITS_READ)
    @blueprint.arguments(schemas.EnrolmentsQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.EnrolmentsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List enrolments, newest first."""
        with transaction() as session:
            rows = listing.list_enrolments(session, Wanted(**query), actor=actor())
            return page_of([enrolment_line(*row) for row in rows], query["limit"])

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.Enrol, schemas.EnrolmentOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Enrol a household or a person; their duties begin. 409 when enrolled already or full."""

        def work(session: Session) -> Answer:
            made = care.enrol(session, care.EnrolmentDraft(**data), actor=actor(), now=clock.now(session))
            location = {"Location": url_for("duties.OneEnrolment", enrolment_id=made.id)}
            return 201, schemas.EnrolmentOut().dump(enrolment_out(session, made.id)), location

        return once("care.enrol", data, work)


@blueprint.route(ENROLMENT)
class OneEnrolment(MethodView):
    """One enrolment."""

    @allow(Right.VISITS_READ)
    @blueprint.response(200, schemas.EnrolmentOut)
    def get(self, enrolment_id: int) -> Mapping[str, Any]:
        """Show an enrolment with its helpers and what is due."""
        with transaction() as session:
            return enrolment_out(session, enrolment_id)


@blueprint.route(f"{ENROLMENT}/end")
class EndOfEnrolment(MethodView):
    """The end of an enrolment."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.EndEnrolment, schemas.EnrolmentOut)
    def post(self, data: Mapping[str, Any], enrolment_id: int) -> Response:
        """End an enrolment today: what is open is excused with it. 409 when ended already."""

        def work(session: Session) -> Answer:
            care.end_enrolment(session, enrolment_id, **data, actor=actor(), now=clock.now(session))
            return enrolment_answer(session, enrolment_id)

        return once(f"care.end_enrolment:{enrolment_id}", data, work)


@blueprint.route(f"{ENROLMENT}/helpers")
class Pairings(MethodView):
    """The helpers of an enrolment."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.Pair, schemas.EnrolmentOut)
    def post(self, data: Mapping[str, Any], enrolment_id: int) -> Response:
        """Pair a helper with an enrolment from today on. 409 when paired already."""

        def work(session: Session) -> Answer:
            care.pair(session, enrolment_id, **data, actor=actor(), now=clock.now(session))
            return enrolment_answer(session, enrolment_id)

        return once(f"care.pair:{enrolment_id}", data, work)


@blueprint.route(f"/pairings/{ID.format('pairing')}/end")
class EndOfPairing(MethodView):
    """The end of a pairing."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(NothingMore, schemas.EnrolmentOut)
    def post(self, data: Mapping[str, Any], pairing_id: int) -> Response:
        """End a pairing today; what was asked of the helper goes to others. Said twice is said once."""

        def work(session: Session) -> Answer:
            found = care.unpair(session, pairing_id, actor=actor(), now=clock.now(session))
            return enrolment_answer(session, found.enrolment_id)

        return once(f"care.unpair:{pairing_id}", data, work)


@blueprint.route("/duties")
class Duties(MethodView):
    """What is owed."""

    @allow(Right.VISITS_READ)
    @blueprint.arguments(schemas.DutiesQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.DutiesOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List periods of duties, newest first; a month has those that lie in it in part."""
        with transaction() as session:
            rows = listing.list_duties(session, Wanted(**query), actor=actor())
            return page_of([duty_out(row) for row in rows], query["limit"])


@blueprint.route(f"{DUTY}/excuse")
class Excuse(MethodView):
    """That a period be excused."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.AskExcuse, schemas.DutyOut)
    def post(self, data: Mapping[str, Any], period_id: int) -> Response:
        """Ask that a period be excused; another person decides. 422 for a machine's key, 409 when it is settled."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            return duty_answer(session, care.ask_excuse(session, period_id, **data, actor=actor(), now=now))

        return once(f"care.ask_excuse:{period_id}", data, work)


@blueprint.route(f"{DUTY}/excuse/approval")
class Approval(MethodView):
    """That a period is excused."""

    @allow(Right.VISITS_APPROVE)
    @blueprint.takes(NothingMore, schemas.DutyOut)
    def post(self, data: Mapping[str, Any], period_id: int) -> Response:
        """Excuse a period that another person asked for. 403 for who asked, 409 when nothing is asked."""

        def work(session: Session) -> Answer:
            return duty_answer(session, care.approve_excuse(session, period_id, actor=actor(), now=clock.now(session)))

        return once(f"care.approve_excuse:{period_id}", data, work)


@blueprint.route(f"{DUTY}/excuse/refusal")
class Refusal(MethodView):
    """That a period is not excused."""

    @allow(Right.VISITS_APPROVE)
    @blueprint.takes(NothingMore, schemas.DutyOut)
    def post(self, data: Mapping[str, Any], period_id: int) -> Response:
        """Refuse what another person asked for. 403 for who asked, 409 when nothing is asked."""

        def work(session: Session) -> Answer:
            return duty_answer(session, care.decline_excuse(session, period_id, actor=actor(), now=clock.now(session)))

        return once(f"care.decline_excuse:{period_id}", data, work)


@blueprint.route(f"{DUTY}/helper")
class Helper(MethodView):
    """Who is asked for a period."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.Swap, schemas.DutyOut)
    def post(self, data: Mapping[str, Any], period_id: int) -> Response:
        """Give what is due to another helper. 409 when it is settled."""

        def work(session: Session) -> Answer:
            return duty_answer(session, care.swap(session, period_id, **data, actor=actor(), now=clock.now(session)))

        return once(f"care.swap:{period_id}", data, work)


@blueprint.route("/visit-rate")
class VisitRate(MethodView):
    """月探访率."""

    @allow(Right.VISITS_READ)
    @blueprint.arguments(schemas.MonthQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.VisitRateOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Count a month's visits: met of what was owed and not excused, with every period it is made of."""
        with transaction() as session:
            found = reading.month_of(session, query["month"], actor=actor())
            rows = (DutyRow(one.period, str(one.kind), row.case.enrolment) for row, one in found.rows)
            figures = {name: getattr(found.rate, name) for name in OF_RATE}
            return {"month": found.name, "items": [duty_out(row) for row in rows]} | figures
