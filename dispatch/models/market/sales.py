"""Charity sales: on an agreement that was signed before, counted by two people, banked whole, published."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import wish_of
from dispatch.models.grid import community, within


class Sale(Base):
    """爱心义卖: what two people counted alike goes whole into the named fund; the result is published."""

    __tablename__ = "sales"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    name: Mapped[str]
    place: Mapped[str]
    held_on: Mapped[date]
    agreement_id: Mapped[Reference]
    agreement_purpose: Mapped[str] = mapped_column(server_default=sql("'sale'"))
    agreed_on: Mapped[date]
    fund_id: Mapped[Reference]
    earmark_id: Mapped[Reference | None]
    state: Mapped[str] = mapped_column(server_default=sql("'planned'"))
    first_fen: Mapped[int | None] = mapped_column(BigInteger)
    first_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    first_at: Mapped[datetime | None]
    second_fen: Mapped[int | None] = mapped_column(BigInteger)
    second_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    second_at: Mapped[datetime | None]
    recounts: Mapped[int] = mapped_column(SmallInteger, server_default=sql("0"))
    entry_id: Mapped[Reference | None]
    banked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    banked_at: Mapped[datetime | None]
    result: Mapped[str | None]
    published_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    published_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "agreement_id", "agreement_purpose", "agreed_on"],
            ["agreements.community_id", "agreements.id", "agreements.purpose", "agreements.signed_on"],
            name="fk_sales_agreement",
        ),
        within("funds", "fund_id"),
        wish_of(),
        within("entries", "entry_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "name", "held_on"),
        UniqueConstraint("entry_id"),
        CheckConstraint("state IN ('planned', 'counted', 'banked', 'published', 'cancelled')", name="state"),
        CheckConstraint("agreement_purpose = 'sale' AND agreed_on <= held_on", name="agreed_before"),
        CheckConstraint("first_by <> second_by", name="two_people"),
        CheckConstraint(
            "num_nulls(first_fen, first_by, first_at) IN (0, 3) AND num_nulls(second_fen, second_by, second_at) "
            "IN (0, 3) AND (second_fen IS NULL OR first_fen IS NOT NULL)",
            name="counts",
        ),
        CheckConstraint("first_fen >= 0 AND second_fen = first_fen", name="alike"),
        CheckConstraint("state IN ('planned', 'cancelled') = (second_fen IS NULL)", name="counted"),
        CheckConstraint(
            "(state IN ('banked', 'published') AND first_fen > 0) = (entry_id IS NOT NULL)", name="banked_whole"
        ),
        CheckConstraint("(state IN ('banked', 'published')) = (banked_at IS NOT NULL)", name="banked"),
        CheckConstraint("(state = 'published') = (published_at IS NOT NULL)", name="published"),
        Index("ix_sales_community_id", "community_id", "id"),
    )


class SaleLine(Base):
    """What was brought to a sale and how much was sold: own goods by a step of stock, others in words."""

    __tablename__ = "sale_lines"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    sale_id: Mapped[Reference]
    position: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[str]
    words: Mapped[str]
    goods_id: Mapped[Reference | None]
    facility_id: Mapped[Reference | None]
    move_id: Mapped[Reference | None]
    brought: Mapped[int] = mapped_column(BigInteger)
    sold: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        within("sales", "sale_id"),
        within("goods", "goods_id"),
        within("facilities", "facility_id"),
        within("stock_moves", "move_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("sale_id", "position"),
        UniqueConstraint("move_id"),
        CheckConstraint("source IN ('own', 'partner', 'consigned')", name="source"),
        CheckConstraint(
            "num_nonnulls(goods_id, facility_id, move_id) = CASE source WHEN 'own' THEN 3 ELSE 0 END", name="own"
        ),
        CheckConstraint("btrim(words) <> ''", name="words"),
        CheckConstraint("brought > 0 AND sold BETWEEN 0 AND brought", name="amounts"),
    )
