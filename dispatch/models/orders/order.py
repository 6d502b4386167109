"""The order itself, its history, and the life cycle's edges as data."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import within

OPEN_STATES = (
    "'received', 'awaiting_dispatch', 'awaiting_human', 'dispatched', 'signed', 'offered', 'accepted', "
    "'arrived', 'finished', 'fed_back', 'calling_back'"
)
ENDED_STATES = "'closed', 'archived', 'answered', 'voided', 'merged'"


class Order(Base):
    """Something that somebody must go and do. `community_id` is set with the place; until then only the desk sees it.

    `version` grows by one with every event of the history; phones are sealed and found by blind index.
    While `held_until` is set the clocks stand (挂起); a merged order says into which one it went.
    """

    __tablename__ = "orders"

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    state: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    chain_head: Mapped[bytes] = mapped_column(LargeBinary)
    urgency: Mapped[str]
    confidential: Mapped[bool] = mapped_column(server_default=text("false"))
    is_canary: Mapped[bool] = mapped_column(server_default=text("false"))

    source: Mapped[str]
    source_number: Mapped[str | None]
    origin: Mapped[str | None]
    origin_id: Mapped[Reference | None]
    occasion: Mapped[str | None]

    caller_resident_id: Mapped[Reference | None]
    caller_name: Mapped[str | None]
    caller_phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    description: Mapped[str]
    answers: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))

    address_text: Mapped[str]
    place_outcome: Mapped[str]
    place_candidates: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    area_id: Mapped[Reference | None]
    building_id: Mapped[Reference | None]
    stairwell_id: Mapped[Reference | None]
    room: Mapped[str | None]
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)

    wanted_from: Mapped[datetime | None]
    wanted_until: Mapped[datetime | None]
    named_performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    excluded_performers: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))

    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    civic_due_at: Mapped[datetime | None]
    service_since: Mapped[datetime | None]
    service_due_at: Mapped[datetime | None]
    arrive_due_at: Mapped[datetime | None]
    due_assumed: Mapped[bool] = mapped_column(server_default=text("false"))

    accountable_team_id: Mapped[Reference | None]
    lead_team_id: Mapped[Reference | None]
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    cycle: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    rounds: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    rounds_before: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    waits_for: Mapped[str | None]

    dispatched_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    set_out_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    result: Mapped[str | None]
    cost_fen: Mapped[Reference | None]
    work_note: Mapped[str | None]
    feedback: Mapped[str | None]
    callback_due_at: Mapped[datetime | None]
    callback_tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    satisfaction: Mapped[str | None]
    void_asked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    reopened: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    held_since: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    urged: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    repeat_calls: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    extensions: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    final_answer: Mapped[bool] = mapped_column(server_default=text("false"))
    merged_into_id: Mapped[Reference | None]
    split_from_id: Mapped[Reference | None]

    __table_args__ = (
        within("areas", "area_id"),
        within("buildings", "building_id"),
        within("stairwells", "stairwell_id"),
        within("residents", "caller_resident_id"),
        within("teams", "accountable_team_id"),
        within("teams", "lead_team_id"),
        within("orders", "merged_into_id"),
        within("orders", "split_from_id"),
        ForeignKeyConstraint(
            ["id", "version", "state"],
            ["order_events.order_id", "order_events.version", "order_events.to_state"],
            name="fk_orders_history",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("origin", "origin_id", "occasion"),
        UniqueConstraint("source", "source_number"),
        CheckConstraint(f"state IN ({OPEN_STATES}, {ENDED_STATES})", name="state"),
        CheckConstraint("urgency IN ('emergency', 'urgent', 'same_day', 'booked')", name="urgency"),
        CheckConstraint(
            "community_id IS NOT NULL OR (area_id IS NULL AND building_id IS NULL AND stairwell_id IS NULL "
            "AND lead_team_id IS NULL AND accountable_team_id IS NULL AND caller_resident_id IS NULL)",
            name="place_needs_community",
        ),
        CheckConstraint("place_outcome IN ('stairwell', 'building', 'area', 'unresolved')", name="place_outcome"),
        CheckConstraint("(place_outcome = 'unresolved') = (area_id IS NULL)", name="place"),
        CheckConstraint("length(description) <= 4000 AND length(address_text) <= 500", name="lengths"),
        CheckConstraint("cost_fen IS NULL OR cost_fen BETWEEN 0 AND 100000000", name="cost"),
        CheckConstraint("(origin IS NULL) = (origin_id IS NULL)", name="origin"),
        CheckConstraint("wanted_from IS NULL OR wanted_from < wanted_until", name="wanted"),
        CheckConstraint("service_since >= created_at AND service_since <= service_due_at", name="service_since"),
        CheckConstraint("num_nonnulls(held_since, held_until) IN (0, 2) AND held_since < held_until", name="hold"),
        CheckConstraint("(state = 'merged') = (merged_into_id IS NOT NULL)", name="merged"),
        CheckConstraint("id NOT IN (merged_into_id, split_from_id)", name="not_of_itself"),
        Index(
            "ix_orders_merged_into",
            "merged_into_id",
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
        Index("ix_orders_phone_index", "phone_index", "created_at"),
        Index("ix_orders_list", "community_id", "created_at", "id"),
        Index("ix_orders_newest", "created_at", "id"),
        Index("ix_orders_desk", "organisation_id", "created_at", "id"),
        Index(
            "ix_orders_open",
            "community_id",
            "state",
            "service_due_at",
            "id",
            postgresql_where=text(f"state IN ({OPEN_STATES})"),
        ),
        Index(
            "ix_orders_waiting",
            "organisation_id",
            "created_at",
            "id",
            postgresql_where=text("state IN ('received', 'awaiting_human')"),
        ),
        Index(
            "ix_orders_callbacks",
            "callback_due_at",
            "id",
            postgresql_where=text("state IN ('fed_back', 'calling_back')"),
        ),
        Index(
            "ix_orders_performer_work",
            "performer_id",
            postgresql_where=text("state IN ('accepted', 'arrived')"),
        ),
        Index("ix_orders_near", "stairwell_id", "created_at", postgresql_where=text(f"state IN ({OPEN_STATES})")),
        Index(
            "ix_orders_building",
            "building_id",
            "created_at",
            postgresql_where=text(f"state IN ({OPEN_STATES})"),
        ),
    )


class OrderEvent(Base):
    """One step of an order's history, append-only and chained: digest = sha256(previous digest || canonical JSON).

    The database holds the chain by keys alone: each event follows the one before it from the state that one
    reached, each step is an edge of the life cycle, and an order's version and state are those of an event.
    """

    __tablename__ = "order_events"

    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    previous_version: Mapped[int | None] = mapped_column(Computed("nullif(version - 1, 0)", persisted=True))
    action: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    user_id: Mapped[Reference | None]
    performer_id: Mapped[Reference | None]
    api_key_id: Mapped[Reference | None]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    reason: Mapped[str | None]
    digest: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        UniqueConstraint("order_id", "version", "to_state"),
        ForeignKeyConstraint(
            ["order_id", "previous_version", "from_state"],
            ["order_events.order_id", "order_events.version", "order_events.to_state"],
            name="fk_order_events_previous",
        ),
        ForeignKeyConstraint(
            ["from_state", "action", "to_state"],
            ["legal_edges.from_state", "legal_edges.action", "legal_edges.to_state"],
            name="fk_order_events_legal_edge",
        ),
        CheckConstraint("(version = 1) = (from_state IS NULL)", name="first"),
        CheckConstraint("version > 1 OR (action = 'receive' AND to_state = 'received')", name="birth"),
        Index("ix_order_events_at", "at", postgresql_using="brin"),
    )


class LegalEdge(Base):
    """The life cycle's table as data, for the trigger that refuses every other step."""

    __tablename__ = "legal_edges"

    from_state: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(primary_key=True)
    to_state: Mapped[str] = mapped_column(primary_key=True)
