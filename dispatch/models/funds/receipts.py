"""Receipts: one numbered series per community and year, a number is never used again; a void one keeps its own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import author
from dispatch.models.grid import community, within


class ReceiptSeries(Base):
    """The newest number of a community's year; kept by the receipts' trigger alone."""

    __tablename__ = "receipt_series"

    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    newest: Mapped[int]


class Receipt(Base):
    """捐赠收据: numbered by the database in the year of its day; who gave is sealed; one that holds per entry."""

    __tablename__ = "receipts"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    entry_id: Mapped[Reference]
    received_from: Mapped[bytes] = mapped_column(LargeBinary)
    issued_by: Mapped[Reference | None] = author()
    issued_at: Mapped[Moment]
    voided_by: Mapped[Reference | None] = author()
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]

    __table_args__ = (
        within("entries", "entry_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "year", "number"),
        CheckConstraint("num_nulls(voided_at, void_reason) IN (0, 2)", name="void"),
        CheckConstraint("void_reason <> ''", name="void_reason"),
        Index("ix_receipts_entry_id", "entry_id", unique=True, postgresql_where=text("voided_at IS NULL")),
        Index("ix_receipts_of_entry", "entry_id", "id"),
        Index("ix_receipts_issued_at", "community_id", "issued_at", "id"),
    )
