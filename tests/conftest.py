"""Real servers for the tests: each pytest process starts its own PostgreSQL and Redis, and removes them.

Nothing is shared between the processes of `pytest -n`, so nothing has to be locked or handed over.
Tests run as the role dispatch_app; only the migrations run as dispatch_owner.
"""

import gc
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from hypothesis import settings as hypothesis_settings
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.orm import Session

from config.settings import APP_ROLE, OWNER_ROLE, Settings, get_settings
from dispatch.app import create_app
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING, Scope
from dispatch.servers import WITHOUT_DURABILITY, PostgresServer, RedisServer, find_postgres, find_redis
from dispatch.transaction import BEGIN, Doors
from dispatch.web import live
from dispatch.workers import run

ROOT = Path(__file__).parent.parent
TEMPLATE = "template_for_tests"
RETURNS = 16
RETURN_SECONDS = 0.5
"""So many times, and each time so long, a connection that is in use is waited for before its database is dropped."""
ROOM = 4 << 30
"""Free bytes that /dev/shm must have before the tests use it: two processes need about a tenth of it."""
SUPERUSER = "postgres"
HOME_KEY = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Give this pytest process a home of its own and settings that point there, before any test is read.

    While the tests are read nothing is searched for garbage: all of it stays.
    """
    gc.disable()
    hypothesis_settings.register_profile("house", deadline=None)  # nothing is timed by a test, however slow the machine
    hypothesis_settings.load_profile("house")
    home = Path(tempfile.mkdtemp(prefix="hq-", dir=fast_folder()))
    config.stash[HOME_KEY] = home
    binaries = {
        name: os.environ[f"DISPATCH_TEST_{name}"]
        for name in ("PG_BIN", "REDIS_BIN")
        if os.environ.get(f"DISPATCH_TEST_{name}")
    }
    for name in [name for name in os.environ if name.startswith("DISPATCH_") and "_TEST_" not in name]:
        del os.environ[name]
    os.environ.update({f"DISPATCH_{name}": value for name, value in binaries.items()})
    os.environ["DISPATCH_HOME"] = str(home)
    os.environ["DISPATCH_DEMO"] = "1"
    os.environ["DISPATCH_SECRET"] = secrets.token_hex(32)
    os.environ["DISPATCH_FIELD_KEYS"] = f"test:{secrets.token_hex(32)}"


def fast_folder() -> str:
    """Where the servers of the tests keep their files: in memory where there is room for them, else in /tmp.

    Hundreds of databases of hundreds of files are made and dropped; ext4 looks long for an inode after each drop.
    """
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM:
        return str(memory)
    return "/tmp"  # noqa: S108 - a folder of its own is made in it


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later search for garbage: an eighth of the time of the tests went there."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the home, also after a failure."""
    home = config.stash.get(HOME_KEY, None)
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Servers:
    """The two running servers of this pytest process."""

    postgres: PostgresServer
    redis: RedisServer

    def admin(self, statement: str) -> None:
        """Execute one statement as superuser, outside a transaction."""
        with psycopg.connect(self.postgres.url(SUPERUSER, SUPERUSER), autocommit=True) as connection:
            connection.execute(statement.encode())

    def clone(self, name: str) -> str:
        """Make a database with all migrations from the template and return its address for dispatch_app.

        Its files are copied as they are, in half the time that writing them to the log takes.
        """
        self.admin(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}" OWNER {OWNER_ROLE} STRATEGY file_copy')
        return self.postgres.url(APP_ROLE, name)

    def drop(self, name: str) -> None:
        """Remove a cloned database, whoever is still connected."""
        self.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@dataclass(frozen=True, slots=True)
class Database:
    """A database of its own for tests that really commit (races, several processes)."""

    name: str
    url: str
    owner_url: str = field(repr=False)
    engine: Engine = field(repr=False)

    @contextmanager
    def session(self, scope: Scope = EVERYTHING) -> Iterator[Session]:
        """A session that commits for real, as often as it likes, and reaches `scope` in each transaction."""
        with Session(self.engine, expire_on_commit=False) as session:
            event.listen(session, "after_begin", lambda _session, _begun, connection: reach(connection, scope))
            yield session


def reach(connection: Connection, scope: Scope) -> None:
    """Tell the row-level fences of this transaction what it may see, as `transaction()` does."""
    connection.execute(
        BEGIN,
        {
            "organisations": scope.setting(scope.organisations),
            "communities": scope.setting(scope.communities),
        },
    )


@cache
def the_app() -> Flask:
    """The application, made once in this pytest process, for tests that have opened the doors by `committed`.

    It keeps nothing of a test but compiled templates, which cost more than most tests do. Who adds a route or
    changes a setting makes an application of its own.
    """
    return create_app()


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of this pytest process: its own home, embedded servers, a random secret."""
    return get_settings()


@pytest.fixture(scope="session")
def servers(settings: Settings) -> Iterator[Servers]:
    """PostgreSQL (without durability) and Redis, migrated once; the fresh state is kept as a template."""
    logs = settings.home / "logs"
    redis = RedisServer(settings.home, find_redis(os.environ), logs / "redis.log")
    postgres = PostgresServer(
        settings.home, find_postgres(os.environ), logs / "postgres.log", tuning=WITHOUT_DURABILITY
    )
    try:
        redis.start()
        postgres.start()
        redis.wait_ready()
        postgres.wait_ready()
        running = Servers(postgres, redis)
        command.upgrade(Config(str(ROOT / "alembic.ini")), "head")
        running.admin(f'CREATE DATABASE "{TEMPLATE}" TEMPLATE dispatch OWNER {OWNER_ROLE}')
        yield running
    finally:
        postgres.stop()
        redis.stop()


@pytest.fixture(scope="session")
def engine(servers: Servers, settings: Settings) -> Iterator[Engine]:
    """The engine of the role dispatch_app on the shared database; tests leave nothing behind in it."""
    assert servers.postgres.is_ready()
    engine = make_engine(settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session in one outer transaction that is rolled back; its commits are savepoints.

    A test may be slow between two statements: the limit on idle transactions is the doors', not its own.
    It reaches everything, like a job; a test of the fences calls `dispatch.transaction.begin` itself.
    """
    with engine.connect() as connection:
        outer = connection.begin()
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        reach(connection, EVERYTHING)
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


class Lent:
    """An engine that is lent to one database after another, so that statements are compiled once, not per test."""

    free: ClassVar[list["Lent"]] = []

    def __init__(self, url: str) -> None:
        """A new engine that looks at its address each time it connects."""
        self.engine = make_engine(url)
        self.returned = Event()
        event.listen(self.engine, "do_connect", self.direct)
        event.listen(self.engine, "checkin", lambda _connection, _record: self.returned.set())

    def direct(self, _dialect: object, _record: object, _arguments: object, named: dict[str, Any]) -> None:
        """Send a new connection to the database of the test that has this engine."""
        named["dbname"] = self.engine.url.database

    def wait_for_connections(self) -> None:
        """Wait for those who still answer a page that is closed, before their database is dropped."""
        for _ in range(RETURNS):
            if self.engine.pool.checkedout() == 0:  # type: ignore[attr-defined]
                return
            self.returned.wait(RETURN_SECONDS)
            self.returned.clear()

    @classmethod
    @contextmanager
    def engine_to(cls, url: str) -> Iterator[Engine]:
        """An engine whose address and connections are those of `url`; nobody else has it meanwhile.

        It wears another face each time: what the product remembers of a database, it remembers by its engine.
        """
        lent = cls.free.pop() if cls.free else cls(url)
        lent.engine.url = make_url(url)
        yield lent.engine.execution_options()
        lent.wait_for_connections()
        lent.engine.dispose()
        cls.free.append(lent)


@contextmanager
def database_of_its_own(servers: Servers) -> Iterator[Database]:
    """A database cloned from the template and dropped afterwards; meanwhile `transaction()` opens its doors there."""
    name = f"race_{secrets.token_hex(6)}"
    url = servers.clone(name)
    before = Doors.engine
    with Lent.engine_to(url) as engine:
        Doors.engine = engine
        yield Database(name, url, servers.postgres.url(OWNER_ROLE, name), engine)
        Doors.engine = before
        run.Holder.forget()
        live.Process.close()
    servers.drop(name)


@pytest.fixture
def committed(servers: Servers) -> Iterator[Database]:
    """A database of its own for one test: commits are real."""
    with database_of_its_own(servers) as database:
        yield database
