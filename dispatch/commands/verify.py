"""`dispatch verify`: the promise's invariants on the live database, one line for each that is broken."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.settings import get_settings
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING
from dispatch.services import funds, reports
from dispatch.services.access import audit
from dispatch.transaction import begin

EXIT_BROKEN = 1
EXIT_UNKNOWN = 2
TAKE_TIME = text(
    "SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)"
)


def describe(parser: argparse.ArgumentParser) -> None:
    """Against what the audit chain is held."""
    parser.add_argument(
        "--heads", type=Path, metavar="FILE", help="exported heads of the audit chain (HOME/audit-heads.jsonl)"
    )
    parser.epilog = (
        "Ends with 0 when every invariant holds, with 1 after one line for each broken one, with 2 when the "
        "database cannot be asked. Reads one snapshot of a working system; changes nothing."
    )


def run(arguments: argparse.Namespace) -> int:
    """Check and say what is broken."""
    heads = read_heads(arguments.heads) if arguments.heads else []
    engine = make_engine(get_settings().database_url, pool_size=1)
    try:
        broken = check(engine, heads)
    except SQLAlchemyError as error:
        print(f"dispatch verify: the database cannot be asked ({type(error).__name__})", file=sys.stderr)
        return EXIT_UNKNOWN
    finally:
        engine.dispose()
    for line in broken:
        print(line)
    return EXIT_BROKEN if broken else 0


def read_heads(path: Path) -> list[dict[str, object]]:
    """The exported heads of a file, one JSON line each."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def check(engine: Engine, heads: Sequence[Mapping[str, object]] = ()) -> list[str]:
    """One line per broken invariant, from one snapshot; raises SQLAlchemyError when it cannot be read."""
    with Session(engine) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        begin(session, EVERYTHING)
        session.execute(TAKE_TIME)
        return [
            *reports.verify(session),
            *audit.compare_heads(session, heads),
            *funds.compare_heads(session, heads),
        ]
