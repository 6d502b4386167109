"""Kinds of order (services), teams and territories, performers with papers and coverage, calendars, knowledge."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Computed,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Service(Base):
    """A kind of order: where it is offered, who may perform it, how it is given, its limits and questions."""

    __tablename__ = "services"

    id: Mapped[Id]
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str]
    name: Mapped[str]
    group: Mapped[str]
    synonyms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    offered: Mapped[list[str]] = mapped_column(ARRAY(Text))
    form: Mapped[str | None]
    questions: Mapped[list[Any]] = mapped_column(JSON, server_default=text("'[]'::json"))
    performer: Mapped[str]
    given: Mapped[str]
    speciality: Mapped[str | None]
    urgency: Mapped[str]
    hours: Mapped[str | None]
    price_note: Mapped[str | None]
    civic_working_days: Mapped[int] = mapped_column(SmallInteger)
    service_minutes: Mapped[int]
    service_clock: Mapped[str]
    arrive_minutes: Mapped[int | None]
    sign_minutes: Mapped[int]
    hold_minutes: Mapped[int]
    signed_for: Mapped[bool]
    callback: Mapped[bool]
    in_figures: Mapped[bool]
    confidential: Mapped[bool]
    proof: Mapped[list[str]] = mapped_column(ARRAY(Text))
    papers: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    escalation_levels: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    popularity: Mapped[int] = mapped_column(server_default=text("0"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        UniqueConstraint("organisation_id", "code"),
        CheckConstraint("performer IN ('firm', 'team_worker', 'helper', 'named')", name="performer"),
        CheckConstraint("form IN ('one_to_one', 'group')", name="form"),
        CheckConstraint(
            "given IN ('offer_one', 'offer_first_three', 'offer_all', 'named', 'take_from_list')",
            name="given",
        ),
        CheckConstraint("service_clock IN ('working', 'always')", name="service_clock"),
        CheckConstraint(
            "escalation_levels IS NULL OR CASE jsonb_typeof(escalation_levels) WHEN 'array' "
            "THEN jsonb_array_length(escalation_levels) BETWEEN 1 AND 10 ELSE false END",
            name="escalation_levels",
        ),
        CheckConstraint("civic_working_days > 0 AND service_minutes > 0 AND hold_minutes > 0", name="limits"),
    )


class Team(Base):
    """块状 (block: owns territory) or 条状 (line: owns a speciality) service team of a community."""

    __tablename__ = "teams"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    area_id: Mapped[Reference | None]
    speciality: Mapped[str | None]
    head_name: Mapped[str]

    __table_args__ = (
        within("areas", "area_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "code"),
        CheckConstraint(
            "(kind = 'block' AND area_id IS NOT NULL AND speciality IS NULL) "
            "OR (kind = 'line' AND speciality IS NOT NULL)",
            name="kind",
        ),
        Index(
            "ix_teams_community_id_speciality",
            "community_id",
            "speciality",
            unique=True,
            postgresql_where=text("kind = 'line'"),
        ),
    )


class Territory(Base):
    """Which block team a building belongs to, on which days: exactly one on any day."""

    __tablename__ = "territories"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    team_id: Mapped[Reference]
    building_id: Mapped[Reference]
    days: Mapped[Range[date]] = mapped_column(DATERANGE)

    __table_args__ = (
        within("teams", "team_id"),
        within("buildings", "building_id"),
        ExcludeConstraint(("building_id", "="), ("days", "&&"), name="ex_territories_building_id_days"),
    )


class Performer(Base):
    """Who does the work: a firm of the district, or a team worker, helper or named person of a community.

    `version` grows with every change of the facts that routing uses; `resident_id` is who a person is in the register.
    """

    __tablename__ = "performers"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    uscc: Mapped[str | None]
    team_id: Mapped[Reference | None]
    user_id: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    resident_id: Mapped[Reference | None]
    contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    webhook_url: Mapped[str | None]
    webhook_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    channel: Mapped[str]
    latitude: Mapped[float] = mapped_column(Double)
    longitude: Mapped[float] = mapped_column(Double)
    capacity: Mapped[int] = mapped_column(SmallInteger)
    shifts: Mapped[dict[str, Any]]
    satisfaction_permille: Mapped[int] = mapped_column(SmallInteger)
    suspended_until: Mapped[datetime | None]
    last_offered_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    admission: Mapped[str] = mapped_column(server_default=text("'admitted'"))

    __table_args__ = (
        ForeignKeyConstraint(["community_id", "team_id"], ["teams.community_id", "teams.id"]),
        within("residents", "resident_id"),
        UniqueConstraint("organisation_id", "code"),
        CheckConstraint("kind IN ('firm', 'team_worker', 'helper')", name="kind"),
        CheckConstraint("resident_id IS NULL OR kind <> 'firm'", name="resident"),
        CheckConstraint("kind = 'firm' OR community_id IS NOT NULL", name="community"),
        CheckConstraint("channel IN ('webhook', 'email', 'app')", name="channel"),
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("admission IN ('applied', 'admitted', 'refused', 'left')", name="admission"),
        CheckConstraint("NOT is_active OR admission = 'admitted'", name="in_use"),
        Index(
            "ix_performers_uscc",
            "organisation_id",
            "uscc",
            unique=True,
            postgresql_where=text("kind = 'firm' AND admission IN ('applied', 'admitted')"),
        ),
        Index("ix_performers_resident_id", "resident_id", postgresql_where=text("resident_id IS NOT NULL")),
    )


class PerformerService(Base):
    """That a performer serves a kind."""

    __tablename__ = "performer_services"

    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"), primary_key=True)
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"), primary_key=True)

    __table_args__ = (Index("ix_performer_services_service_id", "service_id"),)


class Coverage(Base):
    """That a performer is admitted to a community, or to one area or kind of it."""

    __tablename__ = "coverages"

    id: Mapped[Id]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    community_id: Mapped[Reference] = community()
    area_id: Mapped[Reference | None]
    service_id: Mapped[Reference | None] = mapped_column(ForeignKey("services.id"))

    __table_args__ = (
        within("areas", "area_id"),
        UniqueConstraint("performer_id", "community_id", "area_id", "service_id", postgresql_nulls_not_distinct=True),
        Index("ix_coverages_community_id", "community_id", "area_id"),
    )


class Paper(Base):
    """A licence or certificate of a performer with its last valid day."""

    __tablename__ = "papers"

    id: Mapped[Id]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    kind: Mapped[str]
    number: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    warned_for: Mapped[date | None]
    given_up_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("performer_id", "kind", "number"),
        CheckConstraint("valid_from <= valid_until", name="dates"),
        Index("ix_papers_valid_until", "valid_until"),
    )


class FirmDecision(Base):
    """What was decided about a firm, by whom and why: never changed; admission is by a second person."""

    __tablename__ = "firm_decisions"

    id: Mapped[Id]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    action: Mapped[str]
    reason: Mapped[str]
    until: Mapped[datetime | None]
    decided_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    decided_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    decided_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("action IN ('apply', 'admit', 'refuse', 'suspend', 'lift', 'leave', 'warn')", name="action"),
        CheckConstraint("(action = 'suspend') = (until IS NOT NULL)", name="until"),
        Index("ix_firm_decisions_performer_id", "performer_id", "id"),
    )


class PriceList(Base):
    """What a firm takes for a kind from a day on: never changed, numbered without a gap.

    `lines` are [item, unit, least fen, most fen].
    """

    __tablename__ = "price_lists"

    id: Mapped[Id]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    version: Mapped[int]
    previous_version: Mapped[int | None] = mapped_column(Computed("nullif(version - 1, 0)", persisted=True))
    valid_from: Mapped[date]
    lines: Mapped[list[Any]]
    written_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    written_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("performer_id", "service_id", "version"),
        ForeignKeyConstraint(
            ["performer_id", "service_id", "previous_version"],
            ["price_lists.performer_id", "price_lists.service_id", "price_lists.version"],
            name="fk_price_lists_previous",
        ),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("jsonb_typeof(lines) = 'array' AND jsonb_array_length(lines) BETWEEN 1 AND 30", name="lines"),
    )


class CalendarDay(Base):
    """One day on which the week's pattern does not hold (holiday, 调休 workday, special hours)."""

    __tablename__ = "calendar_days"

    id: Mapped[Id]
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    day: Mapped[date]
    kind: Mapped[str]
    name: Mapped[str]
    periods: Mapped[list[Any] | None]
    edited_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    edited_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("organisation_id", "day"),
        CheckConstraint("kind IN ('holiday', 'workday', 'special')", name="kind"),
    )


class CalendarYear(Base):
    """That the calendar of a year has been entered; a missing next year is an alarm."""

    __tablename__ = "calendar_years"

    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    entered_at: Mapped[Moment]
    entered_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))


class KnowledgeItem(Base):
    """An answer that the desk may give by itself; its text is the version that `version` names, and no other.

    `kinds` are codes of services, the first is what a call is counted under; `words` are what callers say;
    `sort_key` is the title as a Chinese register sorts it. Organisations below inherit it.
    """

    __tablename__ = "knowledge_items"

    id: Mapped[Id]
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    code: Mapped[str]
    title: Mapped[str]
    sort_key: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    words: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(server_default=text("'published'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[Moment]
    withdrawn_at: Mapped[datetime | None]
    withdraw_reason: Mapped[str | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["id", "version"],
            ["knowledge_versions.item_id", "knowledge_versions.version"],
            name="fk_knowledge_items_current",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        UniqueConstraint("organisation_id", "code"),
        CheckConstraint("state IN ('published', 'withdrawn')", name="state"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL) AND (withdrawn_at IS NULL) = (withdraw_reason IS NULL)",
            name="withdrawn",
        ),
        CheckConstraint("cardinality(kinds) BETWEEN 1 AND 10 AND cardinality(words) <= 20", name="lists"),
        CheckConstraint("length(title) BETWEEN 1 AND 80", name="title"),
    )


class KnowledgeVersion(Base):
    """What an item said from a moment on: never changed, never removed, numbered without a gap by its own keys."""

    __tablename__ = "knowledge_versions"

    id: Mapped[Id]
    item_id: Mapped[Reference] = mapped_column(ForeignKey("knowledge_items.id"))
    version: Mapped[int]
    previous_version: Mapped[int | None] = mapped_column(Computed("nullif(version - 1, 0)", persisted=True))
    title: Mapped[str]
    body: Mapped[str]
    source: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    written_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    published_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("item_id", "version"),
        ForeignKeyConstraint(
            ["item_id", "previous_version"],
            ["knowledge_versions.item_id", "knowledge_versions.version"],
            name="fk_knowledge_versions_previous",
        ),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("length(body) BETWEEN 1 AND 4000", name="body"),
        CheckConstraint("valid_until IS NULL OR valid_from <= valid_until", name="dates"),
    )
