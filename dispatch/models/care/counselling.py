"""心理咨询: counsellors, what each offers, the times they open, and who has taken or waits for one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

OFFERED = sql("withdrawn_at IS NULL")
HELD = sql("state IN ('offered', 'booked', 'kept', 'missed')")


class Counsellor(Base):
    """A user who counsels, of the partner institute; reads nothing but what concerns their own clients."""

    __tablename__ = "counsellors"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    user_id: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    shown_as: Mapped[str]
    institute: Mapped[str]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "user_id"),
        CheckConstraint("btrim(shown_as) <> '' AND btrim(institute) <> ''", name="shown"),
    )


class CounsellorKind(Base):
    """Which of the one-to-one services a counsellor offers."""

    __tablename__ = "counsellor_kinds"

    counsellor_id: Mapped[Reference] = mapped_column(primary_key=True)
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"), primary_key=True)
    community_id: Mapped[Reference] = community()

    __table_args__ = (within("counsellors", "counsellor_id"),)


class CounsellingSlot(Base):
    """A time that a counsellor opens, with the room; two of one counsellor never overlap."""

    __tablename__ = "counselling_slots"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    counsellor_id: Mapped[Reference]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    room: Mapped[str]
    withdrawn_at: Mapped[datetime | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        within("counsellors", "counsellor_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "id", "counsellor_id", "during"),
        ExcludeConstraint(
            ("counsellor_id", "="),
            ("during", "&&"),
            where=OFFERED,
            name="ex_counselling_slots_counsellor_id_during",
        ),
        CheckConstraint(
            "NOT isempty(during) AND lower_inc(during) AND NOT upper_inc(during) "
            "AND upper(during) - lower(during) BETWEEN interval '15 minutes' AND interval '4 hours'",
            name="during",
        ),
        CheckConstraint("btrim(room) <> ''", name="room"),
        Index(
            "ix_counselling_slots_open", "community_id", sql("lower(during)"), postgresql_where="withdrawn_at IS NULL"
        ),
    )


class Appointment(Base):
    """预约: somebody under an alias waits for, is offered, or has a time; phone and e-mail are sealed.

    While it holds a time nobody else has that time of the counsellor, and who it is for has no other.
    """

    __tablename__ = "appointments"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    wanted_counsellor_id: Mapped[Reference | None]
    alias: Mapped[str]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    person_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    source: Mapped[str]
    form_key: Mapped[str | None]
    state: Mapped[str]
    slot_id: Mapped[Reference | None]
    counsellor_id: Mapped[Reference | None]
    during: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    offered_until: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(server_default=sql("1"))

    __table_args__ = (
        within("counsellors", "wanted_counsellor_id"),
        ForeignKeyConstraint(
            ["community_id", "slot_id", "counsellor_id", "during"],
            [f"counselling_slots.{name}" for name in ("community_id", "id", "counsellor_id", "during")],
            name="fk_appointments_slot",
        ),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "form_key"),
        ExcludeConstraint(
            ("counsellor_id", "="), ("during", "&&"), where=HELD, name="ex_appointments_counsellor_id_during"
        ),
        ExcludeConstraint(
            ("community_id", "="),
            ("person_index", "="),
            ("during", "&&"),
            where=HELD,
            name="ex_appointments_person_index_during",
        ),
        CheckConstraint("source IN ('web', 'desk', 'phone')", name="source"),
        CheckConstraint(
            "state IN ('waiting', 'offered', 'booked', 'kept', 'missed', 'lapsed', 'cancelled')", name="state"
        ),
        CheckConstraint("num_nulls(slot_id, counsellor_id, during) IN (0, 3)", name="slot"),
        CheckConstraint("state <> 'waiting' OR slot_id IS NULL", name="waiting"),
        CheckConstraint("state IN ('waiting', 'cancelled') OR slot_id IS NOT NULL", name="held"),
        CheckConstraint("(state = 'offered') = (offered_until IS NOT NULL)", name="offered"),
        CheckConstraint("ended_by IN ('client', 'desk', 'counsellor', 'clock')", name="ended_by"),
        CheckConstraint("num_nulls(ended_by, ended_at) IN (0, 2)", name="ended"),
        CheckConstraint("(state IN ('waiting', 'offered', 'booked')) = (ended_at IS NULL)", name="open"),
        CheckConstraint("num_nulls(phone, person_index) IN (0, 2)", name="phone"),
        CheckConstraint("octet_length(code_index) = 32", name="code"),
        CheckConstraint("btrim(alias) <> ''", name="alias"),
        Index("ix_appointments_waiting", "community_id", "service_id", "id", postgresql_where=sql("state = 'waiting'")),
        Index("ix_appointments_counsellor_id", "counsellor_id", sql("lower(during)")),
        Index("ix_appointments_slot_id", "slot_id"),
        Index("ix_appointments_person_index", "community_id", "person_index"),
        Index("ix_appointments_times", "community_id", sql("lower(during)")),
    )
