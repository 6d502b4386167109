"""What a team asks about its order and who decides it: asked, granted or refused, withdrawn, and not forgotten."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.catalogue import Team
from dispatch.models.orders import Assignment, Order, OrderRequest
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.requests import (
    RULES,
    RequestKind,
    RequestLimits,
    RequestState,
    Wish,
    check_extension,
    check_hold,
    check_return,
    check_state,
    may_decide,
    needs_consultation,
)
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import audit, policies
from dispatch.services.orders import granting
from dispatch.services.orders.steps import check_version, demand_team, step

LONGEST_GROUNDS = 1_000
LIMIT_POLICIES = {
    "return_working_days": "orders.return_request_working_days",
    "extension_count": "orders.extension_count",
    "extension_working_days": "orders.extension_working_days",
    "long_works_days": "orders.long_works_days",
    "hold_days": "orders.hold_days",
    "refusals_to_consultation": "orders.return_refusals_to_consultation",
}
DECIDE_POLICY = "orders.return_decision_working_hours"


class AlreadyRequested(Conflict):
    """这一单已有同样的申请在等决定"""


class AlreadyDecided(Conflict):
    """这份申请已经有了结果"""


class OwnRequest(NotAllowed):
    """自己提的申请要由别人决定,您的岗位也要有权决定这一种"""


def limits_at(session: Session, organisation_id: int) -> RequestLimits:
    """The limits of requests where an order was taken."""
    values = policies.policies(session, organisation_id, tuple(LIMIT_POLICIES.values()))
    return RequestLimits(**{name: int(values[key]) for name, key in LIMIT_POLICIES.items()})


def ask(
    session: Session,
    order: Order,
    kind: RequestKind,
    *,
    grounds: str,
    basis: str = "",
    wish: Wish | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> OrderRequest:
    """Ask for something about a locked order; it waits for its decider, alarmed when nobody decides in time.

    Raises Invalid naming the field, NotInThisState, ReturnTooLate, TooManyExtensions, AlreadyDue, AlreadyRequested.
    """
    check_version(order, version)
    demand_team(actor)
    check_words(kind, grounds, basis)
    wanted = wish or Wish()
    check_wish(session, order, kind, wanted, now=now)
    if pending(session, order, kind) is not None:
        raise AlreadyRequested
    request = OrderRequest(
        community_id=order.community_id,
        order_id=order.id,
        cycle=order.cycle,
        kind=str(kind),
        number=count(session, order, kind) + 1,
        asked_by=actor.user_id,
        asked_by_key=actor.api_key_id,
        asked_at=now,
        grounds=grounds,
        basis=basis,
        wish=wish_facts(wanted),
        decide_due_at=decide_due(session, order, now=now),
    )
    enter(session, order, request, actor=actor, now=now)
    return request


def enter(session: Session, order: Order, request: OrderRequest, *, actor: Actor, now: datetime) -> None:
    """Enter a request; it is a step of the order, and its decider's turn."""
    session.add(request)
    session.flush()
    facts = {"request": request.kind, "number": request.number}
    step(session, order, Action.REQUEST, actor=actor, now=now, facts=facts, reason=request.grounds)
    action, community_id = f"orders.ask_{request.kind}", order.community_id
    audit.record(session, action, "orders", order.id, actor=actor, community_id=community_id)
    wait_for_decider(session, request)


def decide_due(session: Session, order: Order, *, now: datetime) -> datetime:
    """Until when a request is decided."""
    hours = int(policies.policy(session, order.organisation_id, DECIDE_POLICY))
    return catalogue.calendar_of(session, order.organisation_id).add_working_seconds(now, hours * 3600).instant


def wait_for_decider(session: Session, request: OrderRequest) -> None:
    """Look again when the time to decide is over."""
    queue.enqueue(
        session,
        "orders.request_due",
        lane=Lane.DEADLINE,
        reference=request.id,
        run_at=request.decide_due_at,
        dedupe=f"orders.request_due:{request.id}",
    )


def check_words(kind: RequestKind, grounds: str, basis: str) -> None:
    """Grounds always, a basis where the kind needs one; raises Invalid naming the field."""
    check_text("grounds", grounds, LONGEST_GROUNDS)
    check_text("basis", basis, LONGEST_GROUNDS)
    if not grounds.strip():
        raise Invalid("grounds", "请写明理由")
    if RULES[kind].needs_basis and not basis.strip():
        raise Invalid("basis", "请写明依据：退单写职责依据，最终答复写核实的证据")


def check_wish(session: Session, order: Order, kind: RequestKind, wish: Wish, *, now: datetime) -> None:
    """Hold a wish against the order's state and the limits; asked and decided by the same rule."""
    check_state(kind, OrderState(order.state))
    if order.community_id is None:
        raise Conflict("地点还没有定下来,请先定地点")
    if order.held_until is not None and kind in {RequestKind.HOLD, RequestKind.EXTENSION}:
        raise Conflict("这一单正在挂起,时钟已停")
    limits = limits_at(session, order.organisation_id)
    if kind is RequestKind.RETURN:
        calendar = catalogue.calendar_of(session, order.organisation_id)
        check_return(assigned_at(session, order), now, calendar, limits)
    elif kind is RequestKind.EXTENSION:
        check_extension(
            wish,
            granted=order.extensions,
            created_at=order.created_at,
            due_at=order.civic_due_at or order.created_at,
            now=now,
            limits=limits,
        )
    elif kind is RequestKind.HOLD:
        check_hold(wish, now=now, limits=limits)
    elif kind is RequestKind.HELP:
        check_helper(session, order, wish)


def check_helper(session: Session, order: Order, wish: Wish) -> None:
    """A helper's task names another team of the community and what it is to do."""
    check_text("task", wish.task, LONGEST_GROUNDS)
    if not wish.task.strip():
        raise Invalid("task", "请写明请对方做什么")
    if wish.team_id is None or wish.team_id == order.lead_team_id:
        raise Invalid("team_id", "请选择协办的团队,不能是主办团队自己")
    find_team(session, order, wish.team_id)


def find_team(session: Session, order: Order, team_id: int) -> Team:
    """A team of the order's community; raises Invalid."""
    team = session.scalars(
        select(Team).where(Team.id == team_id, Team.community_id == order.community_id)
    ).one_or_none()
    if team is None:
        raise Invalid("team_id", "请选择本社区的一个团队")
    return team


def assigned_at(session: Session, order: Order) -> datetime:
    """When the lead team was given the order in this cycle."""
    query = select(func.max(Assignment.assigned_at)).where(
        Assignment.order_id == order.id, Assignment.cycle == order.cycle, Assignment.role == "lead"
    )
    return session.scalar(query) or order.dispatched_at or order.created_at


def pending(session: Session, order: Order, kind: RequestKind) -> OrderRequest | None:
    """The request of this kind that waits, if any."""
    return session.scalars(
        select(OrderRequest).where(
            OrderRequest.order_id == order.id,
            OrderRequest.kind == str(kind),
            OrderRequest.state == str(RequestState.PENDING),
        )
    ).one_or_none()


def count(session: Session, order: Order, kind: RequestKind, state: RequestState | None = None) -> int:
    """How often something was asked of the order, in all or with this outcome."""
    query = select(func.count()).where(OrderRequest.order_id == order.id, OrderRequest.kind == str(kind))
    return session.execute(query if state is None else query.where(OrderRequest.state == str(state))).scalar_one()


def wish_facts(wish: Wish) -> dict[str, Any]:
    """A wish as it is kept: only what was said."""
    facts = {
        "days": wish.days,
        "until": wish.until.isoformat() if wish.until else None,
        "long_works": wish.long_works or None,
        "team_id": wish.team_id,
        "task": wish.task or None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def wish_of(request: OrderRequest) -> Wish:
    """The wish of a stored request."""
    kept = request.wish
    until = kept.get("until")
    return Wish(
        days=kept.get("days"),
        until=datetime.fromisoformat(until) if until else None,
        long_works=bool(kept.get("long_works")),
        team_id=kept.get("team_id"),
        task=kept.get("task", ""),
    )


def find_request(session: Session, order: Order, request_id: int) -> OrderRequest:
    """A request of a locked order, locked; raises NotFound."""
    request = session.scalars(
        select(OrderRequest)
        .where(OrderRequest.id == request_id, OrderRequest.order_id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if request is None:
        raise NotFound
    return request


def decide(
    session: Session,
    order: Order,
    request_id: int,
    *,
    granted: bool,
    reason: str,
    team_id: int | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> OrderRequest:
    """Grant or refuse a request of a locked order; what is granted is done in the same transaction.

    `team_id` is the team that a returned or rerouted order goes to. Raises OwnRequest, AlreadyDecided, Invalid,
    and what the limits say where they have run out since it was asked.
    """
    check_version(order, version)
    request = find_request(session, order, request_id)
    kind = RequestKind(request.kind)
    if not may_decide(kind, actor.kind, is_asker=is_asker(request, actor)):
        raise OwnRequest
    if request.state != RequestState.PENDING:
        raise AlreadyDecided
    check_text("reason", reason, LONGEST_GROUNDS)
    if not reason.strip():
        raise Invalid("reason", "请写明决定的理由")
    facts = {"request": str(kind), "number": request.number, "granted": granted}
    step(session, order, Action.DECIDE, actor=actor, now=now, facts=facts, reason=reason)
    note_decision(request, granted=granted, reason=reason, actor=actor, now=now)
    session.flush()
    if granted:
        grant(session, order, kind, request, team_id=team_id, actor=actor, now=now)
    elif kind is RequestKind.RETURN:
        consult_after_refusals(session, order)
    audit.record(session, "orders.decide_request", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, subject=f"request:{request.id}", kinds=("request_waits",), now=now)
    return request


def is_asker(request: OrderRequest, actor: Actor) -> bool:
    """Whether the actor is whoever asked."""
    if actor.user_id is not None:
        return actor.user_id == request.asked_by
    return actor.api_key_id == request.asked_by_key


def note_decision(request: OrderRequest, *, granted: bool, reason: str, actor: Actor, now: datetime) -> None:
    """Write down who decided what."""
    request.state = str(RequestState.GRANTED if granted else RequestState.REFUSED)
    request.decided_by = actor.user_id
    request.decided_by_key = actor.key_alone
    request.decided_at, request.decision = now, reason


def grant(
    session: Session,
    order: Order,
    kind: RequestKind,
    request: OrderRequest,
    *,
    team_id: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Do what was granted; held against the limits again, because time has passed."""
    wish = wish_of(request)
    if kind is not RequestKind.RETURN:
        check_wish(session, order, kind, wish, now=now)
    else:
        check_state(kind, OrderState(order.state))
    if kind in {RequestKind.RETURN, RequestKind.REROUTE}:
        target = team_id or wish.team_id
        if target is None or target == order.lead_team_id:
            raise Invalid("team_id", "请选择接手的团队,不能还是原来的团队")
        granting.move(session, order, find_team(session, order, target), kind, actor=actor, now=now)
    elif kind is RequestKind.EXTENSION:
        granting.extend(session, order, wish, actor=actor, now=now)
    elif kind is RequestKind.HOLD:
        granting.hold(session, order, wish, reason=request.grounds, actor=actor, now=now)
    elif kind is RequestKind.HELP:
        granting.ask_help(session, order, wish, actor=actor, now=now)
    else:
        granting.answer_finally(session, order, request, actor=actor, now=now)


def consult_after_refusals(session: Session, order: Order) -> None:
    """The second refused return of an order calls everybody to one table: the centre is alarmed."""
    refusals = count(session, order, RequestKind.RETURN, RequestState.REFUSED)
    if needs_consultation(refusals, limits_at(session, order.organisation_id)):
        notify.raise_alarm(
            session,
            kind="order_consultation",
            subject=f"order:{order.id}",
            level="warning",
            organisation_id=order.organisation_id,
            community_id=order.community_id,
            order_id=order.id,
            facts={"refusals": refusals},
        )


def withdraw_request(
    session: Session, order: Order, request_id: int, *, version: int | None = None, actor: Actor, now: datetime
) -> OrderRequest:
    """Whoever asked takes it back while nobody has decided; raises NotAllowed, AlreadyDecided."""
    check_version(order, version)
    request = find_request(session, order, request_id)
    if not is_asker(request, actor):
        raise NotAllowed
    if request.state != RequestState.PENDING:
        raise AlreadyDecided
    request.state, request.decided_at = str(RequestState.WITHDRAWN), now
    facts = {"request": request.kind, "number": request.number, "withdrawn": True}
    step(session, order, Action.REQUEST, actor=actor, now=now, facts=facts)
    audit.record(session, "orders.withdraw_request", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, subject=f"request:{request.id}", kinds=("request_waits",), now=now)
    return request


def request_due(session: Session, request_id: int, *, now: datetime) -> None:
    """The time to decide is over: a request that still waits is alarmed at the desk."""
    request = session.get(OrderRequest, request_id, with_for_update=True, populate_existing=True)
    if request is None or request.state != RequestState.PENDING or now < request.decide_due_at:
        return
    order = session.get_one(Order, request.order_id)
    notify.raise_alarm(
        session,
        kind="request_waits",
        subject=f"request:{request.id}",
        level="warning",
        organisation_id=order.organisation_id,
        community_id=order.community_id,
        order_id=order.id,
        facts={"request": request.kind},
    )
