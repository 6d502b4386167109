"""Calling back: by somebody who did not handle the order, three tries, a five-step scale, closed or re-opened."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Invalid, NotAllowed
from dispatch.models.orders import Callback, Order, OrderEvent
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.orders import clocks
from dispatch.rules.orders.callback import AfterCallback, Satisfaction, after_callback, may_call_back
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.orders.urgency import PRESSING
from dispatch.rules.queue import Lane
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import catalogue, notify
from dispatch.services.access import audit
from dispatch.services.orders import supervising, work
from dispatch.services.orders.route import close_cycle
from dispatch.services.orders.steps import step

HANDLING = ("receive", "dispatch", "reassign", "accept", "arrive", "finish", "feed_back", "final_answer")
NOON = 12


class HandlerCallsBack(NotAllowed):
    """经办过这张订单的人不能自己回访,请换一位"""


def handlers_of(session: Session, order: Order) -> frozenset[int]:
    """The users who took, assigned, performed or fed back the order."""
    query = select(OrderEvent.user_id).where(
        OrderEvent.order_id == order.id, OrderEvent.action.in_(HANDLING), OrderEvent.user_id.is_not(None)
    )
    return frozenset(user for user in session.scalars(query) if user is not None)


def record_callback(
    session: Session,
    order: Order,
    *,
    reached: bool,
    contacted: bool | None = None,
    solved: bool | None = None,
    satisfaction: str | None = None,
    remark: str = "",
    actor: Actor,
    now: datetime,
) -> AfterCallback:
    """Record one try with a locked order and do what follows: close, re-open, or try on another half-day.

    Raises HandlerCallsBack, and Invalid naming the field that a reached caller's answer lacks.
    """
    check_text("remark", remark, work.LONGEST_NOTE)
    if actor.user_id is None or not may_call_back(actor.user_id, handlers_of(session, order)):
        raise HandlerCallsBack
    if reached and (contacted is None or solved is None):
        raise Invalid("solved", "请填写是否联系过、是否解决")
    rated = satisfaction_of(satisfaction, reached=reached)
    take_step(
        session, order, {"reached": reached, "solved": solved, "satisfaction": satisfaction}, actor=actor, now=now
    )
    session.add(
        Callback(
            community_id=order.community_id,
            order_id=order.id,
            cycle=order.cycle,
            number=order.callback_tries,
            clerk_id=actor.user_id,
            at=now,
            half_day=half_day(now),
            reached=reached,
            contacted=contacted if reached else None,
            solved=solved if reached else None,
            satisfaction=str(rated) if rated else None,
            remark=remark or None,
        )
    )
    session.flush()
    audit.record(session, "orders.call_back", "orders", order.id, actor=actor, community_id=order.community_id)
    if order.final_answer and reached:
        follow(session, order, AfterCallback.CLOSE, rated, actor=actor, now=now)
        return AfterCallback.CLOSE
    outcome = after_callback(
        clocks.count_half_days(tries_of(session, order)),
        reached=reached,
        solved=solved,
        satisfaction=rated,
        reopen_count=order.reopened,
    )
    follow(session, order, outcome, rated, actor=actor, now=now)
    return outcome


def take_step(session: Session, order: Order, facts: Mapping[str, object], *, actor: Actor, now: datetime) -> None:
    """Count the try and write it into the history; the first one begins the callback."""
    kind = ActorKind.CALLBACK_CLERK
    if order.state == OrderState.FED_BACK:
        step(session, order, Action.START_CALLBACK, actor=actor, kind=kind, now=now)
    order.callback_tries += 1
    said = {"try": order.callback_tries, **facts}
    step(session, order, Action.RECORD_CALLBACK_TRY, actor=actor, kind=kind, now=now, facts=said)


def half_day(moment: datetime) -> str:
    """The half-day of a try, as it is stored: 2026-11-23-am."""
    local = moment.astimezone(SHANGHAI)
    return f"{local:%Y-%m-%d}-{'am' if local.hour < NOON else 'pm'}"


def satisfaction_of(text: str | None, *, reached: bool) -> Satisfaction | None:
    """The step of the scale that was said; raises Invalid for another word."""
    if text is None:
        if reached:
            raise Invalid("satisfaction", "请选择满意程度")
        return None
    try:
        return Satisfaction(text)
    except ValueError as error:
        raise Invalid("satisfaction", "满意程度请在五档里选一档") from error


def tries_of(session: Session, order: Order) -> list[datetime]:
    """The instants of the tries of this cycle."""
    query = select(Callback.at).where(Callback.order_id == order.id, Callback.cycle == order.cycle)
    return list(session.scalars(query.order_by(Callback.number)))


def follow(
    session: Session,
    order: Order,
    outcome: AfterCallback,
    rated: Satisfaction | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Do what a try leads to."""
    if outcome in {AfterCallback.CLOSE, AfterCallback.UNREACHED}:
        order.satisfaction = str(rated) if rated else None
        work.close(session, order, actor=actor, now=now, facts={"outcome": str(outcome)})
    elif outcome is AfterCallback.TRY_AGAIN:
        calendar = catalogue.calendar_of(session, order.organisation_id)
        order.callback_due_at = clocks.next_callback_try(tries_of(session, order), calendar)
    else:
        reopen(session, order, outcome, actor=actor, now=now)


def reopen(session: Session, order: Order, outcome: AfterCallback, *, actor: Actor, now: datetime) -> None:
    """重办: the same team again; beyond the free re-openings the centre supervises (督办)."""
    order.reopened += 1
    order.callback_tries = 0
    order.callback_due_at = None
    kind = ActorKind.CALLBACK_CLERK
    step(session, order, Action.REOPEN, actor=actor, kind=kind, now=now, facts={"count": order.reopened})
    close_cycle(session, order, now=now)
    queue.enqueue(
        session,
        "orders.route",
        lane=Lane.EMERGENCY if order.urgency in PRESSING else Lane.DISPATCH,
        reference=order.id,
        dedupe=f"orders.route:{order.number}:{order.version}",
    )
    if outcome is AfterCallback.SUPERVISE:
        supervising.supervise_by_clock(session, order, reason="重办后仍未解决", now=now)
        notify.raise_alarm(
            session,
            kind="order_supervised",
            subject=f"order:{order.id}",
            level="warning",
            organisation_id=order.organisation_id,
            community_id=order.community_id,
            order_id=order.id,
            facts={"reopened": order.reopened},
        )
