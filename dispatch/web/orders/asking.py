"""Requests, helpers, urging and supervision by form, and the page of what waits for a decision."""

from datetime import datetime

from flask import Response, render_template, request
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.orders.requests import RequestKind, Wish
from dispatch.services import orders
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.actions import YES, answer, carry_out, end_of_day, needed, text, version, with_reason
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import number as whole_number
from dispatch.web.orders.views import rows

REQUEST = "/requests/<int(min=1, max=9223372036854775807):request_id>"


@blueprint.get("/requests")
@allow(Right.ORDERS_DECIDE)
def requests() -> str:
    """What waits for a decision, and what is supervised, the most urgent first."""
    actor = current_actor()
    with transaction() as session:
        waiting = orders.requests_to_decide(session, actor=actor)
        complaints = orders.complaints_to_decide(session, actor=actor)
        supervised = orders.supervised(session, actor=actor)
        listed = (*(one.order for one in (*waiting, *complaints)), *(order for _, order in supervised))
        found = {one.id: one for one in listed}
        shown = {row.order.id: row for row in rows(session, list(found.values()), actor)}
        return render_template(
            "orders/requests.html",
            now=clock.now(session),
            waiting=[(one.request, shown[one.order.id]) for one in waiting],
            complaints=[(one.complaint, shown[one.order.id]) for one in complaints],
            firms=orders.performer_names(session, {one.complaint.performer_id for one in complaints}),
            supervised=[(supervision, shown[order.id]) for supervision, order in supervised],
        )


@blueprint.post("/orders/<number>/requests")
@allow(Right.ORDERS_REQUEST)
def ask(number: str) -> Response:
    """Ask for something about the order."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        orders.ask(
            session,
            order,
            read_kind(),
            grounds=text("grounds"),
            basis=text("basis"),
            wish=read_wish(),
            version=version(),
            actor=actor,
            now=now,
        )

    return carry_out(number, "ask", work)


def read_kind() -> RequestKind:
    """What is asked; raises Invalid."""
    try:
        return RequestKind(text("kind"))
    except ValueError as error:
        raise Invalid("kind", "请选择要申请什么") from error


def read_wish() -> Wish:
    """What the form wishes; a date means the end of that day in Shanghai."""
    return Wish(
        days=whole_number(request.form, "days"),
        until=end_of_day(text("until")) if text("until") else None,
        long_works=request.form.get("long_works") == YES,
        team_id=whole_number(request.form, "team_id"),
        task=text("task"),
    )


def about(request_id: int) -> str:
    """The number of the order that a request is about; raises NotFound."""
    with transaction() as session:
        return orders.order_asked_about(session, request_id, actor=current_actor())


@blueprint.post(f"{REQUEST}/decision")
@allow(Right.ORDERS_DECIDE)
def decide(request_id: int) -> Response:
    """Grant or refuse it."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        granted = answer("granted")
        if granted is None:
            raise Invalid("granted", "请选同意或不同意")
        orders.decide(
            session,
            order,
            request_id,
            granted=granted,
            reason=text("reason"),
            team_id=whole_number(request.form, "team_id"),
            version=version(),
            actor=actor,
            now=now,
        )

    return carry_out(about(request_id), f"decide-{request_id}", work)


@blueprint.post(f"{REQUEST}/withdrawal")
@allow(Right.ORDERS_REQUEST)
def withdraw(request_id: int) -> Response:
    """Take one's own request back."""
    return carry_out(
        about(request_id),
        "withdraw",
        lambda session, order, actor, now: orders.withdraw_request(session, order, request_id, actor=actor, now=now),
    )


@blueprint.post("/orders/<number>/resumption")
@allow(Right.ORDERS_SUPERVISE)
def resume(number: str) -> Response:
    """End a hold before its date."""
    return with_reason(number, "resume", orders.resume)


@blueprint.post("/orders/<number>/help")
@allow(Right.ORDERS_WORK)
def finish_help(number: str) -> Response:
    """Say what the helping team has done."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        team_id = needed("team_id", "请选择协办的团队")
        orders.finish_help(
            session, order, team_id=team_id, answer=text("answer"), version=version(), actor=actor, now=now
        )

    return carry_out(number, "finish_help", work)


@blueprint.post("/orders/<number>/urges")
@allow(Right.CALLERS_READ)
def urge(number: str) -> Response:
    """催办."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        by_resident = request.form.get("by_resident") == YES
        orders.urge(session, order, reason=text("reason"), by_resident=by_resident, actor=actor, now=now)

    return carry_out(number, "urge", work)


@blueprint.post("/orders/<number>/supervision")
@allow(Right.ORDERS_SUPERVISE)
def supervise(number: str) -> Response:
    """督办."""
    return with_reason(number, "supervise", orders.supervise)


@blueprint.post("/orders/<number>/supervision/end")
@allow(Right.ORDERS_SUPERVISE)
def end_supervision(number: str) -> Response:
    """销督."""
    return with_reason(number, "end_supervision", orders.end_supervision, "finding")


@blueprint.post("/orders/<number>/confidentiality")
@allow(Right.ORDERS_PLACE)
def confidentiality(number: str) -> Response:
    """设为保密, or lifted."""
    is_hiding = request.form.get("confidential") == YES
    if is_hiding:
        return with_reason(number, "conceal", orders.conceal)
    return with_reason(number, "reveal", orders.reveal)
