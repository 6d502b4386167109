"""A team's part in an order for a new cycle, with its own clock."""

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.models.catalogue import Service
from dispatch.models.orders import Assignment, Order
from dispatch.services import catalogue
from dispatch.services.orders.limits import sign_due
from dispatch.services.orders.route import waits_for_signature


def assign(session: Session, order: Order, team_id: int, role: str, *, now: datetime) -> None:
    """Put a team on a locked order as lead or assist: it signs by hand where the kind says so, and has its limit."""
    service = session.get_one(Service, order.service_id)
    calendar = catalogue.calendar_of(session, order.organisation_id)
    session.add(
        Assignment(
            community_id=order.community_id,
            order_id=order.id,
            team_id=team_id,
            role=role,
            cycle=order.cycle,
            assigned_at=now,
            signed_at=None if waits_for_signature(service) else now,
            sign_due_at=sign_due(service, order.urgency, now, calendar),
            due_at=order.service_due_at,
        )
    )


def assign_again(session: Session, order: Order, *, now: datetime) -> None:
    """Put the same teams on an order that is opened again: the lead, and the accountable one where it assists."""
    if order.lead_team_id is not None:
        assign(session, order, order.lead_team_id, "lead", now=now)
    if order.accountable_team_id not in {None, order.lead_team_id}:
        assign(session, order, order.accountable_team_id or 0, "assist", now=now)
