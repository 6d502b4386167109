"""`dispatch keys`: how many values are sealed under which key, and sealing all of them anew under the first."""

import argparse
import sys
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dispatch.boot import boot
from dispatch.errors import DispatchError
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.access.sealing import header, name_of_key
from dispatch.services.access import reseal, sealed, vault
from dispatch.services.access.reseal import Position, Step
from dispatch.services.access.sealed import SealedColumn
from dispatch.transaction import Doors, retrying, transaction

EXIT_OLD = 1
EXIT_UNKNOWN = 2
TOLD_ROWS = 20_000
TAKE_TIME = text(
    "SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)"
)
EPILOG = """  dispatch keys            how many values of each column are under which key
  dispatch keys reseal     seal every value anew that is not under the first of DISPATCH_FIELD_KEYS

Ends with 0 when no value is left under another key than the first, or under
another cipher than DISPATCH_CIPHER, so that the other keys may be thrown away; with 1 when some are left;
with 2 when the database cannot be asked. Sealing anew works beside everything that runs, may be
stopped at any moment and started again. First restart every process with the new key in front (see operate.md)."""


def describe(parser: argparse.ArgumentParser) -> None:
    """Look, or seal anew."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("verb", nargs="?", choices=("reseal",), metavar="reseal", help="seal everything anew")


def run(arguments: argparse.Namespace) -> int:
    """Do it and say how it stands."""
    try:
        if Doors.engine is None:
            boot(pool_size=1)
        closed = [where for one in sealed.SEALED for where in walk(one)] if arguments.verb else []
        return tell(closed)
    except DispatchError as error:
        print(f"dispatch keys: {error.message}", file=sys.stderr)
    except SQLAlchemyError as error:
        print(f"dispatch keys: the database cannot be asked ({type(error).__name__}); run it again", file=sys.stderr)
    return EXIT_UNKNOWN


def walk(one: SealedColumn) -> list[str]:
    """Seal a whole column anew, step by step; returns the rows that no key opens."""
    closed: list[str] = []
    looked_at, anew, position = 0, 0, None
    while True:
        step = take_step(one, position)
        before, looked_at = looked_at, looked_at + step.looked_at
        anew, position = anew + step.sealed_anew, step.position
        closed += [f"{one.name} {'/'.join(map(str, where))}" for where in step.closed]
        if position is None or looked_at // TOLD_ROWS > before // TOLD_ROWS:
            print(f"{one.name}: {looked_at:,} rows looked at, {anew:,} values sealed anew", flush=True)
        if position is None:
            return closed


@retrying
def take_step(one: SealedColumn, after: Position | None) -> Step:
    """One short transaction."""
    with transaction(EVERYTHING) as session:
        return reseal.reseal_some(session, one, after)


@retrying
def count() -> dict[str, dict[str, int]]:
    """Values by column and key."""
    with transaction(EVERYTHING) as session:
        session.execute(TAKE_TIME)
        return {one.name: reseal.count_keys(session, one) for one in sealed.SEALED}


def tell(closed: Sequence[str]) -> int:
    """Say how many values are under which key, and whether the old ones may go."""
    counts, first = count(), name_of_key(header(vault.key_ring()))
    for name, by_key in counts.items():
        print(f"{name:<28}{'  '.join(f'{key} {number:,}' for key, number in sorted(by_key.items())) or '-'}")
    for where in closed:
        print(f"no key opens it: {where}", file=sys.stderr)
    others = [number for by_key in counts.values() for key, number in by_key.items() if key != first]
    if others:
        print(f"{sum(others):,} values are not under {first}: `dispatch keys reseal`, and keep every key")
        return EXIT_OLD
    print(f"every value is under {first}: the other keys may be taken out of DISPATCH_FIELD_KEYS")
    return 0
