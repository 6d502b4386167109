"""The stored form of a routing decision: canonical bytes, columns by fact, compressed."""

import struct
import zlib
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import accumulate

from dispatch.rules.orders.columns import WIDTHS, differences, packed, varints
from dispatch.rules.orders.decision import (
    ONE_FILTER,
    Decision,
    Facts,
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

_LEVEL = 1
_SEVEN_BITS = 0x7F
_MOST_PLAIN_BYTES = 4_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_URGENCIES = tuple(Urgency)
_CLASSES = tuple(PerformerClass)
_REASONS = tuple(TeamReason)


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
    return varints(_header(decision)) + b"".join(_columns(decision))


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
    return [*numbers, 1, decision.slower, *map(_zigzag, decision.margin)]


def _team_numbers(teams: TeamChoice | None) -> list[int]:
    if teams is None:
        return [0]
    posts = [0 if team is None else team + 1 for team in (teams.accountable, teams.lead, teams.assist)]
    reasons = [_REASONS.index(reason) for reason in teams.reasons]
    return [1, *posts, len(reasons), *reasons, len(teams.candidates), *teams.candidates]


def _columns(decision: Decision) -> tuple[bytes, ...]:
    """Give the facts by column: ids as differences, ranks as places in the list, dates as day numbers."""
    facts = decision.facts
    ids, versions, papers, satisfaction, capacity = decision.stored or (
        packed(differences(facts.performer_id)),
        packed(facts.version),
        packed(facts.papers_valid_until),
        packed(facts.satisfaction_permille),
        packed(facts.capacity),
    )
    return (
        ids,
        versions,
        packed(decision.failed),
        papers,
        packed(facts.queue_minutes),
        packed(facts.travel_minutes),
        satisfaction,
        packed(facts.open_work),
        capacity,
        packed(facts.last_offered_minutes_ago),
        packed(decision.places),
        packed(decision.wins),
    )


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
        code = next((code for code, known in WIDTHS if known == width), None)
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
    facts, failed = _read_facts(reader)
    places, wins = reader.column(), bytes(reader.column())
    if len(wins) != sum(failed.translate(ONE_FILTER)) or max(places, default=-1) >= len(failed):
        raise ValueError("the columns of a decision record do not fit together")
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
        facts=facts,
        failed=failed,
        places=places,
        margin=margin,
        slower=slower,
        wins=wins,
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


def _read_facts(reader: _Reader) -> tuple[Facts, bytes]:
    """Read the columns of the facts and of the failed filters."""
    ids = tuple(accumulate(reader.column()))
    versions, failed, papers = reader.column(), bytes(reader.column()), reader.column()
    rest = [reader.column() for _ in range(6)]
    facts = Facts(ids, versions, papers, *rest)
    if {*map(len, facts)} != {len(failed)}:
        raise ValueError("the columns of a decision record differ in length")
    return facts, failed
