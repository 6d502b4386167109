"""Goods go out, stand elsewhere and come back: each way one step, judged by the one rule before it is written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.funds import Spending
from dispatch.models.market import Disposal, Facility, LotBalance, Movement, StockMove
from dispatch.models.market import Lot as LotRow
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import Line
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.rules.market.picking import NotEnough, Taken, pick
from dispatch.rules.market.shelf import INSIDE, Days, MoveKind, Spot
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import reach
from dispatch.services.market.facilities import demand_keeper, find_facility, refuse_keeper
from dispatch.services.market.lots import (
    Standing,
    check_may_be_given,
    held_for,
    lock_goods,
    lock_lots,
    standings,
)
from dispatch.services.market.writing import Piece, Step, write

LONGEST_REASON = 300
ENTRY_OF = {
    MoveKind.HAND_OUT: EntryKind.HAND_OUT,
    MoveKind.PARCEL: EntryKind.PARCEL,
    MoveKind.SHIPMENT: EntryKind.SHIPMENT,
    MoveKind.SALE: EntryKind.SALE,
}


class BeingDestroyed(Conflict):
    """这一批正在销毁，要放回先撤回销毁"""


class AlreadyReversed(Conflict):
    """这一笔出入库已经冲正过了，或者不能冲正"""


@dataclass(frozen=True, slots=True)
class Wish:
    """So much of some goods; of one lot where it must be that one, of one fund, or one fund and wish, where it must."""

    goods_id: int
    amount: int
    lot_id: int | None = None
    fund_id: int | None = None
    purse: tuple[int, int | None] | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes out at once: hand_out, parcel, shipment or sale, of which goods, for which purpose, signed when.

    A shipment says until when it will be eaten; with `transit_id` (a holding) it is on its way and still owed.
    `lines` are money that comes or goes with it (a sale). `origin` and `origin_id` make it happen once.
    """

    kind: MoveKind
    facility_id: int
    wishes: tuple[Wish, ...]
    purpose: Purpose | None = None
    signed_on: date | None = None
    consumed_on: date | None = None
    transit_id: int | None = None
    reason: str = ""
    origin: str | None = None
    origin_id: int | None = None
    occasion: int = 1
    lines: tuple[Line, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class TakenLot:
    """What was taken of a lot: goods, amount, and the last good day as it was then."""

    lot_id: int
    goods_id: int
    amount: int
    last_good_day: date | None


@dataclass(frozen=True, slots=True)
class MovedOut:
    """The step and what was taken, lot by lot."""

    move: StockMove
    taken: Sequence[TakenLot]


def move_out(session: Session, outgoing: Outgoing, *, actor: Actor, now: datetime) -> MovedOut:
    """Give goods: the lot that ends first goes first, by itself; nothing that may not be given, never too much.

    Two who take the same goods stand in line; whoever is second sees what is left. Raises NotFound, Invalid,
    MayNotBeGiven (a lot that was named), NotEnough, BeingCounted, and what funds.post raises.
    """
    if outgoing.kind not in ENTRY_OF or not outgoing.wishes:
        raise Invalid("wishes", "请选择物品")
    facility = find_facility(session, outgoing.facility_id, actor=actor)
    lock_goods(session, (one.goods_id for one in outgoing.wishes))
    days = Days(outgoing.signed_on or clock.today(now), clock.today(now), outgoing.consumed_on)
    taken = take(session, facility, outgoing, days)
    step = Step(
        outgoing.kind,
        facility,
        tuple(Piece(lot_id, facility.id, spot, -amount) for (lot_id, spot), (_, amount) in taken.items()),
        entry=EntryKind.TRANSFER if outgoing.transit_id is not None else ENTRY_OF[outgoing.kind],
        purpose=outgoing.purpose if outgoing.transit_id is None and outgoing.kind is not MoveKind.SALE else None,
        signed_on=outgoing.signed_on,
        consumed_on=outgoing.consumed_on,
        reason=outgoing.reason,
        origin=outgoing.origin,
        origin_id=outgoing.origin_id,
        occasion=outgoing.occasion,
        transit_id=outgoing.transit_id,
        lines=outgoing.lines,
    )
    move = write(session, step, actor=actor, now=now)
    return MovedOut(
        move,
        [
            TakenLot(lot_id, standing.goods_id, amount, standing.shelf.last_good_day)
            for (lot_id, _), (standing, amount) in taken.items()
        ],
    )


def take(
    session: Session, facility: Facility, outgoing: Outgoing, days: Days
) -> dict[tuple[int, Spot], tuple[Standing, int]]:
    """What to take of which lot at which spot, for all wishes; raises NotEnough, MayNotBeGiven."""
    conditions = [
        LotBalance.facility_id == facility.id,
        LotRow.goods_id.in_({one.goods_id for one in outgoing.wishes}),
        *held_for(outgoing.purpose),
    ]
    stock = {(one.lot_id, one.shelf.spot): one for one in standings(session, *conditions)}
    left = Counter({place: one.free for place, one in stock.items()})
    amounts: Counter[tuple[int, Spot]] = Counter()
    for wish in outgoing.wishes:
        for one in taken_for(wish, stock, left, outgoing.kind, days):
            left[one.lot_id, one.spot] -= one.amount
            amounts[one.lot_id, one.spot] += one.amount
    return {place: (stock[place], amount) for place, amount in sorted(amounts.items())}


def taken_for(
    wish: Wish,
    stock: dict[tuple[int, Spot], Standing],
    left: Counter[tuple[int, Spot]],
    kind: MoveKind,
    days: Days,
) -> Sequence[Taken]:
    """What is taken for one wish; raises NotEnough, or MayNotBeGiven for a lot that was named."""
    if wish.amount < 1:
        raise Invalid("amount", "请填写数量")
    found = [
        one
        for one in stock.values()
        if one.goods_id == wish.goods_id
        and wish.lot_id in {None, one.lot_id}
        and wish.fund_id in {None, one.fund_id}
        and wish.purse in {None, (one.fund_id, one.earmark_id)}
        and left[one.lot_id, one.shelf.spot] > 0
    ]
    try:
        available = [one.available for one in found]
        return pick(
            [type(one)(one.lot_id, left[one.lot_id, one.shelf.spot], one.shelf) for one in available],
            wish.amount,
            kind,
            days,
        )
    except NotEnough:
        if wish.lot_id is not None:
            for one in found:
                check_may_be_given(one.shelf, kind, days)
        raise


@dataclass(frozen=True, slots=True)
class Shift:
    """So much of a lot from one spot to another."""

    lot_id: int
    amount: int
    from_spot: Spot
    to_spot: Spot


def shift(
    session: Session,
    facility_id: int,
    kind: MoveKind,
    shifts: Sequence[Shift],
    *,
    reason: str = "",
    approved_by: int | None = None,
    actor: Actor,
    now: datetime,
) -> StockMove:
    """Put goods elsewhere in a facility: the keeper shelves (store ⇄ shelf) and quarantines, another person releases.

    What is shelved or released must be good. Raises NotKeeper, SamePerson, Invalid, MayNotBeGiven, NotEnough,
    BeingDestroyed.
    """
    facility = find_facility(session, facility_id, actor=actor)
    if kind is MoveKind.RELEASE:
        refuse_keeper(session, facility_id, actor=actor, now=now)
        refuse_while_destroyed(session, facility_id, {one.lot_id for one in shifts})
    else:
        demand_keeper(session, facility_id, actor=actor, now=now)
    check_text("reason", reason, LONGEST_REASON)
    if kind not in INSIDE or not shifts or any(one.amount < 1 or one.from_spot == one.to_spot for one in shifts):
        raise Invalid("amount", "请填写数量")
    return write_shift(session, facility, kind, shifts, reason=reason, approved_by=approved_by, actor=actor, now=now)


def refuse_while_destroyed(session: Session, facility_id: int, lot_ids: set[int]) -> None:
    """Refuse the release of what is to be destroyed; raises BeingDestroyed."""
    query = select(Disposal.id).where(
        Disposal.facility_id == facility_id, Disposal.lot_id.in_(lot_ids), Disposal.state == "open"
    )
    if session.execute(query).first() is not None:
        raise BeingDestroyed


def write_shift(
    session: Session,
    facility: Facility,
    kind: MoveKind,
    shifts: Sequence[Shift],
    *,
    reason: str = "",
    approved_by: int | None = None,
    actor: Actor,
    now: datetime,
) -> StockMove:
    """Write such a step for whoever may; raises MayNotBeGiven, NotEnough."""
    lot_ids = {one.lot_id for one in shifts}
    lock_lots(session, lot_ids)
    found = standings(session, LotBalance.facility_id == facility.id, LotBalance.lot_id.in_(lot_ids))
    stock = {(one.lot_id, one.shelf.spot): one for one in found}
    today = clock.today(now)
    pieces: Counter[tuple[int, Spot]] = Counter()
    for one in shifts:
        standing = stock.get((one.lot_id, one.from_spot))
        if standing is None or standing.amount + pieces[one.lot_id, one.from_spot] < one.amount:
            raise NotEnough(left=standing.amount if standing else 0)
        check_may_be_given(standing.shelf, kind, Days(today, today))
        pieces[one.lot_id, one.from_spot] -= one.amount
        pieces[one.lot_id, one.to_spot] += one.amount
    step = Step(
        kind,
        facility,
        tuple(Piece(lot_id, facility.id, spot, amount) for (lot_id, spot), amount in pieces.items()),
        reason=reason,
        approved_by=approved_by,
    )
    return write(session, step, actor=actor, now=now)


def transfer(
    session: Session,
    facility_id: int,
    to_facility_id: int,
    lots: Sequence[tuple[int, Spot, int]],
    *,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> StockMove:
    """Bring goods (lot, spot, amount) to another facility: into its store, what stands apart into its quarantine."""
    facility = find_facility(session, facility_id, actor=actor)
    other = find_facility(session, to_facility_id, actor=actor)
    demand_keeper(session, facility_id, actor=actor, now=now)
    check_text("reason", reason, LONGEST_REASON)
    if other.holding_id is None or other.id == facility.id or other.community_id != facility.community_id:
        raise Invalid("to_facility_id", "请选择另一个超市")
    lock_lots(session, {lot_id for lot_id, _, _ in lots})
    check_there(session, facility.id, lots)
    pieces: Counter[tuple[int, int, Spot]] = Counter()
    for lot_id, spot, amount in lots:
        pieces[lot_id, facility.id, spot] -= amount
        pieces[lot_id, other.id, Spot.QUARANTINE if spot is Spot.QUARANTINE else Spot.STORE] += amount
    step = Step(
        MoveKind.TRANSFER,
        facility,
        tuple(Piece(*place, amount) for place, amount in pieces.items()),
        entry=EntryKind.TRANSFER,
        reason=reason,
    )
    return write(session, step, actor=actor, now=now)


def check_there(session: Session, facility_id: int, lots: Sequence[tuple[int, Spot, int]]) -> None:
    """Refuse more than stands there and is promised to nobody; raises NotEnough, Invalid."""
    found = session.execute(
        select(LotBalance.lot_id, LotBalance.spot, (LotBalance.amount - LotBalance.reserved).label("free")).where(
            LotBalance.facility_id == facility_id, LotBalance.lot_id.in_({lot_id for lot_id, _, _ in lots})
        )
    )
    left = Counter({(row.lot_id, Spot(row.spot)): row.free for row in found})
    for lot_id, spot, amount in lots:
        if amount < 1:
            raise Invalid("amount", "请填写数量")
        if left[lot_id, spot] < amount:
            raise NotEnough(left=left[lot_id, spot])
        left[lot_id, spot] -= amount


def reverse(
    session: Session, move_id: int, *, reason: str, actor: Actor, now: datetime, asked: Spending | None = None
) -> StockMove:
    """Take a step back whole, with its entry: what was written by mistake never happened.

    Raises NotFound, AlreadyReversed, and what `funds.reverse` raises: one's own step is asked for first.
    """
    first = session.scalars(
        select(StockMove).where(StockMove.id == move_id, reach.visible(StockMove, actor))
    ).one_or_none()
    if first is None:
        raise NotFound
    check_text("reason", reason, LONGEST_REASON)
    if not reason.strip():
        raise Invalid("reason", "请写明冲正的原因")
    rows = session.scalars(select(Movement).where(Movement.move_id == move_id)).all()
    lock_lots(session, {row.lot_id for row in rows})
    known = session.execute(select(StockMove.id).where(StockMove.reverses_id == move_id)).first()
    if known is not None or MoveKind(first.kind) in INSIDE | {MoveKind.REVERSE}:
        raise AlreadyReversed
    step = Step(
        MoveKind.REVERSE,
        find_facility(session, first.facility_id, actor=actor),
        tuple(Piece(row.lot_id, row.facility_id, Spot(row.spot), -row.amount) for row in rows),
        reason=reason.strip(),
        reverses=first,
        asked=asked,
    )
    return write(session, step, actor=actor, now=now)
