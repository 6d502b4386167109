"""Escalation: each level of lateness is told once; one job at a time waits for the next level."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.models.access import Membership, Organisation, User
from dispatch.models.orders import Escalation, Order, OrderEvent
from dispatch.rules.access.roles import CLOCK, Role
from dispatch.rules.catalogue.calendar import Period
from dispatch.rules.catalogue.levels import Audience, EscalationLevel, read_levels
from dispatch.rules.orders import clocks
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.orders.urgency import Urgency
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import policies
from dispatch.services.orders.escalated import STILL_LATE, Person, tell_people
from dispatch.services.orders.limits import escalation_levels, limits_of, quiet_hours
from dispatch.services.orders.picture import Picture
from dispatch.services.orders.steps import lock, step

ROLE_OF_AUDIENCE = {
    Audience.TEAM_HEAD: Role.TEAM_HEAD,
    Audience.AREA_CHIEF: Role.AREA_CHIEF,
    Audience.CENTRE: Role.CENTRE,
    Audience.SUPERVISION: Role.CENTRE,
}


def times_of(session: Session, order: Order) -> tuple[clocks.Escalation, ...]:
    """When each level of this order is told: levels and clock of its kind, the calendar of today, its holds.

    What is opened again climbs from the first level, from when it was opened.
    """
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    calendar = catalogue.calendar_of(session, order.organisation_id)
    by_policy = read_levels(policies.policy(session, order.organisation_id, "escalation.levels"))
    since = order.service_since or order.created_at
    times = clocks.escalation_times(
        since,
        order.service_due_at or since,
        calendar,
        escalation_levels(service, by_policy),
        clocks.service_calendar_of(limits_of(service), calendar),
        holds=clocks.holds_since(since, holds_of(session, order)),
    )
    return tuple(times)


def holds_of(session: Session, order: Order) -> list[tuple[datetime, datetime]]:
    """The holds of an order that have ended, oldest first."""
    query = (
        select(OrderEvent.action, OrderEvent.at)
        .where(OrderEvent.order_id == order.id, OrderEvent.action.in_([str(Action.HOLD), str(Action.RESUME)]))
        .order_by(OrderEvent.version)
    )
    holds: list[tuple[datetime, datetime]] = []
    begin: datetime | None = None
    for action, at in session.execute(query):
        if action == Action.HOLD:
            begin = at
        elif begin is not None:
            holds.append((begin, at))
            begin = None
    return holds


def first_jobs(orders: Sequence[Order], picture: Picture, *, now: datetime) -> Iterator[queue.NewJob]:
    """The first level's job of each order that has just been dispatched; later levels follow one another."""
    rules = {one: rules_of(values) for one, values in picture.policy_values.items()}
    for order in orders:
        if order.is_canary or order.rounds - order.rounds_before > 1 or order.service_due_at is None:
            continue
        by_policy, quiet = rules[order.organisation_id]
        calendar, service = picture.calendar(order), picture.services[order.service_id]
        times = clocks.escalation_times(
            order.service_since or order.created_at,
            order.service_due_at,
            calendar,
            escalation_levels(service, by_policy),
            clocks.service_calendar_of(limits_of(service), calendar),
        )
        upcoming = clocks.next_level(times, now)
        at = clocks.shift_out_of_quiet_hours(upcoming.at, quiet, Urgency(order.urgency))
        yield queue.NewJob("orders.escalate", Lane.DEADLINE, order.id, at, job_key(order, upcoming))


def rules_of(values: Mapping[str, Any]) -> tuple[tuple[EscalationLevel, ...], Period]:
    """The levels of escalation and the quiet hours of an organisation."""
    return read_levels(values["escalation.levels"]), quiet_hours(str(values["notify.quiet_hours"]))


def told_at(level: clocks.Escalation, order: Order, quiet: str) -> datetime:
    """When a level is told: nobody at midnight of what can wait."""
    return clocks.shift_out_of_quiet_hours(level.at, quiet_hours(quiet), Urgency(order.urgency))


def job_key(order: Order, level: clocks.Escalation) -> str:
    """The one job of a level in a cycle at its time: a limit that moved has another."""
    return f"orders.escalate:{order.id}:{order.cycle}:{level.level}:{int(level.at.timestamp())}"


def start(session: Session, order: Order, *, now: datetime) -> None:
    """Wait for the next level of a locked order whose limits have moved; nothing while it is over or held."""
    if OrderState(order.state) not in STILL_LATE or order.held_until is not None or order.is_canary:
        return
    wait_for_next(session, order, times_of(session, order), now=now)


def escalate(session: Session, order_id: int, *, now: datetime) -> bool:
    """Tell every level that has been reached and not been told, then wait for the next one.

    A level is recorded once per cycle by a unique row, whoever runs this and however often; none fires while the
    order is held. Returns whether the level of supervision was reached now.
    """
    order = lock(session, order_id)
    if OrderState(order.state) not in STILL_LATE or order.held_until is not None:
        return False
    is_far_late = False
    times = times_of(session, order)
    for level in times:
        if level.at <= now and (escalation_id := record(session, order, level)) is not None:
            tell(session, order, escalation_id, level, now=now)
            facts = {"level": level.level, "audience": str(level.audience)}
            step(session, order, Action.ESCALATE, actor=CLOCK, now=now, facts=facts)
            is_far_late = is_far_late or level.audience is Audience.SUPERVISION
    wait_for_next(session, order, times, now=now)
    return is_far_late


def wait_for_next(session: Session, order: Order, times: Sequence[clocks.Escalation], *, now: datetime) -> None:
    """Set the job of the first level that is still to come."""
    upcoming = next((level for level in times if level.at > now), None)
    if upcoming is not None:
        quiet = str(policies.policy(session, order.organisation_id, "notify.quiet_hours"))
        queue.enqueue(
            session,
            "orders.escalate",
            lane=Lane.DEADLINE,
            reference=order.id,
            run_at=told_at(upcoming, order, quiet),
            dedupe=job_key(order, upcoming),
        )


def ask_signature(session: Session, order: Order, due_at: datetime, *, now: datetime) -> None:
    """Tell the heads of the lead team that an order waits for their signature, and look again when it is due."""
    for user_id in users_of(session, order, Audience.TEAM_HEAD):
        notify.tell_user(
            session,
            dedupe=f"sign:{order.id}:{order.cycle}:{user_id}",
            template="to_sign",
            user_id=user_id,
            order_id=order.id,
            now=now,
        )
    queue.enqueue(
        session,
        "orders.sign_due",
        lane=Lane.DEADLINE,
        reference=order.id,
        run_at=due_at,
        dedupe=f"orders.sign_due:{order.id}:{order.cycle}",
    )


def tell_heads(session: Session, order: Order, team_ids: Sequence[int], *, template: str, now: datetime) -> None:
    """Tell the heads of these teams something about the order as it is now, each once."""
    query = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.role == str(Role.TEAM_HEAD), Membership.team_id.in_(team_ids), User.disabled_at.is_(None))
        .order_by(Membership.user_id)
    )
    for user_id in dict.fromkeys(session.scalars(query)):
        notify.tell_user(
            session,
            dedupe=f"{template}:{order.id}:{order.version}:{user_id}",
            template=template,
            user_id=user_id,
            order_id=order.id,
            now=now,
        )


def sign_due(session: Session, order_id: int) -> None:
    """The time to sign is over: an order that still waits for its team's signature is alarmed at the desk."""
    order = lock(session, order_id)
    if order.state != OrderState.DISPATCHED:
        return
    notify.raise_alarm(
        session,
        kind="order_unsigned",
        subject=f"order:{order.id}",
        level="warning",
        organisation_id=order.organisation_id,
        community_id=order.community_id,
        order_id=order.id,
        facts={"team": order.lead_team_id},
    )


def record(session: Session, order: Order, level: clocks.Escalation) -> int | None:
    """Note that a level is told, and give the note's id; None when it was told before."""
    row = session.execute(
        upsert(Escalation)
        .values(
            community_id=order.community_id,
            order_id=order.id,
            cycle=order.cycle,
            level=str(level.level),
            audience=str(level.audience),
            due_at=level.at,
        )
        .on_conflict_do_nothing()
        .returning(Escalation.id)
    )
    return row.scalar_one_or_none()


def tell(session: Session, order: Order, escalation_id: int, level: clocks.Escalation, *, now: datetime) -> None:
    """Tell the audience of a level; where nobody holds the role, and for supervision, the desk is alarmed."""
    audience = level.audience
    told = [Person(user_id=user_id) for user_id in users_of(session, order, audience)]
    if audience is Audience.PERFORMER and order.performer_id is not None:
        told = [Person(performer_id=order.performer_id)]
    tell_people(session, order, escalation_id, level, told, now=now)
    if not told or audience is Audience.SUPERVISION:
        notify.raise_alarm(
            session,
            kind="order_late",
            subject=f"order:{order.id}",
            level="warning",
            organisation_id=order.organisation_id,
            community_id=order.community_id,
            order_id=order.id,
            facts={"audience": str(audience)},
        )


def users_of(session: Session, order: Order, audience: Audience) -> list[int]:
    """The users who hold the audience's role for this order: its lead team, its area, its centre."""
    role = ROLE_OF_AUDIENCE.get(audience)
    if role is None:
        return []
    query = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.role == str(role), User.disabled_at.is_(None))
        .order_by(Membership.user_id)
    )
    if role is Role.TEAM_HEAD:
        query = query.where(Membership.team_id.in_([order.lead_team_id, order.accountable_team_id]))
    elif role is Role.AREA_CHIEF:
        query = query.where(Membership.area_id == order.area_id)
    else:
        query = query.where(Membership.organisation_id.in_(tree_of(session, order.organisation_id)))
    return list(dict.fromkeys(session.scalars(query)))


def tree_of(session: Session, organisation_id: int) -> list[int]:
    """An organisation, those above it, and those directly below it (its centre)."""
    path = session.scalars(select(Organisation.path).where(Organisation.id == organisation_id)).one()
    below = session.scalars(select(Organisation.id).where(Organisation.parent_id == organisation_id)).all()
    return [*path, *below]
