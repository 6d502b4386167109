"""Calls that nobody answers: written down in any order, one leader is sent, and no second one meanwhile."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.orders import Order
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import grid
from tests.factories.care import Calendar, home, make_calendar, paired, visited


def at(hour: int, minute: int = 0) -> datetime:
    """A time of 12 January 2026 in Shanghai."""
    return datetime(2026, 1, 12, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


@pytest.fixture
def calendar(session: Session) -> Calendar:
    """A community whose first stairwell has a leader."""
    made = make_calendar(session)
    leader = grid.PostDraft(
        grid.PostKind.STAIRWELL_LEADER, "王楼长", date(2025, 1, 1), stairwell_id=made.world.stairwells[0].id
    )
    grid.give_posts(session, made.community_id, [leader], actor=made.planner)
    return made


def sent(session: Session, calendar: Calendar, calls: list[datetime], *, homes: int = 1) -> int:
    """How many leaders are sent for these calls to each home, written down in this order."""
    for elder in [home(session, calendar)[0] for _ in range(homes)]:
        paired(session, calendar, [elder], now=at(8))
        for call in calls:
            visited(session, calendar, elder, call, now=max(calls), kind="call", answered=False, mood=None)
    return len(session.scalars(select(Order).where(Order.origin == "care.unanswered")).all())


@pytest.mark.parametrize(
    ("calls", "leaders"),
    [
        ([at(9), at(11)], 1),
        ([at(9), at(11, 1)], 0),
        ([at(11), at(9)], 1),
        ([at(11, 1), at(9)], 0),
        ([at(9), at(9, 30), at(10)], 1),
        ([at(9), at(12), at(10, 30)], 1),
    ],
)
def test_two_calls_within_two_hours_send_one_leader(
    session: Session, calendar: Calendar, calls: list[datetime], leaders: int
) -> None:
    assert sent(session, calendar, calls) == leaders


def test_the_leader_of_one_home_is_not_that_of_another(session: Session, calendar: Calendar) -> None:
    assert sent(session, calendar, [at(9), at(10)], homes=2) == 2
