"""Counting: every changed order is counted anew by itself, so that a report over any days is a sum of few rows.

A trigger writes the id of every changed order into order_changes in the order's own transaction. One counter at a
time takes a batch: what these orders added to the totals before is taken back, what they add now is added, in one
statement and one transaction with the removal of their ids. A killed counter has done nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Integer

from dispatch import queue
from dispatch.models.access import Organisation
from dispatch.models.orders import Order
from dispatch.models.reports import OrderChange
from dispatch.rules.queue import Lane
from dispatch.services.access import policies
from dispatch.services.reports.counting.totals import COUNT

MOST_AT_ONCE: Final = 500
REPEAT_POLICY: Final = "figures.repeat_days"
ONE_COUNTER: Final = text("SELECT pg_advisory_xact_lock(hashtext('reports.count'))")
TAKE: Final = text(
    "DELETE FROM order_changes WHERE id = ANY (ARRAY(SELECT id FROM order_changes ORDER BY id LIMIT :most)) "
    "RETURNING order_id"
)
ARRAYS: Final = (
    bindparam("orders", type_=ARRAY(BigInteger)),
    bindparam("communities", type_=ARRAY(BigInteger)),
    bindparam("days", type_=ARRAY(Integer)),
)
COUNT_ORDERS: Final = text(COUNT).bindparams(*ARRAYS)
PASSED: Final = text(
    "WITH passed AS (UPDATE order_counts SET count_again_at = NULL WHERE order_id IN ("
    "SELECT order_id FROM order_counts WHERE count_again_at < :now ORDER BY count_again_at LIMIT :most "
    "FOR UPDATE SKIP LOCKED) RETURNING order_id) "
    "INSERT INTO order_changes (order_id) SELECT order_id FROM passed"
)
WAITING: Final = text(
    "SELECT max(id) FROM order_changes WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.kind = 'reports.count' "
    "AND jobs.reference IS NULL AND jobs.done_at IS NULL AND jobs.dead_at IS NULL)"
)
FORGET: Final = tuple(
    text(f"DELETE FROM {table}") for table in ("order_changes", "heat_totals", "figure_totals", "order_counts")
)
ALL_AGAIN: Final = text("INSERT INTO order_changes (order_id) SELECT id FROM orders WHERE NOT is_canary ORDER BY id")


def ask_for_count(session: Session, *, now: datetime) -> bool:
    """Enqueue the counting of what has changed, unless nothing has or a job for it waits; True when enqueued.

    An order whose limit has passed since it was counted is one that has changed; rows that are being counted are
    passed over, and found by the next tick.
    """
    session.execute(PASSED, {"now": now, "most": MOST_AT_ONCE})
    last = session.execute(WAITING).scalar_one()
    if last is None:
        return False
    job_id = queue.enqueue(session, "reports.count", lane=Lane.PERIODIC, dedupe=f"reports.count:{last}")
    return job_id is not None


def count_changes(session: Session, *, now: datetime, most: int = MOST_AT_ONCE) -> int:
    """Count up to `most` changes, oldest first; returns how many were taken (0: nothing has changed).

    Counting an order again changes nothing. Whoever counts at the same time waits for the other.
    """
    session.execute(ONE_COUNTER)
    taken = session.scalars(TAKE, {"most": most}).all()
    if taken:
        count_orders(session, sorted(set(taken)), now=now)
    return len(taken)


def count_orders(session: Session, order_ids: Sequence[int], *, now: datetime) -> None:
    """Count these orders anew; the caller holds the counter's lock."""
    spans = spans_of(session, order_ids)
    values = {
        "orders": list(order_ids),
        "communities": list(spans),
        "days": list(spans.values()),
        "now": now,
        "most_days": max(spans.values(), default=0),
    }
    session.execute(COUNT_ORDERS, values)


def spans_of(session: Session, order_ids: Sequence[int] | None = None) -> dict[int, int]:
    """Within how many days an order counts as a repeat, by each community (of some orders) that is not hidden."""
    query = select(Organisation.id).where(Organisation.kind == "community", ~Organisation.is_hidden)
    if order_ids is not None:
        query = query.where(Organisation.id.in_(select(Order.community_id).where(Order.id.in_(order_ids))))
    communities = session.scalars(query.order_by(Organisation.id)).all()
    return {one: int(policies.policy(session, one, REPEAT_POLICY)) for one in communities}


def count_anew(session: Session, *, now: datetime) -> int:
    """Forget every count and have every order counted again by the jobs; returns how many orders wait."""
    session.execute(ONE_COUNTER)
    for statement in FORGET:
        session.execute(statement)
    session.execute(ALL_AGAIN)
    ask_for_count(session, now=now)
    return waiting_changes(session)


def waiting_changes(session: Session) -> int:
    """How many changes have not been counted yet."""
    return session.execute(select(func.count()).select_from(OrderChange)).scalar_one()
