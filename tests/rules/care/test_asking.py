"""三问: an entry says something, a nameless one brings no name, an answer names its order, or none."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care.asking import (
    KIND_HINTS,
    KIND_LABELS,
    OUTCOME_LABELS,
    SOURCE_LABELS,
    AskKind,
    EntrySource,
    Outcome,
    answer_due,
    check_answer,
    check_asking,
    check_entry,
    is_open,
)

DAY = date(2026, 11, 26)
days = st.integers(-3, 3).map(lambda shift: DAY + timedelta(days=shift))
texts = st.sampled_from(["", "  ", "路灯不亮", "长" * 2_001])


def test_every_word_has_a_label() -> None:
    assert set(KIND_LABELS) == set(KIND_HINTS) == set(AskKind)
    assert set(SOURCE_LABELS) == set(EntrySource)
    assert set(OUTCOME_LABELS) == set(Outcome)


@pytest.mark.parametrize(
    ("title", "words", "closes_on", "field"),
    [
        (" ", "想问", None, "title"),
        ("长" * 61, "想问", None, "title"),
        ("问需", "", None, "words"),
        ("问需", "想问", DAY - timedelta(days=1), "closes_on"),
    ],
)
def test_a_question_that_says_nothing_names_its_field(
    title: str, words: str, closes_on: date | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_asking(title, words, DAY, closes_on)
    assert refused.value.field == field
    check_asking("问需", "想问", DAY, DAY)


@given(days, st.none() | days, days)
def test_entries_are_taken_from_the_first_to_the_last_day(opens_on: date, closes_on: date | None, today: date) -> None:
    assert is_open(opens_on, closes_on, today) == (opens_on <= today <= (closes_on or today))


@given(texts, st.sampled_from(["", " ", "郑德明"]), st.sampled_from(["", "17400000107"]), st.booleans())
def test_an_entry_says_something_and_a_nameless_one_no_name(words: str, name: str, phone: str, anonymous: bool) -> None:  # noqa: FBT001
    is_sound = bool(words.strip()) and len(words) <= 2_000 and not (anonymous and (name.strip() or phone))
    try:
        check_entry(words, name, phone, anonymous=anonymous)
    except Invalid:
        assert not is_sound
    else:
        assert is_sound


@given(st.sampled_from(Outcome), texts, texts, st.none() | st.integers(1, 9))
def test_an_answer_says_something_and_names_an_order_exactly_where_one_was_opened(
    outcome: Outcome, words: str, shown: str, order_id: int | None
) -> None:
    said = all(text.strip() and len(text) <= 2_000 for text in (words, shown))
    try:
        check_answer(outcome, words, shown, order_id)
    except Invalid:
        assert not said or (outcome is Outcome.ORDER) != (order_id is not None)
    else:
        assert said
        assert (outcome is Outcome.ORDER) == (order_id is not None)


@given(days, st.integers(0, 60))
def test_an_answer_is_due_so_many_days_on(said_on: date, wait: int) -> None:
    assert (answer_due(said_on, wait) - said_on).days == wait
