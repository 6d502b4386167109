"""`dispatch verify` holds on a living database and names each thing that was broken by hand."""

import os
import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from config.settings import Settings
from dispatch import clock, queue
from dispatch.commands import verify as command
from dispatch.models.notify import Notice
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.queue import Lane
from dispatch.services import notify, orders, reports
from dispatch.services.access import audit
from dispatch.services.orders import OrderDraft
from tests.conftest import Database
from tests.factories.world import World, make_world, staff


@pytest.fixture
def lived(committed: Database) -> tuple[Database, list[str]]:
    """A database with orders in several states: waiting to be routed, offered, accepted, finished, unplaced."""
    with committed.session() as session:
        world = make_world(session)
        now = clock.now(session)
        made = [place(session, world) for _ in range(4)]
        lost = place(session, world, stairwell_id=None, address_text="月亮背面")
        orders.route_many(session, [order.id for order in made[1:]], now=now)
        for order in made[2:]:
            orders.accept(session, token_of(session, order), now=now)
        orders.finish(session, token_of(session, made[3]), orders.WorkReport(result="done"), now=now)
        session.commit()
        numbers = [order.number for order in (*made, lost)]
        assert audit.seal(session, now=now)
        session.commit()
    return committed, numbers


def place(session: Session, world: World, **changes: object) -> Order:
    """An order of an operator."""
    values: dict[str, object] = {
        "description": "下水道堵了",
        "service_code": "drain_clearing",
        "stairwell_id": world.stairwells[0].id,
    }
    draft = OrderDraft(**(values | changes))  # type: ignore[arg-type]
    return orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=clock.now(session))


def token_of(session: Session, order: Order) -> str:
    """The link token of an order's newest notice."""
    query = select(Notice).where(Notice.order_id == order.id, Notice.template == "offer").order_by(Notice.id.desc())
    token = notify.link_token(session.scalars(query.limit(1)).one())
    assert token is not None
    return token


def broken(database: Database) -> list[str]:
    """What is found."""
    return command.check(database.engine)


def as_owner(database: Database, statement: str) -> None:
    """Do by hand what the application may not."""
    with psycopg.connect(database.owner_url.replace("+psycopg", "")) as connection:
        connection.execute(statement.encode())


def test_a_living_database_holds(lived: tuple[Database, list[str]]) -> None:
    database, numbers = lived
    with database.session() as session:
        states = dict(session.execute(select(Order.number, Order.state)).all())
    expected = ["awaiting_dispatch", "offered", "accepted", "finished", "received"]
    assert [states[number] for number in numbers] == expected
    assert broken(database) == []


TAMPERINGS: list[tuple[str, str]] = [
    ("UPDATE order_events SET reason = 'changed' WHERE version = 2 AND order_id = {2}", "version 2 was changed"),
    ("UPDATE orders SET chain_head = decode(repeat('00', 32), 'hex') WHERE id = {1}", "the head of its chain"),
    ("UPDATE order_events SET facts = '{{\"a\": 1}}' WHERE version = 1 AND order_id = {0}", "version 1 was changed"),
    ("UPDATE orders SET performer_id = NULL WHERE id = {2}", "nobody holds it"),
    ("UPDATE jobs SET done_at = now() WHERE kind = 'orders.route' AND reference = {0}", "no job will route it"),
    ("UPDATE jobs SET dead_at = now() WHERE kind = 'orders.lapse'", "no open offer that will lapse"),
    ("DELETE FROM jobs WHERE kind = 'orders.feed_back'", "no job will answer the resident"),
    ("DELETE FROM jobs WHERE kind = 'orders.place_alarm'", "no alarm, and no job that will raise one"),
    (
        "UPDATE jobs SET dead_at = now(), error = 'Fault' WHERE kind = 'orders.route' AND reference = {0}",
        "is dead (Fault)",
    ),
    ("UPDATE jobs SET run_at = now() - interval '2 minutes' WHERE reference = {0}", "nobody works at it"),
    ("UPDATE audit_entries SET action = 'orders.other' WHERE subject_id = {0}", "an entry was changed"),
]


@pytest.mark.parametrize(("statement", "found"), TAMPERINGS)
def test_what_is_broken_by_hand_is_found(lived: tuple[Database, list[str]], statement: str, found: str) -> None:
    database, numbers = lived
    with database.session() as session:
        ids = dict(session.execute(select(Order.number, Order.id)).all())
    as_owner(database, statement.format(*[ids[number] for number in numbers]))
    assert [line for line in broken(database) if found in line], broken(database)


def test_the_orders_number_stands_in_its_line(lived: tuple[Database, list[str]]) -> None:
    database, numbers = lived
    as_owner(database, "DELETE FROM jobs WHERE kind = 'orders.feed_back'")
    assert broken(database) == [f"order {numbers[3]} (finished): no job will answer the resident"]


def test_a_missing_period_is_found_but_not_one_of_a_probe(committed: Database) -> None:
    with committed.session() as session:
        session.execute(
            text(
                "INSERT INTO period_runs (job, period, due_at, finished_at) VALUES "
                "('reports.daily_figures', '2026-11-20', '2026-11-20T00:10+08:00', now()), "
                "('reports.daily_figures', '2026-11-22', '2026-11-22T00:10+08:00', now()), "
                "('system.canary', '2026-11-22T00:01', '2026-11-22T00:01+08:00', now()), "
                "('system.canary', '2026-11-22T00:09', '2026-11-22T00:09+08:00', now())"
            )
        )
        session.commit()
    assert broken(committed) == ["reports.daily_figures: period 2026-11-21 is missing"]


def test_a_period_without_work_is_found(committed: Database) -> None:
    with committed.session() as session:
        session.execute(
            text("INSERT INTO period_runs (job, period, due_at) VALUES ('system.purge', '2026-11-20', now())")
        )
        session.commit()
    assert broken(committed) == ["system.purge: period 2026-11-20 is neither finished nor waiting"]


def test_a_job_in_somebodys_hands_is_not_lying(committed: Database) -> None:
    with committed.session() as session:
        run_at = clock.now(session) - timedelta(minutes=5)
        queue.enqueue(session, "tests.work", lane=Lane.DISPATCH, run_at=run_at)
        queue.claim(session, Lane.DISPATCH, limit=1)
        audit.record(session, "tests.look", "tests", 1, actor=SYSTEM)
        session.commit()
    assert broken(committed) == []
    with committed.session() as session:
        assert reports.verify(session) == []


def test_the_command_says_what_is_broken_and_how_it_ended(committed: Database, settings: Settings) -> None:
    def verify(url: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "DISPATCH_DATABASE_URL": url}
        words = [sys.executable, "-m", "dispatch.cli", "verify"]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, env=environment, stdout=pipe, stderr=pipe, text=True)

    as_owner(committed, "INSERT INTO period_runs (job, period, due_at) VALUES ('system.purge', '2026-11-20', now())")
    nowhere = committed.url.replace(committed.name, "no_such_database")
    with verify(settings.database_url) as well, verify(committed.url) as ill, verify(nowhere) as away:
        told = [process.communicate(timeout=60) for process in (well, ill, away)]
    assert [process.returncode for process in (well, ill, away)] == [0, 1, 2]
    assert [out for out, _ in told] == ["", "system.purge: period 2026-11-20 is neither finished nor waiting\n", ""]
    assert "cannot be asked" in told[2][1]
