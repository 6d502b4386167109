"""Who gets an order: teams by block and speciality, performers by hard filters and score, then rounds."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from math import ceil, cos, hypot, radians
from operator import attrgetter, itemgetter, sub

from dispatch.rules.orders.decision import (
    Change,
    ChangeKind,
    Considered,
    Decision,
    Exhausted,
    ExhaustedReason,
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
from dispatch.rules.orders.urgency import Urgency
from dispatch.rules.shanghai import SHANGHAI

RULE_VERSION = 1
"""Raised whenever evaluate() would decide differently on the same facts; stands in every record."""

MOST_ROUNDS = 5
"""After five rounds a human is alarmed. Source: hotline.md §1 #10 (published practice)."""

FIRST_FEW = 3

_METRES_PER_DEGREE = 111_195
_KIND_OR_COVER = int(Filter.SERVES_KIND | Filter.COVERS_CELL)
_FACTS = attrgetter(
    "performer_id",
    "version",
    "serves_kind",
    "papers_valid_until",
    "covers_cell",
    "on_shift",
    "suspended",
    "open_work",
    "capacity",
    "satisfaction_permille",
    "last_offered_minutes_ago",
    "queue_minutes",
    "travel_minutes",
)


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


def next_step(decision: Decision, round_number: int, offer_mode: OfferMode) -> Offer | Exhausted:
    """Tell to whom round `round_number` (from 1) is offered, or why there is none.

    Take-from-list shows the order to all that pass. Emergencies alarm a human in parallel.
    Source: hotline.md §2 step 5, §1 #8 and #10.
    """
    if round_number > MOST_ROUNDS:
        return Exhausted(ExhaustedReason.ROUNDS_USED_UP)
    if not decision.ranked:
        return Exhausted(ExhaustedReason.NO_CANDIDATE)
    most = {OfferMode.OFFER_FIRST_THREE: FIRST_FEW, OfferMode.OFFER_ONE: 1, OfferMode.NAMED: 1}.get(offer_mode)
    return Offer(decision.ranked[:most], round_number, decision.urgency is Urgency.EMERGENCY)


def evaluate(
    request: RoutingRequest,
    performers: Sequence[PerformerFacts],
    weights: Weights,
    at: datetime,
    teams: TeamChoice | None = None,
) -> Decision:
    """Filter and rank performers for one order; the order of `performers` does not matter.

    Every filter is judged for everybody, except that those out by kind or cover become one count. For a
    named performer nobody else is considered. Raises ValueError for a time without a zone and for a
    performer given twice. Source: hotline.md §2 steps 3, 4 and 7.
    """
    if at.tzinfo is None:
        raise ValueError("at needs a time zone")
    considered, out = _consider(request, performers, at)
    scored = sorted(score(one, weights) for one in considered if not one.failed)
    ranked = tuple([terms.performer_id for terms in scored])
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
        out_by_kind_or_cover=out,
        considered=considered,
        ranked=ranked,
        margin=_margin(scored),
        what_would_change=_changes(considered, scored, weights),
    )


def score(one: Considered, weights: Weights) -> Terms:
    """Give the terms of one performer: expected minutes, dissatisfaction, work, recency, id."""
    return Terms(
        expected_minutes(one, weights) // weights.minutes_step,
        (1000 - one.satisfaction_permille) // weights.satisfaction_step,
        one.open_work,
        -one.last_offered_minutes_ago,
        one.performer_id,
    )


def expected_minutes(one: Considered, weights: Weights) -> int:
    """Give the minutes until arrival, queue and travel each with its weight, rounded down."""
    queue, travel = one.queue_minutes * weights.queue_permille, one.travel_minutes * weights.travel_permille
    return (queue + travel) // 1000


def _consider(
    request: RoutingRequest, performers: Iterable[PerformerFacts], at: datetime
) -> tuple[tuple[Considered, ...], int]:
    """Judge every filter for everybody; return those listed, by id, and the count of those out."""
    is_named = request.performer_class is PerformerClass.NAMED
    if is_named:
        performers = [one for one in performers if one.performer_id == request.named_performer_id]
    day = _work_day(request, at)
    no_papers_will_do = request.performer_class is not PerformerClass.FIRM
    excluded, refused = request.excluded, request.refused
    listed = []
    out = 0
    for facts in performers:
        who, version, serves, papers, covers, on_shift, suspended, work, most, liked, offered, queue, way = _FACTS(
            facts
        )
        failed = (
            (not serves)
            | (not (no_papers_will_do if papers is None else papers >= day)) << 1
            | (not covers) << 2
            | (not on_shift) << 3
            | suspended << 4
            | (work >= most) << 5
            | (who in excluded) << 6
            | (who in refused) << 7
        )
        if failed & _KIND_OR_COVER and not is_named:
            out += 1
        else:
            listed.append(Considered(who, version, failed, papers, queue, way, liked, work, most, offered))
    listed.sort(key=itemgetter(0))
    if any(one[0] == other[0] for one, other in pairwise(listed)):
        raise ValueError("a performer was given twice")
    return tuple(listed), out


def _work_day(request: RoutingRequest, at: datetime) -> date:
    """Give the last day in Shanghai on which the work is wanted: papers must be valid on it."""
    return (request.wanted_until or request.wanted_from or at).astimezone(SHANGHAI).date()


def _margin(scored: Sequence[Terms]) -> Terms | None:
    """Give by how much the runner-up is worse, term by term; None without a runner-up."""
    return Terms(*map(sub, scored[1], scored[0])) if len(scored) > 1 else None


def _changes(considered: Sequence[Considered], scored: Sequence[Terms], weights: Weights) -> tuple[Change, ...]:
    """List the nearest changes: the winner so much slower, or the one filter that a performer fails."""
    changes = []
    if len(scored) > 1:
        changes.append(_winner_slower(considered, scored[0], scored[1], weights))
    best = scored[0] if scored else None
    for one in considered:
        failed = one[2]
        if failed and not failed & (failed - 1):
            wins = best is None or score(one, weights) < best
            changes.append(Change(ChangeKind.FILTER_PASSED, one[0], failed, wins))
    return tuple(changes)


def _winner_slower(considered: Sequence[Considered], winner: Terms, runner_up: Terms, weights: Weights) -> Change:
    """Give the fewest expected minutes more that would hand the order to the runner-up."""
    equal_minutes_suffice = winner[1:] > runner_up[1:]
    needed = runner_up.minutes + (0 if equal_minutes_suffice else 1)
    facts = next(one for one in considered if one[0] == winner.performer_id)
    minutes = expected_minutes(facts, weights)
    return Change(ChangeKind.WINNER_SLOWER, runner_up.performer_id, needed * weights.minutes_step - minutes, wins=True)
