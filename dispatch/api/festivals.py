"""Festivals over HTTP: what comes, who is invited, fetched and came."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.rules.access.roles import Right
from dispatch.rules.care.festivals import Answer as Said
from dispatch.schemas import festivals as schemas
from dispatch.schemas.beneficiaries import NothingMore
from dispatch.services.care import celebrating, hosting
from dispatch.services.care.celebrating import EventSum
from dispatch.transaction import transaction

blueprint = Blueprint("festivals", __name__, url_prefix="/api/care", description="节日 · Festivals")

EVENT = "/festivals/<int(min=1, max=9223372036854775807):festival_event_id>"
OF_EVENT = ("id", "community_id", "year", "held_on", "place", "state")
OF_SUM = ("name", "invited", "coming", "came")
OF_INVITATION = ("id", "resident_id", "answer", "wants_ride", "may_picture", "attended")


def event_out(row: EventSum) -> dict[str, Any]:
    """What leaves of an event."""
    return {name: getattr(row.event, name) for name in OF_EVENT} | {name: getattr(row, name) for name in OF_SUM}


def invitations_out(session: Session, event_id: int) -> dict[str, Any]:
    """Everybody who is invited."""
    found = celebrating.invitations_of(session, event_id, actor=actor())
    plain = [{name: getattr(one.invitation, name) for name in OF_INVITATION} for one in found]
    return {"items": [row | {"order_number": one.order_number} for row, one in zip(plain, found, strict=True)]}


def invitations_answered(session: Session, event_id: int) -> Answer:
    """The same as an answer."""
    return 200, schemas.InvitationsOut().dump(invitations_out(session, event_id)), {}


@blueprint.route("/festivals")
class Festivals(MethodView):
    """What comes and what was."""

    @allow(Right.LIFE_READ)
    @blueprint.response(200, schemas.FestivalEventsOut)
    def get(self) -> Mapping[str, Any]:
        """List the newest events."""
        with transaction() as session:
            return {"items": [event_out(row) for row in celebrating.list_events(session, actor=actor())]}


@blueprint.route(f"{EVENT}/invitations")
class Invitations(MethodView):
    """Who is invited."""

    @allow(Right.LIFE_READ)
    @blueprint.response(200, schemas.InvitationsOut)
    def get(self, festival_event_id: int) -> Mapping[str, Any]:
        """List everybody who is invited to an event."""
        with transaction() as session:
            celebrating.find_event(session, festival_event_id, actor=actor())
            return invitations_out(session, festival_event_id)


@blueprint.route("/invitations/<int(min=1, max=9223372036854775807):invitation_id>/answer")
class InvitationAnswer(MethodView):
    """What somebody said."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.AnswerInvitation, schemas.InvitationsOut)
    def post(self, data: Mapping[str, Any], invitation_id: int) -> Response:
        """Note whether somebody comes, is to be fetched, and may be on pictures."""

        def work(session: Session) -> Answer:
            said = {**data, "answer": Said(data["answer"])}
            found = hosting.answer_invitation(session, invitation_id, **said, actor=actor())
            return invitations_answered(session, found.event_id)

        return once(f"invitations.answer:{invitation_id}", data, work)


@blueprint.route(f"{EVENT}/rides")
class Rides(MethodView):
    """The orders that fetch people."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(NothingMore, schemas.InvitationsOut)
    def post(self, data: Mapping[str, Any], festival_event_id: int) -> Response:
        """Place an order for each home from which somebody is fetched and has none yet."""

        def work(session: Session) -> Answer:
            hosting.send_rides(session, festival_event_id, actor=actor(), now=clock.now(session))
            return invitations_answered(session, festival_event_id)

        return once(f"festivals.rides:{festival_event_id}", data, work)


@blueprint.route(f"{EVENT}/attendance")
class Attendance(MethodView):
    """Who came."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.NoteAttendance, schemas.InvitationsOut)
    def post(self, data: Mapping[str, Any], festival_event_id: int) -> Response:
        """Note who came. 409 before the day."""

        def work(session: Session) -> Answer:
            hosting.note_attendance(session, festival_event_id, **data, actor=actor(), now=clock.now(session))
            return invitations_answered(session, festival_event_id)

        return once(f"festivals.attendance:{festival_event_id}", data, work)
