"""A hand-out: its list and the digest of it, its fifteen minutes, who signs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.market.hand_outs import (
    HandOutOver,
    HandOutState,
    ListLine,
    Proxy,
    ReservationOver,
    check_proxy,
    check_signing,
    is_over,
    list_digest,
    moment_of,
    reserved_until,
)

AT = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
UNTIL = AT + timedelta(minutes=15)
LINES = st.lists(
    st.builds(
        ListLine,
        goods=st.sampled_from(["大米", "油", "a|b", "棉被"]),
        lot_id=st.integers(1, 50),
        amount=st.integers(1, 9),
        points=st.integers(0, 99),
    ),
    min_size=1,
    max_size=6,
)


@given(lines=LINES, other=LINES)
def test_a_signature_is_bound_to_exactly_these_lines_in_any_order(lines: list[ListLine], other: list[ListLine]) -> None:
    digest = list_digest("a1", lines)
    assert list_digest("a1", reversed(lines)) == digest
    assert list_digest("a2", lines) != digest
    key = sorted((one.goods, one.lot_id, one.amount, one.points) for one in lines)
    other_key = sorted((one.goods, one.lot_id, one.amount, one.points) for one in other)
    assert (list_digest("a1", other) == digest) == (key == other_key)


def test_the_digest_is_that_of_the_canonical_form_so_that_anybody_can_make_it() -> None:
    digest = list_digest("a1", [ListLine("大米", 7, 2, 10)])
    # printf '{"hand_out":"a1","lines":[["大米",7,2,10]]}' | sha256sum
    assert digest.hex() == "fd9121dda96a013f1deb53eab3df3bc211b25234c3902fa7b64bb452dc8a0cc9"


def test_goods_are_kept_for_the_minutes_of_the_policy_and_not_longer() -> None:
    assert reserved_until(AT, 15) == UNTIL
    assert [is_over(UNTIL, UNTIL + timedelta(seconds=after)) for after in (-1, 0, 1)] == [False, False, True]


@given(signed_after=st.integers(-60, 1200), told_after=st.integers(0, 6000))
def test_what_was_signed_in_time_is_taken_however_late_it_is_told(signed_after: int, told_after: int) -> None:
    signed_at, now = AT + timedelta(seconds=signed_after), AT + timedelta(seconds=told_after)
    states = {"signed_at": signed_at, "now": now}
    for state in (HandOutState.RESERVED, HandOutState.LAPSED):
        if signed_after < 0 or signed_after > told_after + 120:
            with pytest.raises(Invalid) as refused:
                check_signing(state, AT, UNTIL, **states)
            assert refused.value.field == "signed_at"
        elif signed_after > 900:
            with pytest.raises(ReservationOver):
                check_signing(state, AT, UNTIL, **states)
        else:
            check_signing(state, AT, UNTIL, **states)
    for state in (HandOutState.DONE, HandOutState.CANCELLED):
        with pytest.raises(HandOutOver):
            check_signing(state, AT, UNTIL, **states)


@given(behind=st.integers(-900, 400))
def test_a_clock_that_is_a_little_behind_signs_no_sooner_than_the_list_is_there(behind: int) -> None:
    said = AT - timedelta(seconds=behind)
    assert moment_of(said, AT) == (AT if 0 < behind <= 120 else said)


def test_a_proxy_has_a_name_and_a_relation() -> None:
    assert check_proxy(" ", "") is None
    assert check_proxy("李四", "儿子") == Proxy("李四", "儿子")
    for name, relation, field in (("李四", "", "proxy_relation"), ("", "儿子", "proxy_name")):
        with pytest.raises(Invalid) as refused:
            check_proxy(name, relation)
        assert refused.value.field == field
