"""The limits of an order, from its kind, the policies and the working calendar of its organisation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from dispatch.models.catalogue import Service
from dispatch.models.orders import Order
from dispatch.rules.catalogue.calendar import Period, WorkingCalendar
from dispatch.rules.catalogue.levels import EscalationLevel, read_levels
from dispatch.rules.orders import clocks
from dispatch.rules.orders.clocks import Limits, ServiceClock
from dispatch.rules.orders.urgency import Urgency
from dispatch.services import catalogue
from dispatch.services.access import policies

POLICIES = ("orders.dispatch_working_days", "escalation.levels", "notify.quiet_hours")


@dataclass(frozen=True, slots=True)
class Due:
    """When the limits of a new order end; `assumed` when a year without calendar data was crossed."""

    civic: datetime
    service: datetime
    arrive: datetime | None
    assumed: bool


def limits_of(service: Service) -> Limits:
    """The limits that a kind carries in its columns."""
    return Limits(
        civic_working_days=service.civic_working_days,
        service_minutes=service.service_minutes,
        service_clock=ServiceClock(service.service_clock),
        sign_minutes=service.sign_minutes,
        urgent_sign_minutes=service.sign_minutes,
        arrive_minutes=service.arrive_minutes,
    )


def due_of(
    session: Session,
    service: Service,
    urgency: Urgency,
    organisation_id: int,
    *,
    now: datetime,
    wanted_from: datetime | None,
    wanted_until: datetime | None,
) -> Due:
    """Both clocks of a new order, by the calendar of the organisation that takes it; see due_by."""
    calendar = catalogue.calendar_of(session, organisation_id)
    return due_by(calendar, service, urgency, now=now, wanted_from=wanted_from, wanted_until=wanted_until)


def due_by(
    calendar: WorkingCalendar,
    service: Service,
    urgency: Urgency,
    *,
    now: datetime,
    wanted_from: datetime | None,
    wanted_until: datetime | None,
) -> Due:
    """Both clocks of an order taken `now`; the service clock of a booking runs from the time that was wanted."""
    limits = limits_of(service)
    due = clocks.due_dates(limits, urgency, now, calendar)
    service_due, assumed = due.service_due, due.assumed
    if wanted_from is not None:
        booked = clocks.service_calendar_of(limits, calendar).add_working_seconds(
            wanted_from, limits.service_minutes * 60
        )
        service_due, assumed = booked.instant, assumed or booked.assumed
    arrive = clocks.arrive_due(limits, wanted_from or now, wanted_until)
    return Due(due.civic_due, service_due, arrive, assumed)


def renew_arrival(session: Session, order: Order, *, now: datetime) -> None:
    """Set anew until when the performer arrives: from now on, or from the time that was wanted and still lies ahead."""
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    start = now if order.wanted_from is None else max(now, order.wanted_from)
    order.arrive_due_at = clocks.arrive_due(limits_of(service), start, order.wanted_until)


def due_again(calendar: WorkingCalendar, service: Service, order: Order, *, at: datetime) -> Due:
    """Both clocks of an order that is opened again `at`; a booking that lies behind binds nobody."""
    wanted_from = order.wanted_from if order.wanted_from is not None and order.wanted_from > at else None
    return due_by(
        calendar, service, Urgency(order.urgency), now=at, wanted_from=wanted_from, wanted_until=order.wanted_until
    )


def renew_service(session: Session, order: Order, *, now: datetime) -> dict[str, str]:
    """Begin the service clock of a re-opened order anew, and give the limit it had and the one it has.

    The civic clock goes on: it is the resident's, who has waited since the first call.
    """
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    due = due_again(catalogue.calendar_of(session, order.organisation_id), service, order, at=now)
    before = order.service_due_at or now
    order.service_since, order.service_due_at = now, due.service
    order.due_assumed = order.due_assumed or due.assumed
    return {"service_due_at_from": before.isoformat(), "service_due_at_to": due.service.isoformat()}


def sign_due(service: Service, urgency: str, now: datetime, calendar: WorkingCalendar) -> datetime:
    """Until when a team signs for an order given to it now."""
    return clocks.sign_due(limits_of(service), Urgency(urgency), now, calendar).instant


def place_alarm_at(session: Session, organisation_id: int, now: datetime) -> datetime:
    """When a place that nobody has settled is alarmed."""
    minutes = policies.policy(session, organisation_id, "intake.place_unresolved_alarm_minutes")
    return now + timedelta(minutes=int(minutes))


def escalation_levels(service: Service, by_policy: tuple[EscalationLevel, ...]) -> tuple[EscalationLevel, ...]:
    """The levels of escalation of a kind: its own, else those of the policy `escalation.levels`."""
    own = service.escalation_levels
    return by_policy if own is None else read_levels(own)


def quiet_hours(text: str) -> Period:
    """The quiet hours as the policy `notify.quiet_hours` has them (21:30-07:30)."""
    return Period.of(text)
