"""Which rule a choice by hand has set aside."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.orders.decision import PerformerFacts, RoutingRequest, Weights
from dispatch.rules.orders.overriding import RULE_LABELS, Overridden, overridden
from dispatch.rules.orders.record import decode, encode
from dispatch.rules.orders.routing import evaluate
from tests.rules.orders.factories import AT, PERFORMERS, REQUESTS, WEIGHTS, a_performer, a_request

EVEN = Weights()


@pytest.mark.parametrize(
    ("chosen", "rules"),
    [
        ({"papers_valid_until": date(2026, 11, 1)}, [Overridden.PAPERS]),
        ({"on_shift": False}, [Overridden.SHIFT]),
        ({"suspended": True, "open_work": 5}, [Overridden.SUSPENSION, Overridden.CAPACITY]),
        ({"serves_kind": False}, [Overridden.KIND_OR_COVER]),
        ({"covers_cell": False}, [Overridden.KIND_OR_COVER]),
        ({"queue_minutes": 11}, [Overridden.MINUTES]),
        ({"satisfaction_permille": 900, "open_work": 3}, [Overridden.SATISFACTION]),
        ({"open_work": 3}, [Overridden.OPEN_WORK]),
        ({"last_offered_minutes_ago": 20}, [Overridden.LAST_OFFERED]),
        ({}, [Overridden.NUMBER]),
        ({"queue_minutes": 1}, [Overridden.NONE]),
    ],
)
def test_the_rule_is_the_failed_filter_or_the_first_term_that_is_worse(
    chosen: dict[str, object], rules: list[Overridden]
) -> None:
    decision = evaluate(a_request(), [a_performer(1), a_performer(2, **chosen)], EVEN, AT)
    assert [*overridden(decision, 2)] == rules


def test_who_was_excluded_or_has_refused_is_named_by_that_rule() -> None:
    request = a_request(excluded=frozenset({2}), refused=frozenset({3}))
    decision = evaluate(request, [a_performer(1), a_performer(2), a_performer(3)], EVEN, AT)
    assert overridden(decision, 2) == (Overridden.EXCLUDED,)
    assert overridden(decision, 3) == (Overridden.REFUSED,)


def test_differences_below_a_step_set_no_rule_aside() -> None:
    decision = evaluate(a_request(), [a_performer(1), a_performer(2, queue_minutes=11)], Weights(minutes_step=5), AT)
    assert overridden(decision, 2) == (Overridden.NUMBER,)


def test_every_rule_has_its_words() -> None:
    assert set(RULE_LABELS) == set(Overridden)


@given(REQUESTS, PERFORMERS, WEIGHTS, st.integers(0, 45))
def test_the_stored_record_tells_the_same_and_none_means_the_first(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights, chosen: int
) -> None:
    decision = evaluate(request, performers, weights, AT)
    rules = overridden(decision, chosen)
    assert overridden(decode(encode(decision)), chosen) == rules
    assert len(rules) == len(set(rules)) >= 1
    if decision.winner is not None:
        assert (rules == (Overridden.NONE,)) == (chosen == decision.winner)
