"""Lots: what stands where and may be given; locked for whoever takes of it; dates that only come forward."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, SQLColumnExpression, column, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Boolean, Date, Text

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.funds import Earmark, Fund
from dispatch.models.market import Goods, Lot, LotBalance, LotPart
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import Purpose
from dispatch.rules.market.picking import Available
from dispatch.rules.market.shelf import Days, LotShelf, MoveKind, Refusal, Spot, refusal
from dispatch.services.access import audit, reach

MOST_SHOWN = 1_000
WHY = {
    Refusal.RECALLED: "这一批已经召回，不能发放，请移入隔离区",
    Refusal.QUARANTINED: "这一批在隔离区，不能发放",
    Refusal.NO_DAY_OF_USE: "请填写预计食用的最后日期",
    Refusal.SIGNED_LATER: "签字日期不能晚于今天",
    Refusal.NOT_YET_HERE: "签字日期早于这一批入库的日期",
    Refusal.UNKNOWN_DAY: "这一批食品保质期不明，不能发放，请移入隔离区",
    Refusal.PAST: "这一批已过保质期，不能发放，请移入隔离区",
}


class MayNotBeGiven(Conflict):
    """这一批不能发放"""


@dataclass(frozen=True, slots=True)
class Standing:
    """So much of a lot at a spot of a facility, with what decides about it and what it is held for."""

    lot_id: int
    facility_id: int
    goods_id: int
    goods: str
    unit: str
    commodity: str
    fund_id: int
    earmark_id: int | None
    batch_number: str | None
    amount: int
    shelf: LotShelf
    reserved: int = 0

    @property
    def free(self) -> int:
        """What of it is promised to nobody; none where more is promised than stands there."""
        return max(0, self.amount - self.reserved)

    @property
    def available(self) -> Available:
        """The same as picking sees it."""
        return Available(self.lot_id, self.free, self.shelf)


def shelf_of_lot() -> FromClause:
    """What decides about the lot of a row, its parts included (market_shelf in the database)."""
    kinds = (("is_food", Boolean()), ("last_good_day", Date()), ("received_on", Date()), ("is_recalled", Boolean()))
    columns = [column(name, kind) for name, kind in kinds]
    return func.market_shelf(Lot.id).table_valued(*columns).lateral("shelf")


def standing_query(*conditions: SQLColumnExpression[bool]) -> Select[*tuple[Any, ...]]:
    """What stands somewhere, by goods and first out first."""
    shelf = shelf_of_lot()
    return (
        select(
            LotBalance.lot_id,
            LotBalance.facility_id,
            LotBalance.spot,
            LotBalance.amount,
            LotBalance.reserved,
            Lot.goods_id,
            Lot.commodity,
            Lot.fund_id,
            Lot.earmark_id,
            Lot.batch_number,
            Goods.name,
            Goods.unit,
            *shelf.c,
        )
        .join(Lot, Lot.id == LotBalance.lot_id)
        .join(Goods, Goods.id == Lot.goods_id)
        .join(shelf, true())
        .where(LotBalance.amount > 0, *conditions)
        .order_by(Goods.name_key, shelf.c.last_good_day.nulls_last(), LotBalance.lot_id, LotBalance.spot)
    )


def standing_of(row: Any) -> Standing:
    """A row of such a query."""
    return Standing(
        lot_id=row.lot_id,
        facility_id=row.facility_id,
        goods_id=row.goods_id,
        goods=row.name,
        unit=row.unit,
        commodity=row.commodity,
        fund_id=row.fund_id,
        earmark_id=row.earmark_id,
        batch_number=row.batch_number,
        amount=row.amount,
        shelf=LotShelf(row.is_food, row.last_good_day, row.received_on, Spot(row.spot), row.is_recalled),
        reserved=row.reserved,
    )


def standings(session: Session, *conditions: SQLColumnExpression[bool], limit: int = MOST_SHOWN) -> Sequence[Standing]:
    """What stands somewhere under conditions on lots and balances; one query."""
    return [standing_of(row) for row in session.execute(standing_query(*conditions).limit(limit))]


def stock_of(session: Session, facility_id: int, *, actor: Actor, goods_id: int | None = None) -> Sequence[Standing]:
    """What stands in a facility within reach, by goods in Chinese order, first out first."""
    conditions = [LotBalance.facility_id == facility_id, reach.visible(LotBalance, actor)]
    if goods_id is not None:
        conditions.append(Lot.goods_id == goods_id)
    return standings(session, *conditions)


def lock_goods(session: Session, goods_ids: Iterable[int]) -> None:
    """Lock goods until the end of the transaction: whoever takes of the same goods waits, and then sees what is left.

    By rising id, so that nobody waits in a circle; before anything of the journal.
    """
    wanted = sorted(set(goods_ids))
    session.execute(select(Goods.id).where(Goods.id.in_(wanted)).order_by(Goods.id).with_for_update(key_share=True))


def lock_lots(session: Session, lot_ids: Iterable[int]) -> None:
    """Lock the goods of lots."""
    wanted = set(lot_ids)
    lock_goods(session, session.scalars(select(Lot.goods_id).where(Lot.id.in_(wanted)).distinct()))


def held_for(purpose: Purpose | None) -> list[ColumnElement[bool]]:
    """The conditions that a lot's fund and wish allow a purpose."""
    if purpose is None:
        return []
    words = literal([str(purpose), str(Purpose.ANY)], ARRAY(Text))
    funds = select(Fund.id).where(Fund.purposes.overlap(words))
    wishes = select(Earmark.id).where(Earmark.purposes.overlap(words))
    return [Lot.fund_id.in_(funds), or_(Lot.earmark_id.is_(None), Lot.earmark_id.in_(wishes))]


def check_may_be_given(standing: LotShelf, kind: MoveKind, days: Days) -> None:
    """Refuse what the one rule refuses; raises MayNotBeGiven with the reason."""
    reason = refusal(standing, kind, days)
    if reason is not None:
        raise MayNotBeGiven(WHY[reason])


def find_lot(session: Session, lot_id: int, *, actor: Actor) -> Lot:
    """The lot within reach; raises NotFound."""
    lot = session.scalars(select(Lot).where(Lot.id == lot_id, reach.visible(Lot, actor))).one_or_none()
    if lot is None:
        raise NotFound
    return lot


def bring_forward(session: Session, lot_id: int, expires_on: date, *, actor: Actor) -> Lot:
    """State an earlier last day than is known (an opened carton, a label read again); never a later one.

    Kits of it end with it. Raises NotFound, Invalid("expires_on").
    """
    lot = find_lot(session, lot_id, actor=actor)
    lock_goods(session, [lot.goods_id])
    session.refresh(lot)
    if lot.last_good_day is None or expires_on >= lot.last_good_day:
        raise Invalid("expires_on", "保质期只能改早；要改晚，请报损后由另一人凭证重新入库")
    if lot.produced_on is not None and expires_on < lot.produced_on:
        raise Invalid("expires_on", "保质期不能早于生产日期")
    for one in session.scalars(select(Lot).where(Lot.id.in_(kits_with(session, [lot.id]))).order_by(Lot.id)).all():
        if one.last_good_day is None or expires_on < one.last_good_day:
            one.expires_on = expires_on
            audit.record(
                session,
                "market.bring_forward",
                "lots",
                one.id,
                actor=actor,
                community_id=one.community_id,
                fields={"expires_on": expires_on.isoformat()},
            )
    session.flush()
    session.refresh(lot)
    return lot


def kits_with(session: Session, lot_ids: Iterable[int]) -> set[int]:
    """These lots and every kit that holds some of them, kits in kits too."""
    known = set(lot_ids)
    newest = set(known)
    while newest:
        kits = session.scalars(select(LotPart.kit_id).where(LotPart.part_id.in_(newest)))
        newest = set(kits) - known
        known |= newest
    return known
