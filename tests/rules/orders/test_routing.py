"""Routing: block first, hard filters, score, rounds, and what would have changed the result."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatch.rules.orders.decision import (
    Change,
    ChangeKind,
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
from dispatch.rules.orders.routing import RULE_VERSION, choose_teams, evaluate, next_step, travel_minutes
from dispatch.rules.orders.urgency import Urgency
from tests.rules.orders.factories import (
    AT,
    FIT_PERFORMERS,
    PERFORMERS,
    REQUESTS,
    STEPS,
    WEIGHTS,
    a_performer,
    a_request,
)

EVEN = Weights()


def test_the_block_team_leads_alone_where_no_speciality_is_needed() -> None:
    assert choose_teams([3], 21, needs_speciality=False) == TeamChoice(3, 3, None, (TeamReason.BLOCK_FIRST,))


def test_the_line_team_leads_and_the_block_team_assists_and_stays_accountable() -> None:
    choice = choose_teams([3], 21, needs_speciality=True)
    assert (choice.accountable, choice.lead, choice.assist) == (3, 21, 3)
    assert choice.reasons == (TeamReason.BLOCK_FIRST, TeamReason.LINE_LEADS)


def test_without_such_a_line_team_the_block_team_leads_and_the_reason_says_so() -> None:
    choice = choose_teams([3], None, needs_speciality=True)
    assert (choice.accountable, choice.lead, choice.assist) == (3, 3, None)
    assert TeamReason.SPECIALITY_MISSING in choice.reasons


def test_a_team_does_not_assist_itself() -> None:
    assert choose_teams([3], 3, needs_speciality=True).assist is None


def test_a_place_known_only_to_area_goes_to_its_chief() -> None:
    choice = choose_teams([4, 3], 21, needs_speciality=True)
    assert choice == TeamChoice(None, None, None, (TeamReason.AREA_CHIEF_CHOOSES,), (3, 4))


def test_a_place_without_a_block_team_has_no_choice() -> None:
    assert choose_teams([], 21, needs_speciality=True).reasons == (TeamReason.NO_BLOCK_TEAM,)


@given(blocks=st.lists(st.integers(1, 5)), line=st.none() | st.integers(1, 5), needs=st.booleans())
def test_the_accountable_team_is_always_the_block_team(blocks: list[int], line: int | None, *, needs: bool) -> None:
    choice = choose_teams(blocks, line, needs_speciality=needs)
    if len(set(blocks)) == 1:
        assert choice.accountable == blocks[0]
        assert {choice.lead, choice.assist} >= {blocks[0]}
    else:
        assert (choice.accountable, choice.lead, choice.assist) == (None, None, None)


FAILING: list[tuple[Filter, dict[str, Any], dict[str, Any]]] = [
    (Filter.PAPERS_VALID, {"papers_valid_until": date(2026, 11, 22)}, {}),
    (Filter.PAPERS_VALID, {"papers_valid_until": None}, {}),
    (Filter.ON_SHIFT, {"on_shift": False}, {}),
    (Filter.NOT_SUSPENDED, {"suspended": True}, {}),
    (Filter.UNDER_CAPACITY, {"open_work": 5}, {}),
    (Filter.NOT_EXCLUDED, {}, {"excluded": frozenset({1})}),
    (Filter.NOT_REFUSED, {}, {"refused": frozenset({1})}),
]


@pytest.mark.parametrize(("failed", "facts", "asked"), FAILING)
def test_each_filter_alone_keeps_a_better_performer_out(
    failed: Filter, facts: dict[str, Any], asked: dict[str, Any]
) -> None:
    performers = [a_performer(1, **{"queue_minutes": 0, **facts}), a_performer(2)]
    decision = evaluate(a_request(**asked), performers, EVEN, AT)
    assert decision.winner == 2
    assert decision.considered[0].failed == failed
    assert decision.what_would_change == (Change(ChangeKind.FILTER_PASSED, 1, failed, wins=True),)


def test_the_papers_last_valid_day_in_shanghai_still_counts() -> None:
    night = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    today, yesterday = (a_performer(1, papers_valid_until=date(2026, 11, day)) for day in (24, 23))
    assert evaluate(a_request(), [today], EVEN, night).winner == 1
    assert evaluate(a_request(), [yesterday], EVEN, night).winner is None


def test_papers_must_be_valid_on_the_day_that_is_wanted_not_on_the_day_of_the_call() -> None:
    request = a_request(wanted_until=datetime(2027, 7, 1, 1, tzinfo=UTC))
    assert evaluate(request, [a_performer(1)], EVEN, AT).winner is None


def test_a_helper_without_papers_on_record_needs_none() -> None:
    request = a_request(performer_class=PerformerClass.HELPER)
    assert evaluate(request, [a_performer(1, papers_valid_until=None)], EVEN, AT).winner == 1


def test_all_filters_are_judged_and_those_out_by_kind_or_cover_are_one_count() -> None:
    performers = [
        a_performer(1, suspended=True, on_shift=False, open_work=9),
        a_performer(2, serves_kind=False),
        a_performer(3, covers_cell=False, suspended=True),
    ]
    decision = evaluate(a_request(), performers, EVEN, AT)
    assert decision.out_by_kind_or_cover == 2
    assert [one.performer_id for one in decision.considered] == [1]
    assert decision.considered[0].failed == Filter.ON_SHIFT | Filter.NOT_SUSPENDED | Filter.UNDER_CAPACITY
    assert decision.what_would_change == ()
    assert (decision.rule_version, decision.catalogue_version) == (RULE_VERSION, 12)


@pytest.mark.parametrize(
    "better",
    [
        {"travel_minutes": 7, "satisfaction_permille": 0},
        {"satisfaction_permille": 951, "open_work": 4},
        {"open_work": 0, "last_offered_minutes_ago": 0},
        {"last_offered_minutes_ago": 61},
    ],
)
def test_terms_count_in_their_order_minutes_satisfaction_work_longest_since_last_offer(
    better: dict[str, Any],
) -> None:
    decision = evaluate(a_request(), [a_performer(1), a_performer(2, **better)], EVEN, AT)
    assert decision.ranked == (2, 1)


def test_the_smaller_id_decides_between_equals() -> None:
    assert evaluate(a_request(), [a_performer(2), a_performer(1)], EVEN, AT).ranked == (1, 2)


def test_margin_and_nearest_change_say_by_how_much_the_winner_won() -> None:
    performers = [a_performer(1), a_performer(2, queue_minutes=16, open_work=3)]
    decision = evaluate(a_request(), performers, EVEN, AT)
    assert decision.margin == Terms(6, 0, 2, 0, 1)
    assert decision.what_would_change == (Change(ChangeKind.WINNER_SLOWER, 2, 7, wins=True),)


def test_equal_minutes_suffice_where_the_runner_up_is_better_liked() -> None:
    performers = [a_performer(1), a_performer(2, queue_minutes=16, satisfaction_permille=990)]
    assert evaluate(a_request(), performers, EVEN, AT).what_would_change[0].amount == 6


def test_a_step_of_minutes_lets_satisfaction_decide_small_differences() -> None:
    performers = [a_performer(1), a_performer(2, queue_minutes=11, satisfaction_permille=990)]
    assert evaluate(a_request(), performers, EVEN, AT).winner == 1
    assert evaluate(a_request(), performers, Weights(minutes_step=5), AT).winner == 2


def test_a_step_of_satisfaction_lets_open_work_decide_small_differences() -> None:
    performers = [a_performer(1), a_performer(2, satisfaction_permille=945, open_work=0)]
    assert evaluate(a_request(), performers, EVEN, AT).winner == 1
    assert evaluate(a_request(), performers, Weights(satisfaction_step=20), AT).winner == 2


def test_travel_may_weigh_less_than_waiting() -> None:
    performers = [a_performer(1), a_performer(2, queue_minutes=8, travel_minutes=11)]
    assert evaluate(a_request(), performers, EVEN, AT).winner == 1
    assert evaluate(a_request(), performers, Weights(travel_permille=400), AT).winner == 2


def test_a_named_performer_is_the_only_candidate() -> None:
    request = a_request(performer_class=PerformerClass.NAMED, named_performer_id=2)
    decision = evaluate(request, [a_performer(1, queue_minutes=0), a_performer(2)], EVEN, AT)
    assert decision.ranked == (2,)
    assert len(decision.considered) == 1


def test_a_named_performer_who_does_not_serve_the_kind_is_listed_with_that_fact() -> None:
    request = a_request(performer_class=PerformerClass.NAMED, named_performer_id=2)
    decision = evaluate(request, [a_performer(2, serves_kind=False)], EVEN, AT)
    assert decision.winner is None
    assert decision.considered[0].failed == Filter.SERVES_KIND


def test_a_performer_given_twice_or_a_time_without_zone_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="twice"):
        evaluate(a_request(), [a_performer(1), a_performer(1)], EVEN, AT)
    with pytest.raises(ValueError, match="zone"):
        evaluate(a_request(), [a_performer(1)], EVEN, AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    "wrong", [{"queue_permille": -1}, {"travel_permille": -1}, {"minutes_step": 0}, {"satisfaction_step": 0}]
)
def test_weights_that_turn_the_order_round_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Weights(**wrong)


FOUR = [a_performer(number, queue_minutes=number) for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("mode", "recipients"),
    [
        (OfferMode.OFFER_ONE, (1,)),
        (OfferMode.NAMED, (1,)),
        (OfferMode.OFFER_FIRST_THREE, (1, 2, 3)),
        (OfferMode.OFFER_ALL, (1, 2, 3, 4)),
        (OfferMode.TAKE_FROM_LIST, (1, 2, 3, 4)),
    ],
)
def test_a_round_goes_to_one_to_three_or_to_all(mode: OfferMode, recipients: tuple[int, ...]) -> None:
    decision = evaluate(a_request(), FOUR, EVEN, AT)
    assert next_step(decision, 5, mode, 3) == Offer(recipients, 5, alarm_human=False)


def test_an_emergency_alarms_a_human_in_parallel() -> None:
    decision = evaluate(a_request(urgency=Urgency.EMERGENCY), FOUR, EVEN, AT)
    assert next_step(decision, 1, OfferMode.OFFER_ALL, 3) == Offer((1, 2, 3, 4), 1, alarm_human=True)


def test_after_five_rounds_or_without_candidate_a_human_takes_over() -> None:
    decision = evaluate(a_request(), FOUR, EVEN, AT)
    assert next_step(decision, 6, OfferMode.OFFER_ONE, 3) == Exhausted(ExhaustedReason.ROUNDS_USED_UP)
    nobody = evaluate(a_request(), [], EVEN, AT)
    assert next_step(nobody, 1, OfferMode.OFFER_ONE, 3) == Exhausted(ExhaustedReason.NO_CANDIDATE)


def _passes(request: RoutingRequest, facts: PerformerFacts) -> bool:
    day = date(2026, 11, 23)
    if request.wanted_from is not None:
        day = max(day, date.fromordinal(request.wanted_from.toordinal() + (request.wanted_from.hour >= 16)))
    papers = facts.papers_valid_until
    unpapered = papers is None and request.performer_class is not PerformerClass.FIRM
    return (
        facts.serves_kind
        and facts.covers_cell
        and (unpapered or (papers is not None and papers >= day))
        and facts.on_shift
        and not facts.suspended
        and facts.open_work < facts.capacity
        and facts.performer_id not in request.excluded | request.refused
    )


@given(REQUESTS, PERFORMERS, WEIGHTS)
def test_those_ranked_are_exactly_those_that_pass_every_filter(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights
) -> None:
    decision = evaluate(request, performers, weights, AT)
    passing = {facts.performer_id for facts in performers if _passes(request, facts)}
    if request.performer_class is PerformerClass.NAMED:
        passing &= {request.named_performer_id or 0}
    assert set(decision.ranked) == passing
    assert decision.winner is None or decision.winner in passing


@given(REQUESTS, PERFORMERS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_in_which_performers_are_given_does_not_matter(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights, random: Any
) -> None:
    shuffled = list(performers)
    random.shuffle(shuffled)
    assert evaluate(request, shuffled, weights, AT) == evaluate(request, performers, weights, AT)


@given(FIT_PERFORMERS, WEIGHTS, st.integers(41, 50), st.integers(0, 3))
def test_adding_a_dominated_performer_never_changes_the_winner(
    performers: list[PerformerFacts], weights: Weights, new_id: int, worse: int
) -> None:
    decision = evaluate(a_request(), performers, weights, AT)
    assume(decision.winner is not None)
    winner = next(facts for facts in performers if facts.performer_id == decision.winner)
    dominated = replace(
        winner,
        performer_id=new_id,
        queue_minutes=winner.queue_minutes + worse,
        satisfaction_permille=max(0, winner.satisfaction_permille - worse),
    )
    assert evaluate(a_request(), [*performers, dominated], weights, AT).winner == decision.winner


@given(FIT_PERFORMERS, STEPS)
def test_the_change_of_minutes_that_is_told_is_the_least_one_that_works(
    performers: list[PerformerFacts], weights: Weights
) -> None:
    decision = evaluate(a_request(), performers, weights, AT)
    assume(decision.runner_up is not None)
    more = decision.what_would_change[0].amount

    def winner_when_slower(minutes: int) -> int | None:
        changed = [
            replace(facts, queue_minutes=facts.queue_minutes + minutes)
            if facts.performer_id == decision.winner
            else facts
            for facts in performers
        ]
        return evaluate(a_request(), changed, weights, AT).winner

    assert winner_when_slower(more) == decision.runner_up
    assert winner_when_slower(more - 1) == decision.winner


@given(FIT_PERFORMERS)
def test_a_performer_said_to_win_on_shift_wins_on_shift(performers: list[PerformerFacts]) -> None:
    for change in evaluate(a_request(), performers, EVEN, AT).what_would_change:
        if change.kind is ChangeKind.FILTER_PASSED and change.amount == Filter.ON_SHIFT:
            changed = [
                replace(facts, on_shift=facts.on_shift or facts.performer_id == change.performer_id)
                for facts in performers
            ]
            winner = evaluate(a_request(), changed, EVEN, AT).winner
            assert (winner == change.performer_id) is change.wins


def test_a_kilometre_at_250_metres_a_minute_takes_four_minutes() -> None:
    start = (28.45, 119.92)
    assert travel_minutes(start, (28.45 + 1000 / 111_195, 119.92), 250) == 4
    assert travel_minutes(start, (28.45, 119.92 + 1000 / 111_195 / 0.8792), 250) == 4
    assert travel_minutes(start, start, 250) == 0


def test_a_speed_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="metres_per_minute"):
        travel_minutes((28.0, 119.0), (28.1, 119.0), 0)


@given(
    st.tuples(st.floats(28, 29), st.floats(119, 120)),
    st.tuples(st.floats(28, 29), st.floats(119, 120)),
    st.integers(1, 2000),
)
def test_travel_is_as_long_there_as_back(start: tuple[float, float], end: tuple[float, float], speed: int) -> None:
    assert travel_minutes(start, end, speed) == travel_minutes(end, start, speed) >= 0
