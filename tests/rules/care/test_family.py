"""The family page's rules: since the consent and no further, three words for a month, a link that ends."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care.family import MOST_MONTHS, Month, Told, check_link, is_alive, months_told

TODAY = date(2026, 3, 20)
STATES = st.tuples(
    st.builds("{:04}-{:02}".format, st.integers(2024, 2028), st.integers(1, 12)),
    st.sampled_from(["due", "met", "missed", "excused"]),
)


@given(st.lists(STATES, max_size=40), st.dates(date(2024, 1, 1), TODAY))
def test_nothing_before_the_consent_or_after_today_is_told_and_each_month_once(
    states: list[tuple[str, str]], consented_on: date
) -> None:
    told = months_told(states, consented_on, TODAY)
    names = [month.name for month in told]
    assert names == sorted(set(names), reverse=True)
    assert len(names) <= MOST_MONTHS
    assert all(f"{consented_on:%Y-%m}" <= name <= "2026-03" for name in names)
    for month in told:
        assert (month.told is Told.YES) == ((month.name, "met") in states)


def test_why_nobody_came_is_not_told() -> None:
    states = [("2026-01", "excused"), ("2026-02", "missed"), ("2026-03", "due")]
    assert months_told(states, date(2026, 1, 31), TODAY) == [
        Month("2026-03", Told.NOT_YET),
        Month("2026-02", Told.NO),
        Month("2026-01", Told.NO),
    ]


def test_a_link_ends_with_its_last_day_or_with_the_consent() -> None:
    assert is_alive(TODAY, TODAY, is_revoked=False)
    assert not is_alive(TODAY, TODAY + timedelta(days=1), is_revoked=False)
    assert not is_alive(TODAY, TODAY, is_revoked=True)
    tomorrow = TODAY + timedelta(days=1)
    for consented_on, expires_on, sees in ((tomorrow, tomorrow, True), (TODAY, TODAY, True), (TODAY, tomorrow, False)):
        with pytest.raises(Invalid):
            check_link(consented_on, expires_on, TODAY, sees_something=sees)
