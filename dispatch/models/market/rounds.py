"""Yearly rounds: a frozen list in which each household stands once, the bill of a parcel, what became of each."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Round(Base):
    """年度发放: one of a year; what one parcel holds and from where; over when everybody is reached or excused."""

    __tablename__ = "rounds"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    year: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    facility_id: Mapped[Reference]
    state: Mapped[str] = mapped_column(server_default=sql("'listing'"))
    frozen_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    frozen_at: Mapped[datetime | None]
    closed_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    closed_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("facilities", "facility_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "year", "name"),
        CheckConstraint("state IN ('listing', 'frozen', 'closed')", name="state"),
        CheckConstraint("year BETWEEN 2000 AND 2199", name="year"),
        CheckConstraint("(state = 'listing') = (frozen_at IS NULL)", name="frozen"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    )


class RoundBill(Base):
    """So much of some goods in every parcel of a round."""

    __tablename__ = "round_bills"

    round_id: Mapped[Reference] = mapped_column(primary_key=True)
    goods_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    amount: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        within("rounds", "round_id"),
        within("goods", "goods_id"),
        CheckConstraint("amount > 0", name="amount"),
    )


class RoundEntry(Base):
    """A household of the list, once: its delivery's order, who signed for the lots of its step, or why not."""

    __tablename__ = "round_entries"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    round_id: Mapped[Reference]
    household_id: Mapped[Reference]
    resident_id: Mapped[Reference]
    state: Mapped[str] = mapped_column(server_default=sql("'listed'"))
    order_id: Mapped[Reference | None] = mapped_column(ForeignKey("orders.id"))
    order_version: Mapped[int] = mapped_column(server_default=sql("0"))
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=sql("0"))
    signer: Mapped[str | None]
    signed_on: Mapped[date | None]
    move_id: Mapped[Reference | None]
    reason: Mapped[str | None]
    set_back: Mapped[str | None]
    set_back_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    excused_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (
        within("rounds", "round_id"),
        within("households", "household_id"),
        within("residents", "resident_id"),
        within("stock_moves", "move_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("round_id", "household_id"),
        UniqueConstraint("order_id"),
        UniqueConstraint("move_id"),
        CheckConstraint("state IN ('listed', 'out', 'reached', 'unreached', 'delivered', 'excused')", name="state"),
        CheckConstraint("state NOT IN ('out', 'reached') OR order_id IS NOT NULL", name="order"),
        CheckConstraint(
            "num_nonnulls(signer, signed_on, move_id) = CASE WHEN state = 'delivered' THEN 3 ELSE 0 END", name="signed"
        ),
        CheckConstraint("(state = 'excused') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("btrim(set_back) <> '' AND (set_back_by IS NULL OR set_back IS NOT NULL)", name="set_back"),
        CheckConstraint("excused_by <> set_back_by", name="second_look"),
    )
