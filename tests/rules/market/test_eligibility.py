"""Who may be given something: the four grounds, whose they are, who decides, how long it holds."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid, NotAllowed
from dispatch.rules.market.eligibility import (
    GROUND_LABELS,
    OF_HOUSEHOLDS,
    Ground,
    NotWaiting,
    OwnApplication,
    SecondSameAsFirst,
    Standing,
    after_approval,
    approvers_needed,
    check_decider,
    check_whose,
    ground_of,
    is_valid,
    last_day,
    months_for,
    recheck_day,
)

DAYS = st.dates(date(2000, 1, 1), date(2190, 1, 1))
PEOPLE = st.integers(1, 6)


def test_there_are_exactly_the_four_grounds_of_the_document() -> None:
    assert list(GROUND_LABELS.values()) == [
        "患大病特困人员",
        "重残无业人员",
        "孤寡老人",
        "因受灾或特发事件造成生活困难家庭",
    ]
    assert {Ground.SUDDEN_HARDSHIP} == OF_HOUSEHOLDS
    with pytest.raises(Invalid) as refused:
        ground_of("poor")
    assert refused.value.field == "ground"


@pytest.mark.parametrize("ground", list(Ground))
def test_a_person_s_ground_is_a_person_s_and_the_fourth_a_household_s(ground: Ground) -> None:
    whole = ground in OF_HOUSEHOLDS
    check_whose(ground, resident_id=None if whole else 1, household_id=2 if whole else None)
    for resident_id, household_id in ((None, None), (1, 2), (1, None) if whole else (None, 2)):
        with pytest.raises(Invalid) as refused:
            check_whose(ground, resident_id=resident_id, household_id=household_id)
        assert refused.value.field == ("household_id" if whole else "resident_id")


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 1, 15), 12, date(2027, 1, 15)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
    ],
)
def test_a_decision_ends_on_the_same_day_of_the_month_or_the_month_s_last(first: date, months: int, last: date) -> None:
    assert last_day(first, months) == last


@pytest.mark.parametrize("ground", list(Ground))
def test_a_household_s_decision_holds_half_as_long_by_the_starting_policy(ground: Ground) -> None:
    assert months_for(ground, of_persons=12, of_households=6) == (6 if ground in OF_HOUSEHOLDS else 12)


@given(first=DAYS, months=st.integers(1, 60), offset=st.integers(-40, 2000))
def test_a_decision_holds_from_its_first_to_its_last_day_and_only_when_approved(
    first: date, months: int, offset: int
) -> None:
    last, day = last_day(first, months), first + timedelta(days=offset)
    assert is_valid(Standing.APPROVED, first, last, day) == (first <= day <= last)
    assert not any(is_valid(one, first, last, day) for one in set(Standing) - {Standing.APPROVED})
    assert not is_valid(Standing.APPROVED, None, last, day)
    assert recheck_day(last, 30) == last - timedelta(days=30)


@given(applied_by=st.none() | PEOPLE, first=PEOPLE, second=PEOPLE, is_relative=st.booleans())
def test_a_relative_of_a_manager_is_approved_by_two_and_nobody_decides_their_own(
    applied_by: int | None, first: int, second: int, *, is_relative: bool
) -> None:
    standing, approved_by = Standing.APPLIED, list[int]()
    for decider in (first, second):
        try:
            check_decider(standing, decider, applied_by=applied_by, first_by=approved_by[0] if approved_by else None)
        except (OwnApplication, SecondSameAsFirst, NotWaiting):
            continue
        approved_by.append(decider)
        standing = after_approval(standing, is_relative=is_relative)
    assert applied_by not in approved_by
    assert len(set(approved_by)) == len(approved_by) <= approvers_needed(is_relative=is_relative)
    assert (standing is Standing.APPROVED) == (len(approved_by) == approvers_needed(is_relative=is_relative))


def test_a_machine_decides_nothing_and_nothing_is_decided_twice() -> None:
    with pytest.raises(NotAllowed):
        check_decider(Standing.APPLIED, None, applied_by=1, first_by=None)
    for final in (Standing.APPROVED, Standing.REFUSED, Standing.ENDED):
        with pytest.raises(NotWaiting):
            check_decider(final, 2, applied_by=1, first_by=None)
