"""Field rules of an intake: what is refused at the door, and how pressing a call sounds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.orders.intake import check_text, check_window, classify_urgency
from dispatch.rules.orders.urgency import Urgency

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize("text", ["厨房下水道堵了", "  水管漏水 🚰 ", "字" * 4000, ""])
def test_an_ordinary_text_is_taken_without_the_blanks_around_it(text: str) -> None:
    assert check_text("description", text) == text.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("字" * 4001, "最多4000个字"),
        ("x" * 100_000, "太长"),
        ("漏水\x00", "无法保存"),
        ("\ud83d", "无法保存"),
    ],
)
def test_a_text_that_is_too_long_or_cannot_be_stored_is_refused(text: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_text("description", text)
    assert refused.value.field == "description"
    assert message in refused.value.message


@given(st.text(alphabet=st.characters(), max_size=50))
def test_whatever_is_taken_can_be_stored_as_utf_8_without_nul(text: str) -> None:
    try:
        taken = check_text("description", text)
    except Invalid:
        return
    assert b"\x00" not in taken.encode()


def test_no_window_and_a_window_that_has_just_begun_are_fine() -> None:
    check_window(None, None, NOW)
    check_window(NOW - timedelta(minutes=4), NOW + HOUR, NOW)
    check_window(NOW + 59 * DAY, NOW + 60 * DAY, NOW)


@pytest.mark.parametrize(
    ("wanted_from", "wanted_until", "field"),
    [
        (None, NOW + HOUR, "wanted_from"),
        (NOW + HOUR, None, "wanted_until"),
        (NOW + HOUR, NOW + HOUR, "wanted_until"),
        (NOW + 2 * HOUR, NOW + HOUR, "wanted_until"),
        (NOW - DAY, NOW + HOUR, "wanted_from"),
        (NOW - timedelta(minutes=4), NOW - timedelta(minutes=1), "wanted_from"),
        (NOW + HOUR, NOW + 60 * DAY + HOUR, "wanted_until"),
        ((NOW + HOUR).replace(tzinfo=None), NOW + 2 * HOUR, "wanted_from"),
        (NOW + HOUR, (NOW + 2 * HOUR).replace(tzinfo=None), "wanted_until"),
    ],
)
def test_a_window_that_cannot_be_kept_is_refused_by_name(
    wanted_from: datetime | None, wanted_until: datetime | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_window(wanted_from, wanted_until, NOW)
    assert refused.value.field == field


@given(st.integers(-100, 100), st.integers(-100, 100), st.integers(1, 90))
def test_an_accepted_window_lies_ahead_and_in_order(start: int, end: int, days: int) -> None:
    wanted_from, wanted_until = NOW + start * DAY, NOW + end * DAY
    try:
        check_window(wanted_from, wanted_until, NOW, days)
    except Invalid:
        assert not 0 <= start < end <= days
    else:
        assert 0 <= start < end <= days


@pytest.mark.parametrize(
    ("text", "urgency", "words"),
    [
        ("厨房漏气，味道很大", Urgency.EMERGENCY, ("漏气",)),
        ("老人晕倒在卫生间，门锁着", Urgency.EMERGENCY, ("晕倒",)),
        ("电梯里有人被困", Urgency.EMERGENCY, ("被困",)),
        ("阳台着火了", Urgency.EMERGENCY, ("着火",)),
        ("没有着火，只是水管漏水", Urgency.SAME_DAY, ()),
        ("刚才说没有着火，现在真的着火了", Urgency.EMERGENCY, ("着火",)),
        ("不知道是不是漏气", Urgency.EMERGENCY, ("漏气",)),
        ("家里停电了", Urgency.URGENT, ("停电",)),
        ("想请人擦窗", Urgency.SAME_DAY, ()),
    ],
)
def test_words_of_danger_suggest_an_urgency(text: str, urgency: Urgency, words: tuple[str, ...]) -> None:
    suggestion = classify_urgency(text, Urgency.SAME_DAY, None, NOW)
    assert (suggestion.urgency, suggestion.words) == (urgency, words)


@pytest.mark.parametrize(
    ("kind", "wanted_from", "urgency"),
    [
        (Urgency.SAME_DAY, NOW + DAY, Urgency.BOOKED),
        (Urgency.URGENT, NOW + DAY, Urgency.BOOKED),
        (Urgency.EMERGENCY, NOW + DAY, Urgency.EMERGENCY),
        (Urgency.BOOKED, NOW + HOUR, Urgency.SAME_DAY),
        (Urgency.URGENT, NOW + HOUR, Urgency.URGENT),
        (Urgency.BOOKED, None, Urgency.BOOKED),
        (Urgency.SAME_DAY, datetime(2026, 11, 23, 16, tzinfo=UTC), Urgency.BOOKED),
    ],
)
def test_kind_and_wanted_day_decide_without_such_words(
    kind: Urgency, wanted_from: datetime | None, urgency: Urgency
) -> None:
    assert classify_urgency("擦窗", kind, wanted_from, NOW).urgency is urgency


@given(st.text(max_size=30), st.sampled_from(Urgency))
def test_words_never_make_an_order_less_pressing_than_its_kind(text: str, kind: Urgency) -> None:
    degrees = list(Urgency)
    suggested = classify_urgency(text, kind, None, NOW).urgency
    assert degrees.index(suggested) <= degrees.index(kind)


def test_danger_wins_over_a_booking() -> None:
    assert classify_urgency("煤气泄漏", Urgency.BOOKED, NOW + DAY, NOW).urgency is Urgency.EMERGENCY
