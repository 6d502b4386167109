"""Appeals, agreements, media and sessions: each says what it must, on a day that has come."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.market.campaigns import (
    MEDIUM_LABELS,
    PARTNER_LABELS,
    PURPOSE_LABELS,
    AgreementPurpose,
    Medium,
    PartnerKind,
    check_agreement,
    check_attendance,
    check_media,
    check_prints,
    check_title,
    check_words,
)

DAY = date(2026, 11, 25)
ONE = timedelta(days=1)
days = st.integers(-2, 2).map(lambda shift: DAY + shift * ONE)


def test_every_word_has_a_label() -> None:
    assert set(PARTNER_LABELS) == set(PartnerKind)
    assert set(PURPOSE_LABELS) == set(AgreementPurpose)
    assert set(MEDIUM_LABELS) == set(Medium)


@pytest.mark.parametrize("text", ["", "  ", "长" * 4_001])
def test_words_are_said_and_not_endless(text: str) -> None:
    for check, field in ((check_title, "title"), (check_words, "words")):
        with pytest.raises(Invalid) as refused:
            check(text)
        assert refused.value.field == field


@given(st.integers(-1, 2), st.sampled_from(["", "老年协会"]), days, days)
def test_prints_that_pass_were_given_somewhere_after_the_version_was_written(
    copies: int, given_where: str, given_on: date, written_on: date
) -> None:
    is_sound = copies > 0 and bool(given_where) and written_on <= given_on <= DAY
    try:
        check_prints(copies, given_where, given_on, written_on, DAY)
    except Invalid:
        assert not is_sound
    else:
        assert is_sound


@given(days, st.none() | days)
def test_an_agreement_is_signed_and_ends_after_it_begins(signed_on: date, valid_until: date | None) -> None:
    is_sound = signed_on <= DAY and (valid_until is None or signed_on <= valid_until)
    try:
        check_agreement(signed_on, valid_until, DAY)
    except Invalid:
        assert not is_sound
    else:
        assert is_sound


@given(published_on=days, shows_people=st.booleans(), consent=st.sampled_from(["", " ", "电话征得本人同意"]))
def test_nobody_is_shown_without_consent(*, published_on: date, shows_people: bool, consent: str) -> None:
    is_sound = published_on <= DAY and (not shows_people or bool(consent.strip()))
    try:
        check_media(published_on, DAY, shows_people=shows_people, consent=consent)
    except Invalid:
        assert not is_sound
    else:
        assert is_sound


@given(st.integers(-1, 1_001), st.integers(-1, 5), days)
def test_no_more_are_referred_than_came(present: int, referred: int, held_on: date) -> None:
    is_sound = held_on <= DAY and 1 <= present <= 1_000 and 0 <= referred <= present
    try:
        check_attendance(present, referred, held_on, DAY)
    except Invalid:
        assert not is_sound
    else:
        assert is_sound
