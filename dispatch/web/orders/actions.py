"""What people do with an order from its page: each form posts once, a refusal keeps what was typed."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from flask import Response, make_response, redirect, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, DispatchError, Invalid, NotAllowed
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.catalogue.prices import fen_of
from dispatch.rules.orders.complaints import ComplaintKind
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import orders
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import number as whole_number
from dispatch.web.orders.page import render_order
from dispatch.web.pages import told

Work = Callable[[Session, Order, Actor, datetime], object]
YES = "yes"


@retrying
def carry_out(number: str, action: str, work: Work) -> Response:
    """One action on a locked order in one transaction; then back to where the form stood."""
    actor = current_actor()
    try:
        with transaction() as session:
            order = orders.find(session, number, actor=actor, locked=True)
            work(session, order, actor, clock.now(session))
    except (Invalid, Conflict, NotAllowed) as error:
        if not actor.may(Right.ORDERS_READ):
            raise
        return refused(number, action, error, actor)
    return redirect(page_after(number, actor), 303)  # type: ignore[return-value]


def with_reason(number: str, action: str, deed: Callable[..., object], said: str = "reason") -> Response:
    """An action that takes nothing but the words of its form (`said`: what the deed calls them) and the version."""
    return carry_out(
        number,
        action,
        lambda session, order, actor, now: deed(
            session, order, **{said: text("reason")}, version=version(), actor=actor, now=now
        ),
    )


def page_after(number: str, actor: Actor) -> str:
    """Where somebody goes on after an action: the board, the order's page, or one's own list."""
    if not actor.may(Right.ORDERS_READ):
        return url_for("pages_home.mine")
    if request.form.get("back") == "board":
        return url_for("pages_orders.board")
    return url_for("pages_orders.show", number=number)


def refused(number: str, action: str, error: DispatchError, actor: Actor) -> Response:
    """The page again: the error beside its form, everything typed still there."""
    field = error.field if isinstance(error, Invalid) else "form"
    errors = {"action": action, field: told(error), "message": told(error)}
    status = 422 if isinstance(error, Invalid) else 409 if isinstance(error, Conflict) else 403
    return make_response(render_order(number, actor, errors, request.form), status)


def text(field: str) -> str:
    """A text of the form without blanks around it."""
    return request.form.get(field, "").strip()


def version() -> int | None:
    """The version that the page showed: what was decided on an older picture is refused."""
    return whole_number(request.form, "version")


def answer(field: str) -> bool | None:
    """Yes, no, or not said."""
    said = request.form.get(field)
    return None if not said else said == YES


def end_of_day(words: str) -> datetime:
    """The midnight after a date; raises Invalid naming until."""
    try:
        day = date.fromisoformat(words)
    except ValueError as error:
        raise Invalid("until", "请填一个日期") from error
    return datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)


def needed(field: str, message: str) -> int:
    """A choice that the form must carry; raises Invalid naming it."""
    found = whole_number(request.form, field)
    if found is None:
        raise Invalid(field, message)
    return found


@blueprint.post("/orders/<number>/place")
@allow(Right.ORDERS_PLACE)
def settle_place(number: str) -> Response:
    """Settle where it is: one of the candidates."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        kind, _, identity = text("cell").partition(":")
        chosen = whole_number({"cell": identity}, "cell")
        orders.settle(
            session,
            order,
            stairwell_id=chosen if kind == "stairwell" else None,
            building_id=chosen if kind == "building" else None,
            version=version(),
            actor=actor,
            now=now,
        )

    return carry_out(number, "settle", work)


@blueprint.post("/orders/<number>/dispatch")
@allow(Right.ORDERS_DISPATCH)
def dispatch_by_hand(number: str) -> Response:
    """Give it to one performer by hand, with a reason."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        performer_id = needed("performer_id", "请选择服务商")
        orders.dispatch_by_hand(
            session, order, performer_id=performer_id, reason=text("reason"), version=version(), actor=actor, now=now
        )

    return carry_out(number, "dispatch", work)


@blueprint.post("/orders/<number>/retry")
@allow(Right.ORDERS_DISPATCH)
def retry(number: str) -> Response:
    """Route it anew, with a reason."""
    return with_reason(number, "retry", orders.retry_routing)


@blueprint.post("/orders/<number>/team")
@allow(Right.ORDERS_WORK)
def choose_team(number: str) -> Response:
    """Say which block team it belongs to."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        team_id = needed("team_id", "请选择团队")
        orders.choose_team(
            session, order, team_id=team_id, reason=text("reason"), version=version(), actor=actor, now=now
        )

    return carry_out(number, "choose_team", work)


@blueprint.post("/orders/<number>/sign")
@allow(Right.ORDERS_WORK)
def sign(number: str) -> Response:
    """签收."""
    return carry_out(
        number,
        "sign",
        lambda session, order, actor, now: orders.sign(session, order, version=version(), actor=actor, now=now),
    )


@blueprint.post("/orders/<number>/feedback")
@allow(Right.ORDERS_WORK)
def feed_back(number: str) -> Response:
    """Record the answer given to the resident."""
    return carry_out(
        number,
        "feed_back",
        lambda session, order, actor, now: orders.feed_back(
            session, order, answer=text("answer"), actor=actor, now=now
        ),
    )


@blueprint.post("/orders/<number>/callback")
@allow(Right.ORDERS_CALL_BACK)
def call_back(number: str) -> Response:
    """Record one try to call back."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        reached = answer("reached")
        if reached is None:
            raise Invalid("reached", "请先选电话有没有打通")
        if request.form.get("complaint") == YES:
            complain_in_callback(session, order, actor, now)
        orders.record_callback(
            session,
            order,
            reached=reached,
            caller_id=whole_number(request.form, "caller_id"),
            contacted=answer("contacted") if reached else None,
            solved=answer("solved") if reached else None,
            satisfaction=text("satisfaction") or None if reached else None,
            remark=text("remark"),
            actor=actor,
            now=now,
        )

    return carry_out(number, "call_back", work)


def complain_in_callback(session: Session, order: Order, actor: Actor, now: datetime) -> None:
    """投诉服务商: what the resident said is the complaint; before the try, which may close or re-open the order."""
    if not text("remark"):
        raise Invalid("remark", "投诉要写明居民怎么说")
    orders.raise_complaint(
        session,
        order,
        read_complaint_kind(text("complaint_kind"), "complaint_kind"),
        words=text("remark"),
        right_fen=fen_of(text("right_fen"), "right_fen") if text("right_fen") else None,
        actor=actor,
        now=now,
    )


def read_complaint_kind(chosen: str, field: str) -> ComplaintKind:
    """What is complained about; raises Invalid naming the field."""
    try:
        return ComplaintKind(chosen)
    except ValueError as error:
        raise Invalid(field, "请选择投诉什么") from error


@blueprint.post("/orders/<number>/void")
@allow(Right.ORDERS_VOID)
def void(number: str) -> Response:
    """作废: asked by one person, confirmed by another; at once when the resident takes it back."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        by_resident = request.form.get("by_resident") == YES
        orders.void(
            session, order, reason=text("reason"), by_resident=by_resident, version=version(), actor=actor, now=now
        )

    return carry_out(number, "void", work)


@blueprint.post("/orders/<number>/remark")
@allow(Right.ORDERS_READ)
def remark(number: str) -> Response:
    """Add a remark to the history."""
    return carry_out(
        number,
        "remark",
        lambda session, order, actor, now: orders.remark(session, order, text=text("reason"), actor=actor, now=now),
    )
