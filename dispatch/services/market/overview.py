"""The supermarkets at a glance: who keeps each, what is open there, and the steps of a lot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.models.access import Membership, User
from dispatch.models.funds import Earmark, Fund
from dispatch.models.market import Count, Disposal, Facility, Goods, Inspection, Keeper, Lot, Movement, StockMove
from dispatch.rules.access.roles import Actor
from dispatch.services.access import reach
from dispatch.services.market.facilities import KEEPING

MOST_STEPS = 50


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """A facility with its keeper and how much is open there."""

    facility: Facility
    keeper_id: int | None
    keeper: str | None
    rounds: int
    disposals: int
    is_counted: bool


def overview(session: Session, *, actor: Actor, now: datetime) -> Sequence[FacilityRow]:
    """The open facilities within reach, by id; one query."""
    numbers = [
        select(func.count()).where(of_facility, condition).scalar_subquery()
        for of_facility, condition in (
            (Inspection.facility_id == Facility.id, Inspection.done_at.is_(None)),
            (Disposal.facility_id == Facility.id, Disposal.state == "open"),
            (Count.facility_id == Facility.id, Count.state == "open"),
        )
    ]
    rows = session.execute(
        select(Facility, Keeper.user_id, User.name, *numbers)
        .outerjoin(
            Keeper,
            (Keeper.facility_id == Facility.id)
            & (Keeper.since <= now)
            & (Keeper.until.is_(None) | (Keeper.until > now)),
        )
        .outerjoin(User, User.id == Keeper.user_id)
        .where(reach.visible(Facility, actor), Facility.closed_on.is_(None))
        .order_by(Facility.id)
    )
    return [
        FacilityRow(facility, keeper_id, keeper, rounds, disposals, counts > 0)
        for facility, keeper_id, keeper, rounds, disposals, counts in rows
    ]


def steps_of(session: Session, lot_id: int, *, actor: Actor) -> Sequence[tuple[StockMove, str, int]]:
    """The newest fifty steps of a lot with spot and amount, newest first."""
    rows = session.execute(
        select(StockMove, Movement.spot, Movement.amount)
        .join(Movement, Movement.move_id == StockMove.id)
        .where(Movement.lot_id == lot_id, reach.visible(Movement, actor))
        .order_by(StockMove.id.desc(), Movement.id)
        .limit(MOST_STEPS)
    )
    return [(move, spot, amount) for move, spot, amount in rows]


def names_of_lots(session: Session, lot_ids: Sequence[int]) -> dict[int, tuple[Lot, Goods]]:
    """Lots with their goods, by id; one query."""
    rows = session.execute(select(Lot, Goods).join(Goods, Goods.id == Lot.goods_id).where(Lot.id.in_(lot_ids)))
    return {lot.id: (lot, goods) for lot, goods in rows}


def keepers_to_be(session: Session, community_id: int) -> Sequence[tuple[int, str]]:
    """Who may keep a facility of a community: id and name, by name."""
    rows = session.execute(
        select(User.id, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == community_id, Membership.role.in_(KEEPING), User.disabled_at.is_(None))
        .distinct()
        .order_by(User.name, User.id)
    )
    return [(row.id, row.name) for row in rows]


def purses(session: Session, community_id: int, *, actor: Actor) -> Sequence[tuple[int, int | None, str]]:
    """For what goods can be held: fund, wish and what both are called, open ones only."""
    rows = session.execute(
        select(Fund.id, Fund.name, Earmark.id.label("earmark_id"), Earmark.name.label("wish"))
        .outerjoin(Earmark, (Earmark.fund_id == Fund.id) & Earmark.closed_at.is_(None))
        .where(Fund.community_id == community_id, Fund.closed_at.is_(None), reach.visible(Fund, actor))
        .order_by(Fund.id, Earmark.id)
    ).all()
    found: dict[tuple[int, int | None], str] = {}
    for row in rows:
        found.setdefault((row.id, None), row.name)
        if row.earmark_id is not None:
            found[row.id, row.earmark_id] = f"{row.name} · {row.wish}"
    return [(fund, wish, words) for (fund, wish), words in found.items()]


def lots_of_step(session: Session, move_id: int) -> Sequence[tuple[Goods, Lot, int]]:
    """What a step moved, lot by lot, with its sign."""
    rows = session.execute(
        select(Goods, Lot, Movement.amount)
        .join(Lot, Lot.goods_id == Goods.id)
        .join(Movement, Movement.lot_id == Lot.id)
        .where(Movement.move_id == move_id)
        .order_by(Movement.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def movements_of(session: Session, move_id: int) -> Sequence[tuple[Movement, Goods, Facility]]:
    """The movements of a step with their goods and places."""
    rows = session.execute(
        select(Movement, Goods, Facility)
        .join(Lot, Lot.id == Movement.lot_id)
        .join(Goods, Goods.id == Lot.goods_id)
        .join(Facility, Facility.id == Movement.facility_id)
        .where(Movement.move_id == move_id)
        .order_by(Movement.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def steps_at(
    session: Session, facility_id: int, *, actor: Actor, before: int | None = None
) -> Sequence[tuple[StockMove, str | None]]:
    """The newest fifty steps of a facility with who made them, newest first; older ones before a step."""
    query = (
        select(StockMove, User.name)
        .outerjoin(User, User.id == StockMove.moved_by)
        .where(StockMove.facility_id == facility_id, reach.visible(StockMove, actor))
        .order_by(StockMove.id.desc())
        .limit(MOST_STEPS)
    )
    if before is not None:
        query = query.where(StockMove.id < before)
    return [(row[0], row[1]) for row in session.execute(query)]


def keepers_of(session: Session, facility_id: int) -> Sequence[tuple[Keeper, str]]:
    """Who has kept a facility, the present one first."""
    rows = session.execute(
        select(Keeper, User.name)
        .join(User, User.id == Keeper.user_id)
        .where(Keeper.facility_id == facility_id)
        .order_by(Keeper.since.desc())
        .limit(MOST_STEPS)
    )
    return [(row[0], row[1]) for row in rows]
