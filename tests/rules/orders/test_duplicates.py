"""Likely duplicates: the same place and kind within hours, told with reasons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.orders.duplicates import (
    DEFAULT_THRESHOLD_PERMILLE,
    Comparable,
    DuplicateReason,
    likely_duplicates,
    likeness_permille,
)

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
DRAFT = Comparable(0, 4, "repair", 2, 30, 400, AT, "厨房下水道堵了, 水往外冒", b"caller")
BEFORE = replace(DRAFT, order_id=9, at=AT - timedelta(hours=1), caller=None)


def test_the_same_stairwell_and_kind_an_hour_ago_is_a_likely_duplicate() -> None:
    [match] = likely_duplicates(DRAFT, [BEFORE])
    assert match.order_id == 9
    assert match.reasons == (
        DuplicateReason.SAME_STAIRWELL,
        DuplicateReason.SAME_KIND,
        DuplicateReason.SIMILAR_WORDS,
    )


def test_the_same_matter_in_every_respect_scores_a_thousand() -> None:
    assert likely_duplicates(DRAFT, [replace(DRAFT, order_id=9)])[0].score_permille == 1000


def score(other: Comparable) -> int:
    """The score of one order with the words of the call, so that it is shown whatever it is."""
    return likely_duplicates(DRAFT, [other], threshold_permille=0, event=timedelta(days=1))[0].score_permille


@pytest.mark.parametrize(
    "nearer_and_farther",
    [
        ({}, {"stairwell_id": 401}),
        ({"stairwell_id": 401}, {"stairwell_id": 401, "building_id": 31}),
        ({}, {"kind_id": 5}),
        ({"kind_id": 5}, {"kind_id": 5, "kind_group": "care"}),
        ({}, {"at": AT - timedelta(hours=9)}),
        ({}, {"text": "楼道灯不亮", "kind_id": 4}),
        ({"caller": b"caller"}, {}),
    ],
)
def test_what_is_nearer_scores_higher(nearer_and_farther: tuple[dict[str, Any], dict[str, Any]]) -> None:
    nearer, farther = (score(replace(BEFORE, **changes)) for changes in nearer_and_farther)
    assert nearer > farther


@pytest.mark.parametrize(
    "unlike",
    [
        {"stairwell_id": 401, "building_id": 31, "text": ""},
        {"kind_id": 5, "kind_group": "care", "text": ""},
        {"at": AT - timedelta(hours=25)},
        {"order_id": 0},
    ],
)
def test_another_building_another_kind_or_another_day_is_no_duplicate(unlike: dict[str, Any]) -> None:
    assert likely_duplicates(DRAFT, [replace(BEFORE, **unlike)]) == []


def test_same_building_and_kind_reach_the_threshold_in_the_last_hour_but_same_area_and_kind_do_not() -> None:
    last_hour = replace(BEFORE, at=AT - timedelta(hours=24), stairwell_id=401, text="")
    (match,) = likely_duplicates(DRAFT, [last_hour], event=timedelta(hours=24))
    assert match.score_permille == DEFAULT_THRESHOLD_PERMILLE
    just_now = replace(BEFORE, at=AT, stairwell_id=None, building_id=None, text="")
    assert likely_duplicates(DRAFT, [just_now]) == []


def test_unknown_is_not_the_same_as_unknown() -> None:
    nothing = Comparable(0, None, None, None, None, None, AT, "")
    assert likely_duplicates(nothing, [replace(nothing, order_id=3)], threshold_permille=0) == []
    [match] = likely_duplicates(
        replace(nothing, text="水漫出来了"), [replace(nothing, order_id=3, text="水漫出来了")], threshold_permille=0
    )
    assert match.reasons == (DuplicateReason.SIMILAR_WORDS,)


def test_only_the_best_are_shown() -> None:
    others = [replace(BEFORE, order_id=number, at=AT - timedelta(minutes=number)) for number in range(1, 500, 100)]
    shown = likely_duplicates(DRAFT, others, most=2)
    assert [match.order_id for match in shown] == [1, 101]


def test_equally_likely_duplicates_stand_by_order_id() -> None:
    twins = [replace(BEFORE, order_id=number) for number in (12, 11, 13)]
    assert [match.order_id for match in likely_duplicates(DRAFT, twins)] == [11, 12, 13]


def test_the_window_of_no_time_still_compares_calls_of_one_instant() -> None:
    same_instant = replace(DRAFT, order_id=9)
    assert likely_duplicates(DRAFT, [same_instant], window=timedelta())[0].score_permille == 1000


def test_the_same_group_at_the_same_door_is_no_duplicate_without_similar_words() -> None:
    gas = replace(BEFORE, kind_id=5, text="家里有煤气味", caller=b"caller")
    assert likely_duplicates(DRAFT, [gas]) == []
    wrongly_sorted = replace(gas, text="厨房下水道堵了, 水冒出来")
    assert likely_duplicates(DRAFT, [wrongly_sorted])[0].reasons[:2] == (
        DuplicateReason.SAME_STAIRWELL,
        DuplicateReason.SAME_GROUP,
    )


def test_the_same_kind_in_another_stairwell_is_shown_while_calls_come_together_or_in_similar_words() -> None:
    elsewhere = replace(BEFORE, stairwell_id=401, text="阳台积水")
    assert likely_duplicates(DRAFT, [replace(elsewhere, at=AT - timedelta(hours=2))]) != []
    assert likely_duplicates(DRAFT, [replace(elsewhere, at=AT - timedelta(hours=3))]) == []
    assert likely_duplicates(DRAFT, [replace(elsewhere, at=AT - timedelta(hours=3), text=DRAFT.text)]) != []


def test_the_same_kind_at_the_same_stairwell_or_from_the_same_caller_needs_no_words() -> None:
    assert likely_duplicates(DRAFT, [replace(BEFORE, at=AT - timedelta(hours=20), text="")]) != []
    moved = replace(BEFORE, at=AT - timedelta(hours=1), text="", stairwell_id=401, caller=b"caller")
    assert likely_duplicates(DRAFT, [moved]) != []


COMPARABLES = st.builds(
    Comparable,
    order_id=st.integers(1, 50),
    kind_id=st.none() | st.integers(4, 6),
    kind_group=st.sampled_from(["repair", "care", None]),
    area_id=st.none() | st.integers(1, 3),
    building_id=st.none() | st.integers(29, 31),
    stairwell_id=st.none() | st.integers(399, 401),
    at=st.integers(0, 30).map(lambda hours: AT - timedelta(hours=hours)),
    text=st.text(max_size=20),
    caller=st.sampled_from([None, b"caller", b"other"]),
)


@given(st.lists(COMPARABLES, unique_by=lambda one: one.order_id))
def test_the_result_does_not_depend_on_the_order_of_the_orders(others: list[Comparable]) -> None:
    backwards = list(reversed(others))
    assert likely_duplicates(DRAFT, backwards) == likely_duplicates(DRAFT, others)


@given(COMPARABLES, COMPARABLES)
def test_another_kind_is_shown_only_for_its_words(one: Comparable, other: Comparable) -> None:
    for match in likely_duplicates(replace(one, order_id=0), [other], threshold_permille=0):
        assert {DuplicateReason.SAME_KIND, DuplicateReason.SIMILAR_WORDS} & set(match.reasons)


@given(COMPARABLES, COMPARABLES, st.integers(0, 30))
def test_a_longer_event_shows_no_less(one: Comparable, other: Comparable, hours: int) -> None:
    draft, event = replace(one, order_id=0), timedelta(hours=hours)
    shown = likely_duplicates(draft, [other], event=event)
    assert shown == [] or shown == likely_duplicates(draft, [other], event=event + timedelta(hours=1))


@given(COMPARABLES, COMPARABLES)
def test_a_score_lies_between_nothing_and_a_thousand(one: Comparable, other: Comparable) -> None:
    for match in likely_duplicates(replace(one, order_id=0), [other], threshold_permille=0):
        assert 0 <= match.score_permille <= 1000
    assert all(
        match.score_permille >= DEFAULT_THRESHOLD_PERMILLE
        for match in likely_duplicates(replace(one, order_id=0), [other])
    )


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_bounded(one: str, other: str) -> None:
    assert 0 <= likeness_permille(one, other) == likeness_permille(other, one) <= 1000


def test_marks_and_blanks_do_not_change_likeness() -> None:
    assert likeness_permille("水管, 漏水!", "水管漏水") == 1000
