"""Notices, the effects that leave the house, inboxes of workers, and alarms that stay until somebody acts."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference


class Notice(Base):
    """Something somebody must be told: a performer (by their channel) or a user (in their inbox).

    `dedupe` makes each telling happen once; `secret` holds the sealed link token until it was sent. A letter (to a
    donor, to the children of an elder, about an appointment) is to nobody of the house: its `secret` is the address.
    """

    __tablename__ = "notices"

    id: Mapped[Id]
    dedupe: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    organisation_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    template: Mapped[str]
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    user_id: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[Reference | None]
    offer_recipient_id: Mapped[Reference | None]
    channel: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    created_at: Mapped[Moment]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("channel IN ('webhook', 'email', 'app')", name="channel"),
        CheckConstraint("state IN ('waiting', 'delivered', 'failed', 'superseded')", name="state"),
        CheckConstraint(
            "num_nonnulls(performer_id, user_id) = "
            "CASE WHEN template IN ('thanks', 'alarm_raised', 'alarm_ended', 'monthly_visit') "
            "OR template LIKE 'appointment%' THEN 0 ELSE 1 END "
            "AND (num_nonnulls(performer_id, user_id) = 1 OR channel = 'email')",
            name="receiver",
        ),
        Index("ix_notices_user_id", "user_id", "id", postgresql_where=text("user_id IS NOT NULL")),
        Index("ix_notices_order_id", "order_id"),
        Index("ix_notices_performer_id", "performer_id", "id", postgresql_where=text("performer_id IS NOT NULL")),
    )


class Effect(Base):
    """One message that may leave the house: sending → sent, or unknown when it cannot be known."""

    __tablename__ = "effects"

    dedupe: Mapped[str] = mapped_column(primary_key=True)
    notice_id: Mapped[Reference] = mapped_column(ForeignKey("notices.id"))
    channel: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    started_at: Mapped[Moment]
    sent_at: Mapped[datetime | None]
    receiver_reference: Mapped[str | None]
    error: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('sending', 'sent', 'unknown', 'failed')", name="state"),
        Index("ix_effects_notice_id", "notice_id"),
    )


class Alarm(Base):
    """Something that must not stay silent: shown at the desk until it is cleared; one open per subject."""

    __tablename__ = "alarms"

    id: Mapped[Id]
    organisation_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    order_id: Mapped[Reference | None]
    level: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    raised_at: Mapped[Moment]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    cleared_at: Mapped[datetime | None]
    cleared_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (
        CheckConstraint("level IN ('notice', 'warning', 'emergency')", name="level"),
        Index("ix_alarms_open", "kind", "subject", unique=True, postgresql_where=text("cleared_at IS NULL")),
        Index("ix_alarms_order_id", "order_id"),
    )


class WebhookReceipt(Base):
    """A signed message that came in, so that a replay is harmless."""

    __tablename__ = "webhook_receipts"

    id: Mapped[Id]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    message_id: Mapped[str]
    received_at: Mapped[Moment]

    __table_args__ = (UniqueConstraint("performer_id", "message_id"),)
