"""The one connection that listens for the pages of a process: lost, it is told; closed, it is nobody's loss."""

from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from dispatch.rules.access.roles import EVERYTHING
from dispatch.servers.process import wait_until
from dispatch.web.live import Hub, Process
from tests.conftest import Database

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dispatch-live'"


def listeners(database: Database) -> list[int]:
    """The backends of the connections that listen in this database."""
    with database.session() as session:
        return list(session.scalars(text(LISTENERS)))


def wait_for_a_listener(database: Database, but: list[int] | None = None) -> None:
    """Wait until a connection listens that is none of `but`."""
    wait_until(lambda: bool(set(listeners(database)) - set(but or [])), None, "the listener", 30, Path())


def cut(database: Database) -> list[int]:
    """End the connections that listen, as a restart of the server does; the backends that were ended."""
    gone = listeners(database)
    with database.session() as session:
        for pid in gone:
            assert session.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return gone


@pytest.fixture
def hub(committed: Database) -> Hub:
    """The hub of this process with one open page, listening."""
    hub = Process.the_hub()
    assert hub.join(EVERYTHING) is not None
    wait_for_a_listener(committed)
    return hub


def test_a_lost_connection_is_told_and_made_again(committed: Database, hub: Hub) -> None:
    [page] = hub.subscribers
    with capture_logs() as told:
        gone = cut(committed)
        page.changed.get(timeout=30)
        wait_for_a_listener(committed, but=gone)
    assert [line["event"] for line in told] == ["live_listen_lost"]


def test_a_connection_lost_after_closing_is_nobody_s_loss(committed: Database, hub: Hub) -> None:
    thread = hub.thread
    assert thread is not None
    with capture_logs() as told:
        Process.close()
        cut(committed)
        thread.join(30)
    assert not thread.is_alive()
    assert told == []
