"""Notes of counsellors, sealed by keys that the installation cannot open, and the second way to a key: two holders."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

NOW = sql("ended_at IS NULL")


class SealingKey(Base):
    """A person's key pair: a counsellor's, or that of a holder of shares; the private half is wrapped by a passphrase.

    What opens it is typed anew each time and kept nowhere.
    """

    __tablename__ = "sealing_keys"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    user_id: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str]
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    recovery: Mapped[bytes | None] = mapped_column(LargeBinary)
    wrapped_at: Mapped[datetime]
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        CheckConstraint("purpose IN ('counsellor', 'holder')", name="purpose"),
        CheckConstraint("octet_length(public_key) = 32", name="public_key"),
        CheckConstraint("(purpose = 'counsellor') = (recovery IS NOT NULL)", name="recovery"),
        Index("ix_sealing_keys_now", "community_id", "user_id", "purpose", unique=True, postgresql_where=NOW),
    )


class KeyShare(Base):
    """One of the two halves of the way to a counsellor's key, sealed for its holder; one of them opens nothing."""

    __tablename__ = "key_shares"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    key_id: Mapped[Reference]
    place: Mapped[int] = mapped_column(SmallInteger)
    holder_key_id: Mapped[Reference]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]

    __table_args__ = (
        within("sealing_keys", "key_id"),
        within("sealing_keys", "holder_key_id"),
        UniqueConstraint("key_id", "place"),
        UniqueConstraint("key_id", "holder_key_id"),
        CheckConstraint("place IN (1, 2)", name="place"),
        Index("ix_key_shares_holder_key_id", "holder_key_id"),
    )


class CounsellingNote(Base):
    """What a counsellor wrote after an appointment; nobody but who opens the key reads it, nobody changes it."""

    __tablename__ = "counselling_notes"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    appointment_id: Mapped[Reference]
    key_id: Mapped[Reference]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    keep_until: Mapped[date]
    created_at: Mapped[Moment]

    __table_args__ = (
        within("appointments", "appointment_id"),
        within("sealing_keys", "key_id"),
        UniqueConstraint("community_id", "id"),
        Index("ix_counselling_notes_appointment_id", "appointment_id", "id"),
        Index("ix_counselling_notes_keep_until", "keep_until"),
    )


class DangerDisclosure(Base):
    """Danger to self or others: that something was told, to whom and why; the words are sealed like a note."""

    __tablename__ = "danger_disclosures"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    appointment_id: Mapped[Reference]
    key_id: Mapped[Reference]
    danger: Mapped[str]
    told: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    keep_until: Mapped[date]
    created_by: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("appointments", "appointment_id"),
        within("sealing_keys", "key_id"),
        CheckConstraint("danger IN ('self', 'others')", name="danger"),
        CheckConstraint("told IN ('police', 'medical', 'guardian', 'family', 'threatened')", name="told"),
        Index("ix_danger_disclosures_appointment_id", "appointment_id", "id"),
        Index("ix_danger_disclosures_keep_until", "keep_until"),
    )


class KeyOpening(Base):
    """A counsellor's key was opened by two holders: who, why, for which appointment; never changed, never removed."""

    __tablename__ = "key_openings"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    key_id: Mapped[Reference]
    appointment_id: Mapped[Reference]
    first_by: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    second_by: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    opened_at: Mapped[datetime]

    __table_args__ = (
        within("sealing_keys", "key_id"),
        within("appointments", "appointment_id"),
        CheckConstraint("first_by <> second_by", name="two_people"),
        CheckConstraint("btrim(reason) <> ''", name="reason"),
        Index("ix_key_openings_key_id", "key_id", "id"),
    )
