"""Who gets an order: teams by block and speciality, performers by hard filters and score, then rounds."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import compress, count
from math import ceil, cos, hypot, radians
from operator import itemgetter, le, neg, sub

from dispatch.rules.catalogue.papers import days_wanted
from dispatch.rules.orders.decision import (
    ONE_FILTER,
    Considered,
    Decision,
    Exhausted,
    ExhaustedReason,
    Facts,
    Filter,
    Offer,
    OfferMode,
    PerformerClass,
    PerformerFacts,
    RoutingRequest,
    TeamChoice,
    TeamReason,
    Terms,
    Weights,
)
from dispatch.rules.orders.panel import Panel, panel_of
from dispatch.rules.orders.urgency import Urgency

RULE_VERSION = 2
"""Raised whenever evaluate() would decide differently on the same facts; stands in every record."""

MOST_ROUNDS = 5
"""After five rounds a human is alarmed. Source: hotline.md §1 #10 (published practice)."""

_METRES_PER_DEGREE = 111_195
_BIT = {one: one.bit_length() - 1 for one in Filter}
_NO_FILTER = bytes([1, *([0] * 255)])
_PLACE = itemgetter(4)

_Scored = tuple[int, int, int, int, int]
"""The terms of a performer, with the place among all by id in place of the id: it orders alike."""


def choose_teams(
    block_team_ids: Sequence[int], speciality_team_id: int | None, *, needs_speciality: bool
) -> TeamChoice:
    """Choose accountable, leading and assisting team of a place and a kind.

    `block_team_ids`: the block teams that the place may belong to; a stairwell or building has one, an area
    may have several, and then its chief chooses. Source: rules.md §2, hotline.md §2 step 2.
    """
    blocks = tuple(sorted(set(block_team_ids)))
    if len(blocks) != 1:
        reason = TeamReason.AREA_CHIEF_CHOOSES if blocks else TeamReason.NO_BLOCK_TEAM
        return TeamChoice(None, None, None, (reason,), blocks)
    block = blocks[0]
    if not needs_speciality:
        return TeamChoice(block, block, None, (TeamReason.BLOCK_FIRST,))
    if speciality_team_id is None:
        return TeamChoice(block, block, None, (TeamReason.BLOCK_FIRST, TeamReason.SPECIALITY_MISSING))
    if speciality_team_id == block:
        return TeamChoice(block, block, None, (TeamReason.BLOCK_FIRST, TeamReason.LINE_LEADS))
    return TeamChoice(block, speciality_team_id, block, (TeamReason.BLOCK_FIRST, TeamReason.LINE_LEADS))


def team_signs(*, signed_for: bool, performer_class: PerformerClass) -> bool:
    """Tell whether the lead team signs by hand before anybody is asked; kinds with a provider sign by themselves.

    Source: hotline.md §1 #7.
    """
    return signed_for and performer_class is not PerformerClass.FIRM


def travel_minutes(start: tuple[float, float], end: tuple[float, float], metres_per_minute: int) -> int:
    """Whole minutes, rounded up, from one (latitude, longitude) to another at a speed from the policies.

    Equirectangular distance: within a town it differs from the great circle by far less than a minute.
    """
    if metres_per_minute < 1:
        raise ValueError("metres_per_minute must be at least 1")
    north = end[0] - start[0]
    east = (end[1] - start[1]) * cos(radians((start[0] + end[0]) / 2))
    return ceil(round(hypot(north, east) * _METRES_PER_DEGREE) / metres_per_minute)


def next_step(decision: Decision, round_number: int, offer_mode: OfferMode, first_offers: int) -> Offer | Exhausted:
    """Tell to whom round `round_number` (from 1) is offered, or why there is none.

    `first_offers`: how many “first three” means (policy). Take-from-list shows the order to all that pass.
    Emergencies alarm a human in parallel.
    Source: hotline.md §2 step 5, §1 #8 and #10.
    """
    if round_number > MOST_ROUNDS:
        return Exhausted(ExhaustedReason.ROUNDS_USED_UP)
    if not decision.ranked:
        return Exhausted(ExhaustedReason.NO_CANDIDATE)
    most = {OfferMode.OFFER_FIRST_THREE: first_offers, OfferMode.OFFER_ONE: 1, OfferMode.NAMED: 1}.get(offer_mode)
    return Offer(decision.ranked[:most], round_number, decision.urgency is Urgency.EMERGENCY)


def evaluate(
    request: RoutingRequest,
    performers: Sequence[PerformerFacts],
    weights: Weights,
    at: datetime,
    teams: TeamChoice | None = None,
) -> Decision:
    """Filter and rank performers for one order; the order of `performers` does not matter.

    Raises ValueError for a time without a zone and for a performer given twice. See decide_among().
    """
    return decide_among(request, panel_of(request, performers), weights, at, teams)


def decide_among(
    request: RoutingRequest, panel: Panel, weights: Weights, at: datetime, teams: TeamChoice | None = None
) -> Decision:
    """Filter and rank the performers of a panel for one order.

    Every filter is judged for everybody, except that those out by kind or cover became one count. Raises
    ValueError for a time without a zone. Source: hotline.md §2 steps 3, 4 and 7.
    """
    if at.tzinfo is None:
        raise ValueError("at needs a time zone")
    facts = panel.facts
    failed = _failed(request, panel, at)
    terms = _terms(facts, weights)
    scored = sorted(compress(terms, failed.translate(_NO_FILTER)))
    near = compress(terms, failed.translate(ONE_FILTER))
    wins = bytes([one < scored[0] for one in near]) if scored else b"\1" * len(list(near))
    margin, slower = _margin(scored, facts, weights) if len(scored) > 1 else (None, 0)
    return Decision(
        rule_version=RULE_VERSION,
        catalogue_version=request.catalogue_version,
        order_id=request.order_id,
        kind_id=request.kind_id,
        round_number=request.round_number,
        urgency=request.urgency,
        performer_class=request.performer_class,
        at=at.astimezone(UTC),
        weights=weights,
        teams=teams,
        out_by_kind_or_cover=panel.out,
        facts=facts,
        failed=failed,
        places=tuple(map(_PLACE, scored)),
        margin=margin,
        slower=slower,
        wins=wins,
        stored=panel.standing.stored,
    )


def expected_minutes(one: Considered, weights: Weights) -> int:
    """Give the minutes until arrival, queue and travel each with its weight, rounded down."""
    return _minutes(one.queue_minutes, one.travel_minutes, weights)


def _minutes(queue: int, travel: int, weights: Weights) -> int:
    return (queue * weights.queue_permille + travel * weights.travel_permille) // 1000


def _terms(facts: Facts, weights: Weights) -> list[_Scored]:
    """Give the terms of everybody: expected minutes, dissatisfaction, work, recency, and the place by id."""
    queue_weight, travel_weight = weights.queue_permille, weights.travel_permille
    minutes_step, satisfaction_step = 1000 * weights.minutes_step, weights.satisfaction_step
    minutes = [
        (queue * queue_weight + travel * travel_weight) // minutes_step
        for queue, travel in zip(facts.queue_minutes, facts.travel_minutes, strict=True)
    ]
    dissatisfaction = [(1000 - liked) // satisfaction_step for liked in facts.satisfaction_permille]
    recency = map(neg, facts.last_offered_minutes_ago)
    return list(zip(minutes, dissatisfaction, facts.open_work, recency, count(), strict=False))


def _failed(request: RoutingRequest, panel: Panel, at: datetime) -> bytes:
    """Judge every filter for everybody: a byte for each, added up as one large number."""
    standing = panel.standing
    day = _work_day(request, at).toordinal()
    if request.performer_class is PerformerClass.FIRM:
        no_papers = bytes(map(day.__gt__, standing.papers))
    else:
        no_papers = bytes([0 < until < day for until in standing.papers])
    busy = bytes(map(le, standing.capacity, panel.open_work))
    failed = (
        panel.failed
        | int.from_bytes(no_papers, "little") << _BIT[Filter.PAPERS_VALID]
        | int.from_bytes(busy, "little") << _BIT[Filter.UNDER_CAPACITY]
        | _marked(standing.ids, request.excluded) << _BIT[Filter.NOT_EXCLUDED]
        | _marked(standing.ids, request.refused) << _BIT[Filter.NOT_REFUSED]
    )
    return failed.to_bytes(len(standing.ids), "little")


def _marked(ids: Sequence[int], some: Iterable[int]) -> int:
    """Set the lowest bit of the byte of each of some performers."""
    marked = 0
    for who in some:
        place = bisect_left(ids, who)
        if place < len(ids) and ids[place] == who:
            marked |= 1 << 8 * place
    return marked


def _work_day(request: RoutingRequest, at: datetime) -> date:
    """Give the last day in Shanghai on which the work is wanted, today where that is over: papers must reach it."""
    return days_wanted(request.wanted_from, request.wanted_until, at)[1]


def _margin(scored: Sequence[_Scored], facts: Facts, weights: Weights) -> tuple[Terms, int]:
    """Give by how much the runner-up is worse, term by term, and the fewest minutes that would hand him the order."""
    winner, runner_up = scored[0], scored[1]
    ids, first, second = facts.performer_id, winner[-1], runner_up[-1]
    minutes, dissatisfaction, work, recency, _ = map(sub, runner_up, winner)
    equal_minutes_suffice = winner[1:] > runner_up[1:]
    needed = runner_up[0] + (0 if equal_minutes_suffice else 1)
    now = _minutes(facts.queue_minutes[first], facts.travel_minutes[first], weights)
    margin = Terms(minutes, dissatisfaction, work, recency, ids[second] - ids[first])
    return margin, needed * weights.minutes_step - now
