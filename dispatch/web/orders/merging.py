"""并单、拆单、同一件事: repeated calls at the desk, merging and taking apart from an order's page."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from flask import Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.gateways import limits
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import orders
from dispatch.services.orders import OrderDraft
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.actions import YES, carry_out, needed, refused, text, version
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import field_name, new_key, read_draft, source_number
from dispatch.web.orders.views import rows
from dispatch.web.pages import told

Work = Callable[[Session, Order, Actor, datetime], Order]


@blueprint.post("/desk/repeat/<number>")
@allow(Right.ORDERS_PLACE, limit=limits.INTAKE)
def repeat_call(number: str) -> Response:
    """同一件事: the call that is being typed is counted on this order; the desk is empty for the next one."""
    actor = current_actor()
    try:
        key = source_number(request.form.get("form_key", ""))
        counted = count_call(number, read_draft(request.form), key, actor)
    except (Invalid, Conflict) as error:
        field = field_name(error.field) if isinstance(error, Invalid) else "form_key"
        page = render_template("orders/errors.html", errors={field: told(error)})
        status = 422 if isinstance(error, Invalid) else 409
        return make_response(page, status, {"HX-Reswap": "innerHTML", "HX-Trigger-After-Settle": "order-refused"})
    return make_response(counted, 201, {"HX-Trigger-After-Settle": "order-placed"})


@retrying
def count_call(number: str, draft: OrderDraft, key: str, actor: Actor) -> str:
    """One transaction: the call counted, and the panel that says where and what follows."""
    with transaction() as session:
        now = clock.now(session)
        order = orders.repeat_call(
            session,
            orders.find(session, number, actor=actor),
            name=draft.caller_name,
            phone=draft.caller_phone,
            resident_id=draft.caller_resident_id,
            words=draft.description,
            urged=request.form.get("urged") == YES,
            key=key,
            actor=actor,
            now=now,
        )
        return render_template(
            "orders/repeated.html",
            row=rows(session, [order], actor)[0],
            calls=orders.calls_about(orders.callers_of(session, order)),
            has_phone=bool(draft.caller_phone),
            urged=request.form.get("urged") == YES,
            now=now,
            form_key=new_key(),
        )


@blueprint.get("/orders/<number>/near")
@allow(Right.ORDERS_MERGE, limit=limits.SEARCH)
def near(number: str) -> str:
    """Open orders near by into which this one may go, to choose one."""
    actor = current_actor()
    with transaction() as session:
        order = orders.find(session, number, actor=actor)
        found = orders.mergeable(session, order, request.args.get("text", ""), actor=actor)
        return render_template("orders/near.html", found=rows(session, found, actor), now=clock.now(session), typed="")


@retrying
def carry_out_together(number: str, action: str, work: Work) -> Response:
    """One action that locks the orders it needs itself, in one transaction; then the page of what came of it."""
    actor = current_actor()
    try:
        with transaction() as session:
            order = orders.find(session, number, actor=actor)
            went_to = work(session, order, actor, clock.now(session)).number
    except (Invalid, Conflict, NotAllowed) as error:
        return refused(number, action, error, actor)
    return redirect(url_for("pages_orders.show", number=went_to), 303)  # type: ignore[return-value]


@blueprint.post("/orders/<number>/merge")
@allow(Right.ORDERS_MERGE)
def merge(number: str) -> Response:
    """并入 another order."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> Order:
        if not text("into"):
            raise Invalid("into", "请选择并入哪一单")
        into = orders.find(session, text("into"), actor=actor)
        return orders.merge(session, order, into, reason=text("reason"), version=version(), actor=actor, now=now)

    return carry_out_together(number, "merge", work)


@blueprint.post("/orders/<number>/unmerge")
@allow(Right.ORDERS_MERGE)
def unmerge(number: str) -> Response:
    """Take it out of the order into which it was merged."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> Order:
        orders.unmerge(session, order, reason=text("reason"), version=version(), actor=actor, now=now)
        return order

    return carry_out_together(number, "unmerge", work)


@blueprint.post("/orders/<number>/split")
@allow(Right.ORDERS_MERGE, limit=limits.INTAKE)
def split(number: str) -> Response:
    """拆出来: a second matter of the same call."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        service_id = needed("service_id", "请选择类别")
        if not text("description"):
            raise Invalid("description", "请写明另一件事是什么")
        draft = OrderDraft(description=text("description"), service_id=service_id)
        if text("address_text"):
            draft = replace(draft, address_text=text("address_text"))
        orders.split(session, order, draft, version=version(), actor=actor, now=now)

    return carry_out(number, "split", work)
