"""What life brings, the visits of 三访 that it raises, and the groups for whom it does."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

STANDS = "withdrawn_at IS NULL"


class LifeEvent(Base):
    """Hospital, discharge, disaster, accident, death, moved away or come home: of a person or of a household.

    It stays with its day; what was told wrongly is withdrawn by two people, and stays too. `words` are sealed.
    """

    __tablename__ = "life_events"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    resident_id: Mapped[Reference | None]
    household_id: Mapped[Reference | None]
    happened_on: Mapped[date]
    until: Mapped[date | None]
    source: Mapped[str]
    order_id: Mapped[Reference | None]
    words: Mapped[bytes | None] = mapped_column(LargeBinary)
    told_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    told_at: Mapped[Moment]
    withdrawal_asked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    withdrawal_asked_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    withdrawn_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        within("residents", "resident_id"),
        within("households", "household_id"),
        within("orders", "order_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint(
            "kind IN ('hospital', 'discharge', 'disaster', 'accident', 'death', 'moved_away', 'come_home')", name="kind"
        ),
        CheckConstraint("source IN ('desk', 'register', 'call', 'helper')", name="source"),
        CheckConstraint(
            "resident_id IS NOT NULL OR (household_id IS NOT NULL AND kind IN ('disaster', 'accident'))", name="whose"
        ),
        CheckConstraint("until IS NULL OR (kind IN ('hospital', 'moved_away') AND until >= happened_on)", name="until"),
        CheckConstraint(
            "num_nulls(withdrawal_asked_by, withdrawal_asked_at, withdrawal_reason) IN (0, 3)", name="asked"
        ),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL) AND withdrawn_by <> withdrawal_asked_by "
            "AND (withdrawn_by IS NULL OR withdrawal_asked_by IS NOT NULL)",
            name="two_people",
        ),
        Index(
            "ix_life_events_one_death",
            "resident_id",
            unique=True,
            postgresql_where=text(f"kind = 'death' AND {STANDS}"),
        ),
        Index(
            "ix_life_events_one_stay",
            "resident_id",
            unique=True,
            postgresql_where=text(f"kind = 'hospital' AND until IS NULL AND {STANDS}"),
        ),
        Index("ix_life_events_community_id", "community_id", "id"),
        Index("ix_life_events_resident_id", "resident_id", "id"),
        Index("ix_life_events_order_id", "order_id"),
    )


class Condolence(Base):
    """登门慰问: one visit of 三访 that an event owes until `due_at`, its order, and when it was paid."""

    __tablename__ = "condolences"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    event_id: Mapped[Reference]
    occasion: Mapped[str]
    due_at: Mapped[datetime]
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(SmallInteger)
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    order_id: Mapped[Reference | None]
    order_version: Mapped[int] = mapped_column(server_default=text("0"))
    done_at: Mapped[datetime | None]
    spending_id: Mapped[Reference | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        within("life_events", "event_id"),
        within("orders", "order_id"),
        within("spendings", "spending_id"),
        UniqueConstraint("spending_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("event_id", "occasion"),
        CheckConstraint("state IN ('waiting', 'placed', 'done', 'failed', 'ended')", name="state"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done"),
        CheckConstraint("state NOT IN ('placed', 'done') OR order_id IS NOT NULL", name="order"),
        CheckConstraint("tries >= 0", name="tries"),
        Index("ix_condolences_order_id", "order_id"),
        Index("ix_condolences_due_at", "community_id", "due_at"),
    )


class CareGroup(Base):
    """A group for whom 三访三问 holds; `members` says from where it is known who belongs to it."""

    __tablename__ = "care_groups"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    code: Mapped[str]
    name: Mapped[str]
    members: Mapped[str]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "code"),
        CheckConstraint("members IN ('listed', 'party_members', 'liaisons', 'enrolled')", name="members"),
        CheckConstraint("btrim(name) <> ''", name="name"),
    )


class GroupMember(Base):
    """That a resident belongs to a listed group, from a day until before another."""

    __tablename__ = "care_group_members"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    group_id: Mapped[Reference]
    resident_id: Mapped[Reference]
    since: Mapped[date]
    until: Mapped[date | None]
    added_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    added_at: Mapped[Moment]

    __table_args__ = (
        within("care_groups", "group_id"),
        within("residents", "resident_id"),
        CheckConstraint("until >= since", name="days"),
        Index(
            "ix_care_group_members_one", "group_id", "resident_id", unique=True, postgresql_where=text("until IS NULL")
        ),
        Index("ix_care_group_members_resident_id", "resident_id"),
    )


class GroupSwitch(Base):
    """Whether a trigger of 三访 holds for a group."""

    __tablename__ = "care_switches"

    group_id: Mapped[Reference] = mapped_column(primary_key=True)
    trigger: Mapped[str] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    is_on: Mapped[bool]

    __table_args__ = (
        within("care_groups", "group_id"),
        CheckConstraint("trigger IN ('hospital', 'disaster', 'death')", name="trigger"),
    )


class LifeEffect(Base):
    """What a death or a move did to a row of another table; `undone` says, after a correction, whether it could be."""

    __tablename__ = "life_effects"

    event_id: Mapped[Reference] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    undone: Mapped[bool | None]

    __table_args__ = (within("life_events", "event_id"), Index("ix_life_effects_subject", "subject", "subject_id"))
