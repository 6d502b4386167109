"""The words of routing: what is asked, what is known of each performer, and the decision with its grounds."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntFlag, StrEnum
from functools import cached_property
from itertools import compress
from typing import NamedTuple

from dispatch.rules.orders.urgency import Urgency


class PerformerClass(StrEnum):
    """Who may perform a kind. Source: rules.md §8."""

    FIRM = "firm"
    TEAM_WORKER = "team_worker"
    HELPER = "helper"
    NAMED = "named"


class OfferMode(StrEnum):
    """How a kind is given. Source: rules.md §8, hotline.md §2 step 5."""

    OFFER_ONE = "offer_one"
    OFFER_FIRST_THREE = "offer_first_three"
    OFFER_ALL = "offer_all"
    NAMED = "named"
    TAKE_FROM_LIST = "take_from_list"


class Filter(IntFlag):
    """The hard filters in their fixed order; a set bit means that the performer failed it.

    Source: hotline.md §2 step 3.
    """

    SERVES_KIND = 1
    PAPERS_VALID = 2
    COVERS_CELL = 4
    ON_SHIFT = 8
    NOT_SUSPENDED = 16
    UNDER_CAPACITY = 32
    NOT_EXCLUDED = 64
    NOT_REFUSED = 128


class TeamReason(StrEnum):
    """Why the teams are what they are. Source: rules.md §2 (以块为主、线块结合、分工协作)."""

    BLOCK_FIRST = "block_first"
    LINE_LEADS = "line_leads"
    SPECIALITY_MISSING = "speciality_missing"
    AREA_CHIEF_CHOOSES = "area_chief_chooses"
    NO_BLOCK_TEAM = "no_block_team"


@dataclass(frozen=True, slots=True)
class TeamChoice:
    """The teams of an order; without an accountable team somebody has to choose from `candidates`."""

    accountable: int | None
    lead: int | None
    assist: int | None
    reasons: tuple[TeamReason, ...]
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutingRequest:
    """What is asked for: one order as the router sees it. Ids are those of the tables, times have a zone.

    `papers` are the kinds of paper that the kind of order needs.
    """

    order_id: int
    kind_id: int
    kind_code: str
    urgency: Urgency
    community_id: int
    area_id: int
    building_id: int | None
    stairwell_id: int | None
    latitude: float | None
    longitude: float | None
    wanted_from: datetime | None
    wanted_until: datetime | None
    excluded: frozenset[int]
    refused: frozenset[int]
    performer_class: PerformerClass
    speciality_team_id: int | None
    block_team_id: int | None
    named_performer_id: int | None
    round_number: int
    catalogue_version: int = 0
    papers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PerformerFacts:
    """What was known of one performer; `version` is that of the facts row, minutes and counts are ≥ 0."""

    performer_id: int
    version: int
    serves_kind: bool
    covers_cell: bool
    papers_valid_until: date | None
    on_shift: bool
    suspended: bool
    open_work: int
    capacity: int
    satisfaction_permille: int
    last_offered_minutes_ago: int
    queue_minutes: int
    travel_minutes: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The data of the score, per mille or in the unit of the term.

    Queue and travel minutes count `…_permille` each; differences below a step do not count (1: all do), so
    that the next term decides. Source: hotline.md §2 step 4 (“every term and weight is data”).
    """

    queue_permille: int = 1000
    travel_permille: int = 1000
    minutes_step: int = 1
    satisfaction_step: int = 1

    def __post_init__(self) -> None:
        """Refuse weights that would turn the order of the terms round."""
        if min(self.queue_permille, self.travel_permille) < 0 or min(self.minutes_step, self.satisfaction_step) < 1:
            raise ValueError("weights must not be negative and steps at least 1")


class Considered(NamedTuple):
    """One performer in a decision: failed filters as bits, and the facts that filters and terms used."""

    performer_id: int
    version: int
    failed: int
    papers_valid_until: date | None
    queue_minutes: int
    travel_minutes: int
    satisfaction_permille: int
    open_work: int
    capacity: int
    last_offered_minutes_ago: int


class Facts(NamedTuple):
    """What was known of the performers listed: a column for each fact, ordered by id; papers as days, 0 for none."""

    performer_id: tuple[int, ...]
    version: tuple[int, ...]
    papers_valid_until: tuple[int, ...]
    queue_minutes: tuple[int, ...]
    travel_minutes: tuple[int, ...]
    satisfaction_permille: tuple[int, ...]
    open_work: tuple[int, ...]
    capacity: tuple[int, ...]
    last_offered_minutes_ago: tuple[int, ...]


class Terms(NamedTuple):
    """The score: compared term by term, lower is better. Source: hotline.md §2 step 4."""

    minutes: int
    dissatisfaction: int
    open_work: int
    recency: int
    performer_id: int


class ChangeKind(StrEnum):
    """What kind of change would have changed a decision."""

    WINNER_SLOWER = "winner_slower"
    FILTER_PASSED = "filter_passed"


class Change(NamedTuple):
    """One nearest change: `performer_id` would win (or come into the ranking) by `amount`.

    WINNER_SLOWER: amount is minutes added to the winner's expected minutes. FILTER_PASSED: amount is the
    one Filter that the performer fails, and `wins` tells whether passing it would make him the winner.
    """

    kind: ChangeKind
    performer_id: int
    amount: int
    wins: bool


ONE_FILTER = bytes(bits.bit_count() == 1 for bits in range(256))
"""Which bytes of failed filters hold exactly one: for bytes.translate."""


@dataclass(frozen=True)
class Decision:
    """The decision with all that it rests on; same inputs, same decision. Source: hotline.md §2 step 7.

    Kept in columns, as it is made and stored: `failed` has a byte of failed filters for each performer of
    `facts`, `places` are the places in them of those ranked, `wins` tells of each who fails one filter only
    whether passing it would make him the winner, `slower` by how many minutes the winner would have to be slower.
    """

    rule_version: int
    catalogue_version: int
    order_id: int
    kind_id: int
    round_number: int
    urgency: Urgency
    performer_class: PerformerClass
    at: datetime
    weights: Weights
    teams: TeamChoice | None
    out_by_kind_or_cover: int
    facts: Facts
    failed: bytes
    places: tuple[int, ...]
    margin: Terms | None
    slower: int
    wins: bytes
    stored: tuple[bytes, ...] | None = field(default=None, repr=False, compare=False)
    """The lasting columns in their stored form, where they were packed before."""

    @cached_property
    def considered(self) -> tuple[Considered, ...]:
        """The performers listed, by id."""
        ids, versions, papers, *facts = self.facts
        days = [date.fromordinal(day) if day else None for day in papers]
        rows = zip(ids, versions, self.failed, days, *facts, strict=True)
        return tuple(Considered(*row) for row in rows)

    @cached_property
    def ranked(self) -> tuple[int, ...]:
        """Those who pass every filter, best first."""
        return tuple(map(self.facts.performer_id.__getitem__, self.places))

    @cached_property
    def what_would_change(self) -> tuple[Change, ...]:
        """The nearest changes: the winner so much slower, or the one filter that a performer fails."""
        ids, failed = self.facts.performer_id, self.failed
        near = compress(zip(ids, failed, strict=True), failed.translate(ONE_FILTER))
        passed = [
            Change(ChangeKind.FILTER_PASSED, who, bit, bool(wins))
            for (who, bit), wins in zip(near, self.wins, strict=True)
        ]
        if self.margin is None:
            return tuple(passed)
        return (Change(ChangeKind.WINNER_SLOWER, self.ranked[1], self.slower, wins=True), *passed)

    @property
    def winner(self) -> int | None:
        """The performer ranked first, or None."""
        return self.ranked[0] if self.places else None

    @property
    def runner_up(self) -> int | None:
        """The performer ranked second, or None."""
        return self.ranked[1] if len(self.places) > 1 else None


@dataclass(frozen=True, slots=True)
class Offer:
    """The next round goes to these, best first; `alarm_human` where a human is told in parallel."""

    recipients: tuple[int, ...]
    round_number: int
    alarm_human: bool


class ExhaustedReason(StrEnum):
    """Why no further round is opened."""

    NO_CANDIDATE = "no_candidate"
    ROUNDS_USED_UP = "rounds_used_up"


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No further round: the order goes to the desk, alarmed."""

    reason: ExhaustedReason
