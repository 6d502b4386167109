"""To whom a level is told: one notice each, one for many in a storm, a list of all, and who dealt with what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false, func, insert, or_, select, update
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import NotFound
from dispatch.models.orders import Escalation, EscalationRecipient, Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders import clocks
from dispatch.rules.orders.states import AFTER_WORK, OPEN, Action, OrderState
from dispatch.rules.orders.urgency import Urgency
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import audit, policies, reach
from dispatch.services.orders.limits import quiet_hours
from dispatch.services.orders.steps import lock, step

TOLD, WAITING, DIGESTED, SPARED = "told", "waiting", "digested", "spared"
POLICIES = ("escalation.digest_from", "escalation.digest_minutes", "notify.quiet_hours")
STILL_LATE = OPEN - AFTER_WORK
LATE_STATES = tuple(sorted(str(state) for state in STILL_LATE))
MOST_SHOWN = 200
MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Person:
    """Who is told: a user or a performer."""

    user_id: int | None = None
    performer_id: int | None = None

    @property
    def mark(self) -> str:
        """The person as part of a key; as it always was."""
        return "" if self.user_id is None else f":{self.user_id}"


@dataclass(frozen=True, slots=True)
class EscalatedOrder:
    """A level that was told to somebody and is still to be dealt with."""

    id: int
    level: int
    audience: str
    due_at: datetime
    reached_at: datetime
    order: Order


def tell_people(
    session: Session,
    order: Order,
    escalation_id: int,
    level: clocks.Escalation,
    people: Sequence[Person],
    *,
    now: datetime,
) -> None:
    """Tell a level to each of these people, once: at once, or with others in one notice when many come together.

    From the fifth (policy escalation.digest_from) within ten minutes (escalation.digest_minutes) on, notices to one
    person wait for the end of those minutes and become one. An emergency is always told at once, and not counted.
    """
    values = policies.policies(session, order.organisation_id, POLICIES)
    window = timedelta(minutes=int(values["escalation.digest_minutes"]))
    is_emergency = order.urgency == Urgency.EMERGENCY
    lately = {} if is_emergency else told_lately(session, people, now - window)
    for person in people:
        count, first = lately.get(person, (0, now))
        waits = count >= int(values["escalation.digest_from"]) - 1
        made = reached(session, order, escalation_id, person, waits=waits, now=now)
        if waits:
            tell_later(session, order, made, first + window, str(values["notify.quiet_hours"]))
        else:
            tell_alone(session, order, person, level.level, now=now)


def reached(session: Session, order: Order, escalation_id: int, person: Person, *, waits: bool, now: datetime) -> int:
    """Note that a level has reached somebody, told now or waiting for a digest; gives the note's id."""
    return session.execute(
        insert(EscalationRecipient)
        .values(
            community_id=order.community_id,
            escalation_id=escalation_id,
            user_id=person.user_id,
            performer_id=person.performer_id,
            state=WAITING if waits else TOLD,
            reached_at=now,
            told_at=None if waits else now,
        )
        .returning(EscalationRecipient.id)
    ).scalar_one()


def tell_later(session: Session, order: Order, recipient_id: int, at: datetime, quiet: str) -> None:
    """Have a digest made when the minutes of a storm are over, and not in the quiet hours."""
    queue.enqueue(
        session,
        "orders.escalation_digest",
        lane=Lane.DEADLINE,
        reference=recipient_id,
        run_at=clocks.shift_out_of_quiet_hours(at, quiet_hours(quiet), Urgency(order.urgency)),
        dedupe=f"orders.escalation_digest:{recipient_id}",
    )


def told_lately(session: Session, people: Sequence[Person], since: datetime) -> dict[Person, tuple[int, datetime]]:
    """How many notices of their own each of these people got since an instant, emergencies aside, and the first."""
    users = [person.user_id for person in people if person.user_id is not None]
    performers = [person.performer_id for person in people if person.performer_id is not None]
    rows = session.execute(
        select(
            EscalationRecipient.user_id,
            EscalationRecipient.performer_id,
            func.count(),
            func.min(EscalationRecipient.reached_at),
        )
        .join(Escalation, Escalation.id == EscalationRecipient.escalation_id)
        .join(Order, Order.id == Escalation.order_id)
        .where(
            EscalationRecipient.user_id.in_(users) | EscalationRecipient.performer_id.in_(performers),
            EscalationRecipient.reached_at > since,
            EscalationRecipient.state == TOLD,
            Order.urgency != str(Urgency.EMERGENCY),
        )
        .group_by(EscalationRecipient.user_id, EscalationRecipient.performer_id)
    )
    return {Person(user, performer): (count, first) for user, performer, count, first in rows}


def tell_alone(session: Session, order: Order, person: Person, level: int, *, now: datetime) -> None:
    """One notice about one order."""
    key = f"escalation:{order.id}:{order.cycle}:{level}{person.mark}"
    if person.user_id is not None:
        notify.tell_user(
            session,
            dedupe=key,
            template="escalation",
            user_id=person.user_id,
            order_id=order.id,
            facts={"number": order.number},
            now=now,
        )
    elif person.performer_id is not None:
        notify.tell_performer(
            session,
            dedupe=key,
            template="escalation",
            performer_id=person.performer_id,
            order_id=order.id,
            lane=Lane.NOTIFY,
            now=now,
        )


def tell_digest(session: Session, recipient_id: int, *, now: datetime) -> None:
    """The minutes of a storm are over: what waits for this person becomes one notice, and is told once.

    Every waiting level has a job like this; the first tells all, the others find nothing to do. What is no longer
    late is spared; a single one that is left is told by itself.
    """
    one = session.get(EscalationRecipient, recipient_id)
    if one is None or one.state != WAITING:
        return
    person = Person(one.user_id, one.performer_id)
    rows = session.execute(
        select(EscalationRecipient, Escalation, Order)
        .join(Escalation, Escalation.id == EscalationRecipient.escalation_id)
        .join(Order, Order.id == Escalation.order_id)
        .where(whose(person), EscalationRecipient.state == WAITING)
        .order_by(EscalationRecipient.id)
        .with_for_update(of=EscalationRecipient)
        .execution_options(populate_existing=True)
    ).all()
    late = [row for row in rows if is_pressing(row.Order, row.Escalation)]
    settle(session, [row.EscalationRecipient.id for row in rows if row not in late], SPARED, None)
    settle(session, [row.EscalationRecipient.id for row in late], DIGESTED, now)
    if len(late) == 1:
        tell_alone(session, late[0].Order, person, int(late[0].Escalation.level), now=now)
    elif late:
        tell_together(session, person, [row.Order for row in late], late[-1].EscalationRecipient.id, now=now)


def is_pressing(order: Order, escalation: Escalation) -> bool:
    """Whether a level that was reached still matters: the same cycle, not finished, not held."""
    return OrderState(order.state) in STILL_LATE and order.cycle == escalation.cycle and order.held_until is None


def settle(session: Session, ids: Sequence[int], state: str, told_at: datetime | None) -> None:
    """Note how waiting levels were told."""
    if ids:
        session.execute(
            update(EscalationRecipient).where(EscalationRecipient.id.in_(ids)).values(state=state, told_at=told_at)
        )


def tell_together(session: Session, person: Person, late: Sequence[Order], last: int, *, now: datetime) -> None:
    """One notice about many orders: how many, and the first numbers."""
    numbers = list(dict.fromkeys(order.number for order in late))
    facts: Mapping[str, object] = {
        "count": len(numbers),
        "numbers": "、".join(numbers[:MOST_NAMED]) + ("等" if len(numbers) > MOST_NAMED else ""),
    }
    key = f"escalations:{last}"
    if person.user_id is not None:
        notify.tell_user(session, dedupe=key, template="escalations", user_id=person.user_id, facts=facts, now=now)
    elif person.performer_id is not None:
        notify.tell_performer(
            session,
            dedupe=key,
            template="escalations",
            performer_id=person.performer_id,
            order_id=None,
            lane=Lane.NOTIFY,
            facts=facts,
            now=now,
        )


def whose(person: Person) -> ColumnElement[bool]:
    """The rows of one person."""
    if person.user_id is not None:
        return EscalationRecipient.user_id == person.user_id
    return EscalationRecipient.performer_id == person.performer_id


def mine(actor: Actor) -> ColumnElement[bool]:
    """What was told to the actor, as a user or as a performer."""
    parts: list[ColumnElement[bool]] = []
    if actor.user_id is not None:
        parts.append(EscalationRecipient.user_id == actor.user_id)
    if actor.performer_id is not None:
        parts.append(EscalationRecipient.performer_id == actor.performer_id)
    return or_(false(), *parts)


def to_handle(actor: Actor) -> list[ColumnElement[bool]]:
    """What is still to be dealt with by the actor: of this cycle, not finished, not held, within reach."""
    return [
        mine(actor),
        EscalationRecipient.handled_at.is_(None),
        Order.state.in_(LATE_STATES),
        Order.cycle == Escalation.cycle,
        Order.held_until.is_(None),
        reach.visible_orders(actor),
    ]


def escalated_to(session: Session, *, actor: Actor, limit: int = MOST_SHOWN) -> list[EscalatedOrder]:
    """What is escalated to the actor, the highest level first, then the longest late; one query."""
    rows = session.execute(
        select(EscalationRecipient, Escalation, Order)
        .join(Escalation, Escalation.id == EscalationRecipient.escalation_id)
        .join(Order, Order.id == Escalation.order_id)
        .where(*to_handle(actor))
        .order_by(func.length(Escalation.level).desc(), Escalation.level.desc(), Escalation.due_at, Escalation.id)
        .limit(limit)
    )
    return [
        EscalatedOrder(
            id=recipient.id,
            level=int(escalation.level),
            audience=escalation.audience,
            due_at=escalation.due_at,
            reached_at=recipient.reached_at,
            order=order,
        )
        for recipient, escalation, order in rows
    ]


def escalated_count(session: Session, *, actor: Actor) -> int:
    """How much is escalated to the actor and not dealt with."""
    return session.execute(
        select(func.count())
        .select_from(EscalationRecipient)
        .join(Escalation, Escalation.id == EscalationRecipient.escalation_id)
        .join(Order, Order.id == Escalation.order_id)
        .where(*to_handle(actor))
    ).scalar_one()


def handle_escalation(session: Session, recipient_id: int, *, actor: Actor, now: datetime, note: str = "") -> None:
    """Say that what was escalated to the actor is dealt with: kept, audited, and a remark in the order's history.

    Said twice is said once; the order stays as late as it is. Raises NotFound for another's.
    """
    row = session.execute(
        select(EscalationRecipient, Escalation)
        .join(Escalation, Escalation.id == EscalationRecipient.escalation_id)
        .where(EscalationRecipient.id == recipient_id, mine(actor))
        .with_for_update(of=EscalationRecipient)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    recipient, escalation = row
    if recipient.handled_at is not None:
        return
    recipient.handled_at = now
    order = lock(session, escalation.order_id)
    if OrderState(order.state) in OPEN:
        facts = {"escalation": int(escalation.level), "handled": True}
        step(session, order, Action.REMARK, actor=actor, now=now, facts=facts, reason=note.strip() or None)
    audit.record(
        session,
        "orders.handle_escalation",
        "escalation_recipients",
        recipient.id,
        actor=actor,
        community_id=order.community_id,
        organisation_id=order.organisation_id,
    )
