"""`dispatch recount`: every count is forgotten, and every order waits to be counted again."""

import os
import subprocess
import sys

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.reports import FigureTotal
from dispatch.services import reports
from tests.conftest import Database
from tests.factories.reported import LATER, lives_of
from tests.factories.world import make_world


def totals(session: Session) -> int:
    """Orders placed, by the totals of days."""
    days = select(FigureTotal.placed).where(FigureTotal.grain == "day", FigureTotal.kept_by == "all")
    return sum(session.scalars(days))


def test_recounting_comes_to_what_was_there(committed: Database) -> None:
    with committed.session() as session:
        lives = lives_of(session, make_world(session))
        lives.placed()
        lives.counted()
        session.commit()
        assert totals(session) == 1
    environment = {**os.environ, "DISPATCH_DATABASE_URL": committed.url}
    words = [sys.executable, "-m", "dispatch.cli", "recount"]
    told = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.startswith("1 ")
    with committed.session() as session:
        assert totals(session) == 0
        while reports.count_changes(session, now=LATER):
            pass
        assert totals(session) == 1
