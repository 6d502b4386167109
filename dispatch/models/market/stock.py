"""Goods, facilities with their keepers and rule books, and lots with the days that decide."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import wish_of
from dispatch.models.grid import community, within

LIFE = "num_nulls(life_amount, life_unit) IN (0, 2) AND (life_amount IS NULL OR (life_unit = 'day' AND life_amount \
BETWEEN 1 AND 3650) OR (life_unit = 'month' AND life_amount BETWEEN 1 AND 120))"


class Goods(Base):
    """物品目录: a kind of goods, measured in whole grams or pieces, with what its shelf life usually is."""

    __tablename__ = "goods"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    code: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    synonyms: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    category: Mapped[str]
    commodity: Mapped[str]
    unit: Mapped[str]
    is_food: Mapped[bool]
    life_amount: Mapped[int | None]
    life_unit: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "code"),
        UniqueConstraint("id", "is_food", "commodity"),
        CheckConstraint("category IN ('food', 'clothes', 'daily', 'study')", name="category"),
        CheckConstraint("commodity IN ('gram', 'piece')", name="commodity"),
        CheckConstraint("is_food = (category = 'food')", name="food"),
        CheckConstraint(LIFE, name="life"),
        Index("ix_goods_name_key", "community_id", "name_key"),
    )


class Facility(Base):
    """爱心超市, 侨爱超市, 爱心聊吧: a place with a named keeper; the last keeps no stock."""

    __tablename__ = "facilities"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    code: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    building_id: Mapped[Reference]
    holding_id: Mapped[Reference | None]
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]

    __table_args__ = (
        within("buildings", "building_id"),
        within("holdings", "holding_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "code"),
        UniqueConstraint("holding_id"),
        CheckConstraint("kind IN ('love_market', 'overseas_market', 'chat_room')", name="kind"),
        CheckConstraint("(kind = 'chat_room') = (holding_id IS NULL)", name="holding"),
        CheckConstraint("closed_on >= opened_on", name="closed"),
    )


class Keeper(Base):
    """指定专人管理: who keeps a facility, from and until; one at a time (exclusion constraint)."""

    __tablename__ = "keepers"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    user_id: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    named_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    since: Mapped[datetime]
    until: Mapped[datetime | None]

    __table_args__ = (
        within("facilities", "facility_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("until > since", name="until"),
        CheckConstraint("named_by <> user_id", name="named_by_another"),
        Index("ix_keepers_user_id", "user_id", postgresql_where=text("until IS NULL")),
    )


class Handover(Base):
    """交接记录: what the giver hands over, as it stood in the book, and the taker's word that it is there."""

    __tablename__ = "handovers"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    giver_id: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    taker_id: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    started_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    started_at: Mapped[Moment]
    remarks: Mapped[str] = mapped_column(server_default=text("''"))
    stock: Mapped[list[Any] | None]
    taken_at: Mapped[datetime | None]

    __table_args__ = (
        within("facilities", "facility_id"),
        CheckConstraint("giver_id <> taker_id", name="two_people"),
        CheckConstraint("num_nulls(stock, taken_at) IN (0, 2)", name="taken"),
        Index("ix_handovers_waiting", "facility_id", unique=True, postgresql_where=text("taken_at IS NULL")),
    )


class RuleBook(Base):
    """日常管理制度 and 财务管理制度: versions that are never rewritten; the newest that has begun holds."""

    __tablename__ = "rule_books"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    version: Mapped[int]
    previous_version: Mapped[int | None] = mapped_column(Computed("nullif(version - 1, 0)", persisted=True))
    body: Mapped[str]
    valid_from: Mapped[date]
    written_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    written_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "kind", "version"),
        ForeignKeyConstraint(
            ["community_id", "kind", "previous_version"],
            ["rule_books.community_id", "rule_books.kind", "rule_books.version"],
            name="fk_rule_books_previous",
        ),
        CheckConstraint("kind IN ('daily', 'finance')", name="kind"),
        CheckConstraint("version >= 1", name="version"),
    )


class Lot(Base):
    """批次: goods of one delivery with one set of dates, held for one fund and one wish.

    `last_good_day` is computed by the database from the dates; they are never edited, the stated day only brought
    forward. Whether it may be given is rules/market/shelf.py, and `market_refusal` in the database.
    """

    __tablename__ = "lots"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    goods_id: Mapped[Reference]
    is_food: Mapped[bool]
    commodity: Mapped[str]
    fund_id: Mapped[Reference]
    earmark_id: Mapped[Reference | None]
    batch_number: Mapped[str | None]
    produced_on: Mapped[date | None]
    life_amount: Mapped[int | None]
    life_unit: Mapped[str | None]
    expires_on: Mapped[date | None]
    last_good_day: Mapped[date | None] = mapped_column(
        Computed("market_last_good_day(produced_on, life_amount, life_unit, expires_on)", persisted=True)
    )
    received_on: Mapped[date]
    is_kit: Mapped[bool] = mapped_column(server_default=text("false"))
    replaces_id: Mapped[Reference | None]
    recall_id: Mapped[Reference | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("goods", "goods_id"),
        within("funds", "fund_id"),
        wish_of(),
        within("lots", "replaces_id"),
        within("recalls", "recall_id"),
        ForeignKeyConstraint(
            ["goods_id", "is_food", "commodity"],
            ["goods.id", "goods.is_food", "goods.commodity"],
            name="fk_lots_goods_as_they_are",
        ),
        UniqueConstraint("community_id", "id"),
        CheckConstraint(LIFE, name="life"),
        CheckConstraint("produced_on BETWEEN '1990-01-01' AND received_on", name="produced"),
        CheckConstraint("expires_on BETWEEN '1990-01-01' AND '2199-12-31'", name="expires"),
        CheckConstraint("expires_on >= produced_on", name="order"),
        CheckConstraint("replaces_id IS NULL OR approved_by IS NOT NULL", name="replacement"),
        CheckConstraint("approved_by <> created_by", name="second_person"),
        Index("ix_lots_goods_id", "goods_id", "last_good_day"),
        Index("ix_lots_batch_number", "community_id", "batch_number"),
    )


class LotPart(Base):
    """So much of a lot that was packed into the kits of another, all together."""

    __tablename__ = "lot_parts"

    kit_id: Mapped[Reference] = mapped_column(primary_key=True)
    part_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    amount: Mapped[int]

    __table_args__ = (
        within("lots", "kit_id"),
        within("lots", "part_id"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("kit_id <> part_id", name="itself"),
        Index("ix_lot_parts_part_id", "part_id"),
    )
