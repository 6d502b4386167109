"""Where every transaction begins and ends, and where hints are sent after the commit."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from sqlalchemy import Executable, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from dispatch.clock import NOW_KEY, REAL_KEY
from dispatch.db import LAST, constraint_of
from dispatch.errors import Conflict, Unavailable
from dispatch.gateways import broker
from dispatch.queue import HINTS_KEY
from dispatch.rules.access.roles import NOTHING, Scope
from dispatch.rules.queue import Lane

RETRIED_STATES = frozenset({"40001", "40P01", "57P01", "57P02", "57P03"})
WAITED_TOO_LONG = "55P03"
"""Somebody else holds what this one needs, and has held it for as long as anybody may wait."""
JUDGED_AT_COMMIT = frozenset({"may_be_given", "stands_still"})
"""What the database judges anew at commit, because it may have changed since the service asked."""
MOST_TRIES = 3

kept_hints: ContextVar["Kept | None"] = ContextVar("kept_hints", default=None)
scope_of_request: ContextVar[Scope] = ContextVar("scope_of_request", default=NOTHING)
log = structlog.get_logger()

BEGIN = text(
    "SELECT dispatch_now(), set_config('dispatch.organisations', :organisations, true), "
    "set_config('dispatch.communities', :communities, true), clock_timestamp()"
)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class ChangedAtCommit(Conflict):
    """刚刚过了零点或情况有变,没有保存,请刷新后再试"""


class CommitUnknown(Unavailable):
    """保存时连接中断,不能确定是否已保存;请用同一个编号再提交一次"""


class Doors:
    """The engine behind every transaction of this process; boot opens it, a fork closes it."""

    engine: Engine | None = None

    @classmethod
    def open(cls, engine: Engine) -> None:
        """Use this engine for all transactions of the process."""
        cls.engine = engine


@contextmanager
def transaction(scope: Scope | None = None) -> Iterator[Session]:
    """One transaction, never nested: begin with the actor's reach, commit, then send the hints.

    `scope` None takes the reach that the door bound for this request (nothing, when none did).
    Raises CommitUnknown when the connection is lost during COMMIT: repeat with the same key.
    """
    reach = scope_of_request.get() if scope is None else scope
    if Doors.engine is None:
        raise Unavailable
    with Session(Doors.engine, expire_on_commit=False) as session:
        begin(session, reach)
        yield session
        commit(session)
        hints = session.info.pop(HINTS_KEY, [])
    send_hints(dict(hints))


def send_hints(hints: Mapping[Lane, int]) -> None:
    """Send hints, but for those of lanes that this process is about to serve itself."""
    kept = kept_hints.get()
    for lane, job_id in hints.items():
        if kept is not None and lane in kept.lanes:
            kept.hints[lane] = job_id
        else:
            broker.hint(lane, job_id)


@dataclass(frozen=True, slots=True)
class Kept:
    """Hints that are kept back instead of sent: whoever keeps them serves their lanes or sends them."""

    lanes: frozenset[Lane]
    hints: dict[Lane, int] = field(default_factory=dict)


@contextmanager
def keeping_hints(lanes: frozenset[Lane]) -> Iterator[dict[Lane, int]]:
    """Keep the hints of some lanes that this block's transactions give; after a failure they are sent."""
    kept = Kept(lanes)
    token, is_done = kept_hints.set(kept), False
    try:
        yield kept.hints
        is_done = True
    finally:
        kept_hints.reset(token)
        if not is_done:
            send_hints(kept.hints)


def begin(session: Session, reach: Scope) -> None:
    """Set what row-level security may show and read the clocks, in one statement."""
    row = (
        session.connection()
        .execute(
            BEGIN,
            {
                "organisations": reach.setting(reach.organisations),
                "communities": reach.setting(reach.communities),
            },
        )
        .one()
    )
    session.info[NOW_KEY], session.info[REAL_KEY] = row[0], row[-1]


def commit(session: Session) -> None:
    """Flush, then commit; a connection lost during COMMIT has an unknown end and says so.

    Raises ChangedAtCommit for what could still be given, or still stood open, when the service asked.
    """
    session.flush()
    try:
        session.commit()
    except IntegrityError as error:
        if constraint_of(error) in JUDGED_AT_COMMIT:
            raise ChangedAtCommit from error
        raise
    except OperationalError as error:
        if error.connection_invalidated:
            raise CommitUnknown from error
        raise


def end_with(session: Session, statement: Executable, parameters: Mapping[str, object]) -> None:
    """Execute the last statement of a transaction and commit in one round trip; `transaction` finds it committed.

    Only for work that is keyed: whoever loses the connection here may repeat the whole transaction.
    """
    session.flush()
    session.connection().execute(statement, parameters, execution_options={LAST: True})


def is_retried(error: DBAPIError) -> bool:
    """Whether the whole transaction may simply be repeated: serialisation, deadlock, a server that restarts or is away.

    A connection that never came about has no state at all.
    """
    state = getattr(error.orig, "sqlstate", None)
    is_away = isinstance(error, OperationalError) and state is None
    return state in RETRIED_STATES or is_away or error.connection_invalidated


def is_passing(error: DBAPIError) -> bool:
    """Whether it is trouble of the moment: what may be repeated, and what has waited for a lock too long already."""
    return is_retried(error) or getattr(error.orig, "sqlstate", None) == WAITED_TOO_LONG


def retrying(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Repeat a door whose transaction failed for reasons of the moment, three tries in all.

    Every write is keyed, so a repeat is harmless; a lost COMMIT is not repeated here but by the client.
    """

    @wraps(function)
    def door(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for _ in range(MOST_TRIES - 1):
            try:
                return function(*args, **kwargs)
            except DBAPIError as error:
                if not is_retried(error):
                    raise
                log.warning("transaction_repeated", state=getattr(error.orig, "sqlstate", None))
        return function(*args, **kwargs)

    return door
