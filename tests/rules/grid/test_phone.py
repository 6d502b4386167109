"""Telephone numbers: what people write becomes one stored form, and little of it is shown."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.grid import phone

SEPARATORS = st.sampled_from(["", " ", "-", "\u3000", "\u2013", "("])


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("138 0000 0000", "+8613800000000"),
        ("138-0000-0000", "+8613800000000"),
        ("+86 138 0000 0000", "+8613800000000"),
        ("0086-13800000000", "+8613800000000"),
        ("8613800000000", "+8613800000000"),
        ("13800000000", "+8613800000000"),
        ("0578-2123456", "+865782123456"),
        ("(0578)2123456", "+865782123456"),
        ("+86 578 2123456", "+865782123456"),
        ("2123456", "+865782123456"),
        ("010-62345678", "+861062345678"),
        ("400-123-4567", "+864001234567"),
    ],
)
def test_what_people_write_becomes_one_stored_form(written: str, stored: str) -> None:
    assert phone.normalise_phone(written) == stored


@pytest.mark.parametrize("number", ["110", "119", "120", "122", "12345", "96345", "12349", " 96 345 "])
def test_numbers_of_public_service_stay_as_they_are(number: str) -> None:
    assert phone.normalise_phone(number) == number.replace(" ", "")
    assert phone.mask_phone(phone.normalise_phone(number)) == number.replace(" ", "")


def test_a_local_number_gets_the_area_code_that_is_given() -> None:
    assert phone.normalise_phone("62345678", default_area="010") == "+861062345678"


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("", "请填写"),
        ("  -- ", "请填写"),
        ("1380000000", "11位"),
        ("138000000000", "11位"),
        ("12800000000", "11位"),
        ("没有电话", "11位"),
        ("123", "11位"),
        ("0578-212", "11位"),
        ("١٣٨٠٠٠٠٠٠٠٠", "11位"),
        ("+1 212 555 0100", "大陆"),
        ("1" * 5000, "11位"),
        ("138\x0000000000", "11位"),
        ("☎13800000000", "11位"),
    ],
)
def test_a_wrong_shape_is_refused_with_advice(written: str, advice: str) -> None:
    with pytest.raises(Invalid, match=advice) as refusal:
        phone.normalise_phone(written)
    assert refusal.value.field == "phone"


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.lists(SEPARATORS, min_size=12, max_size=12))
def test_every_mobile_is_kept_whatever_stands_between_its_digits(number: str, separators: list[str]) -> None:
    written = "".join(separator + digit for separator, digit in zip(separators, number, strict=False))
    stored = phone.normalise_phone(written)
    assert stored == f"+86{number}"
    assert phone.normalise_phone(stored) == stored
    assert phone.mask_phone(stored) == f"{number[:3]}****{number[-4:]}"


@given(st.one_of(st.text(max_size=80), st.text("0123456789+- ()", max_size=20)))
def test_no_text_raises_anything_but_invalid_and_what_is_stored_is_stable(text: str) -> None:
    with contextlib.suppress(Invalid):
        stored = phone.normalise_phone(text)
        assert phone.normalise_phone(stored) == stored
        assert stored in phone.SERVICE_NUMBERS or stored.startswith("+86")


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+8613800005678", "138****5678"),
        ("13800005678", "138****5678"),
        ("+865782123456", "0578****456"),
        ("+861062345678", "010****678"),
        ("+864001234567", "400****567"),
        ("12345", "12345"),
        ("张三的电话", "****"),
        ("", "****"),
    ],
)
def test_a_masked_number_hides_its_middle(number: str, masked: str) -> None:
    assert phone.mask_phone(number) == masked


@given(st.text("0123456789+", max_size=20).filter(lambda number: number not in phone.SERVICE_NUMBERS))
def test_a_mask_never_shows_more_than_seven_digits(number: str) -> None:
    assert sum(character.isdigit() for character in phone.mask_phone(number)) <= 7
