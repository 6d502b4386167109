"""What keepers, counters and approvers do with stock: counts, rounds of inspection, disposals, recalls."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

OPEN = text("state = 'open'")


class Count(Base):
    """盘点: two people count blind, a third decides; while it is open nothing moves in the facility."""

    __tablename__ = "counts"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    opened_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[Moment]
    first_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    first_at: Mapped[datetime | None]
    second_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    second_at: Mapped[datetime | None]
    approved_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    closed_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default=text("''"))

    __table_args__ = (
        within("facilities", "facility_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("state IN ('open', 'closed', 'cancelled')", name="state"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
        CheckConstraint("first_by <> second_by", name="two_people"),
        CheckConstraint("approved_by <> first_by AND approved_by <> second_by", name="third_person"),
        CheckConstraint(
            "state <> 'closed' OR num_nulls(first_by, second_by, approved_by) = 0",
            name="people",
        ),
        CheckConstraint(
            "num_nulls(first_by, first_at) IN (0, 2) AND num_nulls(second_by, second_at) IN (0, 2)", name="at"
        ),
        Index("ix_counts_open", "facility_id", unique=True, postgresql_where=OPEN),
    )


class CountLine(Base):
    """A lot at a spot: what the book said when the count began, and what each of the two found."""

    __tablename__ = "count_lines"

    count_id: Mapped[Reference] = mapped_column(primary_key=True)
    lot_id: Mapped[Reference] = mapped_column(primary_key=True)
    spot: Mapped[str] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    book: Mapped[int] = mapped_column(BigInteger)
    first: Mapped[int | None] = mapped_column(BigInteger)
    second: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        within("counts", "count_id"),
        within("lots", "lot_id"),
        CheckConstraint("least(book, first, second) >= 0", name="amounts"),
    )


class Inspection(Base):
    """定期检查: a round through the food of a facility, or of one receipt; due by a day, once for each occasion."""

    __tablename__ = "inspections"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    occasion: Mapped[str]
    move_id: Mapped[Reference | None]
    started_at: Mapped[Moment]
    due_on: Mapped[date]
    done_at: Mapped[datetime | None]
    done_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (
        within("facilities", "facility_id"),
        within("stock_moves", "move_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("facility_id", "occasion"),
        Index("ix_inspections_open", "due_on", postgresql_where=text("done_at IS NULL")),
    )


class InspectionTick(Base):
    """What was found of one lot at one spot, and the step that set it apart."""

    __tablename__ = "inspection_ticks"

    inspection_id: Mapped[Reference] = mapped_column(primary_key=True)
    lot_id: Mapped[Reference] = mapped_column(primary_key=True)
    spot: Mapped[str] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    finding: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    move_id: Mapped[Reference | None]
    ticked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    ticked_at: Mapped[Moment]

    __table_args__ = (
        within("inspections", "inspection_id"),
        within("lots", "lot_id"),
        within("stock_moves", "move_id"),
        CheckConstraint("finding IN ('good', 'near', 'expired', 'spoiled')", name="finding"),
        CheckConstraint("(finding = 'good') = (amount = 0) AND amount >= 0", name="amount"),
        CheckConstraint("(amount = 0) = (move_id IS NULL)", name="move"),
    )


class Disposal(Base):
    """销毁: goods that stand apart, an order of the core, two signatures, and the step that takes them out."""

    __tablename__ = "disposals"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    lot_id: Mapped[Reference]
    cause: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    opened_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[Moment]
    due_on: Mapped[date]
    order_id: Mapped[Reference | None]
    order_version: Mapped[int] = mapped_column(server_default=text("0"))
    occasion: Mapped[int] = mapped_column(server_default=text("1"))
    work_done_at: Mapped[datetime | None]
    signed_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    signed_at: Mapped[datetime | None]
    way: Mapped[str | None]
    approved_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    move_id: Mapped[Reference | None]

    __table_args__ = (
        within("facilities", "facility_id"),
        within("lots", "lot_id"),
        within("orders", "order_id"),
        within("stock_moves", "move_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("cause IN ('near', 'expired', 'spoiled', 'recalled')", name="cause"),
        CheckConstraint("state IN ('open', 'done', 'withdrawn')", name="state"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("way IN ('bin', 'return')", name="way"),
        CheckConstraint("num_nulls(signed_by, signed_at, way) IN (0, 3)", name="signed"),
        CheckConstraint("num_nulls(approved_by, approved_at) IN (0, 2)", name="approved"),
        CheckConstraint("approved_by <> signed_by", name="two_signatures"),
        CheckConstraint(
            "(state = 'done') = (move_id IS NOT NULL) AND (state <> 'done' OR num_nulls(signed_by, approved_by) = 0)",
            name="done",
        ),
        Index("ix_disposals_open", "lot_id", "facility_id", unique=True, postgresql_where=OPEN),
        Index("ix_disposals_due_on", "due_on", postgresql_where=OPEN),
        Index("ix_disposals_order_id", "order_id"),
    )


class Recall(Base):
    """召回: goods of a batch that nobody may have any more; whoever got some is listed from the movements."""

    __tablename__ = "recalls"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    goods_id: Mapped[Reference]
    batch_number: Mapped[str | None]
    reason: Mapped[str]
    source: Mapped[str]
    called_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    called_at: Mapped[Moment]

    __table_args__ = (within("goods", "goods_id"), UniqueConstraint("community_id", "id"))
