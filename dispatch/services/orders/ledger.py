"""The time ledger of an order, worked out of its history and today's calendar whenever somebody looks."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.models.catalogue import Service
from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.orders import ledger as rule
from dispatch.rules.orders.clocks import service_calendar_of
from dispatch.rules.orders.ledger import Ledger, Step
from dispatch.rules.orders.states import Action, OrderState
from dispatch.services import catalogue
from dispatch.services.orders.limits import limits_of


def ledger_of(
    session: Session, order: Order, service: Service, events: Sequence[OrderEvent], *, now: datetime
) -> Ledger:
    """The ledger of an order with its kind and its whole history, oldest first, on the kind's own clock."""
    steps = [Step(Action(event.action), OrderState(event.to_state), event.at) for event in events]
    calendar = service_calendar_of(limits_of(service), catalogue.calendar_of(session, order.organisation_id))
    return rule.ledger(steps, calendar, now, wanted_from=order.wanted_from)
