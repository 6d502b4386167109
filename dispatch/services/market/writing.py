"""The one writer of stock: a step's movements and the entry of the journal behind it, in one go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.errors import Conflict, Invalid
from dispatch.models.funds import Spending
from dispatch.models.market import Count, Facility, Lot, Movement, StockMove
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import AccountKey, Dimension, Draft, Line, added_up
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose
from dispatch.rules.market.shelf import INSIDE, MoveKind, Spot
from dispatch.services import funds
from dispatch.services.access import audit

ORIGIN = "market.move"
NEXT_ID = select(func.nextval(func.pg_get_serial_sequence("stock_moves", "id")))


class BeingCounted(Conflict):
    """这里正在盘点，盘点结束后才能出入库"""


@dataclass(frozen=True, slots=True)
class Piece:
    """A signed amount of a lot at a spot of a facility."""

    lot_id: int
    facility_id: int
    spot: Spot
    amount: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step to be written. `entry` is its kind in the journal (None: inside a facility), `lines` its money.

    `transit_id` is the holding to which a shipment goes, or from which it comes back. `moved_by` is who did it where
    that is not the actor. `asked` is how somebody else asked for what the step takes back.
    """

    kind: MoveKind
    facility: Facility
    pieces: tuple[Piece, ...]
    entry: EntryKind | None = None
    purpose: Purpose | None = None
    signed_on: date | None = None
    consumed_on: date | None = None
    reason: str = ""
    origin: str | None = None
    origin_id: int | None = None
    occasion: int = 1
    reverses: StockMove | None = None
    asked: Spending | None = None
    approved_by: int | None = None
    moved_by: int | None = None
    transit_id: int | None = None
    lines: tuple[Line, ...] = field(default=())


def write(session: Session, step: Step, *, actor: Actor, now: datetime) -> StockMove:
    """Write a step: its entry of the journal, its movements, its audit entry. Whoever calls has locked the goods.

    What may not be given is refused by the database at commit, on the day of the commit; callers ask the rule
    before, for a friendly word. Raises BeingCounted, Invalid, and what funds.post raises.
    """
    pieces = tuple(piece for piece in step.pieces if piece.amount)
    if not pieces:
        raise Invalid("amount", "请填写数量")
    refuse_while_counted(session, {piece.facility_id for piece in pieces})
    move_id = session.execute(NEXT_ID).scalar_one()
    move = StockMove(
        id=move_id,
        community_id=step.facility.community_id,
        kind=str(step.kind),
        facility_id=step.facility.id,
        entry_id=book(session, step, pieces, move_id, actor=actor, now=now),
        signed_on=step.signed_on or clock.today(now),
        consumed_on=step.consumed_on,
        movement_count=len(pieces),
        reason=step.reason,
        origin=step.origin,
        origin_id=step.origin_id,
        occasion=step.occasion,
        reverses_id=step.reverses.id if step.reverses else None,
        moved_by=step.moved_by or actor.user_id,
        approved_by=step.approved_by,
        moved_at=now,
    )
    session.add(move)
    session.flush()
    insert_rows(session, Movement, [row_of(move, piece) for piece in sorted(pieces, key=order_of)])
    audit.record(session, f"market.{step.kind}", "stock_moves", move_id, actor=actor, community_id=move.community_id)
    return move


def order_of(piece: Piece) -> tuple[int, int, str]:
    """The order in which balances are written, the same for everybody."""
    return piece.lot_id, piece.facility_id, piece.spot


def row_of(move: StockMove, piece: Piece) -> dict[str, Any]:
    """The row of a movement."""
    return {
        "community_id": move.community_id,
        "move_id": move.id,
        "lot_id": piece.lot_id,
        "facility_id": piece.facility_id,
        "spot": str(piece.spot),
        "amount": piece.amount,
    }


def refuse_while_counted(session: Session, facility_ids: Iterable[int]) -> None:
    """Refuse a step in a facility that is being counted; the database does so again at commit."""
    query = select(Count.id).where(Count.facility_id.in_(set(facility_ids)), Count.state == "open")
    if session.execute(query).first() is not None:
        raise BeingCounted


def book(
    session: Session, step: Step, pieces: Sequence[Piece], move_id: int, *, actor: Actor, now: datetime
) -> int | None:
    """Post the entry behind a step; None where nothing comes or goes."""
    if step.kind in INSIDE:
        return None
    if step.reverses is not None:
        return reverse_entry(session, step, actor=actor, now=now)
    lots = {lot.id: lot for lot in session.scalars(select(Lot).where(Lot.id.in_({one.lot_id for one in pieces})))}
    lines = added_up([*goods_lines(session, step, pieces, lots), *step.lines])
    if not lines or step.entry is None:
        return None
    draft = Draft(
        community_id=step.facility.community_id,
        kind=step.entry,
        lines=lines,
        purpose=step.purpose,
        origin=ORIGIN,
        origin_id=move_id,
        facts=facts_of(step, pieces, lots, now=now),
        words=step.reason,
        approved_by=step.approved_by if step.approved_by != actor.user_id else None,
    )
    return funds.post(session, draft, actor=actor, now=now).id


def reverse_entry(session: Session, step: Step, *, actor: Actor, now: datetime) -> int | None:
    """Take back the entry of the step that is reversed."""
    entry_id = step.reverses.entry_id if step.reverses else None
    if entry_id is None:
        return None
    return funds.reverse(session, entry_id, words=step.reason, actor=actor, now=now, asked=step.asked).id


def goods_lines(session: Session, step: Step, pieces: Sequence[Piece], lots: dict[int, Lot]) -> list[Line]:
    """What the pieces are in the journal: at the facilities' holdings, and on the other side what is owed.

    What is shipped by a transfer is on its way and still owed; it is given when the receiver has signed.
    """
    ids = {piece.facility_id for piece in pieces}
    rows = session.execute(select(Facility.id, Facility.holding_id).where(Facility.id.in_(ids)))
    holdings = {row.id: row.holding_id for row in rows}
    lines = []
    for piece in pieces:
        lot = lots[piece.lot_id]
        dimension = Dimension(lot.fund_id, Commodity(lot.commodity), lot.earmark_id)
        lines.append(Line(AccountKey(dimension, holdings[piece.facility_id]), piece.amount))
        if step.entry is not EntryKind.TRANSFER:
            lines.append(Line(AccountKey(dimension), piece.amount))
        elif step.transit_id is not None:
            lines.append(Line(AccountKey(dimension, step.transit_id), -piece.amount))
    return lines


def facts_of(step: Step, pieces: Sequence[Piece], lots: dict[int, Lot], *, now: datetime) -> dict[str, Any]:
    """What of a step goes into the chain: days, and per piece lot, facility, spot, amount, food, last good day.

    From these alone a stranger can prove that nothing past its day was given.
    """
    signed_on = step.signed_on or clock.today(now)
    return {
        "move": str(step.kind),
        "signed_on": signed_on.isoformat(),
        "consumed_on": None if step.consumed_on is None else step.consumed_on.isoformat(),
        "pieces": [
            [
                piece.lot_id,
                piece.facility_id,
                str(piece.spot),
                piece.amount,
                int(lots[piece.lot_id].is_food),
                day.isoformat() if (day := lots[piece.lot_id].last_good_day) else None,
            ]
            for piece in sorted(pieces, key=order_of)
        ],
    }
