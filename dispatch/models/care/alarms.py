"""Alarm devices: the register, what each was last heard to say, whom to call, what came in, what was refused."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

IN_USE = sql("state <> 'recovered'")


class AlarmDevice(Base):
    """电子保姆: a device with its account, whose it is and where it stands; the key of its frames is sealed.

    While `testing_until` lies ahead, what it reports is a test. `household_id` is where it was installed.
    """

    __tablename__ = "alarm_devices"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    number: Mapped[str]
    account: Mapped[str]
    model: Mapped[str]
    line: Mapped[str] = mapped_column(server_default=sql("''"))
    state: Mapped[str] = mapped_column(server_default=sql("'registered'"))
    poll_seconds: Mapped[int] = mapped_column(server_default=sql("60"))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    resident_id: Mapped[Reference | None]
    household_id: Mapped[Reference | None]
    consented_at: Mapped[datetime | None]
    consent_by: Mapped[str | None]
    installed_at: Mapped[datetime | None]
    tested_at: Mapped[datetime | None]
    testing_until: Mapped[datetime | None]
    recovered_at: Mapped[datetime | None]
    recovery_order_id: Mapped[Reference | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(server_default=sql("1"))

    __table_args__ = (
        within("residents", "resident_id"),
        within("households", "household_id"),
        within("orders", "recovery_order_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "number"),
        CheckConstraint("state IN ('registered', 'installed', 'tested', 'dormant', 'recovered')", name="state"),
        CheckConstraint("account ~ '^[0-9A-F]{3,16}$'", name="account"),
        CheckConstraint("poll_seconds BETWEEN 10 AND 86400", name="poll_seconds"),
        CheckConstraint("consent_by IN ('self', 'family')", name="consent_by"),
        CheckConstraint("num_nulls(consented_at, consent_by) IN (0, 2)", name="consented"),
        CheckConstraint(
            "state IN ('registered', 'recovered') "
            "OR num_nulls(resident_id, household_id, consented_at, installed_at) = 0",
            name="installed",
        ),
        CheckConstraint("state <> 'tested' OR tested_at IS NOT NULL", name="tested"),
        CheckConstraint("(state = 'recovered') = (recovered_at IS NOT NULL)", name="recovered"),
        Index("ix_alarm_devices_account", "account", unique=True, postgresql_where=IN_USE),
        Index("ix_alarm_devices_resident_id", "resident_id", unique=True, postgresql_where=IN_USE),
        Index("ix_alarm_devices_community_id", "community_id", "id"),
    )


class AlarmState(Base):
    """What a device was last heard to say: written with every poll, so a narrow row of its own.

    `heard_at`, the `…_since` and `asked_at` (when somebody was last sent to look) are business time; `spoke_at` is real
    time, by which repetitions are told.
    """

    __tablename__ = "alarm_states"

    device_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    heard_at: Mapped[datetime | None]
    spoke_at: Mapped[datetime | None]
    silent_since: Mapped[datetime | None]
    battery_low_since: Mapped[datetime | None]
    mains_lost_since: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]

    __table_args__ = (within("alarm_devices", "device_id"),)


class AlarmContact(Base):
    """Whom to call about a device, in their order, and what each may be told, by consent."""

    __tablename__ = "alarm_contacts"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    device_id: Mapped[Reference]
    rank: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    name: Mapped[str]
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    told_alarm: Mapped[bool] = mapped_column(server_default=sql("false"))
    told_end: Mapped[bool] = mapped_column(server_default=sql("false"))
    told_visit: Mapped[bool] = mapped_column(server_default=sql("false"))
    consented_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        within("alarm_devices", "device_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("kind IN ('home', 'child', 'relative', 'neighbour', 'stairwell_leader', 'duty')", name="kind"),
        CheckConstraint("rank BETWEEN 1 AND 20", name="rank"),
        CheckConstraint(
            "consented_at IS NOT NULL OR NOT (told_alarm OR told_end OR told_visit)",
            name="consent",
        ),
        Index("ix_alarm_contacts_rank", "device_id", "rank", unique=True, postgresql_where=sql("ended_at IS NULL")),
    )


class AlarmEvent(Base):
    """One thing that a device reported, once: never changed, but for the order that it became.

    `digest` is that of the frame's content under `sequence`; `generation` counts those that were the same and no
    repetition. `received_at` is business time, `arrived_at` real time.
    """

    __tablename__ = "alarm_events"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    device_id: Mapped[Reference]
    sequence: Mapped[int] = mapped_column(SmallInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    generation: Mapped[int] = mapped_column(server_default=sql("1"))
    place: Mapped[int] = mapped_column(SmallInteger, server_default=sql("1"))
    code: Mapped[str]
    zone: Mapped[str] = mapped_column(server_default=sql("''"))
    meaning: Mapped[str]
    is_test: Mapped[bool] = mapped_column(server_default=sql("false"))
    stamped_at: Mapped[datetime | None]
    received_at: Mapped[Moment]
    arrived_at: Mapped[datetime]
    order_id: Mapped[Reference | None]
    joined: Mapped[bool] = mapped_column(server_default=sql("false"))

    __table_args__ = (
        within("alarm_devices", "device_id"),
        within("orders", "order_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("device_id", "sequence", "digest", "generation", "place"),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        CheckConstraint("NOT joined OR order_id IS NOT NULL", name="joined"),
        Index("ix_alarm_events_device_id", "device_id", "id"),
        Index("ix_alarm_events_order_id", "order_id"),
    )


class AlarmAnswer(Base):
    """When a device was last answered about a frame that it sent more than once; one row a frame."""

    __tablename__ = "alarm_answers"

    event_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    times: Mapped[int]
    again_at: Mapped[datetime]

    __table_args__ = (within("alarm_events", "event_id"),)


class AlarmCall(Base):
    """Somebody was called about an alarm: who, by whom, what they said. Never changed."""

    __tablename__ = "alarm_calls"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    device_id: Mapped[Reference]
    order_id: Mapped[Reference]
    contact_id: Mapped[Reference | None]
    kind: Mapped[str]
    outcome: Mapped[str]
    called_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    called_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    called_at: Mapped[Moment]

    __table_args__ = (
        within("alarm_devices", "device_id"),
        within("orders", "order_id"),
        within("alarm_contacts", "contact_id"),
        CheckConstraint(
            "kind IN ('home', 'child', 'relative', 'neighbour', 'stairwell_leader', 'duty', "
            "'rescue_120', 'police_110')",
            name="kind",
        ),
        CheckConstraint("outcome IN ('no_answer', 'answered', 'goes', 'confirmed')", name="outcome"),
        Index("ix_alarm_calls_order_id", "order_id", "id"),
    )


class AlarmRefusal(Base):
    """Frames that were whole and could not be acted on: one row an account, reason and day, counted."""

    __tablename__ = "alarm_refusals"

    id: Mapped[Id]
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    organisation_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    account: Mapped[str]
    reason: Mapped[str]
    day: Mapped[date]
    meaning: Mapped[str | None]
    number: Mapped[int] = mapped_column(BigInteger, server_default=sql("1"))
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("account", "reason", "day"),
        CheckConstraint("reason IN ('unknown', 'key', 'plain', 'clock', 'format', 'unreadable')", name="reason"),
        CheckConstraint("number > 0", name="number"),
        Index("ix_alarm_refusals_last_at", "last_at"),
    )
