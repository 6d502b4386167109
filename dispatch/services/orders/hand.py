"""What people at the desk do with an order: settle its place, dispatch by hand, route anew, void, remark."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.models.catalogue import Coverage, Performer, Team
from dispatch.models.orders import Assignment, Offer, OfferRecipient, Order
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind
from dispatch.rules.catalogue.papers import days_wanted
from dispatch.rules.orders.decision import Offer as OfferDecision
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import audit
from dispatch.services.orders import callers
from dispatch.services.orders.place import enqueue_route, settle_place
from dispatch.services.orders.rounds import open_rounds
from dispatch.services.orders.route import close_cycle
from dispatch.services.orders.steps import check_version, demand_team, lock, step

WITH_TEAM = frozenset(
    {OrderState.DISPATCHED, OrderState.SIGNED, OrderState.OFFERED, OrderState.ACCEPTED, OrderState.ARRIVED}
)


class SecondPersonMissing(NotAllowed):
    """作废要由第二个人同意:请另一位有权限的同事确认"""


def need_reason(reason: str) -> None:
    """Whatever is done by hand needs a reason."""
    check_text("reason", reason, 500)
    if not reason.strip():
        raise Invalid("reason", "请写明原因")


def settle(
    session: Session,
    order: Order,
    *,
    stairwell_id: int | None = None,
    building_id: int | None = None,
    area_id: int | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a locked order its place; 受理中 becomes 待派 and is routed at once."""
    check_version(order, version)
    settle_place(session, order, stairwell_id=stairwell_id, building_id=building_id, area_id=area_id, actor=actor)
    if order.state == OrderState.RECEIVED:
        step(session, order, Action.COMPLETE_INTAKE, actor=actor, kind=ActorKind.OPERATOR, now=now)
    else:
        begin_again(session, order, reason="place_settled", actor=actor, now=now)
    callers.find_place(session, order)
    audit.record(session, "orders.settle_place", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=("place_unresolved", "order_waits"), now=now)
    enqueue_route(session, order)


def retry_routing(
    session: Session, order: Order, *, reason: str, version: int | None = None, actor: Actor, now: datetime
) -> None:
    """Route an order that waits for a human anew, in a new cycle."""
    check_version(order, version)
    need_reason(reason)
    begin_again(session, order, reason=reason, actor=actor, now=now)
    audit.record(session, "orders.retry_routing", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=("order_waits",), now=now)
    enqueue_route(session, order)


def wake(session: Session, order_id: int, *, cycle: int, now: datetime) -> None:
    """A shift begins that an order waits for: routed anew by the house, unless somebody has taken care of it."""
    order = lock(session, order_id)
    if order.state != OrderState.AWAITING_HUMAN or order.waits_for != "no_candidate" or order.cycle != cycle:
        return
    step(session, order, Action.RETRY_ROUTING, actor=SYSTEM, kind=ActorKind.SYSTEM, now=now, reason="有人上班了")
    close_cycle(session, order, now=now)
    order.lead_team_id = order.accountable_team_id = None
    audit.record(session, "orders.wake", "orders", order.id, actor=SYSTEM, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=("order_waits",), now=now)
    enqueue_route(session, order)


def begin_again(session: Session, order: Order, *, reason: str, actor: Actor, now: datetime) -> None:
    """待人工 → 待派 in a new cycle; the teams are chosen anew."""
    step(session, order, Action.RETRY_ROUTING, actor=actor, kind=ActorKind.DISPATCHER, now=now, reason=reason)
    close_cycle(session, order, now=now)
    order.lead_team_id = order.accountable_team_id = None


def choose_team(
    session: Session,
    order: Order,
    *,
    team_id: int,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """The area chief (or dispatcher) says which block team an order known only to its area belongs to."""
    check_version(order, version)
    demand_team(actor)
    need_reason(reason)
    team = session.execute(
        select(Team).where(Team.id == team_id, Team.kind == "block", Team.community_id == order.community_id)
    ).scalar_one_or_none()
    if team is None:
        raise Invalid("team_id", "请选择本社区的一个块状团队")
    begin_again(session, order, reason=reason, actor=actor, now=now)
    order.accountable_team_id = order.lead_team_id = team.id
    audit.record(session, "orders.choose_team", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=("order_waits",), now=now)
    enqueue_route(session, order)


def dispatch_by_hand(
    session: Session,
    order: Order,
    *,
    performer_id: int,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Give an order to one performer by hand, with a reason: an open round is withdrawn, a new one opened.

    The order's due dates stay. Raises Invalid for a performer out of reach or without valid papers.
    """
    check_version(order, version)
    need_reason(reason)
    performer = usable_performer(session, order, performer_id, now=now)
    withdraw_round(session, order, now=now)
    if OrderState(order.state) in WITH_TEAM:
        step(session, order, Action.REASSIGN, actor=actor, kind=ActorKind.DISPATCHER, now=now, reason=reason)
        close_cycle(session, order, now=now)
    else:
        close_cycle(session, order, now=now)
        take_teams(session, order)
        teams = {"lead": order.lead_team_id, "accountable": order.accountable_team_id, "by_hand": True}
        order.dispatched_at = now
        kind = ActorKind.DISPATCHER
        step(session, order, Action.DISPATCH, actor=actor, kind=kind, now=now, facts=teams, reason=reason)
    assign_lead(session, order, now=now)
    step(session, order, Action.SIGN, actor=actor, kind=ActorKind.SYSTEM, now=now)
    order.rounds += 1
    facts = {"round": order.rounds, "to": [performer.id], "by_hand": True}
    step(session, order, Action.OPEN_ROUND, actor=actor, kind=ActorKind.DISPATCHER, now=now, facts=facts)
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    offer = OfferDecision((performer.id,), 1, alarm_human=False)
    open_rounds(session, [(order, service, offer)], now=now)
    audit.record(session, "orders.dispatch_by_hand", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=("order_waits", "order_urgent"), now=now)


def usable_performer(session: Session, order: Order, performer_id: int, *, now: datetime) -> Performer:
    """The performer that a dispatcher names; raises Invalid where it may not be sent at all.

    The kind may be overridden by hand, with the reason; the community's admission and the papers may not.
    """
    if order.community_id is None:
        raise Conflict("地点还没有定下来,请先定地点再派单")
    admitted = exists().where(Coverage.performer_id == Performer.id, Coverage.community_id == order.community_id)
    performer = session.execute(
        select(Performer).where(Performer.id == performer_id, Performer.is_active, admitted)
    ).scalar_one_or_none()
    if performer is None:
        raise Invalid("performer_id", "没有这位服务商,或者它没有被本社区准入,请重新选择")
    if performer.suspended_until is not None and performer.suspended_until > now:
        raise Invalid("performer_id", "这位服务商已暂停派单")
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    if not catalogue.papers_hold(session, performer, service, days_wanted(order.wanted_from, order.wanted_until, now)):
        raise Invalid("performer_id", "这位服务商的证照在上门那天无效或不全,不能派单")
    return performer


def take_teams(session: Session, order: Order) -> None:
    """Where no team is on the order yet, the block team of its building or area is accountable and leads."""
    if order.accountable_team_id is not None:
        return
    query = select(Team.id).where(Team.kind == "block", Team.area_id == order.area_id).order_by(Team.id).limit(1)
    team_id = session.scalars(query).one_or_none()
    if team_id is None:
        raise Conflict("这个片区没有块状团队,请先设置团队")
    order.accountable_team_id = order.lead_team_id = team_id


def assign_lead(session: Session, order: Order, *, now: datetime) -> None:
    """Put the lead team on the order for the new cycle."""
    values: dict[str, Any] = {
        "community_id": order.community_id,
        "order_id": order.id,
        "team_id": order.lead_team_id,
        "role": "lead",
        "cycle": order.cycle,
        "assigned_at": now,
        "signed_at": now,
        "due_at": order.service_due_at,
    }
    session.execute(insert(Assignment), [values])


def withdraw_round(session: Session, order: Order, *, now: datetime) -> None:
    """Close an open round because the order goes elsewhere, its links are dead; who had the order is told."""
    if order.performer_id is not None:
        notify.tell_performer(
            session,
            dedupe=f"withdrawn:{order.id}:{order.cycle}",
            template="withdrawn",
            performer_id=order.performer_id,
            order_id=order.id,
            lane=Lane.NOTIFY,
            now=now,
        )
    offer = session.execute(
        select(Offer).where(Offer.order_id == order.id, Offer.closed_at.is_(None))
    ).scalar_one_or_none()
    if offer is None:
        return
    offer.outcome, offer.closed_at = "withdrawn", now
    session.execute(
        update(OfferRecipient)
        .where(OfferRecipient.offer_id == offer.id, OfferRecipient.outcome == "open")
        .values(outcome="withdrawn", answered_at=now)
    )
    session.flush()


def void(
    session: Session,
    order: Order,
    *,
    reason: str,
    by_resident: bool = False,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> bool:
    """作废: by two people one after the other; at once for the resident, or for the house itself (a plan changed).

    The first call keeps who asked and returns False; the call of a second person ends the order (True): an
    open round is withdrawn. Raises SecondPersonMissing when the same person confirms.
    """
    check_version(order, version)
    need_reason(reason)
    check_nobody_waits(session, order, by_resident=by_resident)
    at_once = by_resident or actor.kind is ActorKind.SYSTEM
    if not at_once and order.void_asked_by is None:
        order.void_asked_by = actor.user_id
        step(session, order, Action.REMARK, actor=actor, now=now, facts={"void": "asked"}, reason=reason)
        audit.record(session, "orders.ask_void", "orders", order.id, actor=actor, community_id=order.community_id)
        return False
    if not at_once and actor.user_id in {None, order.void_asked_by}:
        raise SecondPersonMissing
    withdraw_round(session, order, now=now)
    order.performer_id = None
    facts = {"asked_by": order.void_asked_by, "by_resident": by_resident}
    kind = actor.kind if actor.kind in {ActorKind.OPERATOR, ActorKind.CENTRE, ActorKind.SYSTEM} else ActorKind.OPERATOR
    step(session, order, Action.VOID, actor=actor, kind=kind, now=now, facts=facts, reason=reason)
    session.execute(
        update(Assignment).where(Assignment.order_id == order.id, Assignment.done_at.is_(None)).values(done_at=now)
    )
    audit.record(session, "orders.void", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=None, now=now)
    return True


def check_nobody_waits(session: Session, order: Order, *, by_resident: bool) -> None:
    """Refuse to end an order for which others wait: whose own was merged into it, or who called about it too."""
    if callers.merged_into(session, order):
        raise Conflict("有别的订单并入了这一单,请先把它们拆出来")
    if by_resident and callers.waiting_for(session, order):
        raise Conflict("还有别的来电人在等这一单,不能由一位居民撤回")


def remark(session: Session, order: Order, *, text: str, actor: Actor, now: datetime) -> None:
    """Add a remark to the history."""
    need_reason(text)
    step(session, order, Action.REMARK, actor=actor, now=now, reason=text)
    audit.record(session, "orders.remark", "orders", order.id, actor=actor, community_id=order.community_id)


def sign(session: Session, order: Order, *, version: int | None = None, actor: Actor, now: datetime) -> None:
    """签收: the team takes the order; its performer is offered it at once."""
    check_version(order, version)
    demand_team(actor)
    step(session, order, Action.SIGN, actor=actor, kind=ActorKind.TEAM, now=now)
    session.execute(
        update(Assignment)
        .where(Assignment.order_id == order.id, Assignment.cycle == order.cycle, Assignment.signed_at.is_(None))
        .values(signed_at=now)
    )
    audit.record(session, "orders.sign", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=("order_unsigned",), now=now)
    enqueue_route(session, order)


def place_alarm(session: Session, order: Order, *, now: datetime) -> None:
    """Nobody has settled the place in time: alarmed, once while it stays so."""
    if order.state != OrderState.RECEIVED:
        return
    waited = int((now - order.created_at) / timedelta(minutes=1))
    notify.raise_alarm(
        session,
        kind="place_unresolved",
        subject=f"order:{order.id}",
        level="warning",
        organisation_id=order.organisation_id,
        community_id=None,
        order_id=order.id,
        facts={"minutes": waited},
    )
