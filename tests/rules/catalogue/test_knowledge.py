"""What may stand in an item of knowledge, when it holds, and what a version changes."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.catalogue.knowledge import (
    LONGEST_BODY,
    LONGEST_TITLE,
    MOST_KINDS,
    MOST_WORDS,
    KnowledgeText,
    Line,
    checked,
    differences,
    holds_on,
)

DAY = date(2026, 11, 25)
LINES = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=6), max_size=8)


def text(**changes: Any) -> KnowledgeText:
    values: dict[str, Any] = {"title": "老年卡", "body": "带身份证", "source": "示例", "valid_from": DAY}
    return KnowledgeText(**(values | {"kinds": ("elder_care",)} | changes))


def test_blanks_and_what_stands_twice_are_left_out() -> None:
    found = checked(text(title=" 老年卡 ", body="一\r\n二\n", words=("老年证", " 老年证 ", ""), kinds=("a", "a", "b")))
    assert (found.title, found.body, found.words, found.kinds) == ("老年卡", "一\n二", ("老年证",), ("a", "b"))


def test_the_longest_texts_are_taken() -> None:
    found = checked(text(title="题" * LONGEST_TITLE, body="文" * LONGEST_BODY))
    assert (len(found.title), len(found.body)) == (LONGEST_TITLE, LONGEST_BODY)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": " "}),
        ("title", {"title": "题" * (LONGEST_TITLE + 1)}),
        ("body", {"body": "\n"}),
        ("body", {"body": "文" * (LONGEST_BODY + 1)}),
        ("body", {"body": "有\x00"}),
        ("body", {"body": "有\ud800"}),
        ("source", {"source": ""}),
        ("kinds", {"kinds": ()}),
        ("kinds", {"kinds": tuple(f"kind{number}" for number in range(MOST_KINDS + 1))}),
        ("words", {"words": tuple(f"说法{number}" for number in range(MOST_WORDS + 1))}),
        ("valid_until", {"valid_until": DAY - timedelta(days=1)}),
    ],
)
def test_what_is_wrong_is_named(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        checked(text(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("begin", "end", "is_held"),
    [(0, None, True), (1, None, False), (-5, 0, True), (-5, -1, False), (0, 0, True)],
)
def test_a_text_holds_on_both_of_its_days(begin: int, end: int | None, *, is_held: bool) -> None:
    until = None if end is None else DAY + timedelta(days=end)
    assert holds_on(DAY, DAY + timedelta(days=begin), until) is is_held


def test_what_went_stands_before_what_came_for_it() -> None:
    assert differences("一\n二\n三", "一\n两\n三\n四") == [
        (Line.SAME, "一"),
        (Line.GONE, "二"),
        (Line.NEW, "两"),
        (Line.SAME, "三"),
        (Line.NEW, "四"),
    ]


@given(LINES, LINES)
def test_without_what_is_new_it_is_the_old_text_and_without_what_is_gone_the_new(
    old: list[str], new: list[str]
) -> None:
    before, after = "\n".join(old), "\n".join(new)
    found = differences(before, after)
    assert "\n".join(line for kind, line in found if kind is not Line.NEW) == before
    assert "\n".join(line for kind, line in found if kind is not Line.GONE) == after
