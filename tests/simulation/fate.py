"""Moments at which a simulated process may die or stand still: every statement, commit, hint and message.

Nothing of the product is changed: the moments are SQLAlchemy's own events on the engine of the simulation, and
the calls of its twins (broker, messages). A process dies by `Killed`, which is no Exception, so that nothing of
the product can catch it: its open transaction is rolled back, as the database does for a lost client.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

STANDS_STILL_SECONDS = 5.0


class Moment(StrEnum):
    """What a process is about to do, or has just done, when it may die."""

    STATEMENT = "statement"
    COMMIT = "commit"
    COMMITTED = "committed"
    HINT = "hint"
    SEND = "send"
    ACCEPTED = "accepted"


class Killed(BaseException):
    """The process died here."""


@dataclass(slots=True)
class Fate:
    """What happens to one step: it dies at its n-th moment, at a certain kind of moment, or stands still once."""

    dies_at: int | None = None
    dies_when: Moment | None = None
    stands_at: int | None = None
    passed: int = 0
    stands: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def meet(self, moment: Moment) -> None:
        """Pass one moment; raises Killed when it is the last one."""
        self.passed += 1
        if self.passed == self.stands_at:
            self.stands.set()
            self.go_on.wait(STANDS_STILL_SECONDS)
        if self.passed == self.dies_at or moment is self.dies_when:
            raise Killed(moment)


FATE: ContextVar[Fate | None] = ContextVar("fate", default=None)


def meet(moment: Moment) -> None:
    """Pass a moment of the step that runs in this thread, if it has a fate."""
    fate = FATE.get()
    if fate is not None:
        fate.meet(moment)


@contextmanager
def fated(fate: Fate | None) -> Iterator[None]:
    """Run a step under this fate."""
    token = FATE.set(fate)
    try:
        yield
    finally:
        FATE.reset(token)


@dataclass(frozen=True, slots=True)
class Edit:
    """A mechanism switched off in the statements that reach the database: what matches is replaced."""

    pattern: re.Pattern[str]
    replacement: str


def edit(pattern: str, replacement: str = "") -> Edit:
    """An edit by a regular expression."""
    return Edit(re.compile(pattern), replacement)


def listen(engine: Engine, edits: Sequence[Edit] = ()) -> Callable[[], None]:
    """Make every statement and commit of the engine a moment; gives back what undoes it."""

    def before(
        _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any
    ) -> tuple[str, Any]:
        meet(Moment.STATEMENT)
        for each in edits:
            statement = each.pattern.sub(each.replacement, statement)
        return statement, parameters

    def on_commit(connection: Connection) -> None:
        try:
            meet(Moment.COMMIT)
        except Killed:
            # What the server does when its client is gone; SQLAlchemy takes the commit for tried.
            connection.connection.rollback()
            raise

    def after_commit(_session: Session) -> None:
        meet(Moment.COMMITTED)

    event.listen(engine, "before_cursor_execute", before, retval=True)
    event.listen(engine, "commit", on_commit)
    event.listen(Session, "after_commit", after_commit)
    return lambda: event.remove(Session, "after_commit", after_commit)
