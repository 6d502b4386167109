"""The stored decision: the same bytes for the same input, small, and readable again."""

import zlib
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.orders.decision import PerformerFacts, RoutingRequest, TeamChoice, Weights
from dispatch.rules.orders.record import MOST_BYTES, canonical, decode, encode, fingerprint
from dispatch.rules.orders.routing import choose_teams, evaluate
from tests.rules.orders.factories import (
    AT,
    PERFORMERS,
    REQUESTS,
    WEIGHTS,
    a_performer,
    a_request,
    realistic_performers,
)

TEAMS = st.none() | st.builds(
    choose_teams,
    st.lists(st.integers(1, 9), max_size=3),
    st.none() | st.integers(1, 9),
    needs_speciality=st.booleans(),
)


@given(REQUESTS, PERFORMERS, WEIGHTS, TEAMS)
def test_what_was_encoded_is_read_back_equal(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights, teams: TeamChoice | None
) -> None:
    decision = evaluate(request, performers, weights, AT, teams)
    assert decode(encode(decision)) == decision


@given(REQUESTS, PERFORMERS, WEIGHTS, st.randoms(use_true_random=False))
def test_same_facts_in_any_order_give_the_same_bytes(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights, random: Random
) -> None:
    shuffled = list(performers)
    random.shuffle(shuffled)
    first = encode(evaluate(request, performers, weights, AT))
    assert encode(evaluate(request, shuffled, weights, AT)) == first
    assert encode(decode(first)) == first


@pytest.mark.parametrize("seed", range(20))
def test_a_record_of_two_hundred_performers_fits_into_four_kilobytes(seed: int) -> None:
    performers = realistic_performers(200, Random(seed))  # noqa: S311 - made-up firms, no secret
    decision = evaluate(a_request(), performers, Weights(), AT, choose_teams([3], 21, needs_speciality=True))
    assert len(decision.considered) == 200
    assert len(encode(decision)) <= MOST_BYTES


@given(REQUESTS, PERFORMERS, WEIGHTS)
def test_columns_packed_before_give_the_same_bytes_as_columns_packed_now(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights
) -> None:
    decision = evaluate(request, performers, weights, AT)
    assert decision.stored is not None
    assert canonical(replace(decision, stored=None)) == canonical(decision)


def test_one_changed_fact_changes_the_fingerprint() -> None:
    one = evaluate(a_request(), [a_performer(1)], Weights(), AT)
    other = evaluate(a_request(), [a_performer(1, version=2)], Weights(), AT)
    assert fingerprint(one) != fingerprint(other)
    assert len(fingerprint(one)) == 32


def test_the_bytes_of_a_known_decision_never_change() -> None:
    performers = [
        a_performer(1),
        a_performer(2, queue_minutes=16),
        a_performer(300, suspended=True),
        a_performer(9, serves_kind=False),
    ]
    decision = evaluate(a_request(), performers, Weights(), AT, choose_teams([3], 21, needs_speciality=True))
    assert fingerprint(decision).hex() == "cf94bc12797a3768e11462101af007042c1db6ee085831e6170fbc91e8eaa9df"


def test_a_negative_fact_cannot_be_stored() -> None:
    with pytest.raises(ValueError, match="negative"):
        encode(evaluate(a_request(), [a_performer(1, queue_minutes=-1)], Weights(), AT))
    with pytest.raises(ValueError, match="negative"):
        encode(evaluate(a_request(order_id=-1), [], Weights(), AT))


def _damaged() -> list[bytes]:
    plain = canonical(evaluate(a_request(), [a_performer(1), a_performer(2)], Weights(), AT))
    whole = zlib.compress(plain)
    return [
        b"",
        b"not compressed",
        whole[:-1],
        whole + b"more",
        zlib.compress(b"\x02" + plain[1:]),
        zlib.compress(plain[:-1]),
        zlib.compress(plain[:20]),
        zlib.compress(plain + b"\x00"),
        zlib.compress(plain[:-4] + b"\x07" + plain[-3:]),
    ]


@pytest.mark.parametrize("stored", _damaged())
def test_damaged_bytes_are_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match=r"record|column"):
        decode(stored)


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused_as_no_record(plain: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(zlib.compress(b"\x01" + plain))
