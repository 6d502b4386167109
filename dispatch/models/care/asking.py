"""三问: what was asked, what people said to it, how it was answered."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Solicitation(Base):
    """问需, 问计 or 问策: one question to everybody, open from a day until a day (none: until it is closed)."""

    __tablename__ = "solicitations"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    title: Mapped[str]
    words: Mapped[str]
    opens_on: Mapped[date]
    closes_on: Mapped[date | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        CheckConstraint("kind IN ('need', 'idea', 'policy')", name="kind"),
        CheckConstraint("btrim(title) <> '' AND btrim(words) <> ''", name="words"),
        CheckConstraint("closes_on >= opens_on", name="days"),
        Index("ix_solicitations_community_id", "community_id", "id"),
    )


class SolicitationEntry(Base):
    """What somebody said: sealed, with a name and a telephone or without either; answered once, then published.

    `shown` is what is published of it, without names. An anonymous entry has no name, no telephone and no author.
    """

    __tablename__ = "solicitation_entries"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    solicitation_id: Mapped[Reference]
    source: Mapped[str]
    anonymous: Mapped[bool]
    words: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    form_key: Mapped[str | None]
    taken_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    said_at: Mapped[Moment]
    outcome: Mapped[str | None]
    answer: Mapped[str | None]
    shown: Mapped[str | None]
    order_id: Mapped[Reference | None]
    answered_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]

    __table_args__ = (
        within("solicitations", "solicitation_id"),
        within("orders", "order_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("solicitation_id", "form_key"),
        CheckConstraint("source IN ('site', 'desk', 'helper')", name="source"),
        CheckConstraint("outcome IN ('adopted', 'order', 'explained')", name="outcome"),
        CheckConstraint("NOT anonymous OR num_nonnulls(name, phone) = 0", name="anonymous"),
        CheckConstraint("source <> 'site' OR taken_by IS NULL", name="stranger"),
        CheckConstraint("num_nulls(outcome, answer, shown, answered_at) IN (0, 4)", name="answered"),
        CheckConstraint("(order_id IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'order')", name="order"),
        Index("ix_solicitation_entries_open", "community_id", "id", postgresql_where=text("answered_at IS NULL")),
        Index("ix_solicitation_entries_solicitation_id", "solicitation_id", "id"),
    )
