"""Care-visit schedules and their occurrences."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class VisitSchedule(Base):
    """Who is visited, how often (RRULE, local time in Shanghai), in what window, by whom."""

    __tablename__ = "visit_schedules"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    resident_id: Mapped[Reference]
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    starts_at: Mapped[datetime]
    rule: Mapped[str]
    window_minutes: Mapped[int]
    until: Mapped[date | None]
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    team_id: Mapped[Reference | None]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    placed_through: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        within("residents", "resident_id"),
        within("teams", "team_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("window_minutes BETWEEN 15 AND 1440", name="window"),
        Index("ix_visit_schedules_open", "community_id", "id", postgresql_where=text("ended_at IS NULL")),
    )


class VisitOccurrence(Base):
    """One visit of a schedule: placed as an order once, or missed with an alarm when its window is past."""

    __tablename__ = "visit_occurrences"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    schedule_id: Mapped[Reference]
    occurs_at: Mapped[datetime]
    window_until: Mapped[datetime]
    state: Mapped[str]
    order_id: Mapped[Reference | None]
    order_version: Mapped[int] = mapped_column(server_default=text("0"))
    reason: Mapped[str | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        within("visit_schedules", "schedule_id"),
        within("orders", "order_id"),
        UniqueConstraint("schedule_id", "occurs_at"),
        CheckConstraint("state IN ('placed', 'done', 'cancelled', 'missed')", name="state"),
        CheckConstraint("state = 'missed' OR order_id IS NOT NULL", name="order"),
        Index("ix_visit_occurrences_order_id", "order_id"),
    )
