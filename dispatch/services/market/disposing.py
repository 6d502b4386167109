"""What may not be given is destroyed: an order of the core, two signatures, and the step that takes it out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.access import Organisation
from dispatch.models.market import Disposal, Facility, Goods, Lot, LotBalance
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.market.keeping import check_three
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.rules.orders.states import OPEN, WITH_PERFORMER, OrderState
from dispatch.services import notify, orders
from dispatch.services.access import audit, files, policies, reach
from dispatch.services.market.facilities import demand_keeper, find_facility, refuse_keeper
from dispatch.services.market.lots import lock_lots
from dispatch.services.market.writing import Piece, Step, write

ORIGIN = "market.disposal"
KIND = "lot_disposal"
DAYS_POLICY = "market.disposal_days"
LATE = "disposal_late"
WAYS = {"bin": EntryKind.DISPOSAL, "return": EntryKind.GIVEN_BACK}
NOT_DONE = "not_done"
WITHOUT_WORK = frozenset({OrderState.VOIDED, OrderState.MERGED, OrderState.ANSWERED})
AFTER_WORK = frozenset(
    {OrderState.FINISHED, OrderState.FED_BACK, OrderState.CALLING_BACK, OrderState.CLOSED, OrderState.ARCHIVED}
)
BEFORE_WORK = OPEN - WITH_PERFORMER - AFTER_WORK


class DisposalOver(Conflict):
    """这件销毁已经办结或撤回"""


class NotSigned(Conflict):
    """请保管员先签字"""


def open_disposal(
    session: Session, facility: Facility, lot_id: int, cause: str, amount: int, *, actor: Actor, now: datetime
) -> Disposal:
    """Have goods in quarantine destroyed: one disposal of a lot at a time, with its order; more of it is added."""
    known = session.scalars(
        select(Disposal)
        .where(Disposal.lot_id == lot_id, Disposal.facility_id == facility.id, Disposal.state == "open")
        .with_for_update()
    ).one_or_none()
    if known is not None and known.signed_at is None:
        known.amount += amount
        session.flush()
        return known
    if known is not None:
        raise DisposalOver("这一批已有签字待审批的销毁，请先办完")
    days = int(policies.policy(session, facility.community_id, DAYS_POLICY))
    disposal = Disposal(
        community_id=facility.community_id,
        facility_id=facility.id,
        lot_id=lot_id,
        cause=cause,
        amount=amount,
        opened_by=actor.user_id,
        opened_at=now,
        due_on=clock.today(now) + timedelta(days=days),
        occasion=1,
        order_version=0,
        state="open",
    )
    session.add(disposal)
    session.flush()
    audit.record(
        session, "market.open_disposal", "disposals", disposal.id, actor=actor, community_id=facility.community_id
    )
    disposal.order_id = place_order(session, facility, disposal, now=now)
    session.flush()
    return disposal


def place_order(session: Session, facility: Facility, disposal: Disposal, *, now: datetime) -> int:
    """The order of the core for a disposal, at the facility; its id."""
    name = session.scalars(
        select(Goods.name).join(Lot, Lot.goods_id == Goods.id).where(Lot.id == disposal.lot_id)
    ).one()
    draft = orders.OrderDraft(
        description=f"{facility.name}:{name},批次{disposal.lot_id},请到隔离区取走销毁,两人签字",
        service_code=KIND,
        building_id=facility.building_id,
        source="programme",
        origin=ORIGIN,
        origin_id=disposal.id,
        occasion=str(disposal.occasion),
        organisation_id=desk_of(session, facility.community_id),
    )
    return orders.receive(session, draft, actor=SYSTEM, now=now).id


def desk_of(session: Session, community_id: int) -> int:
    """The organisation that takes the orders of a community's programmes: its district, else itself."""
    path = session.scalars(select(Organisation.path).where(Organisation.id == community_id)).one()
    districts = select(Organisation.id).where(Organisation.id.in_(path), Organisation.kind == "district")
    return session.scalars(districts.order_by(Organisation.id.desc()).limit(1)).one_or_none() or community_id


def find_disposal(session: Session, disposal_id: int, *, actor: Actor, locked: bool = False) -> Disposal:
    """The disposal within reach; raises NotFound, and DisposalOver where it is to be locked and is not open."""
    query = select(Disposal).where(Disposal.id == disposal_id, reach.visible(Disposal, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    disposal = session.scalars(query).one_or_none()
    if disposal is None:
        raise NotFound
    if locked and disposal.state != "open":
        raise DisposalOver
    return disposal


def open_disposals(session: Session, facility_id: int, *, actor: Actor) -> Sequence[Disposal]:
    """The open disposals of a facility, the most pressing first."""
    return session.scalars(
        select(Disposal)
        .where(Disposal.facility_id == facility_id, Disposal.state == "open", reach.visible(Disposal, actor))
        .order_by(Disposal.due_on, Disposal.id)
    ).all()


def sign_disposal(
    session: Session, disposal_id: int, way: str, signature: bytes, *, actor: Actor, now: datetime
) -> Disposal:
    """The keeper signs that the goods are destroyed (bin) or given back to the supplier (return): the first of two.

    Raises NotFound, DisposalOver, NotKeeper, Invalid("way" or "signature").
    """
    disposal = find_disposal(session, disposal_id, actor=actor, locked=True)
    demand_keeper(session, disposal.facility_id, actor=actor, now=now)
    if way not in WAYS:
        raise Invalid("way", "请选择厨余清运或退供应商")
    store_signature(session, disposal, signature, actor=actor, now=now)
    disposal.signed_by, disposal.signed_at, disposal.way = actor.user_id, now, way
    session.flush()
    audit.record(
        session, "market.sign_disposal", "disposals", disposal.id, actor=actor, community_id=disposal.community_id
    )
    return disposal


def store_signature(session: Session, disposal: Disposal, signature: bytes, *, actor: Actor, now: datetime) -> None:
    """Keep a signature of a disposal; raises Invalid("signature")."""
    files.store_image(
        session,
        signature,
        subject=Disposal.__tablename__,
        subject_id=disposal.id,
        purpose="signature",
        community_id=disposal.community_id,
        actor=actor,
        now=now,
    )


def approve_disposal(session: Session, disposal_id: int, signature: bytes, *, actor: Actor, now: datetime) -> Disposal:
    """Another person signs second: the goods leave the book. Raises NotSigned, SamePerson, DisposalOver, Invalid."""
    disposal = find_disposal(session, disposal_id, actor=actor, locked=True)
    if disposal.signed_by is None or disposal.way is None:
        raise NotSigned
    refuse_keeper(session, disposal.facility_id, actor=actor, now=now)
    check_three(disposal.signed_by, actor.user_id)
    store_signature(session, disposal, signature, actor=actor, now=now)
    lock_lots(session, [disposal.lot_id])
    step = Step(
        MoveKind.DISPOSE,
        find_facility(session, disposal.facility_id, actor=actor),
        (Piece(disposal.lot_id, disposal.facility_id, Spot.QUARANTINE, -disposal.amount),),
        entry=WAYS[disposal.way],
        reason=disposal.cause,
        origin=ORIGIN,
        origin_id=disposal.id,
        approved_by=actor.user_id,
        moved_by=disposal.signed_by,
    )
    move = write(session, step, actor=actor, now=now)
    disposal.approved_by, disposal.approved_at = actor.user_id, now
    disposal.move_id, disposal.state = move.id, "done"
    session.flush()
    notify.clear_alarms(session, subject=subject_of(disposal), kinds=None, now=now)
    return disposal


def subject_of(disposal: Disposal) -> str:
    """What its alarms are about."""
    return f"disposal:{disposal.id}"


def withdraw_disposal(session: Session, disposal_id: int, *, reason: str, actor: Actor, now: datetime) -> Disposal:
    """An approver takes back a disposal that nobody has signed; the goods stay in quarantine, the order is void."""
    disposal = find_disposal(session, disposal_id, actor=actor, locked=True)
    refuse_keeper(session, disposal.facility_id, actor=actor, now=now)
    if disposal.signed_by is not None:
        raise DisposalOver
    if not reason.strip():
        raise Invalid("reason", "请写明原因")
    disposal.state = "withdrawn"
    session.flush()
    if disposal.order_id is not None:
        order = orders.lock(session, disposal.order_id)
        if OrderState(order.state) in BEFORE_WORK:
            orders.void(session, order, reason=reason, actor=SYSTEM, now=now)
    notify.clear_alarms(session, subject=subject_of(disposal), kinds=None, now=now)
    audit.record(
        session, "market.withdraw_disposal", "disposals", disposal.id, actor=actor, community_id=disposal.community_id
    )
    return disposal


def disposal_order_changed(session: Session, order_id: int, version: int, *, now: datetime) -> bool:
    """Take over what became of a disposal's order; an order that ends without the work is placed again.

    False when that, or something newer, is known already. Whether the goods are gone is said by the signatures.
    """
    disposal = session.scalars(
        select(Disposal)
        .where(Disposal.order_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if disposal is None or disposal.order_version >= version:
        return False
    order = session.get_one(Order, order_id, populate_existing=True)
    disposal.order_version = order.version
    state = OrderState(order.state)
    is_undone = state in WITHOUT_WORK or (state in AFTER_WORK and order.result == NOT_DONE)
    if state in AFTER_WORK and not is_undone:
        disposal.work_done_at = disposal.work_done_at or now
    if is_undone and disposal.state == "open":
        facility = session.get_one(Facility, disposal.facility_id)
        disposal.occasion += 1
        disposal.order_id = place_order(session, facility, disposal, now=now)
        disposal.order_version = 0
    session.flush()
    return True


def alarm_late_disposals(session: Session, facility_id: int, *, now: datetime) -> int:
    """Alarm the disposals whose day is over and that are not signed for; how many there are."""
    late = session.scalars(
        select(Disposal).where(
            Disposal.facility_id == facility_id, Disposal.state == "open", Disposal.due_on < clock.today(now)
        )
    ).all()
    for disposal in late:
        notify.raise_alarm(
            session,
            kind=LATE,
            subject=subject_of(disposal),
            level="warning",
            community_id=disposal.community_id,
            facts={"disposal": disposal.id, "due_on": disposal.due_on.isoformat()},
        )
    return len(late)


def left_in_quarantine(session: Session, disposal: Disposal) -> int:
    """How much of the lot stands apart in the facility."""
    return (
        session.scalars(
            select(LotBalance.amount).where(
                LotBalance.lot_id == disposal.lot_id,
                LotBalance.facility_id == disposal.facility_id,
                LotBalance.spot == str(Spot.QUARANTINE),
            )
        ).one_or_none()
        or 0
    )
