"""三访 over HTTP: what happened, the visits that it owes, corrections, groups with their switches."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.models.care import LifeEvent
from dispatch.rules.access.roles import Right
from dispatch.rules.care.events import Event, Source, Trigger
from dispatch.schemas import life as schemas
from dispatch.schemas.beneficiaries import NothingMore
from dispatch.services import life
from dispatch.services.care import condoling, covering, events, gifting, groups
from dispatch.services.care.events import EventDraft
from dispatch.transaction import transaction

blueprint = Blueprint("life", __name__, url_prefix="/api/care", description="三访 · Three visits")

EVENT = "/events/<int(min=1, max=9223372036854775807):life_event_id>"
GROUP = "/groups/<int(min=1, max=9223372036854775807):care_group_id>"
OF_LINE = tuple(schemas.LifeEventLineOut().fields)
OF_YEAR = ("visited", "events", "owed", "in_time", "late", "waiting")
OF_VISIT = ("id", "occasion", "due_at", "state", "performer_id", "done_at", "spending_id")


def line_out(event: LifeEvent) -> dict[str, Any]:
    """What leaves of an event in a list."""
    return {name: getattr(event, name) for name in OF_LINE}


def event_out(session: Session, event: LifeEvent) -> dict[str, Any]:
    """The same with its visits and what it did."""
    visits = [
        {name: getattr(visit, name) for name in OF_VISIT} | {"order_number": number}
        for visit, number, _ in events.visits_of(session, event)
    ]
    effects = sorted({one.subject for one in life.effects_of(session, event)})
    return line_out(event) | {"visits": visits, "effects": effects}


def answered(session: Session, event: LifeEvent) -> Answer:
    """An event as an answer."""
    return 200, schemas.LifeEventOut().dump(event_out(session, event)), {}


def groups_out(session: Session, year: int | None = None) -> dict[str, Any]:
    """The groups in reach, with the year's figures."""
    now = clock.now(session)
    counted = covering.coverage(session, year or clock.today(now).year, actor=actor(), now=now)
    covered = {one.group.id: one for one in counted}
    items = []
    for view in groups.list_groups(session, actor=actor(), now=now):
        figures = {name: getattr(covered[view.group.id], name) for name in OF_YEAR}
        plain = {name: getattr(view.group, name) for name in ("id", "community_id", "code", "name")}
        items.append(plain | figures | {"members": view.members, "on": sorted(view.on)})
    return {"items": items}


@blueprint.route("/events")
class Events(MethodView):
    """What happened."""

    @allow(Right.LIFE_READ)
    @blueprint.arguments(schemas.EventsQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.LifeEventsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List events, newest first."""
        with transaction() as session:
            rows = events.list_events(session, actor=actor(), before=query["cursor"], limit=query["limit"] + 1)
            shown = [line_out(row.event) for row in rows[: query["limit"]]]
        return {"items": shown, "next": shown[-1]["id"] if len(rows) > query["limit"] else None}

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.TellEvent, schemas.ToldOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Tell what happened; a death or a move is one transaction with all that follows. 409 for what is known."""

        def work(session: Session) -> Answer:
            draft = EventDraft(**{**data, "kind": Event(data["kind"]), "source": Source(data["source"])})
            event = life.tell(session, draft, actor=actor(), now=clock.now(session))
            body = None if event is None else event_out(session, event)
            return 201, schemas.ToldOut().dump({"event": body}), {}

        return once("events.tell", data, work)


@blueprint.route(EVENT)
class OneEvent(MethodView):
    """One event."""

    @allow(Right.LIFE_READ)
    @blueprint.response(200, schemas.LifeEventOut)
    def get(self, life_event_id: int) -> Mapping[str, Any]:
        """Show one event with its visits; that it was looked at is recorded."""
        with transaction() as session:
            return event_out(session, events.open_event(session, life_event_id, actor=actor()))


@blueprint.route("/condolences/<int(min=1, max=9223372036854775807):condolence_id>/visitor")
class Visitor(MethodView):
    """Who pays a visit."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.NameVisitor, schemas.LifeEventOut)
    def post(self, data: Mapping[str, Any], condolence_id: int) -> Response:
        """Name who goes, in place of who was named. 409 where it was paid or is owed no more."""

        def work(session: Session) -> Answer:
            visit = condoling.name_visitor(session, condolence_id, **data, actor=actor(), now=clock.now(session))
            return answered(session, events.find_event(session, visit.event_id, actor=actor()))

        return once(f"condolences.visitor:{condolence_id}", data, work)


@blueprint.route("/condolences/<int(min=1, max=9223372036854775807):condolence_id>/gift")
class CondolenceGift(MethodView):
    """Money that goes with a visit."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.AskCondolenceGift, schemas.LifeEventOut)
    def post(self, data: Mapping[str, Any], condolence_id: int) -> Response:
        """Ask for it from a fund for party care; another person approves it. 409 where it was asked for."""

        def work(session: Session) -> Answer:
            gifting.ask_gift(session, condolence_id, **data, actor=actor(), now=clock.now(session))
            visit = condoling.find_visit(session, condolence_id, actor=actor())
            return answered(session, events.find_event(session, visit.event_id, actor=actor()))

        return once(f"condolences.gift:{condolence_id}", data, work)


@blueprint.route("/condolences/<int(min=1, max=9223372036854775807):condolence_id>/gift/withdrawal")
class CondolenceGiftWithdrawal(MethodView):
    """Money that is not asked for after all."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(NothingMore, schemas.LifeEventOut)
    def post(self, data: Mapping[str, Any], condolence_id: int) -> Response:
        """Take back what one asked for oneself (else 403); 409 where nothing was asked for, or it was decided."""

        def work(session: Session) -> Answer:
            gifting.withdraw_gift(session, condolence_id, actor=actor(), now=clock.now(session))
            visit = condoling.find_visit(session, condolence_id, actor=actor())
            return answered(session, events.find_event(session, visit.event_id, actor=actor()))

        return once(f"condolences.gift_withdrawal:{condolence_id}", data, work)


@blueprint.route(f"{EVENT}/withdrawal")
class Withdrawal(MethodView):
    """That an event was told wrongly."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.AskWithdrawal, schemas.LifeEventOut)
    def post(self, data: Mapping[str, Any], life_event_id: int) -> Response:
        """Say what is wrong; another person approves it. 409 for a machine's key, and where it was said."""

        def work(session: Session) -> Answer:
            event = life.ask_withdrawal(session, life_event_id, **data, actor=actor(), now=clock.now(session))
            return answered(session, event)

        return once(f"events.withdrawal:{life_event_id}", data, work)


@blueprint.route("/groups")
class Groups(MethodView):
    """For whom 三访 holds."""

    @allow(Right.LIFE_READ)
    @blueprint.arguments(schemas.CareGroupsQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.CareGroupsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List the groups with their switches and what a year owed them."""
        with transaction() as session:
            return groups_out(session, query["year"])


@blueprint.route(f"{GROUP}/switches")
class Switches(MethodView):
    """The switches of a group."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.SwitchGroup, schemas.CareGroupsOut)
    def post(self, data: Mapping[str, Any], care_group_id: int) -> Response:
        """Let a trigger hold for a group, or not."""

        def work(session: Session) -> Answer:
            trigger = Trigger(data["trigger"])
            groups.switch(session, care_group_id, trigger, is_on=data["is_on"], actor=actor())
            return 200, schemas.CareGroupsOut().dump(groups_out(session)), {}

        return once(f"groups.switch:{care_group_id}", data, work)


@blueprint.route(f"{GROUP}/members")
class Members(MethodView):
    """Who is listed in a group."""

    @allow(Right.LIFE_RUN)
    @blueprint.takes(schemas.ListMember, schemas.CareGroupsOut)
    def post(self, data: Mapping[str, Any], care_group_id: int) -> Response:
        """Enter a resident in a listed group, or take one out. 409 for a group that is read from a register."""

        def work(session: Session) -> Answer:
            deed = groups.end_member if data["ends"] else groups.add_member
            deed(session, care_group_id, data["resident_id"], actor=actor(), now=clock.now(session))
            return 200, schemas.CareGroupsOut().dump(groups_out(session)), {}

        return once(f"groups.member:{care_group_id}", data, work)
