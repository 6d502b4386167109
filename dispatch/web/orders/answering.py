"""直接答复 on the pages: knowledge listed while the operator types, a call closed with it, and whether it helped."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from flask import Response, make_response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, DispatchError, Invalid, NotFound
from dispatch.gateways import limits
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import catalogue, orders
from dispatch.services.access import reach
from dispatch.services.catalogue import Knowledge
from dispatch.services.orders import Citation
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.actions import carry_out, version
from dispatch.web.orders.desk import render_placed, with_room
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import SOURCE, field_name, new_key, read_draft, source_number, windows
from dispatch.web.orders.form import number as whole_number
from dispatch.web.orders.form import with_known_answers as keep_known
from dispatch.web.orders.views import opened_row
from dispatch.web.pages import told

MOST_SHOWN = 5


@blueprint.post("/desk/knowledge")
@allow(Right.ORDERS_PLACE, limit=limits.SEARCH)
def knowledge() -> str:
    """The knowledge that fits what is being typed, or the chosen kind; a POST, so that no word stands in an address."""
    is_choice = bool(request.form.get("choose"))
    template = "orders/knowledge_choice.html" if is_choice else "orders/knowledge.html"
    return render_template(template, found=fitting(request.form, current_actor()))


def fitting(form: Mapping[str, str], actor: Actor) -> list[Knowledge]:
    """What may be answered today and fits the words of a form."""
    service_id = whole_number(form, "service_id")
    with transaction() as session:
        kind = None
        if service_id is not None and actor.organisation_id is not None:
            kind = catalogue.find_service(session, actor.organisation_id, service_id=service_id).code
        return catalogue.search_knowledge(
            session,
            form.get("description", ""),
            day=clock.today(clock.now(session)),
            kind=kind,
            limit=MOST_SHOWN,
            actor=actor,
        )


@blueprint.post("/desk/answer")
@allow(Right.ORDERS_PLACE, limit=limits.INTAKE)
def answer() -> Response:
    """Close the call with the opened item, once: a repeated or unanswered one is found by the form's key."""
    actor = current_actor()
    try:
        key = source_number(request.form.get("form_key", ""))
        found, is_repeat = answer_once(request.form, key, actor)
    except (Invalid, Conflict, NotFound) as error:
        return refused(error)
    page = render_answered(found, actor, is_repeat=is_repeat, is_new=True)
    return make_response(page, 201, {"HX-Trigger-After-Settle": "order-placed"})


def refused(error: DispatchError) -> Response:
    """What was wrong, beside the field or above; everything typed stays, and the list is read anew."""
    field = field_name(error.field) if isinstance(error, Invalid) else "knowledge_code"
    page = render_template("orders/errors.html", errors={field: told(error)})
    status = 422 if isinstance(error, Invalid) else 409
    return make_response(
        page, status, {"HX-Reswap": "innerHTML", "HX-Trigger-After-Settle": "order-refused, knowledge"}
    )


def answer_once(form: Mapping[str, str], key: str, actor: Actor) -> tuple[str, bool]:
    """Number of the order that this form became, and whether it had become it before."""
    try:
        return answer_now(form, key, actor), False
    except orders.AlreadyPlaced:
        mine = (Order.source == SOURCE, Order.source_number == key, Order.created_by == actor.user_id)
        with transaction() as session:
            found = session.scalars(select(Order.number).where(*mine, reach.visible_orders(actor))).one_or_none()
        if found is None:
            raise
        return found, True


@retrying
def answer_now(form: Mapping[str, str], key: str, actor: Actor) -> str:
    """One transaction: the closed call with its citation."""
    draft = read_draft(form)
    citation = Citation(item_id=whole_number(form, "knowledge_id"), version=whole_number(form, "knowledge_version"))
    with transaction() as session:
        if draft.service_id is not None and actor.organisation_id is not None:
            service = catalogue.find_service(session, actor.organisation_id, service_id=draft.service_id)
            draft = keep_known(draft, service)
        keyed = replace(with_room(session, draft, actor), source_number=key)
        return orders.answer_call(session, keyed, citation, actor=actor, now=clock.now(session)).number


@blueprint.post("/desk/answered/<number>/usefulness")
@allow(Right.ORDERS_PLACE)
def useful_at_desk(number: str) -> str:
    """What the caller says at once, while still on the line."""
    actor = current_actor()
    with transaction() as session:
        order = orders.find(session, number, actor=actor, locked=True)
        said = request.form.get("useful", "")
        orders.record_usefulness(session, order, useful=said, actor=actor, now=clock.now(session))
    return render_answered(number, actor, is_repeat=False, is_new=False)


def render_answered(order_number: str, actor: Actor, *, is_repeat: bool, is_new: bool) -> str:
    """The panel of the closed call; of one that had become an ordinary order before, that order's."""
    with transaction() as session:
        now = clock.now(session)
        order = orders.find(session, order_number, actor=actor)
        is_hidden = opened_row(session, order, actor, purpose="answer").is_hidden
        cited = None if is_hidden else orders.citation_of(session, order)
    if cited is None:
        return render_placed(order_number, actor, is_repeat=is_repeat, is_new=is_new)
    return render_template(
        "orders/answered.html",
        order=order,
        cited=cited,
        is_repeat=is_repeat,
        is_new=is_new,
        form_key=new_key(),
        windows=windows(now),
    )


@blueprint.post("/orders/<number>/answer")
@allow(Right.ORDERS_PLACE)
def answer_received(number: str) -> Response:
    """Close an order in 受理中 with the item that was chosen on its page."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        item, _, read = request.form.get("cited", "").partition(":")
        citation = Citation(item_id=whole({"cited": item}), version=whole({"cited": read}))
        orders.answer_directly(session, order, citation, version=version(), actor=actor, now=now)

    return carry_out(number, "answer", work)


def whole(form: Mapping[str, str]) -> int | None:
    """One of the two numbers of a citation; raises Invalid."""
    return whole_number(form, "cited")


@blueprint.post("/orders/<number>/usefulness")
@allow(Right.ORDERS_PLACE)
def useful(number: str) -> Response:
    """What the caller says later."""
    said = request.form.get("useful", "")
    return carry_out(
        number,
        "useful",
        lambda session, order, actor, now: orders.record_usefulness(session, order, useful=said, actor=actor, now=now),
    )
