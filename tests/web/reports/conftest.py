"""The desk of a small world in which ten orders have lived and been counted."""

from dataclasses import dataclass

import pytest

from dispatch.models.orders import Order
from tests.factories.reported import live_a_week, lives_of
from tests.web.orders.conftest import Desk, desk, open_page

__all__ = ["Reported", "desk", "open_page", "reported"]

NOVEMBER = "from=2026-11-01&until=2026-11-30"


@dataclass(frozen=True, slots=True)
class Reported:
    """The desk, and the numbers of its orders by their names."""

    desk: Desk
    numbers: dict[str, str]


@pytest.fixture
def reported(desk: Desk) -> Reported:
    """Ten orders of November, counted."""
    with desk.site.database.session() as session:
        lives = lives_of(session, desk.world)
        made: dict[str, Order] = live_a_week(lives)
        lives.counted()
        session.commit()
        return Reported(desk, {name: order.number for name, order in made.items()})
