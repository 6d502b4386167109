"""Bank statements of a month, their lines, which line is which entries, and what no line has yet."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import author
from dispatch.models.grid import community, within


class BankStatement(Base):
    """对账单: the bank's own lines of a month; one that holds per account and month, another replaces it."""

    __tablename__ = "bank_statements"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    holding_id: Mapped[Reference]
    holding_kind: Mapped[str] = mapped_column(server_default=text("'bank'"))
    month: Mapped[date]
    opening_fen: Mapped[Reference]
    closing_fen: Mapped[Reference]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    imported_by: Mapped[Reference | None] = author()
    imported_at: Mapped[Moment]
    confirmed_by: Mapped[Reference | None] = author()
    confirmed_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    replaced_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["community_id", "holding_id", "holding_kind"], ["holdings.community_id", "holdings.id", "holdings.kind"]
        ),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("holding_kind = 'bank'", name="bank"),
        CheckConstraint("extract(day FROM month) = 1", name="month"),
        CheckConstraint("confirmed_by <> imported_by", name="second_person"),
        CheckConstraint("num_nulls(confirmed_by, confirmed_at) IN (0, 2)", name="confirmed"),
        CheckConstraint("replaced_at IS NULL OR confirmed_at IS NULL", name="replaced"),
        Index(
            "ix_bank_statements_month",
            "community_id",
            "holding_id",
            "month",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )


class BankLine(Base):
    """A line of a statement: day, fen (in above zero, out below), the bank's reference and words."""

    __tablename__ = "bank_lines"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    statement_id: Mapped[Reference]
    number: Mapped[int]
    booked_on: Mapped[date]
    amount_fen: Mapped[Reference]
    reference: Mapped[str] = mapped_column(server_default=text("''"))
    words: Mapped[str] = mapped_column(server_default=text("''"))

    __table_args__ = (
        within("bank_statements", "statement_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("statement_id", "number"),
        CheckConstraint("amount_fen <> 0", name="amount"),
    )


class BankMatch(Base):
    """That an entry of the journal is (part of) a line of the bank: each once, together the same fen (trigger)."""

    __tablename__ = "bank_matches"

    bank_line_id: Mapped[Reference] = mapped_column(primary_key=True)
    entry_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    holding_id: Mapped[Reference]
    by_hand: Mapped[bool] = mapped_column(server_default=text("false"))
    made_by: Mapped[Reference | None] = author()
    made_at: Mapped[Moment]

    __table_args__ = (
        within("bank_lines", "bank_line_id"),
        within("entries", "entry_id"),
        within("holdings", "holding_id"),
        UniqueConstraint("entry_id", "holding_id"),
    )


class BankOpenEntry(Base):
    """An entry at a bank account that no line of the bank has yet; kept by triggers alone."""

    __tablename__ = "bank_open_entries"

    holding_id: Mapped[Reference] = mapped_column(primary_key=True)
    entry_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    reverses_id: Mapped[Reference | None]
    happened_on: Mapped[date]
    fen: Mapped[Reference]

    __table_args__ = (
        within("entries", "entry_id"),
        within("holdings", "holding_id"),
        CheckConstraint("fen <> 0", name="fen"),
        Index("ix_bank_open_entries_happened_on", "holding_id", "happened_on", "entry_id"),
        Index(
            "ix_bank_open_entries_reverses_id",
            "holding_id",
            "reverses_id",
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
    )
