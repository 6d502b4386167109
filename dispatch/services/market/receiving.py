"""Goods come in: lots with their dates and purposes, set apart at once where they may not be given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.funds import Fund
from dispatch.models.market import Facility, Goods, Lot, Recall, StockMove
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import Line
from dispatch.rules.funds.terms import EntryKind, Owner
from dispatch.rules.market.shelf import (
    Days,
    LifeUnit,
    LotShelf,
    MoveKind,
    ShelfLife,
    Spot,
    check_dates,
    last_good_day,
    may_be_given,
)
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import reach
from dispatch.services.market.facilities import demand_keeper, find_facility
from dispatch.services.market.inspecting import inspect_receipt
from dispatch.services.market.lots import lock_goods
from dispatch.services.market.overview import purses
from dispatch.services.market.writing import Piece, Step, write

LONGEST_BATCH = 40
MOST_LOTS = 100
MOST_AMOUNT = 1_000_000_000
COMING = frozenset({EntryKind.OPENING, EntryKind.GIFT, EntryKind.PURCHASE, EntryKind.SURPLUS})


@dataclass(frozen=True, slots=True)
class LotDraft:
    """A lot to be: goods, amount in grams or pieces, for which fund and wish, and the dates on the package.

    Without a shelf life that of the goods holds. `replaces_id` is the lot whose dates were wrong; then `approved_by`.
    """

    goods_id: int
    amount: int
    fund_id: int
    earmark_id: int | None = None
    produced_on: date | None = None
    life: ShelfLife | None = None
    expires_on: date | None = None
    batch_number: str | None = None
    replaces_id: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What comes in at once, of which kind in the journal, for what (`origin`), with the money that goes (`lines`)."""

    facility_id: int
    lots: tuple[LotDraft, ...]
    entry: EntryKind = EntryKind.GIFT
    reason: str = ""
    origin: str | None = None
    origin_id: int | None = None
    occasion: int = 1
    approved_by: int | None = None
    lines: tuple[Line, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Received:
    """The step, and the lots in the order of the receipt."""

    move: StockMove
    lots: Sequence[Lot]


def receive(session: Session, receipt: Receipt, *, actor: Actor, now: datetime) -> Received:
    """Take goods in: lots, movements, the entry of the journal; food is inspected from then on.

    What may not be given today (past its day, food without one) goes into quarantine at once. By hand only the
    keeper takes in; for an `origin` whoever may do that. Raises NotFound, NotKeeper, Invalid naming the field.
    """
    facility = find_facility(session, receipt.facility_id, actor=actor)
    if receipt.origin is None:
        demand_keeper(session, facility.id, actor=actor, now=now)
        check_purses(session, facility, receipt, actor=actor)
    check_receipt(session, facility, receipt)
    goods = goods_of(session, receipt, actor=actor)
    lock_goods(session, goods)
    lots = [make_lot(facility, goods[one.goods_id], one, receipt, actor=actor, now=now) for one in receipt.lots]
    call_back(session, lots)
    session.add_all(lots)
    session.flush()
    pieces = tuple(
        Piece(lot.id, facility.id, first_spot(lot, clock.today(now)), draft.amount)
        for lot, draft in zip(lots, receipt.lots, strict=True)
    )
    step = Step(
        MoveKind.RECEIVE,
        facility,
        pieces,
        entry=receipt.entry,
        reason=receipt.reason,
        origin=receipt.origin,
        origin_id=receipt.origin_id,
        occasion=receipt.occasion,
        approved_by=receipt.approved_by,
        lines=receipt.lines,
    )
    move = write(session, step, actor=actor, now=now)
    if any(lot.is_food for lot in lots):
        inspect_receipt(session, facility, move, now=now)
    return Received(move, lots)


def check_purses(session: Session, facility: Facility, receipt: Receipt, *, actor: Actor) -> None:
    """What is taken in by hand is for an open fund of the community, or a wish of it; raises Invalid("fund_id")."""
    known = {(fund_id, earmark_id) for fund_id, earmark_id, _ in purses(session, facility.community_id, actor=actor)}
    if any((one.fund_id, one.earmark_id) not in known for one in receipt.lots):
        raise Invalid("fund_id", "没有这个基金，请重新选择")


def check_receipt(session: Session, facility: Facility, receipt: Receipt) -> None:
    """Refuse a receipt that cannot be; raises Invalid naming the field."""
    if facility.holding_id is None:
        raise Invalid("facility_id", "爱心聊吧不存放物资，请选择超市")
    if receipt.entry not in COMING:
        raise Invalid("entry", "请选择期初、捐赠、采购或盘盈")
    if not 1 <= len(receipt.lots) <= MOST_LOTS:
        raise Invalid("lots", "一次入库至少一批，最多 100 批")
    if any(not 1 <= one.amount <= MOST_AMOUNT for one in receipt.lots):
        raise Invalid("amount", "请填写数量")
    if facility.kind == "overseas_market":
        wanted = {one.fund_id for one in receipt.lots}
        owners = session.execute(select(Fund.id).where(Fund.id.in_(wanted), Fund.owner == str(Owner.OVERSEAS)))
        if len(owners.all()) != len(wanted):
            raise Invalid("fund_id", "侨爱超市只收侨爱基金的物资")


def goods_of(session: Session, receipt: Receipt, *, actor: Actor) -> dict[int, Goods]:
    """The goods of a receipt; raises Invalid("goods_id") for what is not in the catalogue."""
    wanted = {one.goods_id for one in receipt.lots}
    rows = session.scalars(select(Goods).where(Goods.id.in_(wanted), reach.visible(Goods, actor))).all()
    found = {one.id: one for one in rows}
    if wanted - found.keys():
        raise Invalid("goods_id", "物品目录里没有这一种，请重新选择")
    return found


def make_lot(
    facility: Facility, goods: Goods, draft: LotDraft, receipt: Receipt, *, actor: Actor, now: datetime
) -> Lot:
    """The lot of a draft; raises Invalid naming the date that cannot be."""
    life = draft.life or life_of(goods)
    today = clock.today(now)
    check_dates(draft.produced_on, life, draft.expires_on, today=today)
    check_text("batch_number", draft.batch_number or "", LONGEST_BATCH)
    return Lot(
        community_id=facility.community_id,
        goods_id=goods.id,
        is_food=goods.is_food,
        commodity=goods.commodity,
        fund_id=draft.fund_id,
        earmark_id=draft.earmark_id,
        batch_number=(draft.batch_number or "").strip() or None,
        produced_on=draft.produced_on,
        life_amount=life.amount if life else None,
        life_unit=str(life.unit) if life else None,
        expires_on=draft.expires_on,
        received_on=today,
        replaces_id=draft.replaces_id,
        created_by=actor.user_id,
        approved_by=receipt.approved_by,
        created_at=now,
    )


def call_back(session: Session, lots: Sequence[Lot]) -> None:
    """Mark the lots of batches that were called back before they came."""
    rows = session.execute(
        select(Recall.goods_id, Recall.batch_number, Recall.id)
        .where(Recall.goods_id.in_({lot.goods_id for lot in lots}), Recall.batch_number.is_not(None))
        .order_by(Recall.id)
    )
    known = {(goods_id, batch): recall_id for goods_id, batch, recall_id in rows}
    for lot in lots:
        lot.recall_id = known.get((lot.goods_id, lot.batch_number))


def life_of(goods: Goods) -> ShelfLife | None:
    """What the shelf life of goods usually is."""
    if goods.life_amount is None or goods.life_unit is None:
        return None
    return ShelfLife(goods.life_amount, LifeUnit(goods.life_unit))


def first_spot(lot: Lot, today: date) -> Spot:
    """Where a new lot goes: to the store, or set apart when it may not be given today."""
    life = None if lot.life_amount is None else ShelfLife(lot.life_amount, LifeUnit(lot.life_unit or ""))
    last = last_good_day(lot.produced_on, life, lot.expires_on)
    shelf = LotShelf(lot.is_food, last, today, is_recalled=lot.recall_id is not None)
    return Spot.STORE if may_be_given(shelf, MoveKind.SHELVE, Days(today, today)) else Spot.QUARANTINE
