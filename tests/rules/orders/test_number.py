"""Order numbers: what is forgiven when they are read out, and what is always found."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.orders.number import ALPHABET, RANDOM_BITS, check_number, make_number

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
BITS = st.integers(0, 2**RANDOM_BITS - 1)
NUMBERS = st.builds(make_number, DAYS, BITS)


def test_a_number_names_its_day_and_is_easy_to_read_out() -> None:
    number = make_number(date(2026, 11, 23), 123_456_789)
    assert number.startswith("HQ261123")
    assert len(number) == 15
    assert not set(number) & set("ILOU")


@given(DAYS, BITS)
def test_every_number_made_is_accepted_as_written(day: date, bits: int) -> None:
    number = make_number(day, bits)
    assert check_number(number) == number


@given(DAYS, BITS, BITS)
def test_different_random_bits_give_different_numbers(day: date, one: int, other: int) -> None:
    assert (make_number(day, one) == make_number(day, other)) == (one == other)


@given(number=NUMBERS, digit=st.sampled_from(["0", "1"]), small=st.booleans())
def test_case_spaces_dashes_and_lookalikes_are_forgiven(number: str, digit: str, *, small: bool) -> None:
    spoken = f" {number[:2]}-{number[2:8]} {number[8:]}".replace(digit, "O" if digit == "0" else "l")
    assert check_number(spoken.lower() if small else spoken) == number


@given(NUMBERS, st.integers(0, 14), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(number: str, place: int, other: str) -> None:
    assume(number[place] != other)
    with pytest.raises(Invalid):
        check_number(number[:place] + other + number[place + 1 :])


@given(NUMBERS, st.integers(0, 13))
def test_every_swap_of_neighbours_is_found(number: str, place: int) -> None:
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    with pytest.raises(Invalid):
        check_number(swapped)


def test_all_single_errors_and_swaps_of_one_number_are_found_by_the_check_character_alone() -> None:
    number = make_number(date(2026, 11, 11), 987_654_321)
    accepted = []
    for place in range(8, 15):
        for other in ALPHABET:
            with suppress(Invalid):
                accepted.append(check_number(number[:place] + other + number[place + 1 :]))
    assert accepted == [number] * 7


@given(st.text(max_size=40))
def test_any_text_is_accepted_in_one_form_or_refused(text: str) -> None:
    try:
        number = check_number(text)
    except Invalid:
        return
    assert check_number(number) == number


@pytest.mark.parametrize("text", ["", "HQ", "AB2611230000000", "HQ261123000000", "HQ261123000000U", "\x00" * 15])
def test_a_text_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="共 15 位"):
        check_number(text)


def test_a_day_that_does_not_exist_is_refused_even_with_a_right_check_character() -> None:
    endings = []
    for last in ALPHABET:
        with pytest.raises(Invalid) as refused:
            check_number(f"HQ261332000000{last}")
        endings.append(refused.value.template)
    assert endings.count("单号中的日期不存在") == 1


@pytest.mark.parametrize("bits", [-1, 2**RANDOM_BITS])
def test_bits_outside_the_range_are_a_mistake_of_the_caller(bits: int) -> None:
    with pytest.raises(ValueError, match="random_bits"):
        make_number(date(2026, 11, 23), bits)
