"""What may stand in an item of knowledge, on which days it holds, and what a new version changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from dispatch.errors import Invalid

LONGEST_TITLE: Final = 80
LONGEST_BODY: Final = 4_000
LONGEST_SOURCE: Final = 200
LONGEST_WORD: Final = 40
MOST_WORDS: Final = 20
MOST_KINDS: Final = 10

_FIRST_SURROGATE, _LAST_SURROGATE = "\ud800", "\udfff"


class Useful(StrEnum):
    """What the caller said of an answer."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


class Line(StrEnum):
    """Whether a line stayed, went or came."""

    SAME = "same"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeText:
    """What somebody writes of an item: the answer, where it stands, from when until when, and how it is found.

    `kinds` are codes of services, the first is what a call is counted under; `words` are what callers say.
    """

    title: str
    body: str
    source: str
    valid_from: date
    valid_until: date | None = None
    kinds: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def checked(text: KnowledgeText) -> KnowledgeText:
    """The text without blanks around its parts and without anything twice; raises Invalid naming the field.

    Source: hotline.md §1 row 2, the knowledge item that a call is closed with; 4,000 characters as all texts.
    """
    title = _needed("title", text.title, LONGEST_TITLE, "请填写标题")
    body = _needed("body", text.body.replace("\r\n", "\n"), LONGEST_BODY, "请填写答复内容")
    source = _needed("source", text.source, LONGEST_SOURCE, "请写明依据或出处")
    kinds = _list("kinds", text.kinds, MOST_KINDS)
    if not kinds:
        raise Invalid("kinds", "请至少选一个服务类别")
    if text.valid_until is not None and text.valid_until < text.valid_from:
        raise Invalid("valid_until", "截止日期不能早于生效日期")
    return KnowledgeText(
        title=title,
        body=body,
        source=source,
        valid_from=text.valid_from,
        valid_until=text.valid_until,
        kinds=kinds,
        words=_list("words", text.words, MOST_WORDS),
    )


def _needed(field: str, text: str, longest: int, missing: str) -> str:
    stripped = _storable(field, text, longest)
    if not stripped:
        raise Invalid(field, missing)
    return stripped


def _list(field: str, parts: Sequence[str], most: int) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part for part in (_storable(field, one, LONGEST_WORD) for one in parts) if part))
    if len(found) > most:
        raise Invalid(field, "最多填%(most)s个", most=most)
    return found


def _storable(field: str, text: str, longest: int) -> str:
    stripped = text.strip()
    if len(stripped) > longest:
        raise Invalid(field, "内容太长，最多%(longest)s个字", longest=longest)
    if "\x00" in stripped or any(_FIRST_SURROGATE <= character <= _LAST_SURROGATE for character in stripped):
        raise Invalid(field, "内容含有无法保存的字符")
    return stripped


def holds_on(day: date, valid_from: date, valid_until: date | None) -> bool:
    """Whether a text may be given as an answer on this day of Shanghai; both of its days are included."""
    return valid_from <= day and (valid_until is None or day <= valid_until)


def differences(before: str, after: str) -> list[tuple[Line, str]]:
    """Line by line what stayed, went and came, in reading order: what went stands before what came for it.

    Without what is new the list is the old text, without what is gone the new one.
    """
    old, new = before.split("\n"), after.split("\n")
    found: list[tuple[Line, str]] = []
    for tag, begin, end, new_begin, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [(Line.SAME, line) for line in old[begin:end]]
        else:
            found += [(Line.GONE, line) for line in old[begin:end]]
            found += [(Line.NEW, line) for line in new[new_begin:new_end]]
    return found
