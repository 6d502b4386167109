"""What a gift's form offers: the open funds with their wishes, the places of money and of goods, the goods."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.funds import Earmark, Fund, Holding
from dispatch.models.market import Facility, Goods
from dispatch.rules.access.roles import Actor
from dispatch.rules.market.gifts import PLACES_OF_MONEY
from dispatch.services.access import reach

MOST_OFFERED = 500


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen, each in reach and open."""

    funds: Sequence[Fund]
    wishes: Sequence[Earmark]
    holdings: Sequence[Holding]
    facilities: Sequence[Facility]
    goods: Sequence[Goods]


def choices_for_gifts(session: Session, *, actor: Actor) -> Choices:
    """What a gift may be booked into; five queries however much there is."""
    funds = select(Fund).where(reach.visible(Fund, actor), Fund.closed_at.is_(None)).order_by(Fund.id)
    wishes = select(Earmark).where(reach.visible(Earmark, actor), Earmark.closed_at.is_(None)).order_by(Earmark.id)
    holdings = select(Holding).where(
        reach.visible(Holding, actor), Holding.closed_at.is_(None), Holding.kind.in_(PLACES_OF_MONEY)
    )
    facilities = select(Facility).where(
        reach.visible(Facility, actor), Facility.closed_on.is_(None), Facility.holding_id.is_not(None)
    )
    goods = select(Goods).where(reach.visible(Goods, actor), Goods.is_active).order_by(Goods.name_key)
    return Choices(
        session.scalars(funds.limit(MOST_OFFERED)).all(),
        session.scalars(wishes.limit(MOST_OFFERED)).all(),
        session.scalars(holdings.order_by(Holding.id).limit(MOST_OFFERED)).all(),
        session.scalars(facilities.order_by(Facility.id).limit(MOST_OFFERED)).all(),
        session.scalars(goods.limit(MOST_OFFERED)).all(),
    )
