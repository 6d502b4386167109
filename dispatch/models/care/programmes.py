"""Programmes of care, who is enrolled in them from when until when, and which helpers are paired with whom."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

UNDER_WAY = text("ends_on IS NULL")


class Programme(Base):
    """结对, 居家养老服务券 or 电子保姆 in a community: how many places, from which age, only for empty nests."""

    __tablename__ = "programmes"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    places: Mapped[int] = mapped_column(SmallInteger)
    least_age: Mapped[int | None] = mapped_column(SmallInteger)
    empty_nest: Mapped[bool]
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "kind"),
        CheckConstraint("kind IN ('pairing', 'voucher', 'device')", name="kind"),
        CheckConstraint("places BETWEEN 0 AND 10000 AND least_age BETWEEN 1 AND 120", name="numbers"),
    )


class Enrolment(Base):
    """A household (pairing) or a person (voucher, device) in a programme, from `starts_on` to before `ends_on`.

    Two of one programme never overlap for one subject (exclusion constraints); the places are counted by a trigger.
    `is_couple`: whoever enrolled them said that the two of the home are husband and wife.
    """

    __tablename__ = "enrolments"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    programme_id: Mapped[Reference]
    household_id: Mapped[Reference | None]
    resident_id: Mapped[Reference | None]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    end_code: Mapped[str | None]
    end_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    checked_on: Mapped[date]
    is_couple: Mapped[bool] = mapped_column(server_default=text("false"))
    enrolled_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    enrolled_at: Mapped[Moment]
    ended_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        within("programmes", "programme_id"),
        within("households", "household_id"),
        within("residents", "resident_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("num_nonnulls(household_id, resident_id) = 1", name="whose"),
        CheckConstraint("num_nulls(ends_on, end_code, ended_at) IN (0, 3)", name="ended"),
        CheckConstraint("end_code IN ('ended', 'died', 'moved', 'not_alone')", name="end_code"),
        CheckConstraint("ends_on >= starts_on", name="days"),
        Index("ix_enrolments_programme_id", "programme_id", "id"),
        Index("ix_enrolments_household_id", "household_id", postgresql_where=UNDER_WAY),
        Index("ix_enrolments_resident_id", "resident_id", postgresql_where=UNDER_WAY),
        Index("ix_enrolments_checked_on", "checked_on", postgresql_where=UNDER_WAY),
    )


class PairedHelper(Base):
    """结对: a helper (社区工作者, 党员 or 志愿者) of an enrolment, from `starts_on` to before `ends_on`."""

    __tablename__ = "pairing_helpers"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    enrolment_id: Mapped[Reference]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    kind: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]

    __table_args__ = (
        within("enrolments", "enrolment_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("kind IN ('community_worker', 'party_member', 'volunteer')", name="kind"),
        CheckConstraint("ends_on >= starts_on", name="days"),
        Index("ix_pairing_helpers_enrolment_id", "enrolment_id"),
        Index("ix_pairing_helpers_performer_id", "performer_id", postgresql_where=UNDER_WAY),
    )


class HelperLeave(Base):
    """Days on which a helper cannot come (`until` is the last; without one the helper has left). No reason is kept."""

    __tablename__ = "helper_leaves"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    starts_on: Mapped[date]
    until: Mapped[date | None]
    recorded_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        CheckConstraint("until >= starts_on", name="days"),
        Index("ix_helper_leaves_performer_id", "performer_id", "starts_on"),
    )
