"""Recall: what is left of a batch stands apart and is destroyed; whoever got some is listed from the movements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from dispatch.errors import Invalid, NotFound
from dispatch.models.grid import Building, Household, Stairwell
from dispatch.models.market import Facility, Goods, HandOut, Lot, LotBalance, Movement, Recall, StockMove
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.shelf import GIVING, MoveKind, Spot
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach
from dispatch.services.market.goods import find_goods
from dispatch.services.market.inspecting import set_apart
from dispatch.services.market.lots import kits_with, lock_goods, lock_lots, standings

LONGEST_REASON = 300
MOST_SHOWN = 100
COUNTER = "market.hand_out"
REACHES_PEOPLE = tuple(str(kind) for kind in GIVING if kind is not MoveKind.KIT)


@dataclass(frozen=True, slots=True)
class Given:
    """So much of a recalled lot that went out: by which step, made for what, signed when."""

    move_id: int
    kind: str
    origin: str | None
    origin_id: int | None
    signed_on: date
    lot_id: int
    amount: int


def recall(
    session: Session,
    goods_id: int,
    *,
    batch_number: str | None = None,
    reason: str,
    source: str,
    actor: Actor,
    now: datetime,
) -> Recall:
    """Call goods back, one batch or all lots that are here: set apart everywhere, with kits of them, and destroyed.

    Never taken back; what comes of the batch later is called back as it comes. Raises NotFound, Invalid naming
    reason, source or batch_number (no such batch).
    """
    goods = find_goods(session, goods_id, actor=actor)
    check_why(reason=reason, source=source)
    lock_goods(session, [goods.id])
    batch = (batch_number or "").strip() or None
    lots = lots_to_recall(session, goods.id, batch)
    called = Recall(
        community_id=goods.community_id,
        goods_id=goods.id,
        batch_number=batch,
        reason=reason.strip(),
        source=source.strip(),
        called_by=actor.user_id,
        called_at=now,
    )
    session.add(called)
    session.flush()
    audit.record(session, "market.recall", "recalls", called.id, actor=actor, community_id=goods.community_id)
    affected = kits_with(session, [lot.id for lot in lots])
    lock_lots(session, affected)
    for lot in lots:
        lot.recall_id = called.id
    session.flush()
    clear_shelves(session, affected, called, actor=actor, now=now)
    return called


def check_why(**said: str) -> None:
    """Both have to be written down; raises Invalid naming the field."""
    for field, words in said.items():
        check_text(field, words, LONGEST_REASON)
        if not words.strip():
            raise Invalid(field, "请写明召回的原因和来源")


def lots_to_recall(session: Session, goods_id: int, batch: str | None) -> Sequence[Lot]:
    """The lots of a batch, or all of these goods, that are not called back yet; raises Invalid for none."""
    query = select(Lot).where(Lot.goods_id == goods_id, Lot.recall_id.is_(None)).order_by(Lot.id)
    lots = session.scalars(query if batch is None else query.where(Lot.batch_number == batch)).all()
    if not lots:
        raise Invalid("batch_number", "没有这个批号的物品，请核对")
    return lots


def clear_shelves(session: Session, lot_ids: set[int], called: Recall, *, actor: Actor, now: datetime) -> None:
    """Set apart what stands of these lots, in every facility."""
    conditions = [LotBalance.lot_id.in_(lot_ids), LotBalance.spot != str(Spot.QUARANTINE)]
    found = standings(session, *conditions)
    for facility_id in sorted({one.facility_id for one in found}):
        facility = session.get_one(Facility, facility_id)
        here = [one for one in found if one.facility_id == facility_id]
        set_apart(session, facility, here, "recalled", reason=called.reason, actor=actor, now=now)


def find_recall(session: Session, recall_id: int, *, actor: Actor) -> Recall:
    """The recall within reach; raises NotFound."""
    called = session.scalars(select(Recall).where(Recall.id == recall_id, reach.visible(Recall, actor))).one_or_none()
    if called is None:
        raise NotFound
    return called


def list_recalls(session: Session, *, actor: Actor, limit: int = MOST_SHOWN) -> Sequence[tuple[Recall, str]]:
    """The newest recalls within reach with the name of their goods, newest first."""
    rows = session.execute(
        select(Recall, Goods.name)
        .join(Goods, Goods.id == Recall.goods_id)
        .where(reach.visible(Recall, actor))
        .order_by(Recall.id.desc())
        .limit(limit)
    )
    return [(called, name) for called, name in rows]


def given_of(session: Session, recall_id: int, *, actor: Actor) -> Sequence[Given]:
    """What of the recalled lots, and of kits with them, has reached people, oldest first; reversed steps left out."""
    find_recall(session, recall_id, actor=actor)
    lots = kits_with(session, session.scalars(select(Lot.id).where(Lot.recall_id == recall_id)))
    back = aliased(StockMove)
    rows = session.execute(
        select(StockMove, Movement.lot_id, Movement.amount)
        .join(Movement, Movement.move_id == StockMove.id)
        .outerjoin(back, back.reverses_id == StockMove.id)
        .where(Movement.lot_id.in_(lots), StockMove.kind.in_(REACHES_PEOPLE), back.id.is_(None))
        .order_by(StockMove.id, Movement.lot_id)
    )
    return [
        Given(move.id, move.kind, move.origin, move.origin_id, move.signed_on, lot_id, -amount)
        for move, lot_id, amount in rows
    ]


def receivers_of(session: Session, called: Recall, given: Sequence[Given], *, actor: Actor) -> dict[int, str]:
    """Where those live who got some over the counter, by the id of the hand-out; the reading is audited.

    Empty for whoever may not read the register.
    """
    ids = {one.origin_id for one in given if one.origin == COUNTER}
    if not ids or not actor.may(Right.GRID_READ):
        return {}
    rows = session.execute(
        select(HandOut.id, Building.address, Stairwell.number, Household.room)
        .join(Household, Household.id == HandOut.household_id)
        .join(Stairwell, Stairwell.id == Household.stairwell_id)
        .join(Building, Building.id == Stairwell.building_id)
        .where(HandOut.id.in_(ids), reach.visible(HandOut, actor))
    )
    audit.record(session, "market.read_receivers", "recalls", called.id, actor=actor, community_id=called.community_id)
    return {row.id: f"{row.address}{row.number}单元{row.room}" for row in rows}
