"""Complaints about the firm of an order by form: raised, answered for the firm, decided, taken back."""

from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.catalogue.prices import fen_of
from dispatch.rules.orders.complaints import Consequence, Verdict
from dispatch.services import orders
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.actions import answer, carry_out, end_of_day, read_complaint_kind, text, version
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import number as whole_number

COMPLAINT = "/complaints/<int(min=1, max=9223372036854775807):complaint_id>"


@blueprint.post("/orders/<number>/complaints")
@allow(Right.CALLERS_READ)
def complain(number: str) -> Response:
    """Raise a complaint about who took the order."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        orders.raise_complaint(
            session,
            order,
            read_complaint_kind(text("kind"), "kind"),
            words=text("words"),
            right_fen=fen_of(text("right_fen"), "right_fen") if text("right_fen") else None,
            performer_id=whole_number(request.form, "performer_id"),
            version=version(),
            actor=actor,
            now=now,
        )

    return carry_out(number, "complain", work)


def about(complaint_id: int) -> str:
    """The number of the order that a complaint is about; raises NotFound."""
    with transaction() as session:
        return orders.order_complained_about(session, complaint_id, actor=current_actor())


@blueprint.post(f"{COMPLAINT}/answer")
@allow(Right.CALLERS_READ)
def answer_complaint(complaint_id: int) -> Response:
    """Enter what the firm said by telephone."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        orders.answer_complaint(
            session, order, complaint_id, answer=text("answer"), version=version(), actor=actor, now=now
        )

    return carry_out(about(complaint_id), f"answer-complaint-{complaint_id}", work)


@blueprint.post(f"{COMPLAINT}/decision")
@allow(Right.FIRMS_EDIT)
def decide_complaint(complaint_id: int) -> Response:
    """Uphold or reject it."""

    def work(session: Session, order: Order, actor: Actor, now: datetime) -> None:
        verdict, reason = read_verdict(), text("reason")
        orders.decide_complaint(
            session, order, complaint_id, verdict, reason=reason, version=version(), actor=actor, now=now
        )

    return carry_out(about(complaint_id), f"decide-complaint-{complaint_id}", work)


def read_verdict() -> Verdict:
    """What the form decides; a date means the end of that day in Shanghai."""
    upheld, chosen = answer("upheld"), text("consequence") or Consequence.NONE
    if upheld is None:
        raise Invalid("upheld", "请选属实或不属实")
    if chosen not in set(Consequence):
        raise Invalid("consequence", "请选择怎样处理服务商")
    return Verdict(
        upheld=upheld,
        consequence=Consequence(chosen),
        refund_fen=fen_of(text("refund_fen"), "refund_fen") if text("refund_fen") else None,
        until=end_of_day(text("until")) if text("until") else None,
    )


@blueprint.post(f"{COMPLAINT}/withdrawal")
@allow(Right.CALLERS_READ)
def withdraw_complaint(complaint_id: int) -> Response:
    """Take one's own complaint back."""
    return carry_out(
        about(complaint_id),
        f"withdraw-complaint-{complaint_id}",
        lambda session, order, actor, now: orders.withdraw_complaint(
            session, order, complaint_id, actor=actor, now=now
        ),
    )
