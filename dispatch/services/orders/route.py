"""Routing in the worker: teams, performer by filters and score, the decision record, the offer round.

One order or a hundred take the same way; the number of queries does not grow with the orders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from dispatch import queue
from dispatch.db import insert_together, update_rows
from dispatch.models.catalogue import Service
from dispatch.models.orders import Assignment, DecisionRecord, Order, OrderEvent
from dispatch.rules.access.roles import ROUTER, Actor, ActorKind
from dispatch.rules.orders.decision import (
    Decision,
    Exhausted,
    ExhaustedReason,
    Offer,
    OfferMode,
    PerformerClass,
    TeamChoice,
    TeamReason,
)
from dispatch.rules.orders.panel import Panel, with_more_work
from dispatch.rules.orders.record import encode
from dispatch.rules.orders.routing import choose_teams, decide_among, next_step, team_signs
from dispatch.rules.orders.states import Action, OrderState, next_state
from dispatch.rules.orders.urgency import PRESSING
from dispatch.services import notify
from dispatch.services.orders import escalation, later
from dispatch.services.orders.limits import renew_arrival, sign_due
from dispatch.services.orders.picture import Picture, picture_of, request_of
from dispatch.services.orders.rounds import Opened, rounds_as_rows, tell_recipients
from dispatch.services.orders.steps import event_row

ROUTABLE = frozenset({OrderState.AWAITING_DISPATCH, OrderState.DISPATCHED, OrderState.SIGNED, OrderState.OFFERED})
ROUTED_COLUMNS = (
    "id",
    "state",
    "version",
    "chain_head",
    "updated_at",
    "waits_for",
    "accountable_team_id",
    "lead_team_id",
    "dispatched_at",
    "rounds",
)
"""What routing changes of an order."""


Span = tuple[datetime, datetime]
"""When a piece of work keeps its performer: from, until."""


@dataclass(slots=True)
class Written:
    """What one routing run writes, gathered so that each table is written once."""

    moved: dict[int, Order] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    assignments: list[dict[str, Any]] = field(default_factory=list)
    rounds: list[tuple[Order, Service, Offer]] = field(default_factory=list)
    failures: list[tuple[Order, str]] = field(default_factory=list)
    unsigned: list[Order] = field(default_factory=list)
    picked: dict[int, list[Span]] = field(default_factory=dict)


def route(session: Session, order_id: int, *, now: datetime) -> None:
    """Move one order on: see route_many."""
    route_many(session, [order_id], now=now)


def route_many(session: Session, order_ids: Sequence[int], *, now: datetime) -> None:
    """Move orders on as far as they go without people: 待派 → 已派 → 已签收 → 询单, or a next round, or the desk.

    Locks the orders by id; one that is elsewhere by now, is held, or has an open round is left alone. Emergencies
    alarm a human in parallel. An order that nobody can take goes to 待人工 with an alarm, never in silence.
    """
    orders = session.scalars(
        select(Order)
        .where(Order.id.in_(order_ids), Order.state.in_(ROUTABLE), Order.held_until.is_(None))
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not orders:
        return
    picture = picture_of(session, orders, now=now)
    written = Written()
    for order in orders:
        if order.id not in picture.with_open_round:
            advance(order, picture, written, now=now)
    write(session, written, picture, now=now)


def advance(order: Order, picture: Picture, written: Written, *, now: datetime) -> None:
    """Take one order through team choice, signature and round, as far as its state and kind allow."""
    service = picture.services[order.service_id]
    choice: TeamChoice | None = None
    if order.state == OrderState.AWAITING_DISPATCH:
        choice = teams_of(order, service, picture)
        if choice.accountable is None or choice.lead is None:
            fail_for_teams(order, choice, written, now=now)
            return
        dispatch_to(order, choice, service, picture, written, now=now)
    if order.state == OrderState.DISPATCHED:
        if waits_for_signature(service):
            written.unsigned.append(order)
            return
        add_event(order, Action.SIGN, written, now=now, kind=ActorKind.SYSTEM)
    offer_round(order, service, choice, picture, written, now=now)


def waits_for_signature(service: Service) -> bool:
    """Whether the lead team of this kind signs by hand."""
    return team_signs(signed_for=service.signed_for, performer_class=PerformerClass(service.performer))


def teams_of(order: Order, service: Service, picture: Picture) -> TeamChoice:
    """The teams of a new order; after a re-opening or re-assignment those it has stay."""
    if order.accountable_team_id is not None and order.lead_team_id is not None:
        assist = order.accountable_team_id if order.lead_team_id != order.accountable_team_id else None
        return TeamChoice(order.accountable_team_id, order.lead_team_id, assist, (TeamReason.BLOCK_FIRST,))
    return choose_teams(
        picture.block_teams(order),
        picture.line_team(order, service),
        needs_speciality=service.speciality is not None,
    )


def fail_for_teams(order: Order, choice: TeamChoice, written: Written, *, now: datetime) -> None:
    """No accountable team: the area chief chooses, or the desk finds out why the place has none."""
    reason = str(choice.reasons[0])
    order.waits_for = reason
    add_event(
        order,
        Action.FAIL_ROUTING,
        written,
        now=now,
        facts={"reason": reason, "teams": list(choice.candidates)},
    )
    written.failures.append((order, reason))


def dispatch_to(
    order: Order, choice: TeamChoice, service: Service, picture: Picture, written: Written, *, now: datetime
) -> None:
    """Put the teams on the order, each with its own clock."""
    order.accountable_team_id = choice.accountable
    order.lead_team_id = choice.lead
    order.dispatched_at = now
    facts = {
        "accountable": choice.accountable,
        "lead": choice.lead,
        "assist": choice.assist,
        "cycle": order.cycle,
    }
    add_event(order, Action.DISPATCH, written, now=now, facts=facts)
    due = sign_due(service, order.urgency, now, picture.calendar(order))
    for team_id, role in ((choice.lead, "lead"), (choice.assist, "assist")):
        if team_id is not None:
            written.assignments.append(
                {
                    "community_id": order.community_id,
                    "order_id": order.id,
                    "team_id": team_id,
                    "role": role,
                    "cycle": order.cycle,
                    "assigned_at": now,
                    "signed_at": None if waits_for_signature(service) else now,
                    "sign_due_at": due,
                    "due_at": order.service_due_at,
                }
            )


def offer_round(
    order: Order,
    service: Service,
    choice: TeamChoice | None,
    picture: Picture,
    written: Written,
    *,
    now: datetime,
) -> None:
    """Evaluate the performers, keep the record, and open the round or give the order to the desk."""
    number = order.rounds - order.rounds_before + 1
    request = request_of(order, service, picture, round_number=number)
    span = span_of(order, picture.minutes_per_job, now)
    panel = with_picks(picture.panel_of(order), written.picked, span, picture.minutes_per_job)
    decision = decide_among(request, panel, picture.weights(order), now, choice)
    written.records.append(record_row(order, decision, now=now))
    outcome = next_step(decision, number, OfferMode(service.given), picture.first_offers(order))
    if isinstance(outcome, Exhausted):
        exhaust(order, outcome.reason, written, now=now)
        return
    action = Action.NEXT_ROUND if order.state == OrderState.OFFERED else Action.OPEN_ROUND
    order.rounds += 1
    add_event(order, action, written, now=now, facts={"round": order.rounds, "to": list(outcome.recipients)})
    written.rounds.append((order, service, outcome))
    for performer_id in outcome.recipients:
        written.picked.setdefault(performer_id, []).append(span)


def exhaust(order: Order, reason: ExhaustedReason, written: Written, *, now: datetime) -> None:
    """Nobody is left, or five rounds are over: the desk, alarmed."""
    order.waits_for = str(reason)
    add_event(order, Action.ROUND_FAILED, written, now=now, facts={"reason": str(reason), "rounds": order.rounds})
    written.failures.append((order, str(reason)))


def span_of(order: Order, minutes_per_job: int, now: datetime) -> Span:
    """When an order keeps its performer: the window that is booked for later, else from now on."""
    minutes = timedelta(minutes=minutes_per_job)
    if order.wanted_from is None or order.wanted_from <= now:
        return now, now + minutes
    return order.wanted_from, order.wanted_until or order.wanted_from + minutes


def with_picks(panel: Panel, picked: Mapping[int, Sequence[Span]], span: Span, minutes_per_job: int) -> Panel:
    """The panel as it is after the offers of this very run, so that a batch does not pile up on one firm.

    What was picked for another time (the next days' visits of one helper) does not count against this one.
    """
    begin, end = span
    busy = {
        who: sum([first < end and begin < last for first, last in picked[who]])
        for who in panel.standing.ids
        if who in picked
    }
    return with_more_work(panel, busy, minutes_per_job)


def record_row(order: Order, decision: Decision, *, now: datetime) -> dict[str, Any]:
    """The decision record as a row."""
    return {
        "community_id": order.community_id,
        "order_id": order.id,
        "cycle": order.cycle,
        "round": decision.round_number,
        "rule_version": decision.rule_version,
        "catalogue_version": decision.catalogue_version,
        "record": encode(decision),
        "made_at": now,
    }


def add_event(
    order: Order,
    action: Action,
    written: Written,
    *,
    now: datetime,
    kind: ActorKind = ActorKind.ROUTER,
    facts: Mapping[str, object] | None = None,
    actor: Actor = ROUTER,
) -> None:
    """Take a step whose event is written with the others of the run."""
    target = next_state(OrderState(order.state), action, kind)
    row = event_row(order, action, target, actor=actor, kind=kind, now=now, facts=facts or {}, reason=None)
    written.events.append(row)
    written.moved[order.id] = order


def write(session: Session, written: Written, picture: Picture, *, now: datetime) -> None:
    """Write what the run gathered, then tell performers and people."""
    opened = rounds_as_rows(session, written.rounds, now=now) if written.rounds else Opened()
    insert_together(
        session,
        {OrderEvent: written.events, DecisionRecord: written.records, Assignment: written.assignments, **opened.tables},
    )
    write_orders(session, written.moved)
    jobs = tell_recipients(session, opened, now=now) if written.rounds else []
    begun = [*(order for order, _, _ in written.rounds), *written.unsigned]
    queue.enqueue_all(session, [*jobs, *escalation.first_jobs(begun, picture, now=now)])
    for order, reason in written.failures:
        alarm_waiting(session, order, reason)
        later.wait_for_shift(session, order, now=now)
    for order, _, outcome in written.rounds:
        if outcome.alarm_human and outcome.round_number == 1:
            alarm_urgent(session, order)
    for order in written.unsigned:
        due = sign_due(picture.services[order.service_id], order.urgency, now, picture.calendar(order))
        escalation.ask_signature(session, order, due, now=now)


def write_orders(session: Session, orders: Mapping[int, Order]) -> None:
    """Write what routing changes of orders in one statement; the session's own flush then finds nothing to do."""
    if not orders:
        return
    rows = [{name: getattr(order, name) for name in ROUTED_COLUMNS} for order in orders.values()]
    update_rows(session, Order, rows)
    for order, row in zip(orders.values(), rows, strict=True):
        for name, value in row.items():
            set_committed_value(order, name, value)


def alarm_waiting(session: Session, order: Order, reason: str) -> None:
    """An order that nobody can take waits at the desk."""
    notify.raise_alarm(
        session,
        kind="order_waits",
        subject=f"order:{order.id}",
        level="emergency" if order.urgency in PRESSING else "warning",
        organisation_id=order.organisation_id,
        community_id=order.community_id,
        order_id=order.id,
        facts={"reason": reason},
    )


def alarm_urgent(session: Session, order: Order) -> None:
    """An emergency goes to a human in parallel with its first offer."""
    notify.raise_alarm(
        session,
        kind="order_urgent",
        subject=f"order:{order.id}",
        level="emergency",
        organisation_id=order.organisation_id,
        community_id=order.community_id,
        order_id=order.id,
        facts={},
    )


def close_cycle(session: Session, order: Order, *, now: datetime) -> None:
    """Begin a new cycle of dispatch: rounds count anew, earlier assignments are done, the performer is off.

    The limit to arrive is that of whoever comes next, so it runs from now, and anew when they accept.
    """
    session.execute(
        update(Assignment).where(Assignment.order_id == order.id, Assignment.done_at.is_(None)).values(done_at=now)
    )
    order.cycle += 1
    order.rounds_before = order.rounds
    order.performer_id = None
    order.accepted_at = order.set_out_at = order.arrived_at = order.finished_at = None
    order.waits_for = None
    renew_arrival(session, order, now=now)
