"""Kits (爱心包): packed from lots of one fund and wish; what ends first of its parts ends the kit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.errors import Invalid
from dispatch.models.market import Goods, Lot, LotBalance, LotPart, StockMove
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.market.picking import pick
from dispatch.rules.market.shelf import Commodity, Days, MoveKind, Spot, kit_last_day
from dispatch.services.market.facilities import demand_keeper, find_facility
from dispatch.services.market.goods import find_goods
from dispatch.services.market.lots import Standing, lock_goods, standings
from dispatch.services.market.writing import Piece, Step, write

MOST_KITS = 1_000


@dataclass(frozen=True, slots=True)
class KitDraft:
    """So many kits to be packed, each of these parts (goods, amount), from one fund and wish."""

    facility_id: int
    goods_id: int
    number: int
    parts: tuple[tuple[int, int], ...]
    fund_id: int
    earmark_id: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    """The step and the lot of the kits."""

    move: StockMove
    lot: Lot


def pack_kits(session: Session, draft: KitDraft, *, actor: Actor, now: datetime) -> Packed:
    """Pack kits from what ends first; the kits end with the earliest part. Only the keeper.

    Raises NotKeeper, NotEnough, Invalid naming goods_id, number or parts (food of unknown date).
    """
    facility = find_facility(session, draft.facility_id, actor=actor)
    demand_keeper(session, facility.id, actor=actor, now=now)
    goods = find_goods(session, draft.goods_id, actor=actor)
    check_draft(draft, goods)
    lock_goods(session, [goods.id, *(part for part, _ in draft.parts)])
    today = clock.today(now)
    taken = take_parts(session, draft, Days(today, today))
    used: Counter[int] = Counter()
    for (lot_id, _), (_, amount) in taken.items():
        used[lot_id] += amount
    lot = make_lot(draft, goods, [standing for standing, _ in taken.values()], actor=actor, now=now)
    session.add(lot)
    session.flush()
    rows = [
        {"kit_id": lot.id, "part_id": part, "community_id": lot.community_id, "amount": amount}
        for part, amount in sorted(used.items())
    ]
    insert_rows(session, LotPart, rows)
    pieces = [Piece(lot_id, facility.id, spot, -amount) for (lot_id, spot), (_, amount) in taken.items()]
    pieces.append(Piece(lot.id, facility.id, Spot.STORE, draft.number))
    step = Step(MoveKind.KIT, facility, tuple(pieces), entry=EntryKind.KIT, reason=draft.reason)
    return Packed(write(session, step, actor=actor, now=now), lot)


def check_draft(draft: KitDraft, goods: Goods) -> None:
    """Refuse kits that cannot be; raises Invalid naming the field."""
    if goods.commodity != Commodity.PIECE:
        raise Invalid("goods_id", "爱心包要选按件计的物品")
    if not 1 <= draft.number <= MOST_KITS:
        raise Invalid("number", "一次可以装 1 到 1000 份")
    parts = [part for part, _ in draft.parts]
    wrong = not parts or len(parts) != len(set(parts)) or draft.goods_id in parts
    if wrong or any(amount < 1 for _, amount in draft.parts):
        raise Invalid("parts", "请填写每一份里装什么、装多少")


def take_parts(session: Session, draft: KitDraft, days: Days) -> dict[tuple[int, Spot], tuple[Standing, int]]:
    """What is taken of which lot at which spot for all kits; raises NotEnough."""
    conditions = [
        LotBalance.facility_id == draft.facility_id,
        Lot.goods_id.in_([part for part, _ in draft.parts]),
        Lot.fund_id == draft.fund_id,
        Lot.earmark_id.is_not_distinct_from(draft.earmark_id),
    ]
    stock = {(one.lot_id, one.shelf.spot): one for one in standings(session, *conditions)}
    taken: dict[tuple[int, Spot], tuple[Standing, int]] = {}
    for part, amount in draft.parts:
        available = [one.available for one in stock.values() if one.goods_id == part]
        for one in pick(available, amount * draft.number, MoveKind.KIT, days):
            taken[one.lot_id, one.spot] = (stock[one.lot_id, one.spot], one.amount)
    return taken


def make_lot(draft: KitDraft, goods: Goods, parts: Sequence[Standing], *, actor: Actor, now: datetime) -> Lot:
    """The lot of the kits: its last day is stated, that of the earliest part."""
    last = kit_last_day(one.shelf for one in parts)
    if any(one.shelf.is_food for one in parts) and not goods.is_food:
        raise Invalid("goods_id", "装有食品的爱心包要选食品类的物品")
    return Lot(
        community_id=goods.community_id,
        goods_id=goods.id,
        is_food=goods.is_food,
        commodity=goods.commodity,
        fund_id=draft.fund_id,
        earmark_id=draft.earmark_id,
        expires_on=last,
        received_on=clock.today(now),
        is_kit=True,
        created_by=actor.user_id,
        created_at=now,
    )
