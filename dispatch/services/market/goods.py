"""The catalogue of goods: named, measured in grams or pieces, with what their shelf life usually is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.market import Goods
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.search import pinyin_sort_key, rank, search_key
from dispatch.rules.market.shelf import Commodity, ShelfLife, check_dates
from dispatch.rules.orders.intake import check_text
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access import audit, reach
from dispatch.services.grid.build import demand_community

LONGEST_NAME = 40
LONGEST_UNIT = 8
MOST_GOODS = 2_000
CATEGORIES = ("food", "clothes", "daily", "study")


class GoodsKnown(Conflict):
    """物品目录里已经有这个编码"""


@dataclass(frozen=True, slots=True)
class GoodsDraft:
    """Goods to be: `unit` is the word for one piece (袋, 件); what is weighed is shown in 斤."""

    code: str
    name: str
    category: str
    commodity: Commodity
    unit: str
    life: ShelfLife | None = None
    synonyms: tuple[str, ...] = ()


def create_goods(session: Session, community_id: int, draft: GoodsDraft, *, actor: Actor, now: datetime) -> Goods:
    """Add goods to a community's catalogue; raises NotFound, Invalid naming the field, GoodsKnown."""
    demand_community(actor, community_id)
    check_goods(draft)
    check_dates(None, draft.life, None, today=now.astimezone(SHANGHAI).date())
    goods = Goods(
        community_id=community_id,
        code=draft.code.strip(),
        name=draft.name.strip(),
        name_key=pinyin_sort_key(draft.name),
        synonyms=list(draft.synonyms),
        category=draft.category,
        commodity=str(draft.commodity),
        unit=draft.unit.strip(),
        is_food=draft.category == "food",
        life_amount=draft.life.amount if draft.life else None,
        life_unit=str(draft.life.unit) if draft.life else None,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(goods)
            session.flush()
    except IntegrityError as error:
        raise GoodsKnown from error
    audit.record(session, "market.create_goods", "goods", goods.id, actor=actor, community_id=community_id)
    return goods


def check_goods(draft: GoodsDraft) -> None:
    """Refuse goods without code, name or unit, or of no category; raises Invalid naming the field."""
    for field, value, longest in (
        ("code", draft.code, LONGEST_NAME),
        ("name", draft.name, LONGEST_NAME),
        ("unit", draft.unit, LONGEST_UNIT),
    ):
        check_text(field, value, longest)
        if not value.strip():
            raise Invalid(field, "请填写编码、名称和单位")
    if draft.category not in CATEGORIES:
        raise Invalid("category", "请选择食品、衣物、日用品或学习用品")


def list_goods(session: Session, *, actor: Actor, query: str = "", limit: int = MOST_GOODS) -> Sequence[Goods]:
    """The goods within reach: by pinyin, or what fits what was typed (Chinese, pinyin, initials), best first."""
    rows = session.scalars(
        select(Goods).where(reach.visible(Goods, actor), Goods.is_active).order_by(Goods.name_key).limit(MOST_GOODS)
    ).all()
    if not query.strip():
        return rows[:limit]
    by_id = {one.id: one for one in rows}
    keys = [(one.id, search_key(one.name, one.synonyms), 0) for one in rows]
    return [by_id[one] for one in rank(query, keys, limit)]


def find_goods(session: Session, goods_id: int, *, actor: Actor) -> Goods:
    """The goods within reach; raises NotFound."""
    goods = session.scalars(select(Goods).where(Goods.id == goods_id, reach.visible(Goods, actor))).one_or_none()
    if goods is None:
        raise NotFound
    return goods


def commodities_of(session: Session, goods_ids: Iterable[int], *, actor: Actor) -> dict[int, Commodity]:
    """In what some goods within reach are counted; what is not there is left out."""
    query = select(Goods.id, Goods.commodity).where(Goods.id.in_(list(goods_ids)), reach.visible(Goods, actor))
    return {row.id: Commodity(row.commodity) for row in session.execute(query)}
