"""Groups: courses with a roster, attendance, numbered certificates and job outcome; the activity log."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Course(Base):
    """A cohort of one of the group services: from when until when, how many places."""

    __tablename__ = "courses"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    name: Mapped[str]
    partner: Mapped[str] = mapped_column(server_default=sql("''"))
    place: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    places: Mapped[int] = mapped_column(SmallInteger)
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "name", "starts_on"),
        CheckConstraint("btrim(name) <> '' AND btrim(place) <> ''", name="name"),
        CheckConstraint("ends_on >= starts_on", name="days"),
        CheckConstraint("places BETWEEN 1 AND 500", name="places"),
    )


class CourseMember(Base):
    """Somebody on a course's roster: with a seat, waiting for one, or gone; what became of them in work.

    One telephone number stands on a roster once; a seat is had by one, and none is above the course's places.
    """

    __tablename__ = "course_members"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    course_id: Mapped[Reference]
    name: Mapped[str]
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    seat: Mapped[int | None] = mapped_column(SmallInteger)
    asked_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    outcome_on: Mapped[date | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("courses", "course_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("course_id", "id"),
        UniqueConstraint("course_id", "phone_index"),
        UniqueConstraint("course_id", "seat"),
        CheckConstraint("btrim(name) <> ''", name="name"),
        CheckConstraint("seat > 0 AND (seat IS NULL OR left_at IS NULL)", name="seat"),
        CheckConstraint("outcome IN ('employed', 'self_employed', 'looking', 'not_looking')", name="outcome"),
        CheckConstraint("num_nulls(outcome, outcome_on) IN (0, 2)", name="outcome_on"),
    )


class CourseSession(Base):
    """A time at which a course meets, with its topic; `noted_at` once it is known who was there."""

    __tablename__ = "course_sessions"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    course_id: Mapped[Reference]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    topic: Mapped[str]
    noted_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("courses", "course_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("course_id", "id"),
        ExcludeConstraint(("course_id", "="), ("during", "&&"), name="ex_course_sessions_course_id_during"),
        CheckConstraint(
            "NOT isempty(during) AND lower_inc(during) AND NOT upper_inc(during) "
            "AND upper(during) - lower(during) <= interval '12 hours'",
            name="during",
        ),
        CheckConstraint("btrim(topic) <> ''", name="topic"),
    )


class CoursePresence(Base):
    """Who of a course's roster was there; whoever has no row was not."""

    __tablename__ = "course_presences"

    session_id: Mapped[Reference] = mapped_column(primary_key=True)
    member_id: Mapped[Reference] = mapped_column(primary_key=True)
    course_id: Mapped[Reference]
    community_id: Mapped[Reference] = community()

    __table_args__ = (
        within("courses", "course_id"),
        ForeignKeyConstraint(["course_id", "session_id"], ["course_sessions.course_id", "course_sessions.id"]),
        ForeignKeyConstraint(["course_id", "member_id"], ["course_members.course_id", "course_members.id"]),
        Index("ix_course_presences_member_id", "member_id"),
    )


class CertificateSeries(Base):
    """The newest number of the certificates of a community and year; kept by the database alone."""

    __tablename__ = "certificate_series"

    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    newest: Mapped[int]


class Certificate(Base):
    """结业证书: one number, one person, for ever; one that was a mistake is void and its number stays used."""

    __tablename__ = "certificates"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    member_id: Mapped[Reference]
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    issued_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    issued_at: Mapped[Moment]
    voided_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]

    __table_args__ = (
        within("course_members", "member_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "year", "number"),
        CheckConstraint("num_nulls(voided_at, void_reason) IN (0, 2)", name="void"),
        CheckConstraint("btrim(void_reason) <> ''", name="void_reason"),
        Index("ix_certificates_good", "member_id", unique=True, postgresql_where=sql("voided_at IS NULL")),
        Index("ix_certificates_of_member", "member_id", "id"),
    )


class Activity(Base):
    """活动记录: what was held, when, where, how many came; never who."""

    __tablename__ = "activities"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    held_on: Mapped[date]
    title: Mapped[str]
    place: Mapped[str]
    present: Mapped[int]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "held_on", "title"),
        CheckConstraint("btrim(title) <> '' AND btrim(place) <> ''", name="title"),
        CheckConstraint("present BETWEEN 1 AND 100000", name="present"),
    )
