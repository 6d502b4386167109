"""Lists: orders with filters and key-set paging, and the callbacks to make."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, make_response, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.models.catalogue import Service
from dispatch.models.grid import Area
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.orders.number import check_number
from dispatch.rules.orders.states import OPEN, OrderState
from dispatch.services import orders
from dispatch.services.orders import OrderFilters
from dispatch.services.orders.canary import CODE as CANARY
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import number as whole_number
from dispatch.web.orders.views import OrderRow, masked_phone, rows
from dispatch.web.pages import told

PAGE_LENGTH = 30
STATES_SHOWN: Mapping[str, tuple[str, ...]] = {
    "open": tuple(sorted(str(state) for state in OPEN)),
    "waiting": (str(OrderState.RECEIVED), str(OrderState.AWAITING_HUMAN)),
    "moving": tuple(
        str(state)
        for state in (
            OrderState.AWAITING_DISPATCH,
            OrderState.DISPATCHED,
            OrderState.SIGNED,
            OrderState.OFFERED,
            OrderState.ACCEPTED,
            OrderState.ARRIVED,
        )
    ),
    "finished": (str(OrderState.FINISHED), str(OrderState.FED_BACK), str(OrderState.CALLING_BACK)),
    "ended": tuple(sorted(str(state) for state in OrderState if state not in OPEN)),
}


@blueprint.get("/orders")
@allow(Right.ORDERS_READ)
def listing() -> Response:
    """The orders in reach, newest first; a whole order number goes straight to its page."""
    wanted = request.args.get("number", "").strip()
    actor = current_actor()
    problem = None
    if wanted:
        try:
            return redirect(url_for("pages_orders.show", number=check_number(wanted)))  # type: ignore[return-value]
        except Invalid as error:
            problem = told(error)
    with transaction() as session:
        now = clock.now(session)
        try:
            found = orders.list_orders(
                session,
                actor=actor,
                filters=read_filters(request.args),
                cursor=request.args.get("cursor"),
                limit=PAGE_LENGTH,
            )
        except Invalid as error:
            problem = told(error)
            found = orders.OrderPage((), None)
        page = render_template(
            "orders/listing.html",
            rows=rows(session, found.items, actor),
            following=found.next,
            problem=problem,
            now=now,
            **choices(session, actor),
        )
    return make_response(page, 422 if problem else 200)


def read_filters(arguments: Mapping[str, str]) -> OrderFilters:
    """The filters of the address; raises Invalid for a number that is none."""
    service_id = whole_number(arguments, "service")
    show = arguments.get("show", "")
    return OrderFilters(
        states=STATES_SHOWN.get(show, ()),
        service_ids=(service_id,) if service_id is not None else (),
        area_id=whole_number(arguments, "area"),
        performer_id=whole_number(arguments, "performer"),
        urgency=arguments.get("urgency") or None,
        only_late=show == "late",
    )


def choices(session: Session, actor: Actor) -> dict[str, list[tuple[int, str]]]:
    """What the filters offer."""
    areas = select(Area.id, Area.name).order_by(Area.community_id, Area.number)
    if not actor.scope.everything:
        areas = areas.where(Area.community_id.in_(actor.scope.communities))
    around = select(func.unnest(Organisation.path)).where(Organisation.id.in_(actor.scope.organisations))
    services = (
        select(Service.id, Service.name)
        .where(Service.is_active, Service.code != CANARY, Service.organisation_id.in_(around))
        .order_by(Service.group, Service.name)
    )
    return {
        "areas": [(identity, name) for identity, name in session.execute(areas)],
        "services": [(identity, name) for identity, name in session.execute(services)],
    }


@blueprint.get("/callbacks")
@allow(Right.ORDERS_CALL_BACK)
def callbacks() -> str:
    """Whom to call now: everybody who waits for an order that is due, the oldest order first."""
    actor = current_actor()
    with transaction() as session:
        now = clock.now(session)
        found = orders.callbacks_to_make(session, actor=actor, now=now)
        people = orders.people_to_call(session, found)
        shown = [
            (row, [Called(one, phone_words(row, one)) for one in people[row.order.id] if not one.is_done])
            for row in rows(session, found, actor)
        ]
        return render_template("orders/callbacks.html", rows=shown, now=now)


@dataclass(frozen=True, slots=True)
class Called:
    """Somebody to call, with the number as the list shows it."""

    person: orders.ToCall
    phone: str


def phone_words(row: OrderRow, person: orders.ToCall) -> str:
    """The masked number of somebody to call; nothing of a confidential order that the reader may not open."""
    if row.is_hidden:
        return ""
    if person.caller is None:
        return masked_phone(row.order)
    return mask_phone(orders.phone_of(person.caller))
