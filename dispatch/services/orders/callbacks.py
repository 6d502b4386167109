"""Calling back everybody who waits for an order, by somebody who did not handle it: closed or re-opened for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.models.orders import Callback, Order, OrderCaller, OrderEvent
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.catalogue.calendar import WorkingCalendar
from dispatch.rules.orders import clocks
from dispatch.rules.orders.callback import AfterCallback, Satisfaction, after_callback, may_call_back
from dispatch.rules.orders.callers import CallerAnswer, together, worst
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.orders.urgency import PRESSING
from dispatch.rules.queue import Lane
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import catalogue, notify
from dispatch.services.access import audit
from dispatch.services.orders import callers, supervising, work
from dispatch.services.orders.assigning import assign_again
from dispatch.services.orders.limits import renew_service
from dispatch.services.orders.route import close_cycle
from dispatch.services.orders.steps import step

HANDLING = ("receive", "dispatch", "reassign", "accept", "arrive", "finish", "feed_back", "final_answer")
NOON = 12


class HandlerCallsBack(NotAllowed):
    """经办过这张订单的人不能自己回访,请换一位"""


class AlreadyCalledBack(Conflict):
    """这位来电人这一轮已经回访过,请打给名单上的下一位"""


class NobodyThere(Conflict):
    """这位来电人现在不用单独回访,请刷新名单"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a try heard of the caller: reached, contacted by the team, solved, how satisfied."""

    reached: bool
    contacted: bool | None
    solved: bool | None
    rated: Satisfaction | None

    def facts(self) -> dict[str, object]:
        """As the history has it."""
        rated = None if self.rated is None else str(self.rated)
        return {"reached": self.reached, "solved": self.solved, "satisfaction": rated}


@dataclass(frozen=True, slots=True)
class ToCall:
    """Somebody who waits for an order: None is its own caller; their tries of this cycle, and whether that is all."""

    caller: OrderCaller | None
    tries: Sequence[Callback]
    is_done: bool

    @property
    def caller_id(self) -> int | None:
        """The caller's id; None for the order's own."""
        return None if self.caller is None else self.caller.id


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
    caller_id: int | None = None,
    contacted: bool | None = None,
    solved: bool | None = None,
    satisfaction: str | None = None,
    remark: str = "",
    actor: Actor,
    now: datetime,
) -> AfterCallback:
    """Record one try with a locked order and do what follows: close, re-open, or call the next one.

    `caller_id` is one of those who wait besides the order's own caller (None). Raises HandlerCallsBack,
    AlreadyCalledBack, NobodyThere, and Invalid naming the field that a reached caller's answer lacks.
    """
    check_text("remark", remark, work.LONGEST_NOTE)
    demand_another(session, order, actor)
    said = said_by_caller(reached=reached, contacted=contacted, solved=solved, satisfaction=satisfaction)
    person = person_of(session, order, caller_id)
    take_step(session, order, {**said.facts(), **facts_of_caller(caller_id)}, actor=actor, now=now)
    keep_try(session, order, person, said, remark, actor=actor, now=now)
    audit.record(session, "orders.call_back", "orders", order.id, actor=actor, community_id=order.community_id)
    outcome = outcome_of(session, order, caller_id, said)
    follow(session, order, outcome, actor=actor, now=now)
    return outcome


def demand_another(session: Session, order: Order, actor: Actor) -> None:
    """Refuse who handled the order, and a machine; raises HandlerCallsBack."""
    if actor.user_id is None or not may_call_back(actor.user_id, handlers_of(session, order)):
        raise HandlerCallsBack


def said_by_caller(*, reached: bool, contacted: bool | None, solved: bool | None, satisfaction: str | None) -> Said:
    """What a try heard, nothing of who was not reached; raises Invalid naming the field that an answer lacks."""
    if reached and (contacted is None or solved is None):
        raise Invalid("solved", "请填写是否联系过、是否解决")
    rated = satisfaction_of(satisfaction, reached=reached)
    return Said(reached, contacted, solved, rated) if reached else Said(reached, None, None, rated)


def facts_of_caller(caller_id: int | None) -> dict[str, object]:
    """Whom the try was for, where it was not the order's own caller."""
    return {} if caller_id is None else {"caller": caller_id}


def keep_try(
    session: Session, order: Order, person: ToCall, said: Said, remark: str, *, actor: Actor, now: datetime
) -> None:
    """Write the try beside the order."""
    session.add(
        Callback(
            community_id=order.community_id,
            order_id=order.id,
            caller_id=person.caller_id,
            cycle=order.cycle,
            number=len(person.tries) + 1,
            clerk_id=actor.user_id,
            at=now,
            half_day=half_day(now),
            reached=said.reached,
            contacted=said.contacted,
            solved=said.solved,
            satisfaction=str(said.rated) if said.rated else None,
            remark=remark or None,
        )
    )
    session.flush()


def person_of(session: Session, order: Order, caller_id: int | None) -> ToCall:
    """Who is called: waits for this order and was not reached in this cycle; raises AlreadyCalledBack, NobodyThere."""
    person = next((one for one in to_call(session, order) if one.caller_id == caller_id), None)
    if person is None:
        raise NobodyThere
    if person.is_done:
        raise AlreadyCalledBack
    return person


def to_call(session: Session, order: Order) -> list[ToCall]:
    """Everybody who is called back about an order, its own caller first, with their tries of this cycle."""
    waiting: list[OrderCaller | None] = [None, *callers.waiting_for(session, order)]
    made = tries_by_caller(session, [order])
    return [person_with(one, made.get((order.id, None if one is None else one.id), [])) for one in waiting]


def people_to_call(session: Session, orders: Sequence[Order]) -> dict[int, list[ToCall]]:
    """The same for several orders by their ids, in two queries however many they are."""
    made = tries_by_caller(session, orders)
    found: dict[int, list[ToCall]] = {one.id: [person_with(None, made.get((one.id, None), []))] for one in orders}
    query = select(OrderCaller).where(
        OrderCaller.order_id.in_(found), OrderCaller.left_at.is_(None), OrderCaller.phone.is_not(None)
    )
    for one in session.scalars(query.order_by(OrderCaller.first_at, OrderCaller.id)):
        found[one.order_id].append(person_with(one, made.get((one.order_id, one.id), [])))
    return found


def person_with(caller: OrderCaller | None, tries: Sequence[Callback]) -> ToCall:
    """A caller with their tries: done when reached, or tried on three half-days."""
    used_up = clocks.count_half_days([one.at for one in tries]) >= clocks.MOST_CALLBACK_TRIES
    return ToCall(caller, tries, used_up or any(one.reached for one in tries))


def tries_by_caller(session: Session, orders: Sequence[Order]) -> dict[tuple[int, int | None], list[Callback]]:
    """The tries of each order's cycle by order and caller, oldest first."""
    cycle_of = {one.id: one.cycle for one in orders}
    query = select(Callback).where(Callback.order_id.in_(cycle_of)).order_by(Callback.at, Callback.id)
    found: dict[tuple[int, int | None], list[Callback]] = {}
    for one in session.scalars(query):
        if one.cycle == cycle_of[one.order_id]:
            found.setdefault((one.order_id, one.caller_id), []).append(one)
    return found


def outcome_of(session: Session, order: Order, caller_id: int | None, said: Said) -> AfterCallback:
    """What the try just recorded leads to for the order, all of its callers considered."""
    people = to_call(session, order)
    own = next(one for one in people if one.caller_id == caller_id)
    alone = after_callback(
        clocks.count_half_days([one.at for one in own.tries]),
        reached=said.reached,
        solved=said.solved,
        satisfaction=said.rated,
        reopen_count=order.reopened,
    )
    if order.final_answer and said.reached:
        alone = AfterCallback.CLOSE
    return together(
        alone,
        others_wait=not all(one.is_done for one in people),
        anybody_reached=any(one.reached for person in people for one in person.tries),
    )


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


def next_due(people: Sequence[ToCall], calendar: WorkingCalendar, *, now: datetime) -> datetime:
    """When the next of those who are still to be called is due: at once who was never tried in this cycle."""
    waiting = [one for one in people if not one.is_done]
    dues = [clocks.next_callback_try([each.at for each in one.tries], calendar) for one in waiting if one.tries]
    if any(not one.tries for one in waiting):
        return now
    return min((due for due in dues if due is not None), default=now)


def follow(session: Session, order: Order, outcome: AfterCallback, *, actor: Actor, now: datetime) -> None:
    """Do what a try leads to; the order counts by the worst answer of its callers."""
    if outcome in {AfterCallback.CLOSE, AfterCallback.UNREACHED}:
        decisive = worst(answers_of(session, order))
        order.satisfaction = str(decisive.satisfaction) if decisive and decisive.satisfaction else None
        work.close(session, order, actor=actor, now=now, facts={"outcome": str(outcome)})
    elif outcome is AfterCallback.TRY_AGAIN:
        calendar = catalogue.calendar_of(session, order.organisation_id)
        order.callback_due_at = next_due(to_call(session, order), calendar, now=now)
    else:
        reopen(session, order, outcome, actor=actor, now=now)


def answers_of(session: Session, order: Order) -> list[CallerAnswer]:
    """What those who were reached in this cycle answered."""
    return [
        CallerAnswer(
            bool(one.contacted), bool(one.solved), Satisfaction(one.satisfaction) if one.satisfaction else None
        )
        for tries in tries_by_caller(session, [order]).values()
        for one in tries
        if one.reached
    ]


def reopen(session: Session, order: Order, outcome: AfterCallback, *, actor: Actor, now: datetime) -> None:
    """重办: the same team again, its service limit anew; beyond the free re-openings the centre supervises (督办)."""
    order.reopened += 1
    order.callback_tries = 0
    order.callback_due_at = None
    facts = {"count": order.reopened, **renew_service(session, order, now=now)}
    step(session, order, Action.REOPEN, actor=actor, kind=ActorKind.CALLBACK_CLERK, now=now, facts=facts)
    close_cycle(session, order, now=now)
    assign_again(session, order, now=now)
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
