"""The stored form of a routing decision: canonical bytes, columns by fact, compressed."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from dispatch.rules.orders.decision import (
    Change,
    ChangeKind,
    Considered,
    Decision,
    PerformerClass,
    TeamChoice,
    TeamReason,
    Terms,
    Weights,
)
from dispatch.rules.orders.urgency import Urgency

FORMAT = 1
MOST_BYTES = 4096
"""At 200 performers. Source: hotline.md §2 step 7."""

_LEVEL = 6
_SEVEN_BITS = 0x7F
_MOST_PLAIN_BYTES = 4_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_URGENCIES = tuple(Urgency)
_CLASSES = tuple(PerformerClass)
_REASONS = tuple(TeamReason)
_WIDTHS = ((0xFF, "B", 1), (0xFFFF, "H", 2), (0xFFFF_FFFF, "I", 4), (0xFFFF_FFFF_FFFF_FFFF, "Q", 8))


def encode(decision: Decision) -> bytes:
    """Return the stored form; the same decision gives the same bytes. Source: hotline.md §2 step 7."""
    return zlib.compress(canonical(decision), _LEVEL)


def decode(stored: bytes) -> Decision:
    """Return the decision that was encoded; ValueError when the bytes are not one of ours."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(stored, _MOST_PLAIN_BYTES)
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError("a decision record ends too early or too late")
        return _read(_Reader(plain))
    except (zlib.error, struct.error, IndexError, OverflowError) as error:
        raise ValueError("not a decision record") from error


def fingerprint(decision: Decision) -> bytes:
    """Return the SHA-256 of canonical(): 32 bytes that do not depend on the compressing library."""
    return sha256(canonical(decision)).digest()


def canonical(decision: Decision) -> bytes:
    """Return the uncompressed form: header numbers, then one column for each fact."""
    return _varints(_header(decision)) + b"".join(map(_column, _columns(decision)))


def _header(decision: Decision) -> list[int]:
    weights = decision.weights
    numbers = [
        FORMAT,
        decision.rule_version,
        decision.catalogue_version,
        decision.order_id,
        decision.kind_id,
        decision.round_number,
        _URGENCIES.index(decision.urgency),
        _CLASSES.index(decision.performer_class),
        (decision.at - _EPOCH) // _MICROSECOND,
        weights.queue_permille,
        weights.travel_permille,
        weights.minutes_step,
        weights.satisfaction_step,
        decision.out_by_kind_or_cover,
        *_team_numbers(decision.teams),
    ]
    if decision.margin is None:
        return [*numbers, 0]
    slower = decision.what_would_change[0].amount
    return [*numbers, 1, slower, *map(_zigzag, decision.margin)]


def _team_numbers(teams: TeamChoice | None) -> list[int]:
    if teams is None:
        return [0]
    posts = [0 if team is None else team + 1 for team in (teams.accountable, teams.lead, teams.assist)]
    reasons = [_REASONS.index(reason) for reason in teams.reasons]
    return [1, *posts, len(reasons), *reasons, len(teams.candidates), *teams.candidates]


def _columns(decision: Decision) -> Iterator[Sequence[int]]:
    """Yield the facts by column: ids as differences, ranks as places in the list, dates as day numbers."""
    ids, versions, failed, papers, *facts = zip(*decision.considered, strict=True) if decision.considered else [()] * 10
    yield [one - before for one, before in zip(ids, (0, *ids), strict=False)]
    yield versions
    yield failed
    yield [0 if day is None else day.toordinal() for day in papers]
    yield from facts
    places = {performer: place for place, performer in enumerate(ids)}
    yield [places[performer] for performer in decision.ranked]
    yield [change.wins for change in decision.what_would_change if change.kind is ChangeKind.FILTER_PASSED]


def _column(values: Sequence[int]) -> bytes:
    """Pack a column with the narrowest width that fits, low bytes first, each byte plane together."""
    if min(values, default=0) < 0:
        raise ValueError("a fact in a decision record is negative")
    largest = max(values, default=0)
    code, width = next((code, width) for limit, code, width in _WIDTHS if largest <= limit)
    packed = struct.pack(f"<{len(values)}{code}", *values)
    planes = packed if width == 1 else b"".join(packed[plane::width] for plane in range(width))
    return _varints([len(values), width]) + planes


def _varints(numbers: Sequence[int]) -> bytes:
    """Write whole numbers from 0 in groups of seven bits, the last group without the high bit."""
    written = bytearray()
    for number in numbers:
        if number < 0:
            raise ValueError("a decision record holds no negative numbers here")
        rest = number
        while rest > _SEVEN_BITS:
            written.append(rest & _SEVEN_BITS | 0x80)
            rest >>= 7
        written.append(rest)
    return bytes(written)


def _zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _unzigzag(number: int) -> int:
    return -(number + 1) // 2 if number & 1 else number // 2


class _Reader:
    """Reads numbers and columns one after the other."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self.place = 0

    def number(self) -> int:
        value = shift = 0
        while True:
            group = self.plain[self.place]
            self.place += 1
            value |= (group & _SEVEN_BITS) << shift
            if group <= _SEVEN_BITS:
                return value
            shift += 7

    def numbers(self, count: int) -> list[int]:
        return [self.number() for _ in range(count)]

    def column(self) -> tuple[int, ...]:
        count, width = self.numbers(2)
        code = next((code for _, code, known in _WIDTHS if known == width), None)
        planes = self.plain[self.place : self.place + count * width]
        if code is None or len(planes) != count * width:
            raise ValueError("a column is cut short")
        self.place += count * width
        packed = bytearray(count * width)
        for plane in range(width):
            packed[plane::width] = planes[plane * count : (plane + 1) * count]
        return struct.unpack(f"<{count}{code}", packed)


def _read(reader: _Reader) -> Decision:
    if reader.number() != FORMAT:
        raise ValueError("a decision record of an unknown format")
    rule, catalogue, order, kind, round_number, urgency, performer_class, at = reader.numbers(8)
    weights = Weights(*reader.numbers(4))
    out = reader.number()
    teams = _read_teams(reader)
    slower, margin = _read_margin(reader)
    considered = _read_considered(reader)
    ranked = tuple(considered[place].performer_id for place in reader.column())
    changes = _read_changes(considered, ranked, slower, reader.column())
    if reader.place != len(reader.plain):
        raise ValueError("a decision record ends too late")
    return Decision(
        rule_version=rule,
        catalogue_version=catalogue,
        order_id=order,
        kind_id=kind,
        round_number=round_number,
        urgency=_URGENCIES[urgency],
        performer_class=_CLASSES[performer_class],
        at=_EPOCH + at * _MICROSECOND,
        weights=weights,
        teams=teams,
        out_by_kind_or_cover=out,
        considered=considered,
        ranked=ranked,
        margin=margin,
        what_would_change=changes,
    )


def _read_teams(reader: _Reader) -> TeamChoice | None:
    if reader.number() == 0:
        return None
    accountable, lead, assist = (None if post == 0 else post - 1 for post in reader.numbers(3))
    reasons = tuple(_REASONS[place] for place in reader.numbers(reader.number()))
    return TeamChoice(accountable, lead, assist, reasons, tuple(reader.numbers(reader.number())))


def _read_margin(reader: _Reader) -> tuple[int, Terms | None]:
    if reader.number() == 0:
        return 0, None
    slower = reader.number()
    return slower, Terms(*map(_unzigzag, reader.numbers(5)))


def _read_considered(reader: _Reader) -> tuple[Considered, ...]:
    ids: list[int] = []
    for difference in reader.column():
        ids.append(difference + (ids[-1] if ids else 0))
    versions, failed, papers = reader.column(), reader.column(), reader.column()
    days = [date.fromordinal(day) if day else None for day in papers]
    facts = [reader.column() for _ in range(6)]
    rows = zip(ids, versions, failed, days, *facts, strict=True)
    return tuple(Considered(*row) for row in rows)


def _read_changes(
    considered: Sequence[Considered], ranked: Sequence[int], slower: int, wins: Sequence[int]
) -> tuple[Change, ...]:
    one_filter = [one for one in considered if one.failed and not one.failed & (one.failed - 1)]
    changes = [
        Change(ChangeKind.FILTER_PASSED, one.performer_id, one.failed, bool(win))
        for one, win in zip(one_filter, wins, strict=True)
    ]
    if len(ranked) > 1:
        changes.insert(0, Change(ChangeKind.WINNER_SLOWER, ranked[1], slower, wins=True))
    return tuple(changes)
