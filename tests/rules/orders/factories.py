"""Plain functions and strategies that make routing requests and performers for the tests."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from dispatch.rules.orders.decision import PerformerClass, PerformerFacts, RoutingRequest, Weights
from dispatch.rules.orders.urgency import Urgency

AT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def a_request(**changes: Any) -> RoutingRequest:
    """Make a same-day pipe order for firms at a known stairwell."""
    fields: dict[str, Any] = {
        "order_id": 4711,
        "kind_id": 4,
        "kind_code": "pipe",
        "urgency": Urgency.SAME_DAY,
        "community_id": 1,
        "area_id": 2,
        "building_id": 30,
        "stairwell_id": 400,
        "latitude": 28.4513,
        "longitude": 119.9229,
        "wanted_from": None,
        "wanted_until": None,
        "excluded": frozenset(),
        "refused": frozenset(),
        "performer_class": PerformerClass.FIRM,
        "speciality_team_id": 21,
        "block_team_id": 3,
        "named_performer_id": None,
        "round_number": 1,
        "catalogue_version": 12,
    }
    return RoutingRequest(**{**fields, **changes})


def a_performer(performer_id: int, **changes: Any) -> PerformerFacts:
    """Make a firm that passes every filter."""
    fields: dict[str, Any] = {
        "performer_id": performer_id,
        "version": 1,
        "serves_kind": True,
        "covers_cell": True,
        "papers_valid_until": date(2027, 6, 30),
        "on_shift": True,
        "suspended": False,
        "open_work": 1,
        "capacity": 5,
        "satisfaction_permille": 950,
        "last_offered_minutes_ago": 60,
        "queue_minutes": 10,
        "travel_minutes": 8,
    }
    return PerformerFacts(**{**fields, **changes})


def realistic_performers(count: int, random: Random) -> list[PerformerFacts]:
    """Make firms as a busy district has them; none is out by kind or cover, so all are listed."""
    return [
        a_performer(
            performer_id,
            version=random.randint(1, 60),
            papers_valid_until=date.fromordinal(date(2026, 11, 1).toordinal() + random.randint(0, 900)),
            on_shift=random.random() < 0.8,
            suspended=random.random() < 0.04,
            open_work=random.randint(0, 9),
            capacity=random.randint(4, 12),
            satisfaction_permille=random.randint(650, 1000),
            last_offered_minutes_ago=random.randint(0, 40_000),
            queue_minutes=random.randint(0, 300),
            travel_minutes=random.randint(1, 60),
        )
        for performer_id in random.sample(range(1, count * 10), count)
    ]


SMALL = st.integers(0, 3)
PERFORMERS = st.lists(
    st.builds(
        PerformerFacts,
        performer_id=st.integers(1, 40),
        version=st.integers(1, 2**40),
        serves_kind=st.sampled_from([True, True, True, False]),
        covers_cell=st.sampled_from([True, True, True, False]),
        papers_valid_until=st.none() | st.dates(date(2026, 11, 18), date(2026, 11, 28)),
        on_shift=st.sampled_from([True, True, True, False]),
        suspended=st.sampled_from([False, False, False, True]),
        open_work=SMALL,
        capacity=st.integers(1, 4),
        satisfaction_permille=st.integers(0, 1000),
        last_offered_minutes_ago=st.integers(0, 10**6),
        queue_minutes=SMALL,
        travel_minutes=SMALL,
    ),
    max_size=12,
    unique_by=lambda facts: facts.performer_id,
)
FIT_PERFORMERS = st.lists(
    st.builds(
        a_performer,
        performer_id=st.integers(1, 40),
        open_work=SMALL,
        satisfaction_permille=st.integers(997, 1000),
        last_offered_minutes_ago=SMALL,
        queue_minutes=st.integers(0, 9),
        travel_minutes=SMALL,
        on_shift=st.sampled_from([True, True, False]),
    ),
    min_size=3,
    max_size=12,
    unique_by=lambda facts: facts.performer_id,
)
IDS = st.frozensets(st.integers(1, 40), max_size=6)
REQUESTS = st.builds(
    a_request,
    excluded=IDS,
    refused=IDS,
    urgency=st.sampled_from(Urgency),
    performer_class=st.sampled_from(PerformerClass),
    named_performer_id=st.none() | st.integers(1, 40),
    wanted_from=st.none() | st.integers(-72, 72).map(lambda hours: AT + timedelta(hours=hours)),
)
WEIGHTS = st.builds(
    Weights,
    queue_permille=st.integers(0, 2000),
    travel_permille=st.integers(0, 2000),
    minutes_step=st.integers(1, 4),
    satisfaction_step=st.integers(1, 200),
)
STEPS = st.builds(Weights, minutes_step=st.integers(1, 4), satisfaction_step=st.integers(1, 200))
