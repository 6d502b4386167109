"""催办 and 督办: an order is urged and counted, or supervised with a due date and a closing check of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict
from dispatch.models.orders import Order, Supervision
from dispatch.rules.access.roles import CLOCK, Actor, ActorKind
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import audit, policies, reach
from dispatch.services.orders import escalation
from dispatch.services.orders.hand import need_reason
from dispatch.services.orders.steps import check_version, lock, step

MOST_LISTED = 100
URGING = frozenset({ActorKind.OPERATOR, ActorKind.DISPATCHER, ActorKind.CENTRE, ActorKind.CALLBACK_CLERK})


class AlreadySupervised(Conflict):
    """这一单已经在督办"""


class NotSupervised(Conflict):
    """这一单没有在督办"""


def urge(
    session: Session,
    order: Order,
    *,
    reason: str,
    by_resident: bool,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """催办 an open order: counted, the state stays; whoever has the order and their team are told each time.

    After as many as the policy says the centre is alarmed.
    """
    check_version(order, version)
    need_reason(reason)
    kind = actor.kind if actor.kind in URGING else ActorKind.OPERATOR
    note_urging(session, order, {"by_resident": by_resident}, reason, actor=actor, kind=kind, now=now)
    audit.record(session, "orders.urge", "orders", order.id, actor=actor, community_id=order.community_id)
    most = int(policies.policy(session, order.organisation_id, "orders.urges_to_alarm"))
    if order.urged >= most:
        notify.raise_alarm(
            session,
            kind="order_urged",
            subject=f"order:{order.id}",
            level="warning",
            organisation_id=order.organisation_id,
            community_id=order.community_id,
            order_id=order.id,
            facts={"count": order.urged},
        )


def note_urging(
    session: Session,
    order: Order,
    facts: dict[str, object],
    reason: str | None,
    *,
    actor: Actor,
    kind: ActorKind,
    now: datetime,
) -> None:
    """Count, write it into the history, tell the performer and the heads of the team."""
    order.urged += 1
    said = {"count": order.urged, **facts}
    step(session, order, Action.URGE, actor=actor, kind=kind, now=now, facts=said, reason=reason)
    if order.performer_id is not None:
        notify.tell_performer(
            session,
            dedupe=f"urge:{order.id}:{order.urged}",
            template="urged",
            performer_id=order.performer_id,
            order_id=order.id,
            lane=Lane.NOTIFY,
            now=now,
        )
    teams = [team for team in (order.lead_team_id, order.accountable_team_id) if team is not None]
    escalation.tell_heads(session, order, teams, template="urged", now=now)


def arrival_due(session: Session, order_id: int, *, now: datetime) -> None:
    """The time to arrive is over and nobody is there: urged by the clock, once for each limit."""
    order = lock(session, order_id)
    if order.state != OrderState.ACCEPTED or order.held_until is not None:
        return
    if order.arrive_due_at is not None and order.arrive_due_at <= now:
        note_urging(session, order, {"late": "arrival"}, None, actor=CLOCK, kind=ActorKind.CLOCK, now=now)


def watch_arrival(session: Session, order: Order) -> None:
    """Look at a taken order again when the time to arrive is over."""
    if order.state == OrderState.ACCEPTED and order.arrive_due_at is not None:
        queue.enqueue(
            session,
            "orders.arrival_due",
            lane=Lane.DEADLINE,
            reference=order.id,
            run_at=order.arrive_due_at,
            dedupe=f"orders.arrival_due:{order.id}:{order.cycle}:{int(order.arrive_due_at.timestamp())}",
        )


def supervise(
    session: Session,
    order: Order,
    *,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> Supervision:
    """督办 an open order; raises AlreadySupervised. Alarmed when its own due date passes without a closing check."""
    check_version(order, version)
    need_reason(reason)
    if open_supervision(session, order) is not None:
        raise AlreadySupervised
    days = int(policies.policy(session, order.organisation_id, "orders.supervision_working_days"))
    due = catalogue.calendar_of(session, order.organisation_id).add_working_days(now, days).instant
    earlier = session.scalar(select(func.count()).where(Supervision.order_id == order.id)) or 0
    made = Supervision(
        community_id=order.community_id,
        order_id=order.id,
        number=earlier + 1,
        asked_by=actor.user_id,
        asked_at=now,
        reason=reason,
        due_at=due,
    )
    session.add(made)
    kind = ActorKind.CLOCK if actor.kind is ActorKind.CLOCK else ActorKind.CENTRE
    facts = {"number": made.number, "due": due.isoformat()}
    step(session, order, Action.SUPERVISE, actor=actor, kind=kind, now=now, facts=facts, reason=reason)
    audit.record(session, "orders.supervise", "orders", order.id, actor=actor, community_id=order.community_id)
    queue.enqueue(
        session,
        "orders.supervision_due",
        lane=Lane.DEADLINE,
        reference=made.id,
        run_at=due,
        dedupe=f"orders.supervision_due:{made.id}",
    )
    return made


def escalate(session: Session, order_id: int, *, now: datetime) -> None:
    """A level of lateness is reached: told, and from the level of supervision on the order is supervised."""
    if escalation.escalate(session, order_id, now=now):
        supervise_by_clock(session, lock(session, order_id), reason="超期五个工作日以上", now=now)


def supervise_by_clock(session: Session, order: Order, *, reason: str, now: datetime) -> None:
    """What is far overdue, or done again and still not solved, is supervised without anybody asking."""
    if open_supervision(session, order) is None:
        supervise(session, order, reason=reason, actor=CLOCK, now=now)


def open_supervision(session: Session, order: Order) -> Supervision | None:
    """The supervision of an order that has not ended, if any."""
    query = select(Supervision).where(Supervision.order_id == order.id, Supervision.ended_at.is_(None))
    return session.scalars(query.with_for_update()).one_or_none()


def end_supervision(
    session: Session,
    order: Order,
    *,
    finding: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> Supervision:
    """销督: the centre has checked and says what it found; raises NotSupervised."""
    check_version(order, version)
    check_text("finding", finding, 1_000)
    need_reason(finding)
    found = open_supervision(session, order)
    if found is None:
        raise NotSupervised
    found.ended_at, found.ended_by, found.finding = now, actor.user_id, finding
    facts = {"number": found.number}
    kind = ActorKind.CENTRE
    step(session, order, Action.END_SUPERVISION, actor=actor, kind=kind, now=now, facts=facts, reason=finding)
    audit.record(session, "orders.end_supervision", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, subject=f"supervision:{found.id}", kinds=None, now=now)
    notify.clear_alarms(session, order_id=order.id, kinds=("order_supervised",), now=now)
    if order.state == OrderState.CLOSED:
        archive_later(session, order, found.id, now=now)
    return found


def archive_later(session: Session, order: Order, supervision_id: int, *, now: datetime) -> None:
    """Put a closed order away when its days are over, now that nobody supervises it any more."""
    days = int(policies.policy(session, order.organisation_id, "orders.archive_after_days"))
    queue.enqueue(
        session,
        "orders.archive",
        lane=Lane.DEADLINE,
        reference=order.id,
        run_at=max(now, (order.closed_at or now) + timedelta(days=days)),
        dedupe=f"orders.archive:{order.id}:{supervision_id}",
    )


def supervision_due(session: Session, supervision_id: int, *, now: datetime) -> None:
    """A supervision's own due date has come without a closing check: alarmed, also when the order has ended."""
    found = session.get(Supervision, supervision_id, with_for_update=True, populate_existing=True)
    if found is None or found.ended_at is not None or now < found.due_at:
        return
    order = session.get_one(Order, found.order_id)
    notify.raise_alarm(
        session,
        kind="supervision_late",
        subject=f"supervision:{found.id}",
        level="warning",
        organisation_id=order.organisation_id,
        community_id=order.community_id,
        facts={"order": order.number},
    )


def supervisions_of(session: Session, order: Order) -> Sequence[Supervision]:
    """All supervisions of an order, oldest first."""
    return session.scalars(
        select(Supervision).where(Supervision.order_id == order.id).order_by(Supervision.number)
    ).all()


def supervised(session: Session, *, actor: Actor, limit: int = MOST_LISTED) -> Sequence[tuple[Supervision, Order]]:
    """What is supervised within the actor's reach, the most urgent first."""
    rows = session.execute(
        select(Supervision, Order)
        .join(Order, Order.id == Supervision.order_id)
        .where(reach.visible_orders(actor), Supervision.ended_at.is_(None))
        .order_by(Supervision.due_at, Supervision.id)
        .limit(limit)
    )
    return [(supervision, order) for supervision, order in rows]
