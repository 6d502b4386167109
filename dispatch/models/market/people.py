"""Who may be given something: a person or a household, its applications, its cards, and what it was given."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

WAITING = text("standing IN ('applied', 'seconding')")
APPROVED = text("standing = 'approved'")


class Beneficiary(Base):
    """救助对象: one person, or one household; each once."""

    __tablename__ = "beneficiaries"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    resident_id: Mapped[Reference | None]
    household_id: Mapped[Reference | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        within("residents", "resident_id"),
        within("households", "household_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("resident_id"),
        UniqueConstraint("household_id"),
        CheckConstraint("num_nonnulls(resident_id, household_id) = 1", name="whose"),
    )


class AidApplication(Base):
    """救助申请: ground and circumstances sealed, evidence in files; decided by others than who registered it.

    A renewal is a new application; one waits and one holds at a time. A relative of a manager has two approvers.
    """

    __tablename__ = "aid_applications"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    beneficiary_id: Mapped[Reference]
    ground: Mapped[bytes] = mapped_column(LargeBinary)
    circumstances: Mapped[bytes] = mapped_column(LargeBinary)
    is_relative: Mapped[bool]
    standing: Mapped[str] = mapped_column(server_default=text("'applied'"))
    applied_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    applied_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    applied_at: Mapped[Moment]
    first_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    first_at: Mapped[datetime | None]
    decided_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    reminded_for: Mapped[date | None]
    ended_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        within("beneficiaries", "beneficiary_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("standing IN ('applied', 'seconding', 'approved', 'refused', 'ended')", name="standing"),
        CheckConstraint("num_nonnulls(applied_by, applied_by_key) <= 1", name="applied"),
        CheckConstraint("num_nulls(first_by, first_at) IN (0, 2)", name="first"),
        CheckConstraint("standing <> 'seconding' OR first_by IS NOT NULL", name="seconding"),
        CheckConstraint("num_nulls(decided_by, decided_at) IN (0, 2)", name="decided"),
        CheckConstraint("(standing IN ('applied', 'seconding')) = (decided_by IS NULL)", name="decider"),
        CheckConstraint(
            "decided_by <> applied_by AND first_by <> applied_by AND decided_by <> first_by", name="second_person"
        ),
        CheckConstraint("NOT is_relative OR valid_from IS NULL OR first_by IS NOT NULL", name="relative"),
        CheckConstraint("standing <> 'refused' OR reason IS NOT NULL", name="refused"),
        CheckConstraint("(standing IN ('approved', 'ended')) = (valid_from IS NOT NULL)", name="valid"),
        CheckConstraint("num_nulls(valid_from, valid_until) IN (0, 2) AND valid_from <= valid_until", name="days"),
        CheckConstraint("(standing = 'ended') = (ended_at IS NOT NULL)", name="ended"),
        Index("ix_aid_applications_waiting", "beneficiary_id", unique=True, postgresql_where=WAITING),
        Index("ix_aid_applications_approved", "beneficiary_id", unique=True, postgresql_where=APPROVED),
        Index("ix_aid_applications_valid_until", "valid_until", postgresql_where=APPROVED),
        Index("ix_aid_applications_community_id", "community_id", "id"),
    )


class Card(Base):
    """爱心卡: only the hash of its token is kept; one is good at a time, a replacement kills the one before."""

    __tablename__ = "cards"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    beneficiary_id: Mapped[Reference]
    number: Mapped[int]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    issued_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    issued_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    issued_at: Mapped[Moment]
    replaces_id: Mapped[Reference | None]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    ended_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    ended_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))

    __table_args__ = (
        within("beneficiaries", "beneficiary_id"),
        within("cards", "replaces_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "number"),
        UniqueConstraint("replaces_id"),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("num_nulls(ended_at, ended_as) IN (0, 2)", name="ended"),
        CheckConstraint("ended_as IN ('lost', 'revoked', 'over')", name="ended_as"),
        Index("ix_cards_good", "beneficiary_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_cards_beneficiary_id", "beneficiary_id", "id"),
    )


class Benefit(Base):
    """What a household was given by a programme, so that the next one knows: supermarket, round, relief, voucher."""

    __tablename__ = "benefits"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    household_id: Mapped[Reference]
    programme: Mapped[str]
    given_on: Mapped[date]
    origin: Mapped[str]
    origin_id: Mapped[int] = mapped_column(BigInteger)
    withdrawn_at: Mapped[datetime | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        within("households", "household_id"),
        UniqueConstraint("origin", "origin_id", "household_id"),
        CheckConstraint("programme IN ('supermarket', 'yearly_round', 'relief', 'voucher')", name="programme"),
        Index(
            "ix_benefits_household_id",
            "household_id",
            "given_on",
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )
