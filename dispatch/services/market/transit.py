"""What a shipment has on its way: owed until the receiver signs, then given, back in quarantine, or lost by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
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


def transit_holding(session: Session, facility: Facility, *, actor: Actor, now: datetime) -> int:
    """Where a community's shipments are on their way, made when the first one leaves; its facilities are locked."""
    of_community = select(Facility.id).where(Facility.community_id == facility.community_id).order_by(Facility.id)
    session.execute(of_community.with_for_update(key_share=True)).all()
    known = session.scalars(
        select(Holding.id).where(Holding.community_id == facility.community_id, Holding.code == CODE)
    ).one_or_none()
    if known is not None:
        return known
    about = {"kind": HoldingKind.TRANSIT, "code": CODE, "name": NAME}
    return funds.add_holding(session, facility.community_id, **about, actor=actor, now=now).id  # type: ignore[arg-type]


def on_its_way(session: Session, shipment: Shipment) -> int | None:
    """The holding at which a shipment is on its way; None for one that was booked as given when it left."""
    return session.scalars(
        select(Account.holding_id)
        .join(EntryLine, EntryLine.account_id == Account.id)
        .join(StockMove, StockMove.entry_id == EntryLine.entry_id)
        .where(StockMove.id == shipment.move_id, Account.holding_kind == HoldingKind.TRANSIT)
        .limit(1)
    ).one_or_none()


def parts_of(session: Session, shipment: Shipment, lines: Sequence[ShipmentLine]) -> list[Part]:
    """What became of each lot that left, as the receiver signed; what ended first is taken to have come back."""
    rows = session.execute(
        select(Lot, Movement.amount, Movement.last_good_day)
        .join(Movement, Movement.lot_id == Lot.id)
        .where(Movement.move_id == shipment.move_id)
        .order_by(Movement.id)
    ).all()
    found = []
    for line in lines:
        mine = {row[0].id: row for row in rows if row[0].goods_id == line.goods_id}
        lots = [SentLot(row[0].id, -row[1], row[2]) for row in rows if row[0].goods_id == line.goods_id]
        for lot, became in parted(lots, line.returned, line.sent - (line.received or 0) - line.returned):
            known: Lot = mine[lot.lot_id][0]
            dimension = Dimension(known.fund_id, Commodity(known.commodity), known.earmark_id)
            found.append(Part(known.id, dimension, became.received, became.returned, became.missing))
    return found


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
