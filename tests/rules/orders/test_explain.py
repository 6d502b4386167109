"""The decision in plain sentences."""

from datetime import date

import pytest
from hypothesis import given

from dispatch.rules.orders.decision import PerformerClass, PerformerFacts, RoutingRequest, TeamChoice, Weights
from dispatch.rules.orders.explain import MOST_LEFT_OUT, Sentence, explain
from dispatch.rules.orders.record import decode, encode
from dispatch.rules.orders.routing import choose_teams, evaluate
from tests.rules.orders.factories import AT, PERFORMERS, REQUESTS, WEIGHTS, a_performer, a_request

NAMES = {1: "通达疏通", 2: "便民管道", 5: "老周维修", 6: "金源", 7: "晨光"}
TEAMS = {3: "一片一组", 4: "一片二组", 21: "管道专业队"}
EVEN = Weights()


def _told(sentences: list[Sentence]) -> list[str]:
    return [str(sentence) for sentence in sentences]


def test_the_whole_story_of_a_decision_reads_as_chinese_sentences() -> None:
    performers = [
        a_performer(1),
        a_performer(2, queue_minutes=16),
        a_performer(5, papers_valid_until=date(2026, 11, 1), queue_minutes=1),
        a_performer(6, open_work=5, suspended=True),
        a_performer(9, covers_cell=False),
    ]
    decision = evaluate(a_request(), performers, EVEN, AT, choose_teams([3], 21, needs_speciality=True))
    assert _told(explain(decision, NAMES, TEAMS)) == [
        "责任团队是块状团队一片一组（以块为主）。",
        "这类服务需要专长，由条状团队管道专业队主办，一片一组协办。",
        "通达疏通排第一：预计18分钟到达（排队10、路上8），满意度95分，手上1单。",
        "通达疏通胜过第二名便民管道：预计早到6分钟。",
        "老周维修未入选：证照只到2026-11-01，上门当天已失效。",
        "金源未入选：已暂停派单。",
        "金源未入选：手上已有5单，上限5单。",
        "另有1家不提供这类服务或不服务这个地点。",
        "如果通达疏通再慢7分钟，就由便民管道接单。",
        "如果老周维修的证照在上门当天有效，就会排第一。",
    ]


@pytest.mark.parametrize(
    ("weights", "second", "text"),
    [
        (EVEN, {"satisfaction_permille": 940}, "到达时间相当，满意度高1分。"),
        (EVEN, {"open_work": 3}, "时间和满意度相当，手上少2单。"),
        (EVEN, {"last_offered_minutes_ago": 20}, "其余相同，已多等40分钟没有询单。"),
        (EVEN, {}, "通达疏通与第二名便民管道条件完全相同，按编号先后选定。"),
        (Weights(minutes_step=5), {"queue_minutes": 13}, "预计早到3分钟。"),
        (Weights(minutes_step=5), {"queue_minutes": 11, "open_work": 3}, "时间和满意度相当，手上少2单。"),
    ],
)
def test_the_term_that_decided_is_named(weights: Weights, second: dict[str, int], text: str) -> None:
    decision = evaluate(a_request(), [a_performer(1), a_performer(2, **second)], weights, AT)
    assert _told(explain(decision, NAMES, {}))[1].endswith(text)


def test_a_single_candidate_and_an_empty_field_say_so() -> None:
    single = evaluate(a_request(), [a_performer(1)], EVEN, AT)
    assert "只有通达疏通符合全部条件。" in _told(explain(single, NAMES, {}))
    nobody = evaluate(a_request(), [a_performer(1, papers_valid_until=None)], EVEN, AT)
    assert _told(explain(nobody, NAMES, {})) == [
        "没有人符合全部条件，需要人工处理。",
        "通达疏通未入选：没有这类服务要的证照，或者证照还没有生效。",
        "如果通达疏通的证照在上门当天有效，就会排第一。",
    ]


@pytest.mark.parametrize(
    ("performers", "first"),
    [
        ([a_performer(7)], "这类服务指定专人，只考虑指定的人。"),
        ([], "这类服务指定专人，但没有找到指定的人。"),
    ],
)
def test_a_named_performer_is_said_to_be_named(performers: list[PerformerFacts], first: str) -> None:
    request = a_request(performer_class=PerformerClass.NAMED, named_performer_id=7)
    assert _told(explain(evaluate(request, performers, EVEN, AT), NAMES, {}))[0] == first


@pytest.mark.parametrize(
    ("teams", "text"),
    [
        (
            choose_teams([3, 4], 21, needs_speciality=True),
            "有多个块状团队（一片一组、一片二组），请片长选定。",
        ),
        (choose_teams([], 21, needs_speciality=True), "这个地点没有块状团队，需要人工处理。"),
        (choose_teams([3], None, needs_speciality=True), "没有对应的条状团队，由一片一组主办。"),
        (choose_teams([3], 3, needs_speciality=True), "责任团队是块状团队一片一组（以块为主）。"),
        (choose_teams([8], None, needs_speciality=False), "责任团队是块状团队#8（以块为主）。"),
    ],
)
def test_each_choice_of_teams_is_told(teams: TeamChoice, text: str) -> None:
    told = _told(explain(evaluate(a_request(), [], EVEN, AT, teams), NAMES, TEAMS))
    assert told[-2].endswith(text)


def test_a_change_that_would_not_make_a_winner_is_not_told() -> None:
    performers = [a_performer(1), a_performer(2, on_shift=False, queue_minutes=60)]
    told = _told(explain(evaluate(a_request(), performers, EVEN, AT), NAMES, {}))
    assert told[-1] == "便民管道未入选：所需时间不在班。"


def test_many_left_out_become_a_number() -> None:
    performers = [a_performer(number, suspended=True) for number in range(1, 31)]
    told = _told(explain(evaluate(a_request(), performers, EVEN, AT), NAMES, {}))
    assert f"还有{30 - MOST_LEFT_OUT}家也未入选。" in told
    assert len([sentence for sentence in told if sentence.endswith("就会排第一。")]) == MOST_LEFT_OUT


@given(REQUESTS, PERFORMERS, WEIGHTS)
def test_every_decision_can_be_told_also_from_its_record(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights
) -> None:
    decision = evaluate(request, performers, weights, AT)
    told = _told(explain(decision, NAMES, TEAMS))
    assert told == _told(explain(decode(encode(decision)), NAMES, TEAMS))
    assert not any("%(" in sentence for sentence in told)
