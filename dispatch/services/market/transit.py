"""What a shipment has on its way: owed until the receiver signs, then given, back in quarantine, or lost by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.models.funds import Account, EntryLine, Holding
from dispatch.models.market import Facility, Lot, Movement, Shipment, ShipmentLine, StockMove
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import Dimension, Draft, added_up, at
from dispatch.rules.funds.terms import Commodity, EntryKind, HoldingKind, Purpose
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.rules.market.shipments import SentLot, parted
from dispatch.services import funds
from dispatch.services.market.lots import lock_lots
from dispatch.services.market.writing import Piece, Step, write

CODE, NAME = "relief-transit", "赈灾物资在途"
BACK = 2
"""The occasion of the step that brings goods back: the first is that of the sending."""


@dataclass(frozen=True, slots=True)
class Part:
    """What became of a lot of a shipment."""

    lot_id: int
    dimension: Dimension
    received: int
    returned: int
    missing: int


def transit_holding(
    session: Session, facility: Facility, named: tuple[str, str] = (CODE, NAME), *, actor: Actor, now: datetime
) -> int:
    """Where a community's goods are on their way, made when the first ones leave; its facilities are locked."""
    code, name = named
    of_community = select(Facility.id).where(Facility.community_id == facility.community_id).order_by(Facility.id)
    session.execute(of_community.with_for_update(key_share=True)).all()
    known = session.scalars(
        select(Holding.id).where(Holding.community_id == facility.community_id, Holding.code == code)
    ).one_or_none()
    if known is not None:
        return known
    about = {"kind": HoldingKind.TRANSIT, "code": code, "name": name}
    return funds.add_holding(session, facility.community_id, **about, actor=actor, now=now).id  # type: ignore[arg-type]


def on_its_way(session: Session, shipment: Shipment) -> int | None:
    """The holding at which a shipment is on its way; None for one that was booked as given when it left."""
    return None if shipment.move_id is None else transit_of(session, shipment.move_id)


def transit_of(session: Session, move_id: int) -> int | None:
    """The holding at which what left by a step is on its way; None where it was given at once."""
    return session.scalars(
        select(Account.holding_id)
        .join(EntryLine, EntryLine.account_id == Account.id)
        .join(StockMove, StockMove.entry_id == EntryLine.entry_id)
        .where(StockMove.id == move_id, Account.holding_kind == HoldingKind.TRANSIT)
        .limit(1)
    ).one_or_none()


def parts_of(session: Session, shipment: Shipment, lines: Sequence[ShipmentLine]) -> list[Part]:
    """What became of each lot that left, as the receiver signed; what ended first is taken to have come back."""
    found = []
    sent = sent_lots(session, shipment.move_id or 0)
    goods = goods_of_lots(session, [lot.lot_id for lot, _ in sent])
    dimensions = {lot.lot_id: dimension for lot, dimension in sent}
    for line in lines:
        mine = [lot for lot, _ in sent if goods[lot.lot_id] == line.goods_id]
        for lot, became in parted(mine, line.returned, line.sent - (line.received or 0) - line.returned):
            found.append(Part(lot.lot_id, dimensions[lot.lot_id], became.received, became.returned, became.missing))
    return found


def sent_lots(session: Session, move_id: int) -> list[tuple[SentLot, Dimension]]:
    """The lots that left by a step with their dimensions, each once whatever the spots it stood at."""
    rows = session.execute(
        select(Lot, func.sum(Movement.amount), func.min(Movement.last_good_day))
        .join(Movement, Movement.lot_id == Lot.id)
        .where(Movement.move_id == move_id)
        .group_by(Lot.id)
        .order_by(Lot.id)
    )
    return [
        (SentLot(lot.id, -int(amount), day), Dimension(lot.fund_id, Commodity(lot.commodity), lot.earmark_id))
        for lot, amount, day in rows
    ]


def goods_of_lots(session: Session, lot_ids: Sequence[int]) -> dict[int, int]:
    """The goods of lots, by id."""
    rows = session.execute(select(Lot.id, Lot.goods_id).where(Lot.id.in_(lot_ids)))
    return {row.id: row.goods_id for row in rows}


def arrive(session: Session, shipment: Shipment, parts: Sequence[Part], *, actor: Actor, now: datetime) -> None:
    """The receiver has signed: what arrived is given, what came back stands apart; the same lots, the same days."""
    transit_id = on_its_way(session, shipment)
    if any(one.returned for one in parts):
        bring_back(session, shipment, parts, transit_id, actor=actor, now=now)
    if transit_id is not None and any(one.received for one in parts):
        book = [(one.dimension, one.received) for one in parts]
        post(session, shipment, EntryKind.SHIPMENT, book, transit_id, actor=actor, now=now)


def bring_back(
    session: Session, shipment: Shipment, parts: Sequence[Part], transit_id: int | None, *, actor: Actor, now: datetime
) -> None:
    """Goods come back into quarantine: whoever releases them there is asked by the one rule."""
    lock_lots(session, {one.lot_id for one in parts})
    step = Step(
        MoveKind.RETURN,
        session.get_one(Facility, shipment.facility_id),
        tuple(Piece(one.lot_id, shipment.facility_id, Spot.QUARANTINE, one.returned) for one in parts),
        entry=EntryKind.SURPLUS if transit_id is None else EntryKind.TRANSFER,
        origin="market.shipment",
        origin_id=shipment.id,
        occasion=BACK,
        transit_id=transit_id,
    )
    write(session, step, actor=actor, now=now)


def lose(session: Session, shipment: Shipment, parts: Sequence[Part], *, actor: Actor, now: datetime) -> None:
    """What neither arrived nor came back leaves the books as short, with the reasons of its lines beside it."""
    transit_id = on_its_way(session, shipment)
    if transit_id is not None and any(one.missing for one in parts):
        book = [(one.dimension, one.missing) for one in parts]
        post(session, shipment, EntryKind.SHORTAGE, book, transit_id, actor=actor, now=now)


def post(
    session: Session,
    shipment: Shipment,
    kind: EntryKind,
    book: Sequence[tuple[Dimension, int]],
    transit_id: int,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """An entry by which something that was on its way is owed no more."""
    lines = added_up(line for dimension, amount in book if amount for line in at(dimension, transit_id, -amount))
    draft = Draft(
        community_id=shipment.community_id,
        kind=kind,
        lines=lines,
        purpose=Purpose.RELIEF if kind is EntryKind.SHIPMENT else None,
        happened_on=shipment.received_on,
        origin=f"market.shipment.{kind}",
        origin_id=shipment.id,
    )
    funds.post(session, draft, actor=actor, now=now)
