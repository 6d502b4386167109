"""The one statement that makes an order durable: row, history, audit entry and job (or citation) together.

The ORM's bookkeeping is the cost of the hot path, so this is Core; a test holds the number of statements.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import TextClause

from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor

COLUMNS = tuple(
    column.name
    for column in Order.__table__.columns
    if column.name
    in {
        "number", "organisation_id", "community_id", "service_id", "state", "version", "chain_head", "urgency",
        "confidential", "is_canary", "source", "source_number", "origin", "origin_id", "occasion",
        "caller_resident_id", "caller_name", "caller_phone", "phone_index", "description", "answers",
        "address_text", "place_outcome", "place_candidates", "area_id", "building_id", "stairwell_id", "room",
        "latitude", "longitude", "wanted_from", "wanted_until", "named_performer_id", "excluded_performers",
        "created_by", "created_by_key", "created_at", "civic_due_at", "service_due_at", "arrive_due_at",
        "due_assumed",
    }
)  # fmt: skip
MOST_FIRST_EVENTS = 2

JOB = (
    "job AS (INSERT INTO jobs (dedupe, kind, reference, lane, run_at) SELECT :job_dedupe, :job_kind, placed.id, "
    ":job_lane, :job_run_at FROM placed RETURNING id AS job_id)"
)
CITED = (
    "cited AS (INSERT INTO knowledge_uses (order_id, order_version, knowledge_version_id, cited_by, cited_at, useful, "
    "asked_by, asked_at) SELECT placed.id, :version, :knowledge_version_id, :created_by, :created_at, :useful, "
    ":asked_by, :asked_at FROM placed)"
)


def statement(action: str, names: tuple[str, ...], ending: str, given: str) -> TextClause:
    """INSERT of order, up to two events, audit entry and what `ending` adds, as one statement; `given` is selected."""
    columns = ", ".join(names)
    values = ", ".join(f":{name}" for name in names)
    sql = (
        f"WITH placed AS (INSERT INTO orders ({columns}, updated_at) VALUES ({values}, :created_at) "  # noqa: S608 - names of our own columns
        "ON CONFLICT (number) DO NOTHING RETURNING id), "
        "history AS (INSERT INTO order_events (order_id, version, action, from_state, to_state, at, actor_kind, "
        "user_id, api_key_id, facts, digest) SELECT placed.id, event.version, event.action, event.from_state, "
        "event.to_state, :created_at, event.actor_kind, :created_by, :created_by_key, event.facts, "
        "decode(event.digest, 'hex') FROM placed, jsonb_to_recordset(:events) AS event (version integer, "
        "action text, from_state text, to_state text, actor_kind text, facts jsonb, digest text)), "
        "audit AS (INSERT INTO audit_entries (at, action, subject, subject_id, community_id, organisation_id, "
        f"user_id, api_key_id, request_id) SELECT :created_at, '{action}', 'orders', placed.id, :community_id, "
        ":organisation_id, :created_by, :created_by_key, :request_id FROM placed), "
        f"{ending} SELECT {given}"
    )
    types = [bindparam(name, type_=Order.__table__.columns[name].type) for name in names]
    return text(sql).bindparams(*types, bindparam("events", type_=JSONB))


WHEN = Order.__table__.columns["created_at"].type
INSERT = statement("orders.place", COLUMNS, JOB, "id, job_id FROM placed, job").bindparams(
    bindparam("job_run_at", type_=WHEN)
)
"""Gives (id of the order, job_id); nothing when the number is taken."""

INSERT_ANSWERED = statement("orders.answer_directly", (*COLUMNS, "closed_at"), CITED, "id FROM placed").bindparams(
    bindparam("asked_at", type_=WHEN), bindparam("asked_by", type_=BigInteger)
)
"""Gives the id of an order that is closed with its citation and without a job; nothing when the number is taken."""


def insert_parameters(
    values: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    ending: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> dict[str, Any]:
    """The parameters of INSERT or INSERT_ANSWERED; `ending` is what the last part adds, by the statement's names."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {
        **values,
        "created_at": now,
        "created_by": actor.user_id,
        "created_by_key": actor.api_key_id,
        "events": [{**event, "digest": event["digest"].hex()} for event in events],
        "request_id": request_id,
        **ending,
    }
