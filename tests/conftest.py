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
from functools import cache
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from hypothesis import settings as hypothesis_settings
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config.settings import OWNER_ROLE, Settings, get_settings
from dispatch.app import create_app
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING
from dispatch.servers import WITHOUT_DURABILITY, PostgresServer, RedisServer, find_postgres, find_redis
from tests.databases import TEMPLATE, Database, Lent, Servers, database_of_its_own, reach

ROOT = Path(__file__).parent.parent
ROOM = 4 << 30
"""Free bytes that /dev/shm must have before the tests use it: two processes need about a tenth of it."""
UNDISTURBED = {"autovacuum": "off"}
"""Nobody counts rows for the planner behind the back of a test: a plan would hang on the minute."""
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
        settings.home, find_postgres(os.environ), logs / "postgres.log", tuning={**WITHOUT_DURABILITY, **UNDISTURBED}
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
        Lent.drop_all()
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


@pytest.fixture
def committed(servers: Servers) -> Iterator[Database]:
    """A database of its own for one test: commits are real."""
    with database_of_its_own(servers) as database:
        yield database
