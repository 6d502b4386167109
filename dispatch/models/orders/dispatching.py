"""Who is on an order and why: assignments, decision records, offer rounds and their recipients."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import within


class Assignment(Base):
    """A team's part in an order (lead or assist), with its own clock.

    An assist never keeps the order from its end, unless it was made a helper's task (协办) that must be finished.
    """

    __tablename__ = "assignments"

    id: Mapped[Id]
    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference]
    team_id: Mapped[Reference]
    role: Mapped[str]
    cycle: Mapped[int] = mapped_column(SmallInteger)
    assigned_at: Mapped[Moment]
    signed_at: Mapped[datetime | None]
    sign_due_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    must_finish: Mapped[bool] = mapped_column(server_default=text("false"))
    task: Mapped[str | None]
    answer: Mapped[str | None]

    __table_args__ = (
        within("orders", "order_id"),
        within("teams", "team_id"),
        CheckConstraint("NOT must_finish OR (role = 'assist' AND task IS NOT NULL)", name="helper"),
        UniqueConstraint("order_id", "team_id", "role", "cycle"),
        CheckConstraint("role IN ('lead', 'assist')", name="role"),
        Index(
            "ix_assignments_lead",
            "order_id",
            "cycle",
            unique=True,
            postgresql_where=text("role = 'lead' AND done_at IS NULL"),
        ),
        Index("ix_assignments_team_id", "team_id", postgresql_where=text("done_at IS NULL")),
    )


class DecisionRecord(Base):
    """Why an order went where it went: the canonical, compressed record of one routing decision."""

    __tablename__ = "decision_records"

    id: Mapped[Id]
    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference]
    cycle: Mapped[int] = mapped_column(SmallInteger)
    round: Mapped[int] = mapped_column(SmallInteger)
    rule_version: Mapped[int] = mapped_column(SmallInteger)
    catalogue_version: Mapped[int]
    record: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Moment]

    __table_args__ = (within("orders", "order_id"), UniqueConstraint("order_id", "cycle", "round"))


class Offer(Base):
    """One round in which an order is offered to one, up to three, or all; one open round per order."""

    __tablename__ = "offers"

    id: Mapped[Id]
    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference]
    round: Mapped[int] = mapped_column(SmallInteger)
    cycle: Mapped[int] = mapped_column(SmallInteger)
    mode: Mapped[str]
    opened_at: Mapped[Moment]
    hold_until: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (
        within("orders", "order_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("order_id", "round"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed"),
        CheckConstraint("outcome IN ('accepted', 'declined', 'lapsed', 'withdrawn')", name="outcome"),
        Index("ix_offers_open", "order_id", unique=True, postgresql_where=text("closed_at IS NULL")),
    )


class OfferRecipient(Base):
    """One performer's part in a round; at most one accepts it. Only the hash of the link is stored."""

    __tablename__ = "offer_recipients"

    id: Mapped[Id]
    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    offer_id: Mapped[Reference]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    link_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    outcome: Mapped[str] = mapped_column(server_default=text("'open'"))
    reason: Mapped[str | None]
    opened_at: Mapped[Moment]
    seen_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]

    __table_args__ = (
        within("offers", "offer_id"),
        UniqueConstraint("offer_id", "performer_id"),
        CheckConstraint("outcome IN ('open', 'accepted', 'declined', 'lapsed', 'lost', 'withdrawn')", name="outcome"),
        Index(
            "ix_offer_recipients_accepted",
            "offer_id",
            unique=True,
            postgresql_where=text("outcome = 'accepted'"),
        ),
        Index("ix_offer_recipients_performer_id", "performer_id", "opened_at"),
    )
