"""Gifts and their lines, each an entry of the journal; lines that were taken back."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import wish_of
from dispatch.models.grid import community, within


class Gift(Base):
    """捐赠: what came at once, into one fund and for one wish; who stays unknown has no donor.

    A pledge becomes a gift once. What the lines are worth stands in the journal.
    """

    __tablename__ = "gifts"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid)
    community_id: Mapped[Reference] = community()
    way: Mapped[str]
    donor_id: Mapped[Reference | None]
    pledge_id: Mapped[Reference | None]
    fund_id: Mapped[Reference]
    earmark_id: Mapped[Reference | None]
    is_named: Mapped[bool]
    happened_on: Mapped[date]
    note: Mapped[str] = mapped_column(server_default=sql("''"))
    thanked_at: Mapped[datetime | None]
    thanked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    received_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    received_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    received_at: Mapped[Moment]

    __table_args__ = (
        within("donors", "donor_id"),
        within("pledges", "pledge_id"),
        within("funds", "fund_id"),
        wish_of(),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("uid"),
        UniqueConstraint("pledge_id"),
        CheckConstraint("way IN ('desk', 'fetched', 'bank')", name="way"),
        CheckConstraint("NOT is_named OR donor_id IS NOT NULL", name="named"),
        CheckConstraint("happened_on <= (received_at AT TIME ZONE 'Asia/Shanghai')::date", name="happened_on"),
        Index("ix_gifts_donor_id", "donor_id", "id"),
    )


class GiftLine(Base):
    """一笔一行: an item of a gift with its entry; goods have their step of stock. Never edited, only reversed."""

    __tablename__ = "gift_lines"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    gift_id: Mapped[Reference]
    position: Mapped[int] = mapped_column(SmallInteger)
    item: Mapped[str]
    commodity: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    goods_id: Mapped[Reference | None]
    move_id: Mapped[Reference | None]
    entry_id: Mapped[Reference]

    __table_args__ = (
        within("gifts", "gift_id"),
        within("goods", "goods_id"),
        within("stock_moves", "move_id"),
        within("entries", "entry_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("gift_id", "position"),
        UniqueConstraint("entry_id"),
        UniqueConstraint("move_id"),
        CheckConstraint("commodity IN ('fen', 'gram', 'piece')", name="commodity"),
        CheckConstraint("amount > 0 AND position BETWEEN 1 AND 50", name="amount"),
        CheckConstraint("num_nulls(goods_id, move_id) = CASE WHEN commodity = 'fen' THEN 2 ELSE 0 END", name="goods"),
    )


class GiftReversal(Base):
    """冲销: a line that was written by mistake, taken back once by the entry that names its entry, with a reason."""

    __tablename__ = "gift_reversals"

    line_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    entry_id: Mapped[Reference]
    reason: Mapped[str]
    reversed_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    reversed_at: Mapped[Moment]

    __table_args__ = (
        within("gift_lines", "line_id"),
        within("entries", "entry_id"),
        UniqueConstraint("entry_id"),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
    )
