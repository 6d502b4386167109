"""A backup is worth its restore: dumped, restored, verified; what may have left the house does not leave again."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from subprocess import run

import pytest
from sqlalchemy import Engine, text

from config.settings import OWNER_ROLE
from dispatch.commands.verify import check
from dispatch.db import make_engine
from dispatch.rules.access.roles import Role
from dispatch.servers.postgres import INSIDE_STATEMENTS
from dispatch.services import orders
from dispatch.services.access import vault
from tests.conftest import ROOT, Database, Servers
from tests.databases import SUPERUSER
from tests.factories.world import make_world, staff

AFTER_RESTORE = ROOT / "migrations" / "sql" / "after_restore.sql"
COUNTS = text(
    "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_events), (SELECT count(*) FROM notices), "
    "(SELECT count(*) FROM jobs), (SELECT count(*) FROM audit_entries)"
)
MAIL = text("SELECT effects.state, effects.attempts FROM effects JOIN notices ON notices.id = notice_id")
LAST_RECIPIENT = text("SELECT last_value FROM pg_sequences WHERE sequencename = 'offer_recipients_id_seq'")


@pytest.fixture
def offered(committed: Database) -> Database:
    """A database in which an order was offered to a firm whose mail waits to be sent."""
    with committed.session() as session:
        world = make_world(session, firms=1)
        world.firms[0].channel = "email"
        world.firms[0].email = vault.seal(f"performers.email.{world.firms[0].uid}", "f001@firms.example")
        draft = orders.OrderDraft(
            description="厨房下水道堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id
        )
        now = datetime.now(UTC)
        order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
        orders.route(session, order.id, now=now)
        session.commit()
    return committed


@pytest.fixture
def restored(offered: Database, servers: Servers, tmp_path: Path) -> Iterator[Engine]:
    """The same database, dumped by its owner and restored as docs/howto/operate.md says."""
    name = f"restored_{secrets.token_hex(6)}"
    dump = tmp_path / "dispatch.dump"
    tools = servers.postgres.binaries
    owner = servers.postgres.url(OWNER_ROLE, name)
    run([tools / "pg_dump", "--format=custom", f"--file={dump}", offered.owner_url], check=True)
    servers.admin(f"CREATE DATABASE {name} OWNER {OWNER_ROLE}")
    inside = make_engine(servers.postgres.url(SUPERUSER, name))
    with inside.begin() as connection:
        for statement in INSIDE_STATEMENTS:
            connection.execute(text(statement))
    inside.dispose()
    restore = ["--no-owner", "--no-comments", "--exit-on-error", f"--dbname={owner}", dump]
    run([tools / "pg_restore", *restore], check=True)
    quiet = ["--quiet", "--set=ON_ERROR_STOP=1", f"--output={os.devnull}"]
    run([tools / "psql", *quiet, f"--file={AFTER_RESTORE}", owner], check=True)
    engine = make_engine(servers.postgres.url(database=name))
    yield engine
    engine.dispose()
    servers.drop(name)


def test_a_restored_database_has_every_row_and_keeps_the_promise(offered: Database, restored: Engine) -> None:
    with offered.engine.connect() as before, restored.connect() as after:
        everything = text("SELECT set_config('dispatch.communities', '*', true)")
        before.execute(everything)
        after.execute(everything)
        counts = tuple(before.execute(COUNTS).one())
        assert min(counts) > 0
        assert tuple(after.execute(COUNTS).one()) == counts
    assert check(restored) == []


def test_waiting_mail_is_not_sent_again_and_no_number_is_given_twice(restored: Engine) -> None:
    with restored.connect() as connection:
        connection.execute(text("SELECT set_config('dispatch.communities', '*', true)"))
        assert [tuple(row) for row in connection.execute(MAIL)] == [("sending", 2)]
        assert connection.execute(LAST_RECIPIENT).scalar_one() > 1_000_000
