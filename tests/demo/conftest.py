"""The demo community of one day, made once for all tests of this folder."""

from datetime import date

import pytest

from dispatch.demo import Community, make_community

DAY = date(2026, 11, 23)


@pytest.fixture(scope="session")
def community() -> Community:
    return make_community(DAY)
