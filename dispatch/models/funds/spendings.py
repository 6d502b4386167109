"""Spending, openings, and what is taken back, that wait for a second person, or was decided."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import author, wish_of
from dispatch.models.grid import community, within


class Spending(Base):
    """支出、冲正与开账申请: asked by one, approved and booked or refused by another; nothing is changed afterwards."""

    __tablename__ = "spendings"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    fund_id: Mapped[Reference | None]
    earmark_id: Mapped[Reference | None]
    holding_id: Mapped[Reference | None]
    reverses_id: Mapped[Reference | None]
    counted: Mapped[list[Any] | None]
    amount_fen: Mapped[Reference]
    purpose: Mapped[str | None]
    happened_on: Mapped[date | None]
    words: Mapped[str] = mapped_column(server_default=text("''"))
    form_key: Mapped[Reference | None]
    state: Mapped[str] = mapped_column(server_default=text("'asked'"))
    asked_by: Mapped[Reference | None] = author()
    asked_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    asked_at: Mapped[Moment]
    decided_by: Mapped[Reference | None] = author()
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    entry_id: Mapped[Reference | None]

    __table_args__ = (
        within("funds", "fund_id"),
        wish_of(),
        within("holdings", "holding_id"),
        within("entries", "entry_id"),
        within("entries", "reverses_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "form_key"),
        UniqueConstraint("entry_id"),
        CheckConstraint(
            "kind IN ('spend', 'given_back', 'reversal', 'opening') AND (kind = 'spend') = (purpose IS NOT NULL) "
            "AND (kind = 'reversal') = (reverses_id IS NOT NULL) AND (kind = 'opening') = (counted IS NOT NULL) "
            "AND (kind IN ('reversal', 'opening')) = (fund_id IS NULL) AND (kind = 'reversal') = (holding_id IS NULL)",
            name="kind",
        ),
        CheckConstraint("jsonb_typeof(counted) = 'array' AND jsonb_array_length(counted) > 0", name="counted"),
        CheckConstraint("amount_fen > 0 OR (kind = 'reversal' AND amount_fen = 0)", name="amount"),
        CheckConstraint("length(words) <= 500", name="words"),
        CheckConstraint("num_nonnulls(asked_by, asked_by_key) <= 1", name="asker"),
        CheckConstraint("state = 'withdrawn' OR decided_by <> asked_by", name="second_person"),
        CheckConstraint(
            "state IN ('asked', 'booked', 'refused', 'withdrawn') "
            "AND (state = 'asked') = (decided_at IS NULL) AND (state = 'booked') = (entry_id IS NOT NULL) "
            "AND (state NOT IN ('booked', 'refused') OR decided_by IS NOT NULL)",
            name="state",
        ),
        CheckConstraint("state <> 'refused' OR reason <> ''", name="reason"),
        Index("ix_spendings_waiting", "community_id", "id", postgresql_where=text("state = 'asked'")),
        Index("ix_spendings_reversing", "reverses_id", unique=True, postgresql_where=text("state = 'asked'")),
    )
