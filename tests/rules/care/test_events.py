"""三访: which event owes which visit until when, for whom the switches say so."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care.events import (
    EVENT_LABELS,
    OF_A_HOUSEHOLD,
    SOURCE_LABELS,
    TRIGGER_LABELS,
    TRIGGER_OF,
    Event,
    Source,
    Terms,
    Trigger,
    check_event,
    end_of,
    first_visit,
    is_triggered,
    next_visit,
)
from dispatch.rules.shanghai import SHANGHAI

TERMS = Terms(hospital_first_days=3, hospital_repeat_days=14, discharge_days=7, disaster_hours=24, death_hours=24)
DAY = date(2026, 11, 26)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
pairs = st.frozensets(st.tuples(st.integers(1, 5), st.sampled_from(Trigger)))


def test_every_word_has_a_label() -> None:
    assert set(EVENT_LABELS) == set(Event)
    assert set(TRIGGER_LABELS) == set(Trigger)
    assert set(SOURCE_LABELS) == set(Source)


@pytest.mark.parametrize(
    ("event", "occasion", "until"),
    [
        (Event.HOSPITAL, "first", datetime(2026, 11, 30, tzinfo=SHANGHAI)),
        (Event.DISCHARGE, "discharge", datetime(2026, 12, 4, tzinfo=SHANGHAI)),
        (Event.DISASTER, "first", datetime(2026, 11, 27, 20, 15, tzinfo=SHANGHAI)),
        (Event.ACCIDENT, "first", datetime(2026, 11, 27, 20, 15, tzinfo=SHANGHAI)),
        (Event.DEATH, "first", datetime(2026, 11, 27, 20, 15, tzinfo=SHANGHAI)),
    ],
)
def test_the_first_visit_is_due(event: Event, occasion: str, until: datetime) -> None:
    due = first_visit(event, datetime(2026, 11, 26, 20, 15, tzinfo=SHANGHAI), TERMS)
    assert (due.occasion, due.until) == (occasion, until)


@pytest.mark.parametrize("event", sorted(set(Event) - set(TRIGGER_OF)))
def test_moving_owes_no_visit(event: Event) -> None:
    assert not is_triggered(event, [1], {(1, trigger) for trigger in Trigger})
    with pytest.raises(ValueError, match=event):
        first_visit(event, datetime(2026, 11, 26, tzinfo=SHANGHAI), TERMS)


@given(st.sampled_from(sorted(TRIGGER_OF)), moments)
def test_a_visit_is_due_after_it_was_told_and_within_its_days(event: Event, told_at: datetime) -> None:
    until = first_visit(event, told_at, TERMS).until
    assert told_at < until <= told_at + timedelta(days=TERMS.discharge_days + 1)


@given(moments, st.none() | moments, st.integers(1, 30))
def test_a_stay_is_visited_again_a_fortnight_after_the_last_visit(
    due: datetime, done_at: datetime | None, made: int
) -> None:
    following = next_visit(made, due, done_at, TERMS)
    last = done_at or due
    assert following.occasion == f"again-{made}"
    assert timedelta(days=13) < following.until - last <= timedelta(days=15)
    assert following.until.astimezone(SHANGHAI).time() == end_of(DAY).time()


@given(st.sampled_from(Event), st.lists(st.integers(1, 5)), pairs)
def test_the_switch_of_one_group_is_enough_and_none_is_needed_more(
    event: Event, groups: list[int], switched_on: frozenset[tuple[int, Trigger]]
) -> None:
    owed = {group for group, trigger in switched_on if trigger is TRIGGER_OF.get(event)}
    assert is_triggered(event, groups, switched_on) == bool(owed & set(groups))


@given(st.sampled_from(Event), st.integers(-2, 2), st.booleans(), st.booleans())
def test_an_event_has_come_and_concerns_somebody(event: Event, shift: int, person: bool, household: bool) -> None:  # noqa: FBT001
    is_sound = shift <= 0 and (person or (household and event in OF_A_HOUSEHOLD))
    about = {"person": person, "household": household}
    if is_sound:
        check_event(event, DAY + timedelta(days=shift), DAY, **about)
        return
    with pytest.raises(Invalid) as refused:
        check_event(event, DAY + timedelta(days=shift), DAY, **about)
    assert refused.value.field == ("happened_on" if shift > 0 else "resident_id")
