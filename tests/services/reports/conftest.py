"""A week of ten counted orders, made once a file and given back whole to every test."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from tests.factories.reported import Lives, live_a_week, lives_of
from tests.factories.world import make_world
from tests.kept import Kept, kept


def lived(session: Session) -> Lives:
    """A small world with ten counted orders."""
    made = lives_of(session, make_world(session))
    live_a_week(made)
    made.counted()
    return made


@pytest.fixture(scope="module")
def week(engine: Engine) -> Iterator[Kept[Lives]]:
    """The week, kept for a file."""
    with kept(engine, lived) as week:
        yield week


@pytest.fixture
def lives(week: Kept[Lives]) -> Iterator[Lives]:
    """The week for one test, who changes of it what it likes."""
    with week.lent() as lives:
        yield lives
