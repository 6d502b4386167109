"""What a granted request does to its order: another team, a later due date, a hold, a helper, a final answer."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, Invalid
from dispatch.models.catalogue import Service, Team
from dispatch.models.orders import Assignment, Order, OrderRequest
from dispatch.rules.access.roles import CLOCK, Actor, ActorKind
from dispatch.rules.catalogue.calendar import ALWAYS
from dispatch.rules.orders import clocks
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.requests import RequestKind, Wish, extended
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import catalogue
from dispatch.services.access import audit
from dispatch.services.orders import escalation, supervising, work
from dispatch.services.orders.assigning import assign
from dispatch.services.orders.hand import withdraw_round
from dispatch.services.orders.limits import limits_of
from dispatch.services.orders.place import enqueue_route
from dispatch.services.orders.route import ROUTABLE, close_cycle
from dispatch.services.orders.steps import check_version, demand_team, lock, step

LONGEST_ANSWER = 1_000


class NoHelpAsked(Conflict):
    """这个团队没有未完成的协办任务"""


class NotHeld(Conflict):
    """这一单没有挂起"""


def move(session: Session, order: Order, team: Team, kind: RequestKind, *, actor: Actor, now: datetime) -> None:
    """退单 upheld, or 转派: another team leads; the order's due dates stay, the team's clock starts anew."""
    withdraw_round(session, order, now=now)
    action = Action.RETURN_TO_DESK if kind is RequestKind.RETURN else Action.REASSIGN
    facts = {"from_team": order.lead_team_id, "to_team": team.id}
    step(session, order, action, actor=actor, kind=ActorKind.DISPATCHER, now=now, facts=facts)
    close_cycle(session, order, now=now)
    order.lead_team_id = team.id
    if team.kind == "block":
        order.accountable_team_id = team.id
    if action is Action.REASSIGN:
        assign(session, order, team.id, "lead", now=now)
    session.flush()
    enqueue_route(session, order)


def extend(session: Session, order: Order, wish: Wish, *, actor: Actor, now: datetime) -> None:
    """延期: both clocks end later by the working days granted, or when long works end; counted."""
    calendar = catalogue.calendar_of(session, order.organisation_id)
    before = order.civic_due_at
    order.extensions += 1
    order.civic_due_at = extended(wish, order.civic_due_at or order.created_at, calendar)
    order.service_due_at = max(
        order.civic_due_at if wish.long_works else extended(wish, order.service_due_at or now, calendar),
        order.service_due_at or now,
    )
    facts = {
        "number": order.extensions,
        "from": before.isoformat() if before else None,
        "to": order.civic_due_at.isoformat(),
        "days": None if wish.long_works else wish.days,
        "until": order.civic_due_at.isoformat() if wish.long_works else None,
    }
    step(session, order, Action.EXTEND, actor=actor, kind=ActorKind.CENTRE, now=now, facts=facts)
    follow_teams(session, order)
    escalation.start(session, order, now=now)


def follow_teams(session: Session, order: Order) -> None:
    """The teams' own clocks follow the order's due date."""
    session.execute(
        update(Assignment)
        .where(Assignment.order_id == order.id, Assignment.done_at.is_(None), ~Assignment.must_finish)
        .values(due_at=order.service_due_at)
    )


def hold(session: Session, order: Order, wish: Wish, *, reason: str, actor: Actor, now: datetime) -> None:
    """挂起: the clocks stand until the end date, or until somebody resumes it before."""
    if wish.until is None:
        raise Invalid("until", "挂起要写明截止时间")
    order.held_since, order.held_until = now, wish.until
    facts = {"until": wish.until.isoformat()}
    step(session, order, Action.HOLD, actor=actor, kind=ActorKind.CENTRE, now=now, facts=facts, reason=reason)
    queue.enqueue(
        session,
        "orders.resume",
        lane=Lane.DEADLINE,
        reference=order.id,
        run_at=wish.until,
        dedupe=f"orders.resume:{order.id}:{order.version}",
    )


def resume(
    session: Session,
    order: Order,
    *,
    reason: str | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """End a hold: what was left of each limit when it began is left now; levels not yet told follow from there."""
    check_version(order, version)
    if order.held_since is None or order.held_until is None:
        raise NotHeld
    calendar = catalogue.calendar_of(session, order.organisation_id)
    service = session.get_one(Service, order.service_id)
    held_since = order.held_since
    shifted = {
        "civic_due_at": calendar,
        "service_due_at": clocks.service_calendar_of(limits_of(service), calendar),
        "arrive_due_at": ALWAYS,
    }
    for column, clock in shifted.items():
        due = getattr(order, column)
        if due is not None:
            begin = max(held_since, order.service_since or held_since) if column == "service_due_at" else held_since
            setattr(order, column, clocks.after_hold(due, begin, now, clock))
    facts = {"held_seconds": int((now - held_since).total_seconds())}
    order.held_since = order.held_until = None
    kind = ActorKind.CLOCK if actor is CLOCK else ActorKind.CENTRE
    step(session, order, Action.RESUME, actor=actor, kind=kind, now=now, facts=facts, reason=reason)
    follow_teams(session, order)
    audit.record(session, "orders.resume", "orders", order.id, actor=actor, community_id=order.community_id)
    escalation.start(session, order, now=now)
    supervising.watch_arrival(session, order)
    if OrderState(order.state) in ROUTABLE:
        enqueue_route(session, order)


def resume_by_clock(session: Session, order_id: int, *, now: datetime) -> None:
    """The hold's end date has come; a hold that ended before, or was set anew, is left alone."""
    order = lock(session, order_id)
    if order.held_until is not None and order.held_until <= now:
        resume(session, order, actor=CLOCK, now=now)


def ask_help(session: Session, order: Order, wish: Wish, *, actor: Actor, now: datetime) -> None:
    """协办: another team gets a task of its own that the order's end waits for; an assisting team is promoted."""
    where = (
        Assignment.order_id == order.id,
        Assignment.team_id == wish.team_id,
        Assignment.role == "assist",
        Assignment.cycle == order.cycle,
    )
    known = session.scalars(select(Assignment).where(*where).with_for_update()).one_or_none()
    if known is None:
        known = Assignment(
            community_id=order.community_id,
            order_id=order.id,
            team_id=wish.team_id,
            role="assist",
            cycle=order.cycle,
            assigned_at=now,
            due_at=order.service_due_at,
        )
        session.add(known)
    known.must_finish, known.task, known.answer, known.done_at = True, wish.task, None, None
    session.flush()
    facts = {"team": wish.team_id}
    kind = actor.kind if actor.kind is ActorKind.CENTRE else ActorKind.DISPATCHER
    step(session, order, Action.ASK_HELP, actor=actor, kind=kind, now=now, facts=facts, reason=wish.task)
    escalation.tell_heads(session, order, [wish.team_id or 0], template="to_help", now=now)


def finish_help(
    session: Session,
    order: Order,
    *,
    team_id: int,
    answer: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """A helping team says what it did; when the last has, the answer to the resident is no longer kept back."""
    check_version(order, version)
    demand_team(actor)
    check_text("answer", answer, LONGEST_ANSWER)
    if not answer.strip():
        raise Invalid("answer", "请写明协办的结果")
    if actor.narrowed and team_id not in actor.teams:
        raise NoHelpAsked
    task = session.scalars(
        select(Assignment)
        .where(
            Assignment.order_id == order.id,
            Assignment.team_id == team_id,
            Assignment.must_finish,
            Assignment.done_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if task is None:
        raise NoHelpAsked
    task.answer, task.done_at = answer, now
    kind = actor.kind if actor.kind in {ActorKind.CENTRE, ActorKind.DISPATCHER} else ActorKind.TEAM
    step(session, order, Action.HELP_DONE, actor=actor, kind=kind, now=now, facts={"team": team_id}, reason=answer)
    audit.record(session, "orders.finish_help", "orders", order.id, actor=actor, community_id=order.community_id)
    if order.state == OrderState.FINISHED and not work.open_help(session, order):
        work.enqueue_feedback(session, order, now=now)


def answer_finally(session: Session, order: Order, request: OrderRequest, *, actor: Actor, now: datetime) -> None:
    """最终答复: what cannot be solved is answered with evidence, called back once, and left out of the score."""
    withdraw_round(session, order, now=now)
    session.execute(
        update(Assignment).where(Assignment.order_id == order.id, Assignment.done_at.is_(None)).values(done_at=now)
    )
    order.final_answer, order.feedback, order.performer_id = True, request.grounds, None
    facts = {"number": request.number}
    step(session, order, Action.FINAL_ANSWER, actor=actor, kind=ActorKind.CENTRE, now=now, facts=facts)
    work.after_feedback(session, order, actor=actor, now=now)
