"""Complaints, to be read: of one order, what waits for a decision, and how many a firm has had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.orders import Complaint, Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.complaints import WAITING
from dispatch.services.access import policies, reach

MOST_LISTED = 100
FIGURES_POLICY = "firms.figures_days"


@dataclass(frozen=True, slots=True)
class WaitingComplaint:
    """A complaint that waits for an answer or a decision, with its order."""

    complaint: Complaint
    order: Order


@dataclass(frozen=True, slots=True)
class ComplaintFigures:
    """How many complaints a firm has had in the last days, by state and by kind."""

    days: int
    states: Mapping[str, int]
    kinds: Mapping[str, int]

    @property
    def waiting(self) -> int:
        """How many are not decided."""
        return sum(self.states.get(state, 0) for state in WAITING)


def order_complained_about(session: Session, complaint_id: int, *, actor: Actor) -> str:
    """The number of the order that a complaint is about, if the actor may see it; raises NotFound."""
    number = session.scalars(
        select(Order.number)
        .join(Complaint, Complaint.order_id == Order.id)
        .where(Complaint.id == complaint_id, reach.visible_orders(actor))
    ).one_or_none()
    if number is None:
        raise NotFound
    return number


def complaints_of(session: Session, order: Order) -> Sequence[Complaint]:
    """The complaints about an order, oldest first."""
    return session.scalars(select(Complaint).where(Complaint.order_id == order.id).order_by(Complaint.number)).all()


def complaints_to_decide(session: Session, *, actor: Actor, limit: int = MOST_LISTED) -> Sequence[WaitingComplaint]:
    """What is not decided within the actor's reach, by the end of the time to answer."""
    rows = session.execute(
        select(Complaint, Order)
        .join(Order, Order.id == Complaint.order_id)
        .where(reach.visible_orders(actor), Complaint.state.in_(WAITING))
        .order_by(Complaint.answer_due_at, Complaint.id)
        .limit(limit)
    )
    return [WaitingComplaint(complaint, order) for complaint, order in rows]


def complaint_figures(session: Session, performer_id: int, organisation_id: int, *, now: datetime) -> ComplaintFigures:
    """What was raised about a performer in the last days (policy) and not taken back; the score knows none of it."""
    days = int(policies.policy(session, organisation_id, FIGURES_POLICY))
    rows = session.execute(
        select(Complaint.state, Complaint.kind, func.count().label("number"))
        .where(
            Complaint.performer_id == performer_id,
            Complaint.raised_at >= now - timedelta(days=days),
            Complaint.state != "withdrawn",
        )
        .group_by(Complaint.state, Complaint.kind)
    )
    states: dict[str, int] = {}
    kinds: dict[str, int] = {}
    for row in rows:
        states[row.state] = states.get(row.state, 0) + row.number
        kinds[row.kind] = kinds.get(row.kind, 0) + row.number
    return ComplaintFigures(days, states, kinds)
