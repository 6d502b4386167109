"""What follows an order to its end: callbacks and escalations."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference


class Callback(Base):
    """One try to call somebody back who waits for the order, by somebody who did not handle it.

    `caller_id` is null for the order's own caller; `number` counts the tries of each caller in a cycle.
    """

    __tablename__ = "callbacks"

    id: Mapped[Id]
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"))
    caller_id: Mapped[Reference | None] = mapped_column(ForeignKey("order_callers.id"))
    cycle: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int] = mapped_column(SmallInteger)
    clerk_id: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[Moment]
    half_day: Mapped[str]
    reached: Mapped[bool]
    contacted: Mapped[bool | None]
    solved: Mapped[bool | None]
    satisfaction: Mapped[str | None]
    remark: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint(
            "order_id",
            "cycle",
            "caller_id",
            "number",
            name="uq_callbacks_try",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("number BETWEEN 1 AND 9", name="number"),
        CheckConstraint(
            "satisfaction IN ('very_satisfied', 'satisfied', 'basically_satisfied', 'dissatisfied', "
            "'very_dissatisfied')",
            name="satisfaction",
        ),
        CheckConstraint("NOT reached OR (contacted IS NOT NULL AND solved IS NOT NULL)", name="reached"),
    )


class Escalation(Base):
    """A level of escalation that has been told: once each, per cycle."""

    __tablename__ = "escalations"

    id: Mapped[Id]
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"))
    cycle: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[str]
    audience: Mapped[str]
    due_at: Mapped[datetime]
    told_at: Mapped[Moment]

    __table_args__ = (UniqueConstraint("order_id", "cycle", "level"),)


class EscalationRecipient(Base):
    """One person to whom a level is told, once: alone, with others in one notice, or not any more (spared).

    `handled_at` is when that person said that it is dealt with.
    """

    __tablename__ = "escalation_recipients"

    id: Mapped[Id]
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    escalation_id: Mapped[Reference] = mapped_column(ForeignKey("escalations.id"))
    user_id: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    state: Mapped[str]
    reached_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("escalation_id", "user_id"),
        UniqueConstraint("escalation_id", "performer_id"),
        CheckConstraint("num_nonnulls(user_id, performer_id) = 1", name="receiver"),
        CheckConstraint("state IN ('told', 'waiting', 'digested', 'spared')", name="state"),
        CheckConstraint("(told_at IS NULL) = (state IN ('waiting', 'spared'))", name="told"),
        Index(
            "ix_escalation_recipients_user_id", "user_id", "reached_at", postgresql_where=text("user_id IS NOT NULL")
        ),
        Index(
            "ix_escalation_recipients_performer_id",
            "performer_id",
            "reached_at",
            postgresql_where=text("performer_id IS NOT NULL"),
        ),
    )
