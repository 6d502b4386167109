"""The counter of a supermarket: who stands there with a card, what their month allows, what may be handed out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import constraint_of
from dispatch.errors import Invalid
from dispatch.models.market import AidApplication, Card, Goods, GoodsPoints, HouseholdMonth, LotBalance
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import Commodity, Purpose
from dispatch.rules.market.double_dip import Given
from dispatch.rules.market.eligibility import Ground
from dispatch.rules.market.hand_outs import Price
from dispatch.rules.market.quota import Quota, allowance, month_of
from dispatch.rules.market.shelf import Days, MoveKind, may_be_given
from dispatch.services.access import audit, policies, vault
from dispatch.services.market import benefits
from dispatch.services.market.applications import name_of
from dispatch.services.market.beneficiaries import Holder, scan
from dispatch.services.market.facilities import demand_keeper, find_facility
from dispatch.services.market.goods import find_goods
from dispatch.services.market.lots import Standing, held_for, standings

OF_HOUSEHOLD, OF_EACH_MORE = "market.quota_points", "market.quota_points_of_each_more"
QUOTA_RULE = "quota_rule"
Read = Callable[[Session, int, tuple[str, ...]], dict[str, Any]]
"""How policies are read: as this process remembers them, or as they are now."""
PER_WEIGHT, PER_PIECE = "market.points_per_500_grams", "market.points_per_piece"
GRAMS_OF_POLICY = 500
MOST_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class OnOffer:
    """Goods that may be handed out now: so much is free of them, at what price in points."""

    goods_id: int
    name: str
    name_key: str
    unit: str
    commodity: Commodity
    free: int
    price: Price


@dataclass(frozen=True, slots=True)
class AtCounter:
    """What the keeper sees after a card was read, and the lots behind the offers; never the ground."""

    holder: Holder
    quota: Quota
    warnings: Sequence[Given]
    offers: Sequence[OnOffer]
    stock: Sequence[Standing]


def look(session: Session, facility_id: int, said: str, *, actor: Actor, now: datetime) -> AtCounter:
    """Read a card at a facility's counter; the scan is audited. Raises NotFound, NotKeeper and what scan raises."""
    facility = find_facility(session, facility_id, actor=actor)
    demand_keeper(session, facility.id, actor=actor, now=now)
    holder = scan(session, said, actor=actor, now=now)
    day = clock.today(now)
    stock = standings(session, LotBalance.facility_id == facility.id, *held_for(purpose_of(holder.application)))
    return AtCounter(
        holder=holder,
        quota=quota_of(session, holder, day),
        warnings=benefits.warnings_of(session, holder.card.community_id, holder.household_id, day),
        offers=offers_of(session, facility.community_id, stock, day),
        stock=stock,
    )


def purpose_of(application: AidApplication) -> Purpose:
    """For what the goods are given: the ground, which has the purpose's own word in the journal."""
    place = f"aid_applications.ground.{application.uid}"
    return Purpose(Ground(vault.open_sealed(place, application.ground)).value)


def allowed_to(session: Session, holder: Holder, *, read: Read = policies.policies) -> int:
    """What the household may take in a month, by the community's policies."""
    known = read(session, holder.card.community_id, (OF_HOUSEHOLD, OF_EACH_MORE))
    return allowance(
        of_household=int(known[OF_HOUSEHOLD]), of_each_more=int(known[OF_EACH_MORE]), persons=holder.persons
    )


def quota_of(session: Session, holder: Holder, day: date) -> Quota:
    """The household's month as it stands."""
    month, allowed = month_of(day), allowed_to(session, holder)
    row = session.execute(
        select(HouseholdMonth.allowed, HouseholdMonth.used).where(
            HouseholdMonth.household_id == holder.household_id, HouseholdMonth.month == month
        )
    ).one_or_none()
    return Quota(month, allowed, 0) if row is None else Quota(month, max(allowed, row.allowed), row.used)


def locked_quota(session: Session, holder: Holder, day: date) -> Quota:
    """The same with its row made and locked: two counters of one household stand in line here.

    The database judges by the policies as they are now, and so does this: nothing remembered counts.
    """
    return keep_month(session, holder, month_of(day), allowed_to(session, holder, read=policies.read))


def keep_month(session: Session, holder: Holder, month: date, allowed: int) -> Quota:
    """Make and lock a household's month; raises Invalid("lines") where the policies give less by now."""
    made = (
        upsert(HouseholdMonth)
        .values(household_id=holder.household_id, month=month, community_id=holder.card.community_id, allowed=allowed)
        .on_conflict_do_nothing()
    )
    raised = (
        update(HouseholdMonth)
        .where(HouseholdMonth.household_id == holder.household_id, HouseholdMonth.month == month)
        .values(allowed=func.greatest(HouseholdMonth.allowed, allowed))
        .returning(HouseholdMonth.allowed, HouseholdMonth.used)
        .execution_options(synchronize_session=False)
    )
    try:
        with session.begin_nested():
            session.execute(made)
            row: Any = session.execute(raised).one()
    except IntegrityError as error:
        if constraint_of(error) == QUOTA_RULE:
            raise Invalid("lines", "这个月的额度刚刚调低，请刷新后重新选择") from error
        raise
    return Quota(month, row.allowed, row.used)


def offers_of(session: Session, community_id: int, stock: Sequence[Standing], day: date) -> list[OnOffer]:
    """What of a stock may be handed out today, by goods in Chinese order; two queries."""
    free: Counter[int] = Counter()
    shown: dict[int, Standing] = {}
    for one in stock:
        if one.free > 0 and may_be_given(one.shelf, MoveKind.HAND_OUT, Days(day, day)):
            free[one.goods_id] += one.free
            shown.setdefault(one.goods_id, one)
    keys = {
        row.id: row.name_key for row in session.execute(select(Goods.id, Goods.name_key).where(Goods.id.in_(shown)))
    }
    prices = prices_of(session, community_id, shown)
    return [
        OnOffer(
            goods_id, one.goods, keys[goods_id], one.unit, Commodity(one.commodity), free[goods_id], prices[goods_id]
        )
        for goods_id, one in shown.items()
    ]


def prices_of(session: Session, community_id: int, shown: Mapping[int, Standing]) -> dict[int, Price]:
    """What goods cost in points: their own price, else by weight or piece as the policies say."""
    own = {
        row.goods_id: Price(row.points, row.step)
        for row in session.scalars(select(GoodsPoints).where(GoodsPoints.goods_id.in_(shown)))
    }
    known = policies.policies(session, community_id, (PER_WEIGHT, PER_PIECE))
    by_commodity = {
        Commodity.GRAM: Price(int(known[PER_WEIGHT]), GRAMS_OF_POLICY),
        Commodity.PIECE: Price(int(known[PER_PIECE]), 1),
    }
    return {goods_id: own.get(goods_id, by_commodity[Commodity(one.commodity)]) for goods_id, one in shown.items()}


def set_points(session: Session, goods_id: int, *, points: int, step: int, actor: Actor, now: datetime) -> GoodsPoints:
    """Set what goods cost: so many points for each step that is begun. Raises NotFound, Invalid naming the field."""
    if not 0 <= points <= MOST_POINTS:
        raise Invalid("points", "分值请填 0 到 100000")
    if step < 1:
        raise Invalid("step", "每多少算一份请填大于零的数")
    goods = find_goods(session, goods_id, actor=actor)
    row = session.get(GoodsPoints, goods.id, with_for_update=True, populate_existing=True)
    if row is None:
        row = GoodsPoints(goods_id=goods.id, community_id=goods.community_id, points=points, step=step)
        session.add(row)
    row.points, row.step = points, step
    session.flush()
    said = {"points": str(points), "step": str(step), "day": clock.today(now).isoformat()}
    audit.record(
        session,
        "market.set_points",
        "goods_points",
        goods.id,
        actor=actor,
        community_id=goods.community_id,
        fields=said,
    )
    return row


def holder_name(session: Session, card_id: int) -> str | None:
    """The name of the person who holds a card; None where a household holds it."""
    beneficiary_id = session.execute(select(Card.beneficiary_id).where(Card.id == card_id)).scalar_one()
    return session.scalars(name_of(beneficiary_id)).one_or_none()
