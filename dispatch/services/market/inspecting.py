"""Rounds of inspection: they start themselves, go lot by lot, set apart what is not good, alarm when missed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import SQLColumnExpression, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.errors import Conflict, NotFound
from dispatch.models.market import (
    Count,
    Disposal,
    Facility,
    Goods,
    Inspection,
    InspectionTick,
    Lot,
    LotBalance,
    Movement,
    StockMove,
)
from dispatch.rules.access.roles import CLOCK, Actor
from dispatch.rules.market.keeping import DESTROYED, Finding, check_finding, expected_finding
from dispatch.rules.market.shelf import Days, MoveKind, Spot, may_be_given
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import audit, policies, reach
from dispatch.services.market.disposing import alarm_late_disposals, open_disposal
from dispatch.services.market.facilities import demand_keeper
from dispatch.services.market.lots import Standing, lock_lots, standings
from dispatch.services.market.moving import Shift, write_shift

MISSED = "inspection_missed"
EVERY, DUE, RECEIPT, NEAR = (
    "market.inspection_every_days",
    "market.inspection_due_days",
    "market.receipt_inspection_days",
    "market.near_expiry_days",
)
PAST = "过保质期，自动移入隔离区"


class NothingToTick(Conflict):
    """这一批已经检查过，或者不在这次检查里"""


def near_days(session: Session, community_id: int) -> int:
    """How many days before its last good day a lot is near its end (policy)."""
    return int(policies.policy(session, community_id, NEAR))


def keep_facilities(session: Session, period: str) -> int:
    """Enqueue the day's work for every facility that has stock, each in a transaction of its own; how many."""
    ids = session.scalars(
        select(Facility.id).where(Facility.holding_id.is_not(None), Facility.closed_on.is_(None)).order_by(Facility.id)
    ).all()
    for facility_id in ids:
        queue.enqueue(
            session,
            "market.keep_facility",
            lane=Lane.PERIODIC,
            reference=facility_id,
            dedupe=f"market.keep_facility:{period}:{facility_id}",
        )
    return len(ids)


def keep_facility(session: Session, facility_id: int, *, now: datetime) -> None:
    """The day's work of one facility: set apart what is past its day, begin a round that is due, alarm what is late.

    A facility that is being counted is left alone; the end of the count asks for this again.
    """
    facility = session.get_one(Facility, facility_id, with_for_update={"key_share": True}, populate_existing=True)
    counted = session.execute(select(Count.id).where(Count.facility_id == facility_id, Count.state == "open"))
    if counted.first() is None:
        set_past_apart(session, facility, now=now)
    destroy_past(session, facility, now=now)
    start_round(session, facility, now=now)
    alarm_missed(session, facility_id, now=now)
    alarm_late_disposals(session, facility_id, now=now)


def set_past_apart(session: Session, facility: Facility, *, now: datetime) -> int:
    """Move everything that may not be given any more into quarantine, with a disposal; how many lots."""
    today = clock.today(now)
    conditions = [LotBalance.facility_id == facility.id, LotBalance.spot != str(Spot.QUARANTINE), Lot.is_food]
    ids = sorted({one.lot_id for one in standings(session, *conditions)})
    lock_lots(session, ids)
    past = [
        one
        for one in standings(session, *conditions)
        if not may_be_given(one.shelf, MoveKind.HAND_OUT, Days(today, today))
    ]
    if past:
        set_apart(session, facility, past, "expired", reason=PAST, actor=CLOCK, now=now)
    return len(past)


def destroy_past(session: Session, facility: Facility, *, now: datetime) -> int:
    """Have everything destroyed that stands apart and is past its day, or food without one; how many lots."""
    today = clock.today(now)
    waiting = select(Disposal.lot_id).where(Disposal.facility_id == facility.id, Disposal.state == "open")
    conditions: list[SQLColumnExpression[bool]] = [
        LotBalance.facility_id == facility.id,
        LotBalance.spot == str(Spot.QUARANTINE),
        LotBalance.lot_id.not_in(waiting),
    ]
    past = [
        one
        for one in standings(session, *conditions)
        if not may_be_given(one.shelf, MoveKind.RELEASE, Days(today, today))
    ]
    for one in past:
        open_disposal(session, facility, one.lot_id, "expired", one.amount, actor=CLOCK, now=now)
    return len(past)


def set_apart(
    session: Session,
    facility: Facility,
    found: Sequence[Standing],
    cause: str,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> StockMove:
    """Move all of these into quarantine and have them destroyed."""
    shifts = [Shift(one.lot_id, one.amount, one.shelf.spot, Spot.QUARANTINE) for one in found]
    move = write_shift(session, facility, MoveKind.QUARANTINE, shifts, reason=reason, actor=actor, now=now)
    for one in found:
        open_disposal(session, facility, one.lot_id, cause, one.amount, actor=actor, now=now)
    return move


def start_round(session: Session, facility: Facility, *, now: datetime) -> Inspection | None:
    """Begin the regular round when the last one began so many days ago (policy), or none ever did."""
    values = policies.policies(session, facility.community_id, (EVERY, DUE))
    last = session.scalars(
        select(func.max(Inspection.started_at)).where(
            Inspection.facility_id == facility.id, Inspection.move_id.is_(None)
        )
    ).one()
    today = clock.today(now)
    if last is not None and clock.today(last) + timedelta(days=int(values[EVERY])) > today:
        return None
    return begin(session, facility, f"round:{today.isoformat()}", int(values[DUE]), None, now=now)


def inspect_receipt(session: Session, facility: Facility, move: StockMove, *, now: datetime) -> Inspection | None:
    """Begin the round of a receipt's food."""
    days = int(policies.policy(session, facility.community_id, RECEIPT))
    return begin(session, facility, f"receipt:{move.id}", days, move.id, now=now)


def begin(
    session: Session, facility: Facility, occasion: str, days: int, move_id: int | None, *, now: datetime
) -> Inspection | None:
    """Begin a round once: UNIQUE(facility, occasion). One with nothing to look at is over at once."""
    made = session.execute(
        upsert(Inspection)
        .values(
            community_id=facility.community_id,
            facility_id=facility.id,
            occasion=occasion,
            move_id=move_id,
            started_at=now,
            due_on=clock.today(now) + timedelta(days=days),
        )
        .on_conflict_do_nothing(index_elements=["facility_id", "occasion"])
        .returning(Inspection.id)
    ).scalar_one_or_none()
    if made is None:
        return None
    inspection = session.get_one(Inspection, made)
    finish_when_done(session, inspection, by=None, now=now)
    return inspection


def find_inspection(session: Session, inspection_id: int, *, actor: Actor, locked: bool = False) -> Inspection:
    """The round within reach; raises NotFound."""
    query = select(Inspection).where(Inspection.id == inspection_id, reach.visible(Inspection, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    inspection = session.scalars(query).one_or_none()
    if inspection is None:
        raise NotFound
    return inspection


def open_inspections(session: Session, facility_id: int, *, actor: Actor) -> Sequence[Inspection]:
    """The rounds of a facility that are not done, the most pressing first."""
    return session.scalars(
        select(Inspection)
        .where(Inspection.facility_id == facility_id, Inspection.done_at.is_(None), reach.visible(Inspection, actor))
        .order_by(Inspection.due_on, Inspection.id)
    ).all()


def to_tick(session: Session, inspection: Inspection) -> Sequence[Standing]:
    """The food that a round has still to look at: what stands in store or on the shelf and has no tick yet."""
    ticked = select(InspectionTick.lot_id, InspectionTick.spot).where(InspectionTick.inspection_id == inspection.id)
    conditions: list[SQLColumnExpression[bool]] = [
        LotBalance.facility_id == inspection.facility_id,
        LotBalance.spot != str(Spot.QUARANTINE),
        Lot.is_food,
        tuple_(LotBalance.lot_id, LotBalance.spot).not_in(ticked),
    ]
    if inspection.move_id is not None:
        came = select(Movement.lot_id).where(Movement.move_id == inspection.move_id)
        conditions.append(LotBalance.lot_id.in_(came))
    else:
        conditions.append(or_(Lot.created_at <= inspection.started_at, Lot.is_kit))
    return standings(session, *conditions)


def ticks_of(session: Session, inspection_id: int) -> Sequence[tuple[InspectionTick, str]]:
    """What was ticked in a round, with the name of the goods, newest first."""
    rows = session.execute(
        select(InspectionTick, Goods.name)
        .join(Lot, Lot.id == InspectionTick.lot_id)
        .join(Goods, Goods.id == Lot.goods_id)
        .where(InspectionTick.inspection_id == inspection_id)
        .order_by(InspectionTick.ticked_at.desc(), InspectionTick.lot_id)
    )
    return [(ticked, name) for ticked, name in rows]


def tick(
    session: Session,
    inspection_id: int,
    lot_id: int,
    spot: Spot,
    finding: Finding,
    *,
    amount: int | None = None,
    actor: Actor,
    now: datetime,
) -> Inspection:
    """Tick one lot at one spot: good, near its end, past it, or spoiled (how much). What is not good stands apart.

    The last tick ends the round. Raises NotFound, NotKeeper, NothingToTick, Invalid("finding" or "amount").
    """
    inspection = find_inspection(session, inspection_id, actor=actor, locked=True)
    demand_keeper(session, inspection.facility_id, actor=actor, now=now)
    lock_lots(session, [lot_id])
    found = next((one for one in to_tick(session, inspection) if (one.lot_id, one.shelf.spot) == (lot_id, spot)), None)
    if found is None or inspection.done_at is not None:
        raise NothingToTick
    near = near_days(session, inspection.community_id)
    expected = expected_finding(found.shelf, today=clock.today(now), near_days=near)
    apart = check_finding(finding, expected, amount, left=found.amount)
    facility = session.get_one(Facility, inspection.facility_id)
    move_id = tick_apart(session, facility, found, finding, apart, actor=actor, now=now)
    ticked = InspectionTick(
        inspection_id=inspection.id,
        lot_id=lot_id,
        spot=str(spot),
        community_id=inspection.community_id,
        finding=str(finding),
        amount=apart,
        move_id=move_id,
        ticked_by=actor.user_id,
        ticked_at=now,
    )
    enter_tick(session, inspection, ticked, actor=actor)
    finish_when_done(session, inspection, by=actor.user_id, now=now)
    return inspection


def enter_tick(session: Session, inspection: Inspection, ticked: InspectionTick, *, actor: Actor) -> None:
    """Enter a tick of a round; audited."""
    session.add(ticked)
    session.flush()
    audit.record(
        session,
        "market.tick",
        "inspections",
        inspection.id,
        actor=actor,
        community_id=inspection.community_id,
        fields={"lot": str(ticked.lot_id), "finding": ticked.finding},
    )


def tick_apart(
    session: Session,
    facility: Facility,
    found: Standing,
    finding: Finding,
    amount: int,
    *,
    actor: Actor,
    now: datetime,
) -> int | None:
    """Set an amount of what was found apart, and have it destroyed where that is sure; the step, None for nothing."""
    if not amount:
        return None
    shifts = [Shift(found.lot_id, amount, found.shelf.spot, Spot.QUARANTINE)]
    kind = MoveKind.QUARANTINE
    move = write_shift(session, facility, kind, shifts, reason=str(finding), actor=actor, now=now)
    if finding in DESTROYED:
        open_disposal(session, facility, found.lot_id, str(finding), amount, actor=actor, now=now)
    return move.id


def finish_when_done(session: Session, inspection: Inspection, *, by: int | None, now: datetime) -> None:
    """End a round that has nothing left to look at; its alarm is over."""
    if inspection.done_at is None and not to_tick(session, inspection):
        inspection.done_at, inspection.done_by = now, by
        session.flush()
        notify.clear_alarms(session, subject=f"inspection:{inspection.id}", kinds=(MISSED,), now=now)


def alarm_missed(session: Session, facility_id: int, *, now: datetime) -> int:
    """Alarm the rounds of a facility whose day is over; how many there are."""
    missed = session.scalars(
        select(Inspection).where(
            Inspection.facility_id == facility_id,
            Inspection.done_at.is_(None),
            Inspection.due_on < clock.today(now),
        )
    ).all()
    for inspection in missed:
        notify.raise_alarm(
            session,
            kind=MISSED,
            subject=f"inspection:{inspection.id}",
            level="warning",
            community_id=inspection.community_id,
            facts={"inspection": inspection.id, "due_on": inspection.due_on.isoformat()},
        )
    return len(missed)
