"""A small supermarket for each test."""

import pytest
from sqlalchemy.orm import Session

from tests.factories.market import Shop, make_shop


@pytest.fixture
def shop(session: Session) -> Shop:
    """A small supermarket in the test's own transaction."""
    return make_shop(session)
