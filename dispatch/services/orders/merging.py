"""并单 and 拆单: one matter told twice becomes one order, reversibly; a call about two matters becomes two."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid
from dispatch.models.grid import Resident
from dispatch.models.orders import Assignment, Order, OrderCaller, OrderRequest
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.orders.callers import Spot, is_same_matter
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.requests import RequestState
from dispatch.rules.orders.states import OPEN, Action, OrderState
from dispatch.services import notify
from dispatch.services.access import audit, vault
from dispatch.services.orders import callers, granting, supervising
from dispatch.services.orders.draft import OrderDraft
from dispatch.services.orders.hand import need_reason, withdraw_round
from dispatch.services.orders.place import LONGEST_NAME, enqueue_route, receive
from dispatch.services.orders.route import close_cycle
from dispatch.services.orders.steps import check_version, step

DESK = frozenset({ActorKind.OPERATOR, ActorKind.DISPATCHER, ActorKind.CENTRE})


class NotMerged(Conflict):
    """这一单没有并入别的订单"""


class MergedWithItself(Conflict):
    """这两张订单已经是同一单,请选择另一张"""


class CannotMerge(Conflict):
    """只有同一社区、都没有办结的订单可以合并"""


class ConfidentialMerge(Conflict):
    """保密订单只能和保密订单合并"""


def desk_kind(actor: Actor) -> ActorKind:
    """The capacity in which somebody merges, splits and counts calls."""
    return actor.kind if actor.kind in DESK else ActorKind.OPERATOR


def spot(order: Order) -> Spot:
    """Where an order is and of which kind."""
    return Spot(order.service_id, order.building_id, order.stairwell_id)


def repeat_call(
    session: Session,
    order: Order,
    *,
    name: str | None = None,
    phone: str | None = None,
    resident_id: int | None = None,
    words: str = "",
    urged: bool = False,
    key: str | None = None,
    actor: Actor,
    now: datetime,
) -> Order:
    """同一件事: a call about an order that is there already is counted on it, nobody is sent a second time.

    Gives the order on which it was counted: where a merged one has gone. The performer and the team are told only
    when the caller urges. The same `key` again counts nothing. Raises Invalid naming the field, IllegalStep.
    """
    check_text("words", words)
    check_text("caller_name", name or "", LONGEST_NAME)
    number = normalise_phone(phone) if phone else None
    last = callers.lock_last(session, order.id)
    if key is not None and was_counted(session, last, key):
        return last
    caller = caller_again(session, last, number, now=now) or callers.add(
        session,
        last,
        name=name,
        phone=number,
        resident_id=neighbour(session, last, resident_id),
        words=words,
        now=now,
    )
    caller.last_key, caller.name = key, caller.name or name
    caller.words = words or caller.words
    count_call(session, last, caller, actor=actor, now=now)
    if urged:
        supervising.urge(session, last, reason="又来电催办", by_resident=True, actor=actor, now=now)
    return last


def count_call(session: Session, order: Order, caller: OrderCaller, *, actor: Actor, now: datetime) -> None:
    """Count a call on the order that it is about; audited."""
    order.repeat_calls += 1
    facts = {"caller": caller.id, "calls": caller.calls}
    step(session, order, Action.REPEAT_CALL, actor=actor, kind=desk_kind(actor), now=now, facts=facts)
    callers.settle(session, order, now=now)
    ask_at_once(order, now=now)
    audit.record(session, "orders.repeat_call", "orders", order.id, actor=actor, community_id=order.community_id)


def neighbour(session: Session, order: Order, resident_id: int | None) -> int | None:
    """The resident, if one of the order's community; whoever calls from elsewhere is kept by name and number."""
    query = select(Resident.id).where(Resident.id == resident_id, Resident.community_id == order.community_id)
    return session.scalars(query).one_or_none()


def was_counted(session: Session, order: Order, key: str) -> bool:
    """Whether this very call was counted before."""
    query = select(OrderCaller.id).where(OrderCaller.order_id == order.id, OrderCaller.last_key == key)
    return session.scalars(query.limit(1)).one_or_none() is not None


def caller_again(session: Session, order: Order, phone: str | None, *, now: datetime) -> OrderCaller | None:
    """The caller with this number who is known at a locked order, counted once more; None for somebody new."""
    if phone is None:
        return None
    index = vault.blind_index("phone", phone)
    if index == order.phone_index:
        known: OrderCaller | None = callers.own_of(session, order, now=now)
    else:
        same = [one for one in callers.callers_of(session, order) if one.phone_index == index]
        known = min(same, key=lambda one: one.left_at is not None, default=None)
    if known is not None:
        known.calls += 1
        known.last_at = max(known.last_at, now)
    return known


def ask_at_once(order: Order, *, now: datetime) -> None:
    """Whoever joins an order that is being called back is called now, not after the others' next half-day."""
    if order.state == OrderState.CALLING_BACK:
        order.callback_due_at = min(order.callback_due_at or now, now)


def merge(
    session: Session,
    order: Order,
    into: Order,
    *,
    reason: str = "",
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> Order:
    """Merge an order into another that is the same matter; gives the one into which it went.

    Both are locked here, in the order of their ids; give them unlocked. Of another place or kind only with a
    reason. Its round is withdrawn, its performer told, its hold ended, its requests withdrawn, its helpers let go,
    its supervision carried on by the other; its callers wait for the other's end. Raises Invalid("reason"),
    CannotMerge, ConfidentialMerge, MergedWithItself, Stale, IllegalStep.
    """
    check_text("reason", reason, 500)
    target_id = callers.chain_of(session, into.id)[-1]
    locked = callers.lock_all(session, [order.id, target_id])
    order, target = locked[order.id], locked[target_id]
    check_version(order, version)
    check_merge(order, target)
    if not is_same_matter(spot(order), spot(target)) and order.split_from_id != target.id:
        need_reason(reason)
    kind = desk_kind(actor)
    facts = leave_work(session, order, target, actor=actor, now=now)
    callers.own_of(session, order, now=now)
    order.merged_into_id = target.id
    said = {"into": target.number, **facts}
    step(session, order, Action.MERGE, actor=actor, kind=kind, now=now, facts=said, reason=reason or None)
    moved = callers.move(session, callers.below(session, order.id), target, now=now)
    taken = {"from": order.number, "callers": moved}
    step(session, target, Action.TAKE_IN, actor=actor, kind=kind, now=now, facts=taken, reason=reason or None)
    callers.settle(session, target, now=now)
    ask_at_once(target, now=now)
    for one in (order, target):
        audit.record(session, "orders.merge", "orders", one.id, actor=actor, community_id=one.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=None, now=now)
    return target


def check_merge(order: Order, target: Order) -> None:
    """Refuse what cannot be one order, each case by its name."""
    if order.id == target.id:
        raise MergedWithItself
    if not {OrderState(order.state), OrderState(target.state)} <= OPEN:
        raise CannotMerge
    if order.community_id is None or order.community_id != target.community_id:
        raise CannotMerge
    if order.confidential != target.confidential:
        raise ConfidentialMerge


def leave_work(session: Session, order: Order, target: Order, *, actor: Actor, now: datetime) -> dict[str, object]:
    """End what goes on about an order that is merged, in sight of everybody; gives what was ended as facts."""
    if order.held_until is not None:
        granting.resume(session, order, reason="并单", actor=actor, now=now)
    withdraw_round(session, order, now=now)
    order.performer_id = None
    requests = withdraw_requests(session, order, now=now)
    helpers = session.execute(
        update(Assignment)
        .where(Assignment.order_id == order.id, Assignment.done_at.is_(None))
        .values(done_at=now)
        .returning(Assignment.must_finish)
    ).scalars()
    if supervising.open_supervision(session, order) is not None:
        supervising.end_supervision(session, order, finding=f"并入 {target.number}", actor=actor, now=now)
        if supervising.open_supervision(session, target) is None:
            supervising.supervise(session, target, reason=f"{order.number} 并入前正在督办", actor=actor, now=now)
    return {"requests": requests, "helpers": sum(helpers)}


def withdraw_requests(session: Session, order: Order, *, now: datetime) -> int:
    """Requests that wait about an order that is merged are withdrawn; gives how many."""
    pending = session.scalars(
        select(OrderRequest).where(OrderRequest.order_id == order.id, OrderRequest.state == str(RequestState.PENDING))
    ).all()
    for request in pending:
        request.state, request.decided_at = str(RequestState.WITHDRAWN), now
        notify.clear_alarms(session, subject=f"request:{request.id}", kinds=("request_waits",), now=now)
    session.flush()
    return len(pending)


def unmerge(
    session: Session, order: Order, *, reason: str, version: int | None = None, actor: Actor, now: datetime
) -> None:
    """拆单: a merged order is open again with its callers and its own clocks, and is routed anew.

    Also after the other was closed, as long as that is not put away. Raises NotMerged, Stale, IllegalStep.
    """
    need_reason(reason)
    locked = callers.lock_all(session, callers.chain_of(session, order.id))
    order = locked[order.id]
    check_version(order, version)
    if order.state != OrderState.MERGED:
        raise NotMerged
    kind = desk_kind(actor)
    others = [locked[one] for one in callers.chain_of(session, order.id)[1:]]
    order.merged_into_id = None
    order.closed_at = order.callback_due_at = order.feedback = None
    order.callback_tries = 0
    said = {"from": others[0].number}
    step(session, order, Action.UNMERGE, actor=actor, kind=kind, now=now, facts=said, reason=reason)
    close_cycle(session, order, now=now)
    order.lead_team_id = order.accountable_team_id = None
    moved = callers.move(session, callers.below(session, order.id), order, now=now)
    for other in (others[0], *others[1:][-1:]):
        let = {"to": order.number, "callers": moved}
        step(session, other, Action.LET_GO, actor=actor, kind=kind, now=now, facts=let, reason=reason)
    for one in (others[-1], order):
        callers.settle(session, one, now=now)
    for one in (order, others[0]):
        audit.record(session, "orders.unmerge", "orders", one.id, actor=actor, community_id=one.community_id)
    enqueue_route(session, order)


def split(
    session: Session, order: Order, draft: OrderDraft, *, version: int | None = None, actor: Actor, now: datetime
) -> Order:
    """一单两事: a second order of the same caller and place, unless the draft says others; merging it undoes it.

    The order is given locked and has its place. Raises Invalid naming the field, as placing does, and IllegalStep.
    """
    check_version(order, version)
    if order.community_id is None:
        raise Conflict("地点还没有定下来,请先定地点")
    made = session.get_one(Order, receive(session, completed(order, draft), actor=actor, now=now).id)
    if made.community_id != order.community_id:
        raise Invalid("address_text", "拆出来的事要在同一个社区里,请把地点写清楚")
    made.split_from_id = order.id
    facts = {"to": made.number}
    step(session, order, Action.SPLIT, actor=actor, kind=desk_kind(actor), now=now, facts=facts)
    audit.record(session, "orders.split", "orders", order.id, actor=actor, community_id=order.community_id)
    return made


def completed(order: Order, draft: OrderDraft) -> OrderDraft:
    """The draft with the caller and the place of the order from which it is split, where it names none."""
    values: dict[str, object] = {
        "organisation_id": order.organisation_id,
        "confidential": order.confidential or draft.confidential,
    }
    if draft.caller_phone is None and draft.caller_resident_id is None:
        phone = order.caller_phone
        values |= {
            "caller_name": draft.caller_name or order.caller_name,
            "caller_phone": vault.open_sealed(f"orders.caller_phone.{order.number}", phone) if phone else None,
            "caller_resident_id": order.caller_resident_id,
        }
    if not draft.address_text and draft.stairwell_id is None and draft.building_id is None:
        values |= {"address_text": order.address_text, "room": draft.room or order.room}
        values |= {"stairwell_id": order.stairwell_id}
        values |= {"building_id": order.building_id if order.stairwell_id is None else None}
    return replace(draft, **values)  # type: ignore[arg-type]
