"""One reader of the whole journal in a process of its own, for its peak of memory: `python -m benchmarks.proofs NAME`.

Prints one line of JSON: seconds, megabytes before it began and at its peak, and what it found.
"""

import json
import resource
import sys
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from config.settings import get_settings
from dispatch import clock
from dispatch.commands.verify import TAKE_TIME
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.reports.periods import previous_period, quarter_of
from dispatch.services import funds, reports
from dispatch.services.reports.verify.counter import wrong_hand_outs
from dispatch.services.reports.verify.stock import wrong_stock
from dispatch.transaction import begin


def statement(session: Session) -> list[str]:
    """The statement of the quarter before this one, made and not kept; nothing where one was made."""
    now = clock.now(session)
    made = reports.disclose_quarter(session, previous_period(quarter_of(now)), now=now)
    return [] if made else ["no statement was made"]


READERS: dict[str, Callable[[Session], list[str]]] = {
    "chain and balances": lambda session: list(funds.broken_journals(session)),
    "lots": lambda session: list(wrong_stock(session)),
    "hand-outs": lambda session: list(wrong_hand_outs(session)),
    "statement": statement,
}


def megabytes() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read(name: str) -> dict[str, object]:
    """One reader in one snapshot, rolled back."""
    engine = make_engine(get_settings().database_url, pool_size=1)
    with Session(engine) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        begin(session, EVERYTHING)
        session.execute(TAKE_TIME)
        before, began = megabytes(), time.perf_counter()
        found = READERS[name](session)
        seconds = time.perf_counter() - began
        session.rollback()
    engine.dispose()
    return {"seconds": seconds, "before": before, "peak": megabytes(), "found": found[:5]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read(sys.argv[1])))
