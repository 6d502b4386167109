"""Finding a kind or a name as it is typed: Chinese, pinyin, initials, homophones and what callers say."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from typing import Final

from pypinyin import Style, lazy_pinyin, pinyin

LONGEST_QUERY: Final = 200
MOST_READINGS: Final = 16
SHORTEST_PHRASE: Final = 2
LEAST_LIKENESS: Final = 0.5

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_NOT_WORDS = re.compile(r"[\W_]+")
_DOUBLE_INITIALS = ("zh", "ch", "sh")

# How well an entry fits, best first; names go before what they are also called.
_EXACT, _BEGINS, _CONTAINS = 0, 1, 2
_SYNONYM_EXACT, _SYNONYM_BEGINS, _SYNONYM_CONTAINS = 3, 4, 5
_SAID, _SOUNDS, _RESEMBLES = 6, 7, 8


@dataclass(frozen=True, slots=True)
class Phrase:
    """A name or synonym without spaces and signs, with the readings of each of its characters."""

    text: str
    readings: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class SearchKey:
    """How a kind or a name is found: text, pinyin and initials (several for 重, 长, 行 …), synonyms."""

    name: Phrase
    synonyms: tuple[Phrase, ...]
    pinyin: tuple[str, ...]
    initials: tuple[str, ...]


def search_key(name: str, synonyms: Iterable[str] = ()) -> SearchKey:
    """Return the key of a name. `pinyin` and `initials` begin with the usual reading, 16 readings at most.

    Source: look.md, “kind by typing Chinese, pinyin or initials (gdst → 管道疏通)”; rules.md §1, the
    spellings 管道输通 and 特发事件 of the document are synonyms.
    """
    phrase = _phrase(name)
    usual = tuple(lazy_pinyin(phrase.text))
    spoken = [usual, *islice(product(*phrase.readings), MOST_READINGS - 1)]
    return SearchKey(
        name=phrase,
        synonyms=tuple(found for found in map(_phrase, synonyms) if found.text),
        pinyin=tuple(dict.fromkeys("".join(syllables) for syllables in spoken)),
        initials=tuple(dict.fromkeys("".join(part[:1] for part in syllables) for syllables in spoken)),
    )


def rank(query: str, entries: Sequence[tuple[int, SearchKey, int]], limit: int = 8) -> list[int]:
    """Return the ids of the entries (id, key, popularity) that fit a query, best first, at most `limit`.

    A name that begins with what was typed goes first, then one that holds it, then its synonyms, then
    synonyms that the query itself holds (“我家下水道堵了”), homophones (管道输通) and what resembles it. Of
    equals the more popular, then the smaller id. An empty query gives the most popular, one of signs only
    nothing. Never raises.
    Source: look.md, the operator's desk; rules.md §1, “so that search finds both”.
    """
    wanted = _phrase(query[:LONGEST_QUERY])
    if not query.strip():
        ranked = [(0, 0.0, -popularity, identity) for identity, _, popularity in entries]
    else:
        ranked = [
            (fit[0], -fit[1], -popularity, identity)
            for identity, key, popularity in entries
            if wanted.text and (fit := _fit(wanted, key)) is not None
        ]
    return [identity for *_, identity in sorted(ranked)[: max(limit, 0)]]


def pinyin_sort_key(name: str) -> str:
    """Return the text by whose bytes names sort as in a Chinese register: syllables, tones, then the name.

    Zhang goes before Zhang San, and 张 before 章 only by its own character. Source: stack.md, “sort by a
    stored pinyin key”.
    """
    text = _compact(name)
    syllables = lazy_pinyin(text)
    tones = re.sub(r"[^0-9]", "", "".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)))
    return f"{'-'.join(syllables)} {tones} {text}"


def _compact(text: str) -> str:
    return _NOT_WORDS.sub("", text.translate(_FULL_WIDTH)).lower()


def _phrase(text: str) -> Phrase:
    compact = _compact(text)
    return Phrase(compact, tuple(map(_readings, compact)))


@lru_cache(maxsize=8192)
def _readings(character: str) -> tuple[str, ...]:
    """Return the readings of a character, the usual first; any other sign is read as itself."""
    found = pinyin(character, style=Style.NORMAL, heteronym=True)
    return tuple(found[0]) if found else (character,)


@lru_cache(maxsize=8192)
def _begins_with(character: str) -> frozenset[str]:
    """Return the signs that typing a character can begin with: itself, or the initial of a reading."""
    return frozenset({character, *(reading[:1] for reading in _readings(character))})


@lru_cache(maxsize=32768)
def _pairs(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters of a text."""
    return frozenset(text[index : index + 2] for index in range(len(text) - 1))


def _fit(wanted: Phrase, key: SearchKey) -> tuple[int, float] | None:
    """Return the grade of the fit and how much of it there is, or None."""
    typed = _typed_grade(wanted.text, key.name)
    if typed is not None:
        return typed, 0.0
    grades = [grade for synonym in key.synonyms if (grade := _typed_grade(wanted.text, synonym)) is not None]
    if grades:
        return _SYNONYM_EXACT + min(grades), 0.0
    phrases = (key.name, *key.synonyms)
    said = max((len(phrase.text) for phrase in phrases if _is_said(phrase.text, wanted.text)), default=0)
    if said:
        return _SAID, float(said)
    if any(_sounds_like(wanted, phrase) for phrase in phrases):
        return _SOUNDS, 0.0
    likeness = max(_likeness(wanted.text, phrase.text) for phrase in phrases)
    return (_RESEMBLES, likeness) if likeness >= LEAST_LIKENESS else None


def _is_said(phrase: str, query: str) -> bool:
    return len(phrase) >= SHORTEST_PHRASE and phrase in query


def _typed_grade(query: str, phrase: Phrase) -> int | None:
    """Return whether the query types the whole phrase, its beginning or some of its middle."""
    first = query[:1]
    for start, character in enumerate(phrase.text):
        if first not in _begins_with(character):
            continue
        whole = _typed_from(query, phrase, start)
        if whole is not None:
            if start:
                return _CONTAINS
            return _EXACT if whole else _BEGINS
    return None


def _typed_from(query: str, phrase: Phrase, start: int) -> bool | None:
    """Return None when the query cannot be typed from `start` on, else whether it reaches the phrase's end.

    Each character is typed as itself, by a whole reading or by its initial; the last may be unfinished.
    """
    reached = {0}
    is_typed = False
    for index in range(start, len(phrase.text)):
        following: set[int] = set()
        for position in reached:
            for step in _steps(phrase.text[index], phrase.readings[index]):
                if query.startswith(step, position):
                    following.add(position + len(step))
            is_typed = is_typed or _ends_within(query[position:], phrase.readings[index])
        if len(query) in following:
            return index == len(phrase.text) - 1
        if is_typed or not following:
            break
        reached = following
    return False if is_typed else None


def _steps(character: str, readings: tuple[str, ...]) -> Iterator[str]:
    yield character
    for reading in readings:
        yield reading
        yield reading[:1]
        if reading.startswith(_DOUBLE_INITIALS):
            yield reading[:2]


def _ends_within(remainder: str, readings: tuple[str, ...]) -> bool:
    return bool(remainder) and any(reading.startswith(remainder) for reading in readings)


def _sounds_like(wanted: Phrase, phrase: Phrase) -> bool:
    """Return whether the query, in Chinese, sounds as some part of the phrase does."""
    length = len(wanted.text)
    if not SHORTEST_PHRASE <= length <= len(phrase.text) or wanted.text.isascii():
        return False
    return any(
        all(
            any(reading in phrase.readings[start + offset] for reading in readings)
            for offset, readings in enumerate(wanted.readings)
        )
        for start in range(len(phrase.text) - length + 1)
    )


def _likeness(query: str, phrase: str) -> float:
    """Return the share of the phrase's pairs of neighbouring characters that the query holds, 0 to 1."""
    pairs = _pairs(phrase)
    return len(pairs & _pairs(query)) / len(pairs) if len(pairs) > 1 else 0.0
