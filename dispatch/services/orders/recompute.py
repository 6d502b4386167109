"""A corrected calendar: the limits of open orders are worked out anew from their history, and it is told there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.models.access import Organisation
from dispatch.models.catalogue import Service
from dispatch.models.orders import Assignment, Callback, Order, OrderEvent
from dispatch.rules.access.roles import CLOCK, ActorKind
from dispatch.rules.catalogue.calendar import WorkingCalendar
from dispatch.rules.orders import clocks
from dispatch.rules.orders.moves import Ends, Extended, Held, Move, Renewed, replayed
from dispatch.rules.orders.states import OPEN, Action, OrderState
from dispatch.rules.orders.urgency import Urgency
from dispatch.rules.queue import Lane
from dispatch.services import catalogue
from dispatch.services.access import audit, policies
from dispatch.services.orders.escalated import STILL_LATE
from dispatch.services.orders.limits import due_again, due_by, limits_of, quiet_hours
from dispatch.services.orders.steps import event_row

BATCH = 200
LIMITS = ("civic_due_at", "service_due_at", "callback_due_at")
OPEN_STATES = tuple(sorted(str(state) for state in OPEN))
MOVING = (str(Action.HOLD), str(Action.RESUME), str(Action.EXTEND), str(Action.REOPEN))

PastEvent = Row[tuple[int, str, str, datetime, dict[str, object]]]
"""Of an event: order, action, state, when, facts."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the limits of some orders follow from: kinds, calendars, what moved them, when was fed back and called."""

    services: Mapping[int, Service]
    calendars: Mapping[int, WorkingCalendar]
    events: Mapping[int, Sequence[PastEvent]]
    tries: Mapping[int, Sequence[datetime]]


def recompute_due(session: Session, organisation_id: int, *, after: int = 0, now: datetime) -> None:
    """Work out the limits of up to 200 open orders (ids above `after`) below an organisation; a job does the rest.

    An order whose limits change gets one event with the old and the new ones; its levels that are still to come
    and its callback are waited for anew, a level already told stays told. Run again, nothing changes. The limits
    are those that the kind has today; an extension whose length the history does not name keeps its order as it is.
    """
    catalogue.forget_calendars(session)
    found = lock_open(session, organisation_id, after)
    past = read_past(session, found)
    changed = {order.id: facts for order in found if (facts := correct(order, past))}
    orders = [order for order in found if order.id in changed]
    if orders:
        rows = [
            event_row(
                order,
                Action.RECOMPUTE,
                OrderState(order.state),
                actor=CLOCK,
                kind=ActorKind.CLOCK,
                now=now,
                facts=changed[order.id],
                reason=None,
            )
            for order in orders
        ]
        session.execute(insert(OrderEvent), rows)
        session.flush()
        follow(session, orders, now=now)
        fields = {"orders": str(len(orders))}
        audit.record(session, "orders.recompute_due", "organisations", organisation_id, actor=CLOCK, fields=fields)
    if len(found) == BATCH:
        queue.enqueue(
            session, "orders.recompute_due", lane=Lane.PERIODIC, reference=organisation_id, after=found[-1].id
        )


def below(organisation_id: int) -> ColumnElement[bool]:
    """The orders taken at an organisation or below it."""
    return Order.organisation_id.in_(select(Organisation.id).where(Organisation.path.contains([organisation_id])))


def lock_open(session: Session, organisation_id: int, after: int) -> Sequence[Order]:
    """The next open orders in the order of their ids, locked and read fresh."""
    query = (
        select(Order)
        .where(below(organisation_id), Order.id > after, Order.state.in_(OPEN_STATES), ~Order.is_canary)
        .order_by(Order.id)
        .limit(BATCH)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).all()


def read_past(session: Session, found: Sequence[Order]) -> Past:
    """What the limits of these orders follow from, in few queries however many they are."""
    ids = [order.id for order in found]
    events = session.execute(
        select(OrderEvent.order_id, OrderEvent.action, OrderEvent.to_state, OrderEvent.at, OrderEvent.facts)
        .where(
            OrderEvent.order_id.in_(ids),
            OrderEvent.action.in_(MOVING) | (OrderEvent.to_state == str(OrderState.FED_BACK)),
        )
        .order_by(OrderEvent.order_id, OrderEvent.version)
    ).all()
    tries = session.execute(
        select(Callback.order_id, Callback.at)
        .join(Order, (Order.id == Callback.order_id) & (Order.cycle == Callback.cycle))
        .where(Callback.order_id.in_(ids))
        .order_by(Callback.order_id, Callback.number)
    ).all()
    return Past(
        services=catalogue.services_by_id(session, {order.service_id for order in found}),
        calendars={one: catalogue.calendar_of(session, one) for one in {order.organisation_id for order in found}},
        events={order_id: [*rows] for order_id, rows in groupby(events, key=lambda row: row.order_id)},
        tries={order_id: [row.at for row in rows] for order_id, rows in groupby(tries, key=lambda row: row.order_id)},
    )


def correct(order: Order, past: Past) -> dict[str, str]:
    """Set the limits of an order as today's calendar has them; gives what changed, old and new."""
    before = {name: getattr(order, name) for name in LIMITS}
    service, calendar = past.services[order.service_id], past.calendars[order.organisation_id]
    events = past.events.get(order.id, ())
    again = {event.at: due_again(calendar, service, order, at=event.at) for event in events if renews(event)}
    moves = moves_of(events, {begin: due.service for begin, due in again.items()})
    if moves is not None and order.service_due_at is not None:
        start = due_by(
            calendar,
            service,
            Urgency(order.urgency),
            now=order.created_at,
            wanted_from=order.wanted_from,
            wanted_until=order.wanted_until,
        )
        ends = replayed(
            Ends(start.civic, start.service), moves, calendar, clocks.service_calendar_of(limits_of(service), calendar)
        )
        order.civic_due_at, order.service_due_at = ends.civic, ends.service
        order.due_assumed = any(due.assumed for due in (start, *again.values()))
    order.callback_due_at = callback_of(order, events, past.tries.get(order.id, ()), calendar)
    facts: dict[str, str] = {}
    for name, old in before.items():
        new = getattr(order, name)
        if old is not None and new is not None and old != new:
            facts |= {f"{name}_from": old.isoformat(), f"{name}_to": new.isoformat()}
    return facts


def renews(event: PastEvent) -> bool:
    """Whether the service limit ran anew with an event; of orders re-opened before it did so it says nothing."""
    return event.action == Action.REOPEN and "service_due_at_to" in event.facts


def moves_of(events: Sequence[PastEvent], again: Mapping[datetime, datetime]) -> list[Move] | None:
    """What moved the limits, in order; None when the history does not say by how much.

    `again` tells of each instant at which the order was opened again when its service limit ends.
    """
    moves: list[Move] = []
    begin: datetime | None = None
    for event in events:
        if event.action == Action.HOLD:
            begin = event.at
        elif event.action == Action.RESUME and begin is not None:
            moves.append(Held(begin, event.at))
            begin = None
        elif renews(event):
            moves.append(Renewed(event.at, again[event.at]))
        elif event.action == Action.EXTEND:
            days, until = event.facts.get("days"), event.facts.get("until")
            if days is None and until is None:
                return None
            moves.append(Extended(int(days or 0), datetime.fromisoformat(str(until)) if until else None))
    return moves


def callback_of(
    order: Order,
    events: Sequence[PastEvent],
    tries: Sequence[datetime],
    calendar: WorkingCalendar,
) -> datetime | None:
    """When the next call is due: after the answer to the resident, or after the last try of this cycle."""
    if order.callback_due_at is None:
        return None
    if order.state == OrderState.CALLING_BACK:
        return (clocks.next_callback_try(tries, calendar) if tries else None) or order.callback_due_at
    answered = [event.at for event in events if event.to_state == OrderState.FED_BACK]
    if order.state == OrderState.FED_BACK and answered:
        return clocks.callback_due(max(answered), calendar)
    return order.callback_due_at


def follow(session: Session, changed: Sequence[Order], *, now: datetime) -> None:
    """Let the teams' clocks follow, and wait anew for the levels and callbacks of orders whose limits moved."""
    session.execute(
        update(Assignment)
        .where(Assignment.order_id == Order.id, Order.id.in_([order.id for order in changed]))
        .where(Assignment.done_at.is_(None), ~Assignment.must_finish)
        .values(due_at=Order.service_due_at)
        .execution_options(synchronize_session=False)
    )
    jobs = [
        call_again(order, due)
        for order in changed
        if order.state == OrderState.FED_BACK and (due := order.callback_due_at) is not None
    ]
    late = [order for order in changed if OrderState(order.state) in STILL_LATE and order.dispatched_at is not None]
    if late:
        quiet = quiet_hours(str(policies.policy(session, late[0].organisation_id, "notify.quiet_hours")))
        jobs += [
            queue.NewJob(
                "orders.escalate",
                Lane.DEADLINE,
                order.id,
                clocks.shift_out_of_quiet_hours(now, quiet, Urgency(order.urgency)),
                f"orders.escalate:{order.id}:v{order.version}",
            )
            for order in late
        ]
    queue.enqueue_all(session, jobs)


def call_again(order: Order, due: datetime) -> queue.NewJob:
    """The job that puts an order on the callback list at its new time."""
    key = f"orders.callback_due:{order.id}:{order.cycle}:{order.callback_tries}:{int(due.timestamp())}"
    return queue.NewJob("orders.callback_due", Lane.DEADLINE, order.id, due, key)
