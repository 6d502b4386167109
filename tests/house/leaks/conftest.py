"""What the house logs, kept for the tests that search it."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from config.logging import configure_logging
from dispatch.rules.access.roles import NOTHING
from dispatch.transaction import scope_of_request
from tests.conftest import Database


@pytest.fixture
def lines(committed: Database) -> Iterator[StringIO]:
    """What the house logs, as it is written in use."""
    assert committed.url
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(logging.DEBUG)
    written = StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    scope_of_request.set(NOTHING)
