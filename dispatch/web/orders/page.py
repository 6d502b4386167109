"""The page of one order: facts, clocks, time line, decisions in sentences, offers, callbacks, possible actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, make_response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.gateways import limits
from dispatch.models.access import File, User
from dispatch.models.catalogue import KnowledgeItem, KnowledgeVersion, Service, Team
from dispatch.models.notify import Notice
from dispatch.models.orders import Callback, DecisionRecord, KnowledgeUse, Offer, OfferRecipient, Order, OrderEvent
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.orders.confidential import Detail, is_open_to, sees
from dispatch.rules.orders.explain import Sentence
from dispatch.rules.orders.states import OPEN, OrderState
from dispatch.services import catalogue, grid, orders
from dispatch.services.access import audit, files
from dispatch.services.orders import CallersView
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.asked import AskedView, read_asked
from dispatch.web.orders.complained import ComplainedView, read_complained
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import number as whole_number
from dispatch.web.orders.ledger import Part, parts_of, time_words
from dispatch.web.orders.views import (
    OrderRow,
    limits_moved,
    masked_phone,
    names,
    open_phone,
    opened_row,
    performers_by_hand,
    satisfaction_choices,
    waits_words,
)
from dispatch.web.pages import picture_of

DISPATCHABLE = frozenset(
    {
        OrderState.AWAITING_DISPATCH,
        OrderState.AWAITING_HUMAN,
        OrderState.DISPATCHED,
        OrderState.SIGNED,
        OrderState.OFFERED,
        OrderState.ACCEPTED,
    }
)
MOST_KINDS = 40
CALLABLE = frozenset({OrderState.FED_BACK, OrderState.CALLING_BACK})


@dataclass(frozen=True, slots=True)
class OrderView:
    """Everything that the page of an order shows."""

    now: datetime
    row: OrderRow
    service: Service
    phone: str
    why_waiting: str
    events: Sequence[OrderEvent]
    decisions: list[tuple[DecisionRecord, list[Sentence]]]
    offers: Sequence[tuple[Offer, OfferRecipient, str]]
    notices: Sequence[Notice]
    callbacks: Sequence[Callback]
    pictures: Sequence[File]
    people: Mapping[int, str]
    teams: Mapping[int, str]
    performers: Mapping[int, str]
    can: frozenset[str]
    elapsed: str
    ledger: Sequence[Part]
    asked: AskedView
    complained: ComplainedView
    callers: CallersView
    cited: tuple[KnowledgeUse, KnowledgeItem, KnowledgeVersion] | None
    by_hand: list[tuple[int, str]] = field(default_factory=list)
    block_teams: list[tuple[int, str]] = field(default_factory=list)
    kinds: list[tuple[int, str]] = field(default_factory=list)
    first_shift: tuple[datetime, str] | None = None


@blueprint.get("/orders/<number>")
@allow(Right.ORDERS_READ)
def show(number: str) -> str:
    """The page."""
    return render_order(number, current_actor())


@blueprint.get("/orders/<number>/now")
@allow(Right.ORDERS_READ)
def show_now(number: str) -> Response:
    """The live part alone: state, clocks, time line, offers; the whole page again once 保密 was made or lifted."""
    view = read_order(number, current_actor(), purpose="live")
    order = view.row.order
    response = make_response(render_template("orders/show_now.html", view=view, order=order, limits_moved=limits_moved))
    if request.args.get("secret") == ("no" if order.confidential else "yes"):
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.get("/orders/<number>/slip")
@allow(Right.ORDERS_READ)
def slip(number: str) -> str:
    """The order slip, made for paper."""
    view = read_order(number, current_actor(), purpose="slip")
    return render_template("orders/slip.html", view=view, order=view.row.order)


@blueprint.get("/desk/places")
@allow(Right.ORDERS_PLACE, limit=limits.SEARCH)
def find_place() -> str:
    """Places that a text may mean, to choose one for an order whose place was not found."""
    actor = current_actor()
    with transaction() as session:
        place = grid.resolve_place(
            session,
            request.args.get("text", ""),
            communities=None if actor.scope.everything else actor.scope.communities,
        )
    is_exact = place.outcome in {"stairwell", "building"}
    return render_template(
        "orders/place_found.html", found=[place, *place.candidates] if is_exact else place.candidates
    )


@blueprint.post("/orders/<number>/phone")
@allow(Right.CALLERS_READ)
def reveal_phone(number: str) -> str:
    """The caller's whole number, with an entry in the audit that says who looked."""
    actor = current_actor()
    with transaction() as session:
        order = orders.find(session, number, actor=actor)
        phone = phone_to_show(session, order, whole_number(request.form, "caller_id"), actor)
        audit.record(
            session,
            "orders.reveal_phone",
            "orders",
            order.id,
            actor=actor,
            community_id=order.community_id,
            organisation_id=order.organisation_id,
            purpose="call",
        )
    return render_template("orders/phone.html", phone=phone)


def phone_to_show(session: Session, order: Order, caller_id: int | None, actor: Actor) -> str:
    """The whole number of the order's own caller, or of another who waits for it; NotFound for somebody else."""
    caller = None if caller_id is None else orders.find_caller(session, order, caller_id)
    if not sees(Detail.PHONE, order, actor):
        return ""
    return open_phone(order) if caller is None else orders.phone_of(caller)


@blueprint.get("/orders/<number>/pictures/<int:position>")
@allow(Right.ORDERS_READ)
def picture(number: str, position: int) -> Response:
    """The n-th photo or signature of the finished work; each reading is audited. Not of a confidential order."""
    actor = current_actor()
    with transaction() as session:
        order = orders.find(session, number, actor=actor)
        kept = pictures_of(session, order, actor)
        if not 1 <= position <= len(kept):
            raise NotFound
        content = files.read_file(session, kept[position - 1].uid, actor=actor, purpose="order_page")
    return picture_of(content)


def render_order(
    number: str, actor: Actor, errors: Mapping[str, str] | None = None, typed: Mapping[str, Any] | None = None
) -> str:
    """The page; after a refused action with what was typed and what is wrong with it."""
    view = read_order(number, actor, purpose="page")
    return render_template(
        "orders/show.html",
        view=view,
        order=view.row.order,
        limits_moved=limits_moved,
        errors=errors or {},
        typed=typed or {},
        satisfactions=satisfaction_choices(),
    )


def read_order(number: str, actor: Actor, *, purpose: str) -> OrderView:
    """Read an order with everything around it; NotFound for what is out of reach."""
    with transaction() as session:
        order = orders.find(session, number, actor=actor)
        events = orders.time_line(session, order)
        notices = notices_of(session, order)
        service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
        ledger = orders.ledger_of(session, order, service, events, now=clock.now(session))
        allowed = actions_for(order, actor)
        row = opened_row(session, order, actor, purpose=purpose)
        return OrderView(
            now=clock.now(session),
            row=row,
            service=service,
            phone=masked_phone(order) if sees(Detail.PHONE, order, actor) else "",
            why_waiting=waits_words(order),
            events=events,
            decisions=[] if row.is_hidden else orders.decisions(session, order),
            offers=orders.offers_of(session, order),
            notices=notices,
            callbacks=orders.callbacks_of(session, order),
            pictures=pictures_of(session, order, actor),
            people=names(session, User, {one.user_id for one in (*events, *notices) if one.user_id}),
            teams=orders.team_names(session, order.community_id),
            performers=orders.performer_names(
                session, {one.performer_id for one in (*events, *notices) if one.performer_id}
            ),
            can=allowed,
            elapsed=time_words(ledger.elapsed),
            ledger=parts_of(ledger),
            asked=read_asked(session, order, actor),
            complained=read_complained(session, order, events, actor, now=clock.now(session)),
            callers=orders.view_callers(session, order),
            kinds=kinds_of(session, order) if "split" in allowed else [],
            cited=None if row.is_hidden else orders.citation_of(session, order),
            by_hand=performers_by_hand(session, order) if "dispatch" in allowed else [],
            block_teams=block_teams(session, order) if "choose_team" in allowed else [],
            first_shift=orders.shift_waited_for(session, order, now=clock.now(session)),
        )


def actions_for(order: Order, actor: Actor) -> frozenset[str]:
    """What the page offers: by the order's state and the actor's rights. The services judge again."""
    state = OrderState(order.state)
    is_open = state in OPEN
    waits = state is OrderState.AWAITING_HUMAN
    needs_place = order.place_outcome == "unresolved" and (state is OrderState.RECEIVED or waits)
    offered = {
        "settle": needs_place and actor.may(Right.ORDERS_PLACE) and sees(Detail.PLACE, order, actor),
        "answer": state is OrderState.RECEIVED and order.origin is None and actor.may(Right.ORDERS_PLACE),
        "useful": state is OrderState.ANSWERED and actor.may(Right.ORDERS_PLACE),
        "dispatch": state in DISPATCHABLE and order.community_id is not None and actor.may(Right.ORDERS_DISPATCH),
        "retry": waits and not needs_place and actor.may(Right.ORDERS_DISPATCH),
        "choose_team": waits and order.waits_for == "area_chief_chooses" and actor.may(Right.ORDERS_WORK),
        "sign": state is OrderState.DISPATCHED and actor.may(Right.ORDERS_WORK),
        "feed_back": state is OrderState.FINISHED and actor.may(Right.ORDERS_WORK),
        "call_back": state in CALLABLE and actor.may(Right.ORDERS_CALL_BACK),
        "void": is_open and actor.may(Right.ORDERS_VOID),
        "merge": is_open and order.community_id is not None and actor.may(Right.ORDERS_MERGE),
        "unmerge": state is OrderState.MERGED and actor.may(Right.ORDERS_MERGE),
        "split": is_open and order.community_id is not None and actor.may(Right.ORDERS_MERGE),
        "remark": state is not OrderState.ARCHIVED,
        "reveal": order.caller_phone is not None and actor.may(Right.CALLERS_READ) and is_open_to(order, actor),
    }
    return frozenset(name for name, is_offered in offered.items() if is_offered)


def notices_of(session: Session, order: Order) -> Sequence[Notice]:
    """What was told to whom about this order, in order."""
    return session.scalars(select(Notice).where(Notice.order_id == order.id).order_by(Notice.id)).all()


def pictures_of(session: Session, order: Order, actor: Actor) -> Sequence[File]:
    """The photos and the signature of the finished work, for whoever may open the order."""
    return files.list_files(session, "orders", order.id, actor=actor) if sees(Detail.PICTURES, order, actor) else ()


def kinds_of(session: Session, order: Order) -> list[tuple[int, str]]:
    """The kinds that a second matter of the call may be of, the most asked for first."""
    found = catalogue.search_services(session, order.organisation_id, "", offered="hotline", limit=MOST_KINDS)
    return [(one.id, one.name) for one in found]


def block_teams(session: Session, order: Order) -> list[tuple[int, str]]:
    """The block teams of the order's area, among which its chief chooses."""
    query = select(Team.id, Team.name).where(Team.kind == "block", Team.area_id == order.area_id).order_by(Team.code)
    return [(identity, name) for identity, name in session.execute(query)]
