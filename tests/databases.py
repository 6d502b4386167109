"""Databases with real commits: each test has one for itself, and one that can be emptied again serves the next test.

To copy the template, to drop the copy and to let new connections read its hundreds of relations costs PostgreSQL more
than most tests do. Who has the owner's address may change the structure: such a database is dropped.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, ClassVar

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.orm import Session

from config.settings import APP_ROLE, OWNER_ROLE
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING, Scope
from dispatch.servers import PostgresServer, RedisServer
from dispatch.transaction import BEGIN, Doors
from dispatch.web import live
from dispatch.workers import run

TEMPLATE = "template_for_tests"
SUPERUSER = "postgres"
RETURNS = 16
RETURN_SECONDS = 0.5
"""So many times, and each time so long, a connection that is in use is waited for before its database is emptied."""
MOST_BYTES = 8 * 8192
"""Where a table has grown beyond this its database is dropped: an empty one is not searched like a new one any more."""

STRANGERS = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND (pid <> ALL (%s) OR state <> 'idle')
    ) OR EXISTS (
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    )
"""
"""Whether somebody else is connected, or somebody holds a lock or an unfinished transaction."""

FILLED = """
    SELECT oid::regclass::text, pg_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""
"""Tables into which a row was ever written."""

RESTART = """
    SELECT setval(seqrelid, seqstart, false) FROM pg_sequence
    WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""


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
    engine: Engine = field(repr=False)
    opened: list[str] = field(repr=False)

    @property
    def owner_url(self) -> str:
        """The owner's address; who has asked for it leaves a database that serves nobody else."""
        address = make_url(self.url).set(username=OWNER_ROLE).render_as_string(hide_password=False)
        self.opened.append(address)
        return address

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


class Lent:
    """An engine and a database that are lent to one test after another, with the connections that they have."""

    free: ClassVar[list["Lent"]] = []

    def __init__(self, servers: Servers) -> None:
        """A new engine that looks at its address each time it connects; its database is made by `take`."""
        self.servers = servers
        self.name: str | None = None
        self.admin: psycopg.Connection[Any] | None = None
        self.kept: frozenset[str] = frozenset()
        self.engine = make_engine(servers.postgres.url(APP_ROLE, TEMPLATE))
        self.connected: set[int] = set()
        self.returned = Event()
        event.listen(self.engine, "do_connect", self.direct)
        event.listen(self.engine, "connect", lambda made, _record: self.connected.add(made.info.backend_pid))
        event.listen(self.engine, "checkin", lambda _connection, _record: self.returned.set())

    def direct(self, _dialect: object, _record: object, _arguments: object, named: dict[str, Any]) -> None:
        """Send a new connection to the database of this moment."""
        named["dbname"] = self.engine.url.database

    def take(self) -> Database:
        """The database, made if there is none, for one test.

        The engine wears another face each time: what the product remembers of a database, it remembers by its engine.
        """
        if self.name is None or self.admin is None:
            self.name = f"race_{secrets.token_hex(6)}"
            self.engine.url = make_url(self.servers.clone(self.name))
            self.admin = psycopg.connect(self.servers.postgres.url(SUPERUSER, self.name), autocommit=True)
            self.admin.execute("SET session_replication_role = replica")
            self.kept = frozenset(name for name, _ in self.admin.execute(FILLED))
        url = self.engine.url.render_as_string(hide_password=False)
        return Database(self.name, url, self.engine.execution_options(), [])

    def give_back(self, database: Database) -> None:
        """Empty the database for the next test, or drop it where it would not be as it was."""
        self.wait_for_connections()
        if database.opened or not self.is_emptied():
            self.drop()
        Lent.free.append(self)

    def is_emptied(self) -> bool:
        """Take every row out, past all triggers, and let numbers begin anew; False if that does not make it as new."""
        assert self.admin is not None
        [(strange,)] = self.admin.execute(STRANGERS, [list(self.connected)])
        filled = [(name, size) for name, size in self.admin.execute(FILLED) if name not in self.kept]
        if strange or any(size > MOST_BYTES for _, size in filled):
            return False
        if filled:
            self.admin.execute(";".join(f"DELETE FROM {name}" for name, _ in filled).encode())  # noqa: S608 - names of tables
        self.admin.execute(RESTART)
        return True

    def wait_for_connections(self) -> None:
        """Wait for those who still answer a page that is closed."""
        for _ in range(RETURNS):
            if self.engine.pool.checkedout() == 0:  # type: ignore[attr-defined]
                return
            self.returned.wait(RETURN_SECONDS)
            self.returned.clear()

    def drop(self) -> None:
        """Remove the database and every connection to it; the engine stays, with the statements that it compiled."""
        self.engine.dispose()
        self.connected.clear()
        if self.admin is not None and self.name is not None:
            self.admin.close()
            self.servers.drop(self.name)
        self.name = self.admin = None

    @classmethod
    def drop_all(cls) -> None:
        """Remove what no test has any more, before the servers end."""
        while cls.free:
            cls.free.pop().drop()


@contextmanager
def database_of_its_own(servers: Servers) -> Iterator[Database]:
    """A database as the template is, for whoever has it alone; meanwhile `transaction()` opens its doors there."""
    lent = Lent.free.pop() if Lent.free else Lent(servers)
    database = lent.take()
    before, Doors.engine = Doors.engine, database.engine
    yield database
    Doors.engine = before
    run.Holder.forget()
    live.Process.close()
    lent.give_back(database)
