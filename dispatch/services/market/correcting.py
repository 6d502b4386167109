"""Wrong steps of stock: taken back whole by somebody else than who made them; kits taken apart by their keeper."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from dispatch.errors import NotFound
from dispatch.models.market import Inspection, Movement, StockMove
from dispatch.rules.access.roles import Actor
from dispatch.rules.market.keeping import SamePerson
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.services.access import reach
from dispatch.services.market.facilities import demand_keeper
from dispatch.services.market.inspecting import finish_when_done
from dispatch.services.market.lots import lock_lots
from dispatch.services.market.moving import AlreadyReversed, check_there, reverse

CORRECTED = frozenset({MoveKind.RECEIVE, MoveKind.TRANSFER})
"""What stands for itself; hand-outs, gifts, parcels and shipments are taken back where they were made."""


def find_step(session: Session, move_id: int, *, actor: Actor) -> tuple[StockMove, StockMove | None]:
    """A step in reach and the one that took it back; raises NotFound."""
    back = aliased(StockMove)
    query = select(StockMove, back).outerjoin(back, back.reverses_id == StockMove.id)
    row = session.execute(query.where(StockMove.id == move_id, reach.visible(StockMove, actor))).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def may_be_corrected(step: StockMove, back: StockMove | None) -> bool:
    """Whether a step can be taken back by itself."""
    return back is None and step.origin is None and MoveKind(step.kind) in CORRECTED


def may_be_unpacked(step: StockMove, back: StockMove | None) -> bool:
    """Whether a step packed kits that were not taken apart."""
    return back is None and MoveKind(step.kind) is MoveKind.KIT


def correct_step(session: Session, move_id: int, *, reason: str, actor: Actor, now: datetime) -> StockMove:
    """Take a wrong step back whole, by another person than who made it; its round of inspection is over.

    Raises NotFound, SamePerson, AlreadyReversed, NotEnough where some of it has gone on, Invalid("reason", …).
    """
    step, back = find_step(session, move_id, actor=actor)
    if not may_be_corrected(step, back):
        raise AlreadyReversed
    if actor.user_id is None or actor.user_id == step.moved_by:
        raise SamePerson
    made = taken_back(session, step, reason=reason, actor=actor, now=now)
    for inspection in session.scalars(select(Inspection).where(Inspection.move_id == step.id)):
        finish_when_done(session, inspection, by=actor.user_id, now=now)
    return made


def unpack_kits(session: Session, move_id: int, *, reason: str, actor: Actor, now: datetime) -> StockMove:
    """Take all kits of a packing apart: each part stands again where it was taken. Only the keeper.

    Raises NotFound, NotKeeper, AlreadyReversed, NotEnough where some kits have gone on, Invalid("reason", …).
    """
    step, back = find_step(session, move_id, actor=actor)
    demand_keeper(session, step.facility_id, actor=actor, now=now)
    if not may_be_unpacked(step, back):
        raise AlreadyReversed
    return taken_back(session, step, reason=reason, actor=actor, now=now)


def taken_back(session: Session, step: StockMove, *, reason: str, actor: Actor, now: datetime) -> StockMove:
    """Reverse a step when all that came by it is still there."""
    rows = session.scalars(select(Movement).where(Movement.move_id == step.id)).all()
    lock_lots(session, {row.lot_id for row in rows})
    for facility_id, lots in came(rows).items():
        check_there(session, facility_id, lots)
    return reverse(session, step.id, reason=reason, actor=actor, now=now)


def came(rows: Sequence[Movement]) -> dict[int, list[tuple[int, Spot, int]]]:
    """What a step brought to each facility: lot, spot, amount."""
    sums: Counter[tuple[int, int, str]] = Counter()
    for row in rows:
        sums[row.facility_id, row.lot_id, row.spot] += row.amount
    found: dict[int, list[tuple[int, Spot, int]]] = {}
    for (facility_id, lot_id, spot), amount in sums.items():
        if amount > 0:
            found.setdefault(facility_id, []).append((lot_id, Spot(spot), amount))
    return found
