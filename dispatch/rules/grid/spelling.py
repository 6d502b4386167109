"""One spelling for the many ways of writing a Chinese address, with the way back to the original."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

LONGEST_ADDRESS_TEXT = 4_000
"""Characters that are read; what a caller says is shorter, and the rest of a longer text is not looked at."""

MOST_ROUNDS = 8

_SAME_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\ufe63~\uff5e"), "-")
_LOWER = {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
_SIGNS = {ord("\u2116"): "#", ord("\u3007"): "零", ord("\u25cb"): "零", ord("\u3000"): " "}
_WIDE_LETTERS = {code: chr(code - 0xFEE0 + 32) for code in range(0xFF21, 0xFF3B)}
_CHARACTERS = _SAME_WIDTH | _DASHES | _LOWER | _SIGNS | _WIDE_LETTERS

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_NUMERALS = "零一二两三四五六七八九十百千"

_UNIT_WORDS = "号楼|号|幢|栋|座|楼道|单元|楼|层|门|梯|室|房|户|#|弄"
_NO_DOOR = "口|前|面|窗|锁|铃|卡|诊|禁|市|店|外|上|框|牌|头|心"

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class Tracked:
    """A text with, for each character, where the words it came from begin and end in the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the beginning of `text` as it is, each character from its own place."""
        kept = text[:LONGEST_ADDRESS_TEXT]
        return cls(kept, tuple(range(len(kept))), tuple(range(1, len(kept) + 1)))

    def substitute(self, pattern: re.Pattern[str], replacement: Replacement) -> "Tracked":
        """Return the text with every match replaced; what replaces it came from the whole match."""
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        last = 0
        for match in pattern.finditer(self.text):
            begin, end = match.span()
            new = replacement(match) if callable(replacement) else match.expand(replacement)
            pieces += (self.text[last:begin], new)
            starts += (*self.starts[last:begin], *[self.starts[begin]] * len(new))
            ends += (*self.ends[last:begin], *[self.ends[end - 1]] * len(new))
            last = end
        if not last:
            return self
        pieces.append(self.text[last:])
        return Tracked("".join(pieces), (*starts, *self.starts[last:]), (*ends, *self.ends[last:]))


def normalise(text: str) -> str:
    """Return `text` in the one spelling that addresses are compared in; idempotent, never raises.

    Half width, lower case, Arabic numerals before unit words, 幢 单元 室 for their synonyms, no white space
    or punctuation (a comma stays between two numbers that would grow together). Only the first 4,000
    characters are read. Source: hotline.md §2.1, “address text: Chinese numerals, 3幢2单元, 三号楼二单元501”.
    """
    return respell(text).text


def respell(text: str) -> Tracked:
    """Return the one spelling of `text` with the way back to the original, in linear time."""
    tracked = Tracked.of(text)
    tracked = Tracked(tracked.text.translate(_CHARACTERS), tracked.starts, tracked.ends)
    for _ in range(MOST_ROUNDS):
        before = tracked.text
        for pattern, replacement in _STEPS:
            tracked = tracked.substitute(pattern, replacement)
        if tracked.text == before:
            break
    return tracked


def _number(match: re.Match[str]) -> str:
    run = match.group()
    if not any(character in _POWERS for character in run):
        return "".join(str(_DIGITS[character]) for character in run)
    total, digit = 0, 0
    for character in run:
        if character in _POWERS:
            total += (digit or 1) * _POWERS[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return str(total + digit)


# Each step is anchored at the beginning of a run, so that no text makes it look twice at the same character.
_STEPS: tuple[tuple[re.Pattern[str], Replacement], ...] = (
    (re.compile(r"(?<=[0-9])[^\w#\-]+(?=[0-9])"), ","),
    (re.compile(r"(?<![0-9])[^\w#\-]+|[^\w#\-]+(?![0-9])|_+"), ""),
    (re.compile(r"-{2,}"), "-"),
    (re.compile(rf"(?<![{_NUMERALS}0-9])[{_NUMERALS}]{{1,9}}+(?={_UNIT_WORDS}|-[0-9])"), _number),
    (re.compile(r"(?<![0-9a-z])-+|-+(?![0-9a-z])"), ""),
    (re.compile(r"第(?=[0-9]{1,4}(?:号|幢|栋|座|单元|楼|层))"), ""),
    (re.compile(r"(?<=[0-9])号?楼道|(?<=[0-9])号?单元|(?<=[0-9])号?梯"), "单元"),
    (re.compile(rf"(?<=[0-9])门(?!{_NO_DOOR})"), "单元"),
    (re.compile(r"单元(?:门|楼道)+"), "单元"),
    (re.compile(r"(?<=[0-9a-z])(?:号楼|#楼?|栋楼?|座楼?|幢楼)"), "幢"),
    (re.compile(r"(?<=[0-9a-z])楼(?=[0-9]{1,2}单元)"), "幢"),
    (re.compile(r"(?<![路街巷弄道0-9])([0-9]{1,3})号(?=[0-9]{1,2}单元)"), r"\1幢"),
    (
        re.compile(r"(?<![0-9a-z\-])([a-z]?[0-9]{1,3}|[a-z])-([0-9]{1,2})-([0-9]{3,4})(?:室|房|户)?(?![0-9\-])"),
        r"\1幢\2单元\3室",
    ),
    (re.compile(r"(?<=幢)([0-9]{1,2})-([0-9]{3,4})(?:室|房|户)?(?![0-9\-])"), r"\1单元\2室"),
    (
        re.compile(r"(?<![0-9a-z\-])([a-z]?[0-9]{1,3}|[a-z])-([0-9]{3,4})(?:室|房|户)?(?![0-9\-])"),
        r"\1幢\2室",
    ),
    (re.compile(r"(?<![0-9])([0-9]{3,4})(?:号房|号室|房间|房|户)"), r"\1室"),
    (re.compile(r"(?<=[幢元楼])([0-9]{1,2})(?:号房|号室|房间|房|户)"), r"\1室"),
)
