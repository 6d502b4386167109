"""How the database finds what people and workers ask for most: by an index, however many orders there are."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg import Connection, connect
from sqlalchemy import event
from sqlalchemy.orm import Session

from benchmarks import queries
from benchmarks.history import fill
from config.settings import APP_ROLE, OWNER_ROLE
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING, Actor, ActorKind, Scope
from dispatch.rules.queue import Lane
from dispatch.services.orders import waiting
from dispatch.transaction import begin
from tests.conftest import Servers
from tests.factories.world import make_world

ORDERS = 100_000
DATABASE = "plans"
MOST_ROWS = 2_500
"""The open orders of history.OPEN and some more: nothing on these ways may touch a year's orders."""

Plan = dict[str, Any]

pytestmark = pytest.mark.xdist_group("plans")
"""What stands up once for all tests of this file is slow to make: they run in one process."""


@pytest.fixture(scope="module")
def asker(servers: Servers) -> Iterator[tuple[Session, Actor]]:
    """A session on a database of its own with 10⁵ orders, and an actor of its one community."""
    servers.clone(DATABASE)
    engine = make_engine(servers.postgres.url(APP_ROLE, DATABASE))
    with Session(engine) as session:
        begin(session, EVERYTHING)
        world = make_world(session)
        scope = Scope(
            organisations=frozenset({world.district.id, world.community.id}),
            communities=frozenset({world.community.id}),
        )
        actor = Actor(kind=ActorKind.OPERATOR, organisation_id=world.district.id, scope=scope)
        session.commit()
    with owner_of(servers) as owner:
        fill(owner, ORDERS, int(Lane.DISPATCH))
    with Session(engine) as session:
        yield session, actor
    engine.dispose()
    servers.drop(DATABASE)


def owner_of(servers: Servers) -> Connection:
    """A connection as the owner of the tables, each statement committed."""
    return connect(servers.postgres.url(OWNER_ROLE, DATABASE), autocommit=True)


def plans_of(asker: tuple[Session, Actor], scope: Scope, ask: Callable[[Session, Actor], object]) -> list[Plan]:
    """The plans, with what was really read, of all statements of a question."""
    session, actor = asker
    begin(session, scope)
    connection = session.connection()
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, _x: object, _many: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    ask(session, actor)
    event.remove(connection, "before_cursor_execute", note)
    session.rollback()
    begin(session, scope)
    plans = []
    for statement, parameters in asked:
        rows = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        answer = rows.scalar_one()
        plans.append((json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"])
    session.rollback()
    return plans


def nodes(plan: Plan) -> Iterator[Plan]:
    """A plan's node and all below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def rows_read(node: Plan) -> float:
    """The rows that a node gave or threw away."""
    return float((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


QUESTIONS = {**queries.QUESTIONS, "what waits for a human": lambda session, actor: waiting(session, actor=actor)}


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_question_reads_an_index_and_few_rows_of_a_hundred_thousand(asker: tuple[Session, Actor], name: str) -> None:
    scope = EVERYTHING if name == "due claim" else asker[1].scope
    found = [node for plan in plans_of(asker, scope, QUESTIONS[name]) for node in nodes(plan)]
    scans = [node for node in found if node.get("Relation Name") in {"orders", "jobs"}]
    assert scans
    assert not [node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan"]
    assert max(rows_read(node) for node in scans) <= MOST_ROWS


@pytest.mark.parametrize("name", ["list page of 50", "due claim"])
def test_a_page_and_a_claim_follow_the_order_of_their_index(asker: tuple[Session, Actor], name: str) -> None:
    scope = EVERYTHING if name == "due claim" else asker[1].scope
    found = [node for plan in plans_of(asker, scope, QUESTIONS[name]) for node in nodes(plan)]
    assert not [node for node in found if node["Node Type"] in {"Sort", "Incremental Sort"}]
    assert max(rows_read(node) for node in found) <= queries.PAGE + 1
