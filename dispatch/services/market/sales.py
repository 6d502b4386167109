"""Charity sales: planned on an agreement, counted blind by two people, banked whole into the named fund, published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.funds import Earmark, Fund
from dispatch.models.market import Agreement, Sale, SaleLine
from dispatch.rules.access.roles import Actor
from dispatch.rules.market import sales as rule
from dispatch.rules.market.campaigns import LONGEST_WORDS, check_title
from dispatch.rules.market.sales import SaleState
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach
from dispatch.services.market.campaigns import keep

MOST_FOUND = 200


class SaleKnown(Conflict):
    """同一天已有同名的义卖"""


@dataclass(frozen=True, slots=True)
class SaleDraft:
    """A sale to be: its name and place, the day, the agreement, and the fund and wish that get all of it."""

    name: str
    place: str
    held_on: date
    agreement_id: int
    fund_id: int
    earmark_id: int | None = None


def plan_sale(session: Session, draft: SaleDraft, *, actor: Actor, now: datetime) -> Sale:
    """Plan a sale on a standing agreement about sales; raises Invalid naming the field, SaleKnown."""
    agreement = session.scalars(
        select(Agreement).where(
            Agreement.id == draft.agreement_id, Agreement.purpose == "sale", reach.visible(Agreement, actor)
        )
    ).one_or_none()
    agreed_on, until = (agreement.signed_on, agreement.valid_until) if agreement is not None else (None, None)
    rule.check_plan(draft.name, draft.held_on, agreed_on, until)
    check_title(draft.place, "place")
    if agreement is None:
        raise NotFound
    check_fund(session, draft, agreement.community_id)
    sale = Sale(
        community_id=agreement.community_id,
        name=draft.name.strip(),
        place=draft.place.strip(),
        held_on=draft.held_on,
        agreement_id=agreement.id,
        agreed_on=agreement.signed_on,
        fund_id=draft.fund_id,
        earmark_id=draft.earmark_id,
        created_by=actor.user_id,
        created_at=now,
    )
    keep(session, sale, SaleKnown)
    session.refresh(sale)
    record(session, "plan_sale", sale, actor=actor)
    return sale


def check_fund(session: Session, draft: SaleDraft, community_id: int) -> None:
    """The fund of the community, open, with its wish; raises Invalid naming the field."""
    fund = session.get(Fund, draft.fund_id)
    if fund is None or fund.community_id != community_id or fund.closed_at is not None:
        raise Invalid("fund_id", "没有这个基金，请重新选择")
    wish = session.get(Earmark, draft.earmark_id) if draft.earmark_id is not None else None
    if draft.earmark_id is not None and (wish is None or wish.fund_id != fund.id):
        raise Invalid("earmark_id", "这个基金没有这个捐赠意向，请重新选择")


def record(session: Session, deed: str, sale: Sale, *, actor: Actor) -> None:
    """The audit entry of what was done with a sale."""
    audit.record(session, f"market.{deed}", "sales", sale.id, actor=actor, community_id=sale.community_id)


def find_sale(session: Session, sale_id: int, *, actor: Actor, locked: bool = False) -> Sale:
    """A sale in reach, locked and read fresh when asked; raises NotFound."""
    query = select(Sale).where(Sale.id == sale_id, reach.visible(Sale, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    sale = session.scalars(query).one_or_none()
    if sale is None:
        raise NotFound
    return sale


def list_sales(session: Session, *, actor: Actor) -> Sequence[Sale]:
    """The sales in reach, the newest first."""
    query = select(Sale).where(reach.visible(Sale, actor)).order_by(Sale.held_on.desc(), Sale.id.desc())
    return session.scalars(query.limit(MOST_FOUND)).all()


def count_sale(session: Session, sale_id: int, fen: int, *, actor: Actor, now: datetime) -> Sale:
    """Enter what one person counted, without seeing the other's figure; the second closes the count.

    Where the two differ both are void (`recounts` tells it) and both count again. Only people count.
    Raises NotFound, NotAllowed, SaleNotThere, NotOverYet, SamePersonCounted, Invalid("fen", …).
    """
    sale = find_sale(session, sale_id, actor=actor, locked=True)
    if actor.user_id is None:
        raise NotAllowed
    is_again = sale.first_by == actor.user_id
    rule.check_count(SaleState(sale.state), sale.held_on, clock.today(now), fen, counted_before=is_again)
    if sale.first_fen is None:
        sale.first_fen, sale.first_by, sale.first_at = fen, actor.user_id, now
    elif rule.are_alike(sale.first_fen, fen):
        sale.second_fen, sale.second_by, sale.second_at = fen, actor.user_id, now
        sale.state = str(SaleState.COUNTED)
    else:
        sale.first_fen = sale.first_by = sale.first_at = None
        sale.recounts += 1
    session.flush()
    record(session, "count_sale", sale, actor=actor)
    return sale


def publish_sale(session: Session, sale_id: int, result: str, *, actor: Actor, now: datetime) -> Sale:
    """Publish the result with some words; raises NotFound, SaleNotThere, Invalid("result", …)."""
    sale = find_sale(session, sale_id, actor=actor, locked=True)
    rule.check_published(SaleState(sale.state))
    words = check_text("result", result, LONGEST_WORDS)
    if not words:
        raise Invalid("result", "请写几句话告诉居民结果")
    sale.state, sale.result = str(SaleState.PUBLISHED), words
    sale.published_by, sale.published_at = actor.user_id, now
    session.flush()
    record(session, "publish_sale", sale, actor=actor)
    return sale


def cancel_sale(session: Session, sale_id: int, *, actor: Actor) -> Sale:
    """Call off a sale that nobody has counted; raises NotFound, SaleNotThere."""
    sale = find_sale(session, sale_id, actor=actor, locked=True)
    rule.check_cancelled(SaleState(sale.state), counted_once=sale.first_fen is not None)
    away = select(SaleLine.id).where(SaleLine.sale_id == sale.id, SaleLine.sold.is_distinct_from(0))
    if session.execute(away).first() is not None:
        raise Invalid("lines", "带去的物资要先全部退回，才能取消")
    sale.state = str(SaleState.CANCELLED)
    session.flush()
    record(session, "cancel_sale", sale, actor=actor)
    return sale


def published_sales(session: Session, community_id: int) -> Sequence[tuple[Sale, str]]:
    """What everybody may read: published sales of a community with the name of the fund, the newest first."""
    query = (
        select(Sale, Fund.name)
        .join(Fund, Fund.id == Sale.fund_id)
        .where(Sale.community_id == community_id, Sale.state == str(SaleState.PUBLISHED))
        .order_by(Sale.held_on.desc(), Sale.id.desc())
        .limit(MOST_FOUND)
    )
    return [(row[0], row[1]) for row in session.execute(query)]
