"""Counts of orders with their maintained totals, and statements of service that make themselves."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within
from dispatch.rules.reports.keeping import HEAT_KNOWN, KNOWN, PLACES

GRAINS = "grain IN ('day', 'week', 'month')"
DAYS = (
    "placed_on",
    "dispatched_on",
    "sign_due_on",
    "offered_on",
    "arrive_due_on",
    "due_on",
    "finished_on",
    "closed_on",
    "called_on",
)


class OrderChange(Base):
    """That an order has changed and is to be counted anew; written by a trigger in the order's transaction."""

    __tablename__ = "order_changes"

    id: Mapped[Id]
    order_id: Mapped[Reference]


class OrderCount(Base):
    """The sheet of an order: every fact that a figure asks of it, as it stands in the totals.

    A confidential order's sheet says neither its kind nor its building and stairwell.
    Lead, accountable and performer are those of today, the `first_` ones those of the first dispatch and offer.
    At `count_again_at` the next limit passes that nobody has met: the order is counted again.
    """

    __tablename__ = "order_counts"

    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    community_id: Mapped[Reference] = community()
    version: Mapped[int]
    area_id: Mapped[Reference | None]
    building_id: Mapped[Reference | None]
    stairwell_id: Mapped[Reference | None]
    service_id: Mapped[Reference | None] = mapped_column(ForeignKey("services.id"))
    lead_team_id: Mapped[Reference | None]
    accountable_team_id: Mapped[Reference | None]
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    first_lead_team_id: Mapped[Reference | None]
    first_accountable_team_id: Mapped[Reference | None]
    first_performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    fate: Mapped[str]
    placed_at: Mapped[datetime]
    placed_on: Mapped[date]
    placed_hour: Mapped[int] = mapped_column(SmallInteger)
    dispatched_on: Mapped[date | None]
    sign_due_on: Mapped[date | None]
    offered_on: Mapped[date | None]
    arrive_due_on: Mapped[date | None]
    due_on: Mapped[date | None]
    finished_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    called_on: Mapped[date | None]
    is_repeat: Mapped[bool]
    is_returned: Mapped[bool]
    is_rerouted: Mapped[bool]
    is_overridden: Mapped[bool]
    signing: Mapped[str]
    first_round: Mapped[str]
    rounds: Mapped[int] = mapped_column(SmallInteger)
    accept_seconds: Mapped[int | None]
    arrival: Mapped[str]
    closing: Mapped[str]
    answering: Mapped[str]
    is_reached: Mapped[bool]
    is_final: Mapped[bool]
    is_contacted: Mapped[bool]
    is_solved: Mapped[bool]
    satisfaction: Mapped[str | None]
    is_reopened: Mapped[bool]
    count_again_at: Mapped[datetime | None]

    __table_args__ = (
        within("areas", "area_id"),
        within("buildings", "building_id"),
        within("stairwells", "stairwell_id"),
        within("teams", "lead_team_id"),
        within("teams", "accountable_team_id"),
        within("teams", "first_lead_team_id"),
        within("teams", "first_accountable_team_id"),
        CheckConstraint("fate IN ('kept', 'voided', 'merged', 'answered')", name="fate"),
        Index("ix_order_counts_again", "count_again_at", postgresql_where=text("count_again_at IS NOT NULL")),
        Index("ix_order_counts_same", "stairwell_id", "service_id", "placed_at"),
        *(Index(f"ix_order_counts_{day}", "community_id", day, "order_id") for day in DAYS),
    )


def count() -> Mapped[int]:
    """A count of the totals."""
    return mapped_column(server_default=text("0"))


def one_of(values: Iterable[str]) -> str:
    """The condition that a row is kept by one of these."""
    return "kept_by IN ({})".format(", ".join(f"'{value}'" for value in values))


def knows(known: Mapping[Any, Sequence[str]], column: str) -> str:
    """The condition that rows which are not kept by a column leave it empty."""
    return f"{column} IS NULL OR {one_of(kept for kept, own in known.items() if column in own)}"


class FigureTotal(Base):
    """Counts of a day, week or month of a community, kept by what `kept_by` says (rules/reports/keeping.py).

    Always the sum over the sheets: each changed order takes back what it added before and adds what it does now.
    """

    __tablename__ = "figure_totals"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kept_by: Mapped[str]
    grain: Mapped[str]
    first_day: Mapped[date]
    area_id: Mapped[Reference | None]
    service_id: Mapped[Reference | None] = mapped_column(ForeignKey("services.id"))
    lead_team_id: Mapped[Reference | None]
    accountable_team_id: Mapped[Reference | None]
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    placed: Mapped[int] = count()
    answered: Mapped[int] = count()
    repeat_base: Mapped[int] = count()
    repeated: Mapped[int] = count()
    dispatched: Mapped[int] = count()
    returned: Mapped[int] = count()
    misrouted: Mapped[int] = count()
    overridden: Mapped[int] = count()
    to_sign: Mapped[int] = count()
    signed_in_time: Mapped[int] = count()
    offered: Mapped[int] = count()
    rounds: Mapped[int] = count()
    first_answered: Mapped[int] = count()
    first_accepted: Mapped[int] = count()
    accepted: Mapped[int] = count()
    accept_seconds: Mapped[Reference] = count()
    arrivals_due: Mapped[int] = count()
    arrived_in_time: Mapped[int] = count()
    due: Mapped[int] = count()
    due_closed: Mapped[int] = count()
    closed_in_time: Mapped[int] = count()
    answers_due: Mapped[int] = count()
    answered_in_time: Mapped[int] = count()
    finished: Mapped[int] = count()
    closed: Mapped[int] = count()
    called: Mapped[int] = count()
    reopened: Mapped[int] = count()
    valued: Mapped[int] = count()
    contacted: Mapped[int] = count()
    solved: Mapped[int] = count()
    very_satisfied: Mapped[int] = count()
    satisfied: Mapped[int] = count()
    basically_satisfied: Mapped[int] = count()
    dissatisfied: Mapped[int] = count()
    very_dissatisfied: Mapped[int] = count()

    __table_args__ = (
        within("areas", "area_id"),
        within("teams", "lead_team_id"),
        within("teams", "accountable_team_id"),
        CheckConstraint(GRAINS, name="grain"),
        CheckConstraint(one_of(KNOWN), name="kept_by"),
        *(CheckConstraint(knows(KNOWN, column), name=f"knows_{column}") for column in PLACES),
        UniqueConstraint(
            "community_id",
            "kept_by",
            "grain",
            "first_day",
            *PLACES,
            name="uq_figure_totals",
            postgresql_nulls_not_distinct=True,
        ),
    )


class HeatTotal(Base):
    """How many orders were placed in a day, week or month of a community, by area and building or hour of the day."""

    __tablename__ = "heat_totals"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kept_by: Mapped[str]
    grain: Mapped[str]
    first_day: Mapped[date]
    area_id: Mapped[Reference | None]
    building_id: Mapped[Reference | None]
    hour: Mapped[int | None] = mapped_column(SmallInteger)
    placed: Mapped[int] = count()

    __table_args__ = (
        within("areas", "area_id"),
        within("buildings", "building_id"),
        CheckConstraint(GRAINS, name="grain"),
        CheckConstraint(one_of(HEAT_KNOWN), name="kept_by"),
        CheckConstraint(knows(HEAT_KNOWN, "building_id"), name="knows_building_id"),
        CheckConstraint("(kept_by = 'hour') = (hour IS NOT NULL)", name="knows_hour"),
        UniqueConstraint(
            "community_id",
            "kept_by",
            "grain",
            "first_day",
            "area_id",
            "building_id",
            "hour",
            name="uq_heat_totals",
            postgresql_nulls_not_distinct=True,
        ),
    )


class ServiceStatement(Base):
    """The quarterly statement of service of a community: made and published by itself, versioned with a note."""

    __tablename__ = "service_statements"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    quarter: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    body: Mapped[dict[str, Any]]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(server_default=text("''"))
    made_at: Mapped[Moment]
    published_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("community_id", "quarter", "version"),)


class Disclosure(Base):
    """公示: what the supermarket held, was given and gave in a period; versions with notes that nobody changes."""

    __tablename__ = "disclosures"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    first_day: Mapped[date]
    last_day: Mapped[date]
    version: Mapped[int]
    previous_version: Mapped[int | None] = mapped_column(Computed("nullif(version - 1, 0)", persisted=True))
    body: Mapped[dict[str, Any]]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_count: Mapped[int]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    published_at: Mapped[Moment]
    day_book: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, deferred=True, server_default=text("'[]'::jsonb"))

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "first_day", "last_day", "version", name="uq_disclosures_version"),
        ForeignKeyConstraint(
            ["community_id", "first_day", "last_day", "previous_version"],
            [f"disclosures.{name}" for name in ("community_id", "first_day", "last_day", "version")],
            name="fk_disclosures_previous",
        ),
        CheckConstraint("version >= 1 AND (version = 1) = (note = '')", name="version"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("last_day < (published_at AT TIME ZONE 'Asia/Shanghai')::date", name="over"),
        CheckConstraint("octet_length(digest) = 32 AND octet_length(root) = 32", name="digests"),
        CheckConstraint("leaf_count >= 0", name="leaf_count"),
    )


class DisclosureLeaf(Base):
    """The leaf of a gift's line in the tree of a statement, by the receipt that proves it."""

    __tablename__ = "disclosure_leaves"

    disclosure_id: Mapped[Reference] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    receipt_id: Mapped[Reference]
    digest: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        within("disclosures", "disclosure_id"),
        within("receipts", "receipt_id"),
        UniqueConstraint("disclosure_id", "receipt_id"),
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        Index("ix_disclosure_leaves_receipt_id", "receipt_id", "disclosure_id"),
    )


class ExportRequest(Base):
    """A large export that somebody asked for: `asked` says what of; approved by a second person, downloaded once."""

    __tablename__ = "export_requests"

    id: Mapped[Id]
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    asked_by: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[Moment]
    asked: Mapped[dict[str, Any]]
    row_count: Mapped[int]
    reason: Mapped[str]
    granted: Mapped[bool | None]
    decided_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    downloaded_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("num_nulls(granted, decided_by, decided_at) IN (0, 3)", name="decided"),
        CheckConstraint("decided_by <> asked_by", name="second_person"),
        CheckConstraint("(granted IS TRUE) = (valid_until IS NOT NULL)", name="valid"),
        CheckConstraint(
            "downloaded_at IS NULL OR (granted IS TRUE AND downloaded_at <= valid_until)", name="downloaded"
        ),
        CheckConstraint("row_count >= 0", name="row_count"),
        CheckConstraint("length(reason) BETWEEN 1 AND 500", name="reason"),
        Index("ix_export_requests_asked_by", "asked_by", "id"),
        Index("ix_export_requests_waiting", "organisation_id", "id", postgresql_where=text("granted IS NULL")),
    )
