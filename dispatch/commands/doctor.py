"""`dispatch doctor`: whether everything that is needed is there and well, one line each."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator

from alembic.script import ScriptDirectory
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings, get_settings
from dispatch.commands import devices, health
from dispatch.commands.findings import Finding
from dispatch.commands.migrating import alembic_config
from dispatch.db import make_engine
from dispatch.servers import ServerMissing, find_postgres, find_redis
from dispatch.supervisor.home import read_json

OLDEST_PYTHON = (3, 11)
REDIS_SECONDS = 2.0
GIGABYTE = 1_000_000_000
LEAST_FREE_BYTES = GIGABYTE
WHO = text("SELECT current_setting('server_version'), usename, usesuper FROM pg_user WHERE usename = current_user")


def describe(parser: argparse.ArgumentParser) -> None:
    """No options."""
    parser.epilog = "Ends with 0 when all is well, with 1 when something is wrong. Changes nothing."


def run(_arguments: argparse.Namespace) -> int:
    """Look at everything and say it; returns 0 when all is well, else 1."""
    findings = list(examine(get_settings()))
    for finding in findings:
        print(f"{finding.mark}  {finding.sentence}")
    return 0 if all(finding.well for finding in findings) else 1


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the interpreter, the programs, the settings, the disk, Redis, the database and the processes."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= OLDEST_PYTHON, f"Python {version}")
    yield from programs()
    for reason in settings.problems():
        yield Finding(settings.demo, f"{reason} (refused outside the demo)")
    yield disk(settings)
    yield redis_answers(settings)
    yield from database(settings)
    yield from processes(settings)


def disk(settings: Settings) -> Finding:
    """How much room is left where the home is, or will be."""
    place = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    usage = shutil.disk_usage(place)
    sentence = f"disk: {usage.free / GIGABYTE:.1f} GB free of {usage.total / GIGABYTE:.1f} GB"
    return Finding(well=usage.free >= LEAST_FREE_BYTES, sentence=sentence)


def programs() -> Iterator[Finding]:
    """Say which server programs would be started, where the server is not elsewhere."""
    finders: tuple[tuple[str, str, Callable[..., object]], ...] = (
        ("PostgreSQL", "DISPATCH_DATABASE_URL", find_postgres),
        ("Redis", "DISPATCH_REDIS_URL", find_redis),
    )
    for name, variable, find in finders:
        if os.environ.get(variable):
            yield Finding(well=True, sentence=f"{name}: the one of {variable}")
            continue
        try:
            yield Finding(well=True, sentence=f"{name}: {find(os.environ)}")
        except ServerMissing as error:
            yield Finding(well=False, sentence=str(error))


def redis_answers(settings: Settings) -> Finding:
    """Ask Redis for a PONG. Without it work goes on, by the sweeper and a little later."""
    try:
        with Redis.from_url(settings.redis_url, socket_timeout=REDIS_SECONDS) as client:
            client.ping()
    except (RedisError, OSError) as error:
        return Finding(well=False, sentence=f"Redis does not answer ({type(error).__name__})")
    return Finding(well=True, sentence="Redis answers")


def database(settings: Settings) -> Iterator[Finding]:
    """Connect as the application does; say the version, the role's power and the migration."""
    engine = make_engine(settings.database_url, pool_size=1)
    try:
        yield from look_inside(engine, settings)
    except SQLAlchemyError as error:
        yield Finding(well=False, sentence=f"the database does not answer ({type(error).__name__})")
    finally:
        engine.dispose()


def look_inside(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """Version, role and migration of the database; raises SQLAlchemyError when it cannot be asked."""
    with engine.connect() as connection:
        version, role, is_superuser = connection.execute(WHO).one()
        yield Finding(well=True, sentence=f"PostgreSQL {version} answers")
        yield Finding(well=not is_superuser, sentence=f"connected as {role}, superuser: {is_superuser}")
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
        yield Finding(well=found == newest, sentence=f"migration {found}, newest {newest}")
        if found == newest:
            yield from health.examine(connection)
            yield from devices.examine(connection, settings)


def processes(settings: Settings) -> Iterator[Finding]:
    """Say which of the home's processes live; nothing when `dispatch up` does not run there."""
    for name, number in read_json(settings.home / "processes.json").items():
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            yield Finding(well=False, sentence=f"{name} ({number}) has gone")
        except PermissionError:
            yield Finding(well=True, sentence=f"{name} ({number}) runs as another user")
        else:
            yield Finding(well=True, sentence=f"{name} ({number}) runs")
