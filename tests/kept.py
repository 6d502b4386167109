"""Worlds that the tests of a file share: made once, and what a test changes is rolled back before the next one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from dispatch.db import Base
from dispatch.rules.access.roles import EVERYTHING
from tests.conftest import reach

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Kept(Generic[Made]):
    """What was made, in a transaction that stays open on this connection."""

    connection: Connection
    made: Made

    @contextmanager
    def lent(self) -> Iterator[Made]:
        """The same for one test: its rows and sessions are those of a new session, and its commits are savepoints.

        The connection wears another face each time: what the product remembers of a database, it remembers by its
        engine.
        """
        self.connection.engine = self.connection.engine.execution_options()
        before = self.connection.begin_nested()
        with Session(self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield anew(self.made, session)
        before.rollback()


@contextmanager
def kept(engine: Engine, make: Callable[[Session], Made]) -> Iterator[Kept[Made]]:
    """Make something once and keep it for several tests; it reaches everything, as the fixture `session` does."""
    with engine.connect() as connection:
        outer = connection.begin()
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        reach(connection, EVERYTHING)
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            made = make(session)
            session.commit()
        yield Kept(connection, made)
        outer.rollback()


def anew(made: Any, session: Session) -> Any:
    """The same with every row read by this session, however deep it lies."""
    if isinstance(made, Base):
        return session.get_one(type(made), inspect(made).identity)
    if isinstance(made, Session):
        return session
    if isinstance(made, dict):
        return {key: anew(value, session) for key, value in made.items()}
    if isinstance(made, list | tuple):
        return type(made)(anew(one, session) for one in made)
    if is_dataclass(made) and not isinstance(made, type):
        values = {field.name: anew(getattr(made, field.name), session) for field in fields(made) if field.init}
        return replace(made, **values)
    return made
