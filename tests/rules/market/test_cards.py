"""The love card: its token, its QR, what somebody may type, and what it never says."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.access.tokens import ALPHABET, TOKEN_LETTERS, spoken, token_of
from dispatch.rules.market.cards import (
    PrintedCard,
    bytes_in_letters,
    bytes_of_letters,
    printed,
    read_card,
    signed_part,
)

RANDOM = st.binary(min_size=17, max_size=32)
DAY = date(2026, 11, 25)


@given(random=RANDOM, signature=st.binary(min_size=64, max_size=64), day=st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_what_is_printed_is_read_back_and_has_only_letters_that_a_small_qr_holds(
    random: bytes, signature: bytes, day: date
) -> None:
    token = token_of(random)
    text = printed(token, day, signature)
    assert set(text) <= set(ALPHABET + "IQ/")
    assert len(text) == 143
    assert read_card(f" {text.lower()}\n") == PrintedCard(token, day, bytes_in_letters(signature))
    assert text.startswith(signed_part(token, day))


@given(random=RANDOM)
def test_a_token_may_be_typed_in_groups_and_with_the_letters_that_look_alike(random: bytes) -> None:
    token = token_of(random)
    typed = spoken(token).replace("0", "o").replace("1", "l").lower()
    assert read_card(typed) == PrintedCard(token, None, "")
    assert len(token) == TOKEN_LETTERS


@given(content=st.binary(max_size=80))
def test_bytes_come_back_from_letters(content: bytes) -> None:
    assert bytes_of_letters(bytes_in_letters(content), len(content)) == content


def test_what_are_no_letters_or_too_many_are_no_bytes() -> None:
    assert bytes_of_letters("U", 1) is None
    assert bytes_of_letters("ZZZ", 1) is None


@given(one=RANDOM, other=RANDOM)
def test_other_random_bits_make_another_token(one: bytes, other: bytes) -> None:
    mask = (1 << 130) - 1
    same = int.from_bytes(one) & mask == int.from_bytes(other) & mask
    assert (token_of(one) == token_of(other)) == same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HQ2/7K2M9",
        "https://example.org/",
        "陈桂花",
        "0" * 25,
        "0" * 27,
        "U" * 26,
        f"HQ1/{'0' * 26}/20261345/0",
        f"HQ1/{'0' * 25}/20261125/0",
    ],
)
def test_anything_else_is_no_card(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_card(text)
    assert refused.value.field == "card"
