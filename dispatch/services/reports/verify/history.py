"""The histories: version + 1 without gap, legal edges only, chained digests, and the order where its history ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.rules.access.chain import GENESIS
from dispatch.rules.orders.states import legal_edges
from dispatch.services.orders.steps import Line

AT_ONCE = 1_000
EDGES = frozenset(
    (None if origin is None else str(origin), str(action), str(target)) for origin, action, target in legal_edges()
)
HISTORY = text(
    "SELECT orders.number, orders.version AS order_version, orders.state, orders.chain_head, event.version, "
    "event.action, event.from_state, event.to_state, event.at, event.actor_kind, event.user_id, "
    "event.performer_id, event.api_key_id, event.facts, event.reason, event.digest "
    "FROM orders LEFT JOIN order_events AS event ON event.order_id = orders.id ORDER BY orders.id, event.version"
)


@dataclass(slots=True)
class Walk:
    """Where a walk along one order's history stands."""

    version: int = 0
    state: str | None = None
    digest: bytes = GENESIS


def broken_histories(session: Session) -> Iterator[str]:
    """One line per order whose history does not hold, with the first thing that is wrong."""
    rows = session.execute(HISTORY, execution_options={"yield_per": AT_ONCE})
    for number, events in groupby(rows, key=lambda row: row.number):
        problem = problem_of(list(events))
        if problem:
            yield f"order {number}: {problem}"


def problem_of(events: list[Any]) -> str | None:
    """The first thing wrong with one order's history, None when all of it holds."""
    if events[0].version is None:
        return "it has no history"
    walk = Walk()
    for event in events:
        problem = problem_at(walk, event)
        if problem:
            return problem
        walk = Walk(event.version, event.to_state, event.digest)
    last = events[-1]
    if (last.order_version, last.state) != (walk.version, walk.state):
        return f"it stands at version {last.order_version} {last.state}, its history at {walk.version} {walk.state}"
    if last.chain_head != walk.digest:
        return "the head of its chain is not that of its history"
    return None


def problem_at(walk: Walk, event: Any) -> str | None:
    """What is wrong with one event after those before it."""
    if event.version != walk.version + 1:
        return f"version {walk.version + 1} is missing in its history"
    if event.from_state != walk.state:
        return f"version {event.version} begins at {event.from_state}, the one before ended at {walk.state}"
    if (event.from_state, event.action, event.to_state) not in EDGES:
        return f"version {event.version}: {event.from_state} → {event.action} → {event.to_state} is no legal step"
    if line_of(event).digest(walk.digest) != event.digest:
        return f"version {event.version} was changed after it was written"
    return None


def line_of(event: Any) -> Line:
    """The event as it was chained."""
    return Line(
        number=event.number,
        version=event.version,
        action=event.action,
        origin=event.from_state,
        target=event.to_state,
        at=event.at,
        actor_kind=event.actor_kind,
        user_id=event.user_id,
        performer_id=event.performer_id,
        api_key_id=event.api_key_id,
        facts=event.facts,
        reason=event.reason,
    )
