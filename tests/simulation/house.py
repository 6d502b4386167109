"""The database of a simulation: a small world, a clock that only jumps, and a quick return to the beginning."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from dispatch.db import make_engine
from dispatch.gateways.broker import Broker
from dispatch.gateways.messages import Messages
from dispatch.models import metadata
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import EVERYTHING, Actor, Role
from dispatch.services.access import vault
from dispatch.transaction import Doors
from dispatch.workers import run
from tests.databases import SUPERUSER, Servers, reach
from tests.factories.world import make_world, staff
from tests.simulation.fate import Edit, listen

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DEMO_CLOCK = Path(__file__).parents[2] / "migrations" / "sql" / "demo_clock.sql"
STAYS = frozenset(
    {
        "clock_settings", "organisations", "users", "memberships", "api_keys", "policies", "areas",
        "place_names", "buildings", "stairwells", "households", "residents", "residences", "establishments",
        "work_resources", "posts", "services", "teams", "territories", "performers", "performer_services",
        "coverages", "papers", "calendar_days", "calendar_years", "legal_edges", "alembic_version",
    }
)  # fmt: skip
MARKS = (
    "CREATE TABLE simulation_marks (job_id bigint NOT NULL);GRANT SELECT, INSERT ON simulation_marks TO dispatch_app;"
)
BEGINNING = (
    "SELECT setval(seqrelid::regclass, 1, false) FROM pg_sequence JOIN pg_depend ON objid = seqrelid "
    "AND deptype = 'i' WHERE refobjid::regclass::text IN ('jobs', 'orders', 'offers', 'offer_recipients', 'notices'); "
    "UPDATE performers SET last_offered_at = NULL WHERE last_offered_at IS NOT NULL"
)
RESETS_BY_DELETING = 40
DEADLOCK = "ALTER ROLE dispatch_app IN DATABASE {name} SET deadlock_timeout = '30ms'"
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what acts in every seed: ids only, read once."""

    operator: Actor
    dispatcher: Actor
    clerk: Actor
    stairwells: tuple[int, ...]
    services: tuple[str, ...]
    performers: tuple[int, ...]


@dataclass(slots=True)
class House:
    """A cloned database with its world; `owner` is a superuser's connection that commits each statement."""

    engine: Engine
    owner: psycopg.Connection[Any]
    cast: Cast
    changing: Sequence[str] = field(repr=False)
    resets: int = 0
    latest: datetime = MORNING

    def reset(self) -> None:
        """Back to the beginning: no orders, no jobs, Monday morning. Deleting is quicker, but leaves dead rows."""
        names = ", ".join(self.changing)
        if self.resets % RESETS_BY_DELETING == 0:
            self.owner.execute(f"TRUNCATE {names}".encode())
        else:
            deletions = [f"DELETE FROM {name}" for name in self.changing]  # noqa: S608 - our own tables
            self.owner.execute("; ".join(deletions).encode())
        self.owner.execute(BEGINNING.encode())
        self.set_clock(MORNING)
        self.latest = MORNING
        self.resets += 1

    def set_clock(self, instant: datetime) -> None:
        """Business time stands at this instant until it is set again."""
        self.owner.execute(
            "UPDATE clock_settings SET business_anchor = %s, real_anchor = clock_timestamp(), rate = 0", [instant]
        )

    def now(self) -> datetime:
        """The business time."""
        row = self.owner.execute("SELECT dispatch_now()").fetchone()
        assert row is not None
        instant: datetime = row[0]
        return instant

    def jump(self, by: timedelta) -> None:
        """Let the clock jump, also backwards."""
        to = self.now() + by
        self.latest = max(self.latest, to)
        self.set_clock(to)

    def expire_leases(self) -> None:
        """Time passes for the dead and for the slow: every lease is over."""
        self.owner.execute(
            "UPDATE jobs SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL"
        )

    def is_blocked(self) -> bool:
        """Whether some process waits for a lock."""
        row = self.owner.execute(BLOCKED.encode()).fetchone()
        return row is not None and row[0] > 0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says, whoever may see it."""
        return self.owner.execute(query.encode()).fetchall()


def changing_tables() -> list[str]:
    """The tables that a seed changes."""
    return [*sorted(set(metadata.tables) - STAYS), "simulation_marks"]


def furnish(engine: Engine) -> Cast:
    """Make the world of every seed: three firms with webhooks, one by e-mail; a kind for one, one for three."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        reach(session.connection(), EVERYTHING)
        world = make_world(session, firms=4)
        world.gossip.given = "offer_first_three"
        world.plumbing.urgency = "urgent"
        for number, firm in enumerate(world.firms):
            address = f"firm{number}@example.org"
            firm.webhook_secret = vault.seal(f"performers.webhook_secret.{firm.uid}", "0" * 32)
            if number == 0:
                firm.channel, firm.webhook_url = "email", None
                firm.email = vault.seal(f"performers.email.{firm.uid}", address)
        for organisation in session.scalars(select(Organisation)):
            organisation.grid_version += 1
            organisation.catalogue_version += 1
        return Cast(
            operator=staff(session, world, Role.OPERATOR),
            dispatcher=staff(session, world, Role.DISPATCHER),
            clerk=staff(session, world, Role.CALLBACK_CLERK),
            stairwells=tuple(one.id for one in world.stairwells),
            services=(world.plumbing.code, world.gossip.code),
            performers=tuple(one.id for one in world.firms),
        )


@contextmanager
def open_house(servers: Servers, name: str, *, changes: str = "", edits: Sequence[Edit] = ()) -> Iterator[House]:
    """A house of its own; `changes` are made to its tables by the owner, `edits` to every statement."""
    url = servers.clone(name)
    servers.admin(DEADLOCK.format(name=name))
    engine = make_engine(url)
    owner = psycopg.connect(servers.postgres.url(SUPERUSER, name), autocommit=True)
    before = Doors.engine, Broker.way, Messages.way, run.Outside.way
    silence = listen(engine, edits)
    try:
        owner.execute(b"SET session_replication_role = replica")
        owner.execute(DEMO_CLOCK.read_bytes())
        owner.execute(MARKS.encode())
        owner.execute(
            "INSERT INTO clock_settings (real_anchor, business_anchor, rate) VALUES (now(), %s, 0)", [MORNING]
        )
        cast = furnish(engine)
        if changes:
            owner.execute(changes.encode())
        Doors.engine = engine
        yield House(engine, owner, cast, changing_tables())
    finally:
        run.Holder.forget()
        Doors.engine, Broker.way, Messages.way, run.Outside.way = before
        silence()
        owner.close()
        engine.dispose()
        servers.drop(name)


@contextmanager
def table_with(handlers: Mapping[str, run.Handler]) -> Iterator[None]:
    """The executor's table with more kinds of jobs, or with a mechanism left out, while a simulation runs."""
    before = dict(run.HANDLERS)
    run.HANDLERS.update(handlers)
    try:
        yield
    finally:
        run.HANDLERS.clear()
        run.HANDLERS.update(before)
