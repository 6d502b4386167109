"""What came of a visit or a call, and the days on which somebody cannot be visited."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Contact(Base):
    """探访记录: when, by whom, how it is proven, how the elder was; words sealed. Written once, never changed.

    `day` is the day in Shanghai (checked). A difficulty has its order, which is closed back to the elder.
    """

    __tablename__ = "contacts"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    household_id: Mapped[Reference]
    resident_id: Mapped[Reference | None]
    kind: Mapped[str]
    happened_at: Mapped[datetime]
    day: Mapped[date]
    answered: Mapped[bool]
    tested: Mapped[bool] = mapped_column(server_default=text("false"))
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    order_id: Mapped[Reference | None]
    proof: Mapped[str]
    mood: Mapped[str | None]
    complaint: Mapped[bytes | None] = mapped_column(LargeBinary)
    difficulty: Mapped[bytes | None] = mapped_column(LargeBinary)
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    difficulty_order_id: Mapped[Reference | None]
    recorded_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[Moment]

    __table_args__ = (
        within("households", "household_id"),
        within("residents", "resident_id"),
        within("orders", "order_id"),
        within("orders", "difficulty_order_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("order_id"),
        CheckConstraint("kind IN ('visit', 'call', 'test')", name="kind"),
        CheckConstraint("day = (happened_at AT TIME ZONE 'Asia/Shanghai')::date", name="day"),
        CheckConstraint("happened_at <= recorded_at", name="past"),
        CheckConstraint("answered OR (kind = 'call' AND mood IS NULL AND NOT tested)", name="answered"),
        CheckConstraint("mood IN ('good', 'flat', 'low')", name="mood"),
        CheckConstraint("proof IN ('door_code', 'confirmed', 'report', 'signal', 'none')", name="proof"),
        CheckConstraint("difficulty_order_id IS NULL OR difficulty IS NOT NULL", name="difficulty"),
        Index("ix_contacts_household_id", "household_id", "day"),
        Index("ix_contacts_unanswered", "household_id", "happened_at", postgresql_where=text("NOT answered")),
        Index("ix_contacts_performer_id", "performer_id", "day"),
        Index("ix_contacts_difficulty_order_id", "difficulty_order_id"),
    )


class Absence(Base):
    """Days on which a resident cannot be visited: in hospital or away; `until` (the last day) is open while it lasts.

    A hospital stay excuses by itself, everything else needs a second person. Seen by planners; helpers see no reason.
    """

    __tablename__ = "absences"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    resident_id: Mapped[Reference]
    kind: Mapped[str]
    starts_on: Mapped[date]
    until: Mapped[date | None]
    recorded_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[Moment]

    __table_args__ = (
        within("residents", "resident_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("kind IN ('hospital', 'away')", name="kind"),
        CheckConstraint("until >= starts_on", name="days"),
        Index("ix_absences_resident_id", "resident_id", "starts_on"),
    )
