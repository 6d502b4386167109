"""What an enrolment owes again and again, each of its periods once, and which order works for which periods."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

OPEN = text("state = 'due'")


class Duty(Base):
    """One kind of care that an enrolment is owed: visit, greeting, monthly_visit or live_test."""

    __tablename__ = "duties"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    enrolment_id: Mapped[Reference]
    kind: Mapped[str]

    __table_args__ = (
        within("enrolments", "enrolment_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("enrolment_id", "kind"),
        CheckConstraint("kind IN ('visit', 'greeting', 'monthly_visit', 'live_test')", name="kind"),
    )


class DutyPeriod(Base):
    """One period of a duty, `starts_on` … `until`: due → met, excused or missed, and never met afterwards (trigger).

    `planned_on` is the day for which the helper is asked. An excuse by rule stands with the absence or the end of the
    enrolment, every other one was asked by one person and approved by another. `version` grows with every change.
    """

    __tablename__ = "duty_periods"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    duty_id: Mapped[Reference]
    number: Mapped[int]
    name: Mapped[str]
    starts_on: Mapped[date]
    planned_on: Mapped[date]
    warn_on: Mapped[date | None]
    until: Mapped[date]
    state: Mapped[str] = mapped_column(server_default=text("'due'"))
    helper_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    contact_id: Mapped[Reference | None]
    settled_on: Mapped[date | None]
    warned_at: Mapped[datetime | None]
    level: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    excuse_code: Mapped[str | None]
    excuse_words: Mapped[bytes | None] = mapped_column(LargeBinary)
    absence_id: Mapped[Reference | None]
    asked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime | None]
    approved_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    changed_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        within("duties", "duty_id"),
        within("contacts", "contact_id"),
        within("absences", "absence_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("duty_id", "number"),
        UniqueConstraint("duty_id", "name"),
        CheckConstraint("state IN ('due', 'met', 'excused', 'missed')", name="state"),
        CheckConstraint("number >= 1 AND level >= 0", name="numbers"),
        CheckConstraint("starts_on <= until AND planned_on BETWEEN starts_on AND until", name="days"),
        CheckConstraint("warn_on BETWEEN starts_on AND until", name="warn_on"),
        CheckConstraint("(state = 'due') = (settled_on IS NULL)", name="settled"),
        CheckConstraint("(state = 'met') = (contact_id IS NOT NULL)", name="met"),
        CheckConstraint(
            "excuse_code IN ('ended', 'died', 'hospital', 'away', 'disaster', 'refused', 'other')", name="excuse_code"
        ),
        CheckConstraint("state <> 'excused' OR excuse_code IS NOT NULL", name="excused"),
        CheckConstraint("num_nulls(asked_by, asked_at) IN (0, 2)", name="asked"),
        CheckConstraint("num_nulls(approved_by, approved_at) IN (0, 2)", name="approved"),
        CheckConstraint("approved_by <> asked_by AND (approved_by IS NULL OR asked_by IS NOT NULL)", name="two_people"),
        CheckConstraint(
            "state <> 'excused' OR approved_by IS NOT NULL OR excuse_code IN ('ended', 'died') "
            "OR (excuse_code = 'hospital' AND absence_id IS NOT NULL)",
            name="second_person",
        ),
        Index("ix_duty_periods_open", "community_id", "until", "id", postgresql_where=OPEN),
        Index("ix_duty_periods_helper_id", "helper_id", "planned_on", postgresql_where=OPEN),
        Index("ix_duty_periods_contact_id", "contact_id", postgresql_where=text("contact_id IS NOT NULL")),
        Index("ix_duty_periods_month", "community_id", "name"),
    )


class DutyOrder(Base):
    """That an order works for a period: one order may work for several, a period is tried again after a failure."""

    __tablename__ = "duty_orders"

    order_id: Mapped[Reference] = mapped_column(primary_key=True)
    period_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    order_version: Mapped[int] = mapped_column(server_default=text("0"))
    outcome: Mapped[str] = mapped_column(server_default=text("'under_way'"))

    __table_args__ = (
        within("orders", "order_id"),
        within("duty_periods", "period_id"),
        CheckConstraint("outcome IN ('under_way', 'done', 'failed')", name="outcome"),
        Index("ix_duty_orders_period_id", "period_id", unique=True, postgresql_where=text("outcome = 'under_way'")),
        Index("ix_duty_orders_all_of_period", "period_id"),
    )


class DutyHandover(Base):
    """A period that went from one helper to another (None: nobody was found), and why: leave, left, swap, ended."""

    __tablename__ = "duty_handovers"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    period_id: Mapped[Reference]
    from_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    to_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    code: Mapped[str]
    made_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[Moment]

    __table_args__ = (
        within("duty_periods", "period_id"),
        CheckConstraint("code IN ('leave', 'left', 'swap', 'unpaired', 'ended')", name="code"),
        CheckConstraint("num_nonnulls(from_id, to_id) > 0", name="helpers"),
        Index("ix_duty_handovers_period_id", "period_id"),
        Index("ix_duty_handovers_from_id", "from_id", "made_at"),
    )
