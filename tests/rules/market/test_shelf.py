"""Until when a lot is good, and whether it may be given."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.market.shelf import (
    GIVING,
    JUDGED,
    Days,
    LifeUnit,
    LotShelf,
    MoveKind,
    Refusal,
    ShelfLife,
    Spot,
    check_dates,
    kit_last_day,
    last_good_day,
    may_be_given,
    refusal,
)

TODAY = date(2026, 11, 24)
ONE = timedelta(days=1)
DAYS = st.integers(-400, 400).map(lambda days: TODAY + days * ONE)
LIVES = st.one_of(
    st.builds(ShelfLife, st.integers(1, 3650), st.just(LifeUnit.DAY)),
    st.builds(ShelfLife, st.integers(1, 120), st.just(LifeUnit.MONTH)),
)
LOTS = st.builds(
    LotShelf,
    is_food=st.booleans(),
    last_good_day=st.none() | DAYS,
    received_on=DAYS,
    spot=st.sampled_from(list(Spot)),
    is_recalled=st.booleans(),
)
JUDGEMENTS = st.builds(Days, signed_on=DAYS, today=DAYS, consumed_on=st.none() | DAYS)


def milk(last: date | None = TODAY, **changes: object) -> LotShelf:
    """A lot of food that came a month ago."""
    values: dict[str, object] = {"is_food": True, "last_good_day": last, "received_on": TODAY - 30 * ONE}
    return LotShelf(**(values | changes))  # type: ignore[arg-type]


def today(**changes: date) -> Days:
    """Signed and given today."""
    return Days(**({"signed_on": TODAY, "today": TODAY} | changes))


@pytest.mark.parametrize(
    ("produced", "amount", "unit", "last"),
    [
        ("2026-01-15", 6, LifeUnit.MONTH, "2026-07-15"),
        ("2026-08-31", 6, LifeUnit.MONTH, "2027-02-28"),
        ("2024-02-29", 12, LifeUnit.MONTH, "2025-02-28"),
        ("2025-12-31", 2, LifeUnit.MONTH, "2026-02-28"),
        ("2026-12-01", 1, LifeUnit.MONTH, "2027-01-01"),
        ("2026-02-27", 3, LifeUnit.DAY, "2026-03-02"),
    ],
)
def test_a_shelf_life_ends_on_the_same_day_of_the_month_else_on_its_last(
    produced: str, amount: int, unit: LifeUnit, last: str
) -> None:
    life = ShelfLife(amount, unit)
    assert last_good_day(date.fromisoformat(produced), life, None) == date.fromisoformat(last)


def test_a_stated_day_wins_and_without_any_day_none_is_known() -> None:
    life = ShelfLife(6, LifeUnit.MONTH)
    assert last_good_day(TODAY, life, TODAY + ONE) == TODAY + ONE
    assert last_good_day(None, life, None) is None
    assert last_good_day(TODAY, None, None) is None


@given(produced=DAYS, life=LIVES)
def test_months_end_in_the_right_month_and_never_on_a_later_day_of_it(produced: date, life: ShelfLife) -> None:
    last = last_good_day(produced, life, None)
    assert last is not None
    if life.unit is LifeUnit.DAY:
        assert (last - produced).days == life.amount
        return
    assert (last.year - produced.year) * 12 + last.month - produced.month == life.amount
    assert last.day == produced.day or (last.day < produced.day and (last + ONE).day == 1)


@pytest.mark.parametrize("kind", sorted(GIVING - {MoveKind.SHIPMENT}))
def test_the_last_good_day_itself_is_allowed_and_the_next_is_not(kind: MoveKind) -> None:
    assert may_be_given(milk(), kind, today())
    assert refusal(milk(), kind, today(today=TODAY + ONE)) is Refusal.PAST
    assert refusal(milk(TODAY - ONE), kind, today()) is Refusal.PAST


def test_what_was_signed_in_time_is_still_refused_when_today_is_past_the_day() -> None:
    assert refusal(milk(TODAY - ONE), MoveKind.HAND_OUT, today(signed_on=TODAY - ONE)) is Refusal.PAST


def test_nothing_is_signed_for_tomorrow_nor_for_a_day_before_the_lot_came() -> None:
    assert refusal(milk(TODAY + 9 * ONE), MoveKind.HAND_OUT, today(signed_on=TODAY + ONE)) is Refusal.SIGNED_LATER
    assert refusal(milk(), MoveKind.HAND_OUT, today(signed_on=TODAY - 31 * ONE)) is Refusal.NOT_YET_HERE


def test_a_shipment_is_measured_at_the_day_it_will_be_eaten() -> None:
    last = milk(TODAY + 3 * ONE)
    assert refusal(last, MoveKind.SHIPMENT, today()) is Refusal.NO_DAY_OF_USE
    assert refusal(last, MoveKind.SHIPMENT, today(consumed_on=TODAY + 3 * ONE)) is None
    assert refusal(last, MoveKind.SHIPMENT, today(consumed_on=TODAY + 4 * ONE)) is Refusal.PAST
    assert refusal(milk(TODAY - ONE), MoveKind.SHIPMENT, today(consumed_on=TODAY - 2 * ONE)) is Refusal.PAST


def test_food_without_a_day_is_refused_and_a_coat_without_one_is_not() -> None:
    assert refusal(milk(None), MoveKind.HAND_OUT, today()) is Refusal.UNKNOWN_DAY
    assert refusal(milk(None, is_food=False), MoveKind.HAND_OUT, today()) is None


def test_what_stands_apart_or_was_called_back_is_given_to_nobody() -> None:
    assert refusal(milk(spot=Spot.QUARANTINE), MoveKind.HAND_OUT, today()) is Refusal.QUARANTINED
    assert refusal(milk(spot=Spot.QUARANTINE), MoveKind.RELEASE, today()) is None
    assert refusal(milk(TODAY - ONE, spot=Spot.QUARANTINE), MoveKind.RELEASE, today()) is Refusal.PAST
    assert refusal(milk(is_recalled=True), MoveKind.RELEASE, today()) is Refusal.RECALLED


@given(lot=LOTS, kind=st.sampled_from(list(MoveKind)), days=JUDGEMENTS)
def test_whatever_is_given_is_good_on_every_day_that_counts(lot: LotShelf, kind: MoveKind, days: Days) -> None:
    if kind not in JUDGED or not may_be_given(lot, kind, days):
        assert kind not in JUDGED or refusal(lot, kind, days) is not None
        return
    assert not lot.is_recalled
    assert lot.received_on <= days.signed_on <= days.today
    if lot.last_good_day is None:
        assert not lot.is_food
    else:
        assert all(day <= lot.last_good_day for day in (days.signed_on, days.today, days.consumed_on or days.today))


@given(lot=LOTS, kind=st.sampled_from(list(MoveKind)), days=JUDGEMENTS, later=st.integers(1, 900))
def test_what_is_past_stays_past(lot: LotShelf, kind: MoveKind, days: Days, later: int) -> None:
    if refusal(lot, kind, days) is Refusal.PAST:
        next_days = Days(days.signed_on, days.today + later * ONE, days.consumed_on)
        assert refusal(lot, kind, next_days) is Refusal.PAST


def test_a_kit_ends_with_its_earliest_part() -> None:
    assert kit_last_day([milk(TODAY + ONE), milk(TODAY), milk(None, is_food=False)]) == TODAY
    assert kit_last_day([milk(None, is_food=False)]) is None
    with pytest.raises(Invalid) as caught:
        kit_last_day([milk(None)])
    assert caught.value.field == "parts"


@given(parts=st.lists(st.builds(LotShelf, is_food=st.booleans(), last_good_day=DAYS, received_on=DAYS), min_size=1))
def test_a_kit_is_good_only_while_each_part_is(parts: list[LotShelf]) -> None:
    last = kit_last_day(parts)
    assert last is not None
    assert all(part.last_good_day is not None and last <= part.last_good_day for part in parts)
    assert any(last == part.last_good_day for part in parts)


@pytest.mark.parametrize(
    ("field", "produced", "life", "stated"),
    [
        ("produced_on", TODAY + ONE, None, None),
        ("produced_on", date(1989, 12, 31), None, None),
        ("expires_on", TODAY, None, TODAY - ONE),
        ("expires_on", None, None, date(2200, 1, 1)),
        ("life_amount", TODAY, ShelfLife(0, LifeUnit.DAY), None),
        ("life_amount", TODAY, ShelfLife(121, LifeUnit.MONTH), None),
    ],
)
def test_dates_that_cannot_be_are_refused(
    field: str, produced: date | None, life: ShelfLife | None, stated: date | None
) -> None:
    with pytest.raises(Invalid) as caught:
        check_dates(produced, life, stated, today=TODAY)
    assert caught.value.field == field


def test_dates_as_they_are_printed_are_taken() -> None:
    check_dates(TODAY, ShelfLife(12, LifeUnit.MONTH), TODAY, today=TODAY)
    check_dates(None, None, None, today=TODAY)
