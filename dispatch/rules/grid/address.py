"""Free Chinese address text: its name of a place, building, unit, floor and room, and what else was said."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Self

from dispatch.rules.grid.spelling import LONGEST_ADDRESS_TEXT, Tracked, normalise, respell

__all__ = ["LONGEST_ADDRESS_TEXT", "NameIndex", "ParsedPlace", "normalise", "parse"]

LONGEST_NAME = 40
SHORTEST_NAME = 2
SHORTEST_NAME_WITH_SLIPS = 4
MOST_CANDIDATES = 8
MOST_COMPARISONS = 4_000

_SUFFIXES = ("小区", "新村", "花园", "公寓", "家园", "苑")
_NOT_THE_ESTATE = ("社区", "街道", "居委", "派出所", "菜场", "小学", "幼儿园")
_LANDMARK = re.compile(r"(?:的|那)?(?:斜?对面|后面|后边|前面|旁边?|附近|隔壁|边上|门口|背后)")
_LANDMARK_REACH = 6
_ADMINISTRATIVE = re.compile(
    r"(?:浙江省?)?(?:丽水市?)?(?:莲都区?)?(?:(?:[\u4e00-\u9fff]{2}|南明山)街道)?(?:[\u4e00-\u9fff]{2}社区)?$"
)
_ADMINISTRATIVE_REACH = 24
_HOUSE_NUMBER = re.compile(r"(?<![0-9])([0-9]{1,5})号$")
_BUILDING_AND_UNIT = re.compile(r"([0-9]{1,3})-([0-9]{1,2})(?![0-9\-])")
_RUN = re.compile(
    r"(?:(?<=[路街巷弄道])(?P<road>[0-9]{1,5})号)?"
    r"(?:(?<![0-9a-z])(?P<building>[0-9]{1,4}[a-z]?|[a-z][0-9]{0,3})幢的?)?"
    r"(?:(?<![0-9a-z])(?P<unit>[0-9]{1,2}|[a-z])单元的?)?"
    r"(?:(?<![0-9a-z])(?P<floor>[0-9]{1,2})(?P<storey>楼|层)的?)?"
    r"(?:(?<![0-9a-z,\-])(?P<numbered>[0-9]{1,4})室"
    r"|(?<=[幢元楼层的])(?P<bare>[0-9]{3,4})(?![0-9年月日号元块点个人\-]))?"
)
_EDGE = " \t\r\n\u3000,，。.;；、:："


@dataclass(frozen=True, slots=True)
class ParsedPlace:
    """What an address text says: numbers as text without leading zeros, letters upper case, None if not said.

    `name_id` is set only for a certain name; `candidates` are the ids of ambiguous names, of names with one
    slip of typing, and of landmarks (“老供销社后面” lies behind the place, not in it). `rest` is what
    else the caller said, word for word.
    """

    name_id: int | None
    candidates: tuple[int, ...]
    road_number: str | None
    building: str | None
    unit: str | None
    floor: str | None
    room: str | None
    rest: str


class _Found(NamedTuple):
    begin: int
    end: int
    identities: tuple[int, ...]
    is_landmark: bool


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Names and nicknames of places, found in a text by the longest match.

    `full` are the names as given, `shortened` those without prefix (丽水市莲都区白云街道 …) or suffix (小区,
    新村 …); each may belong to several places. `halves` find names with one slip of typing: a text at edit
    distance one keeps the first or the second half of the name. `lengths` are those of the names that begin with a
    character, the longest first.
    """

    full: Mapping[str, tuple[int, ...]]
    shortened: Mapping[str, tuple[int, ...]]
    halves: Mapping[str, tuple[tuple[str, int], ...]]
    lengths: Mapping[str, tuple[int, ...]]
    half_lengths: tuple[int, ...]

    @classmethod
    def of(cls, entries: Iterable[tuple[str, int]]) -> Self:
        """Return the index of (name, place-name id); names under 2 or over 40 characters are left out."""
        full: defaultdict[str, set[int]] = defaultdict(set)
        shortened: defaultdict[str, set[int]] = defaultdict(set)
        for name, identity in entries:
            spelled = normalise(name)
            if SHORTEST_NAME <= len(spelled) <= LONGEST_NAME:
                full[spelled].add(identity)
                for short in _shorter(spelled):
                    shortened[short].add(identity)
        halves: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for name in sorted({*full, *(short for short in shortened if short not in full)}):
            if len(name) >= SHORTEST_NAME_WITH_SLIPS:
                middle = len(name) // 2
                halves[name[:middle]].append((name, 0))
                halves[name[middle:]].append((name, middle))
        return cls(
            full=_frozen(full),
            shortened=_frozen(shortened),
            halves={half: tuple(names) for half, names in halves.items()},
            lengths=_lengths_by_beginning((*full, *shortened)),
            half_lengths=tuple(sorted({len(half) for half in halves})),
        )

    def identities_of(self, name: str) -> tuple[int, ...]:
        """Return the ids of the places with this name in its one spelling, those of full names first."""
        return self.full.get(name) or self.shortened.get(name, ())

    def found_in(self, text: str) -> Iterator[_Found]:
        """Yield the names in a normalised text from left to right, at each place the longest."""
        position = 0
        while position < len(text):
            found = self._longest_at(text, position)
            if found:
                yield found
            position = found.end if found else position + 1

    def nearly_found_in(self, text: str) -> tuple[int, ...]:
        """Return the ids of names that a normalised text holds with one wrong, missing or added character."""
        found: dict[int, None] = {}
        for name, begin in islice(self._half_matches(text), MOST_COMPARISONS):
            if len(found) >= MOST_CANDIDATES:
                break
            if _is_nearly_at(name, text, begin):
                found |= dict.fromkeys(self.identities_of(name))
        return tuple(found)[:MOST_CANDIDATES]

    def _longest_at(self, text: str, position: int) -> _Found | None:
        for length in self.lengths.get(text[position], ()):
            end = position + length
            name = text[position:end]
            if len(name) < length or _cuts_a_number(text, position, end):
                continue
            identities = self.full.get(name)
            if identities is None and not text.startswith(_NOT_THE_ESTATE, end):
                identities = self.shortened.get(name)
            if identities:
                landmark = _LANDMARK.match(text, end, end + _LANDMARK_REACH)
                return _Found(position, end, identities, landmark is not None)
        return None

    def _half_matches(self, text: str) -> Iterator[tuple[str, int]]:
        for position in range(len(text)):
            for length in self.half_lengths:
                for name, offset in self.halves.get(text[position : position + length], ()):
                    yield name, position - offset


def parse(text: str, names: NameIndex) -> ParsedPlace:
    """Return the parts of an address in free Chinese text, also inside a sentence. Never raises, linear time.

    Only the first 4,000 characters are read. Source: hotline.md §2.1 Place, and the spellings it names.
    """
    tracked = respell(text)
    found = [*names.found_in(tracked.text)]
    run = _best_run(tracked.text, found)
    run_begin, run_end, parts = run
    name = _chosen(found, run_begin)
    certain = name is not None and len(name.identities) == 1 and not name.is_landmark
    candidates: tuple[int, ...] = ()
    if name is None:
        candidates = names.nearly_found_in(tracked.text)
    elif not certain:
        candidates = name.identities[:MOST_CANDIDATES]
    road_number = parts.get("road") or _house_number(tracked.text, name)
    return ParsedPlace(
        name_id=name.identities[0] if name is not None and certain else None,
        candidates=candidates,
        road_number=_plain(road_number),
        building=_plain(parts.get("building")),
        unit=_plain(parts.get("unit")),
        floor=_plain(parts.get("floor")),
        room=_plain(parts.get("numbered") or parts.get("bare")),
        rest=_rest(text, tracked, [(run_begin, run_end), *_name_spans(tracked.text, found, name, run_begin)]),
    )


def _shorter(name: str) -> Iterator[str]:
    head = _without_prefix(name)
    if head != name:
        yield head
    for suffix in _SUFFIXES:
        short = head.removesuffix(suffix)
        if short != head and len(short) >= SHORTEST_NAME:
            yield short


def _without_prefix(name: str) -> str:
    for end in range(min(len(name) - SHORTEST_NAME, _ADMINISTRATIVE_REACH), 0, -1):
        if _ADMINISTRATIVE.fullmatch(name[:end]):
            return name[end:]
    return name


def _lengths_by_beginning(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for name in names:
        lengths[name[0]].add(len(name))
    return {character: tuple(sorted(found, reverse=True)) for character, found in lengths.items()}


def _frozen(names: Mapping[str, set[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(sorted(identities)) for name, identities in names.items()}


def _cuts_a_number(text: str, begin: int, end: int) -> bool:
    """Say whether a name would begin or end inside a number: 路1 is not in 路12."""
    return any(
        0 < border < len(text) and text[border - 1].isdigit() and text[border].isdigit() for border in (begin, end)
    )


def _is_nearly_at(name: str, text: str, begin: int) -> bool:
    digits = _digits(name)
    for start in (begin - 1, begin, begin + 1):
        for length in (len(name) - 1, len(name), len(name) + 1):
            first, last = max(start, 0), max(start + length, 0)
            window = text[first:last]
            if not _is_one_slip_apart(name, window) or _digits(window) != digits:
                continue
            if not _cuts_a_number(text, first, last):
                return True
    return False


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def _is_one_slip_apart(name: str, other: str) -> bool:
    """Return whether one character changed, missing or added makes `other` of `name`; equal counts too."""
    shorter, longer = sorted((name, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    same = 0
    while same < len(shorter) and shorter[same] == longer[same]:
        same += 1
    skip = same + (len(longer) == len(shorter))
    return shorter[skip:] == longer[same + 1 :]


def _best_run(text: str, found: list[_Found]) -> tuple[int, int, dict[str, str]]:
    """Return begin, end and parts of the run of numbers that says most; the first of equals."""
    best: tuple[int, int, dict[str, str]] = (0, 0, {})
    best_weight = 0
    for match in _RUN.finditer(text):
        parts = {key: value for key, value in match.groupdict().items() if value is not None}
        weight = _weight(parts)
        if weight > best_weight:
            best, best_weight = (match.start(), match.end(), parts), weight
    if best_weight < _weight({"building": "", "unit": ""}):
        for name in found:
            pair = _BUILDING_AND_UNIT.match(text, name.end)
            if pair:
                return pair.start(), pair.end(), {"building": pair[1], "unit": pair[2]}
    return best


def _weight(parts: Mapping[str, str]) -> int:
    if parts.keys() == {"floor", "storey"} and parts["storey"] == "层":
        return 0
    weights = {"building": 16, "unit": 8, "numbered": 4, "bare": 4, "road": 2, "floor": 1}
    return sum(weights.get(part, 0) for part in parts)


def _chosen(found: list[_Found], run_begin: int) -> _Found | None:
    """Return the name before the run, else the longest; a landmark only when there is no other."""
    if not found:
        return None
    return max(
        found,
        key=lambda name: (not name.is_landmark, name.end == run_begin, name.end - name.begin, -name.begin),
    )


def _house_number(text: str, name: _Found | None) -> str | None:
    ending = _HOUSE_NUMBER.search(text[name.begin : name.end]) if name else None
    return ending[1] if ending else None


def _name_spans(text: str, found: list[_Found], name: _Found | None, run_begin: int) -> Iterator[tuple[int, int]]:
    """Yield what to cut from the sentence: the name, the names that touch it, and the 省市区 before them."""
    if name is None or name.is_landmark:
        yield _administrative(text, run_begin)
        return
    begin = name.begin
    for other in reversed(found):
        if other.end == begin and not other.is_landmark:
            begin = other.begin
    yield begin, name.end
    yield _administrative(text, begin)


def _administrative(text: str, end: int) -> tuple[int, int]:
    match = _ADMINISTRATIVE.search(text[max(end - _ADMINISTRATIVE_REACH, 0) : end])
    length = len(match.group()) if match else 0
    return end - length, end


def _plain(number: str | None) -> str | None:
    return None if number is None else (number.lstrip("0") or "0").upper()


def _rest(text: str, tracked: Tracked, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    last = 0
    for begin, end in sorted((begin, end) for begin, end in spans if begin < end):
        pieces.append(text[last : max(tracked.starts[begin], last)])
        last = max(last, tracked.ends[end - 1])
    pieces.append(text[last:LONGEST_ADDRESS_TEXT])
    return "".join(pieces).strip(_EDGE)
