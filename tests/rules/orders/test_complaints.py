"""Complaints: who raises and decides, until when, and sums that never exceed what was charged."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.access.roles import ActorKind
from dispatch.rules.orders.complaints import (
    COMPLAINT_LABELS,
    CONSEQUENCE_LABELS,
    STATE_LABELS,
    AnswerStillAwaited,
    ComplaintKind,
    ComplaintState,
    ComplaintTooLate,
    Consequence,
    NobodyToComplainAbout,
    Verdict,
    check_decidable,
    check_raise,
    check_verdict,
    disputed,
    may_decide,
    may_raise,
)
from dispatch.rules.orders.states import OrderState

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
fen = st.integers(-5, 1_000_000)
kinds = st.sampled_from(ComplaintKind)


def test_every_word_has_a_label() -> None:
    assert set(COMPLAINT_LABELS) == set(ComplaintKind)
    assert set(STATE_LABELS) == set(ComplaintState)
    assert set(CONSEQUENCE_LABELS) == set(Consequence)


def test_who_speaks_with_residents_raises_and_only_the_centre_decides() -> None:
    raisers = {ActorKind.OPERATOR, ActorKind.CALLBACK_CLERK, ActorKind.DISPATCHER, ActorKind.CENTRE}
    assert {one for one in ActorKind if may_raise(one)} == raisers
    assert {one for one in ActorKind if may_decide(one, is_raiser=False)} == {ActorKind.CENTRE}


@given(st.sampled_from(ActorKind))
def test_nobody_decides_what_they_raised(capacity: ActorKind) -> None:
    assert not may_decide(capacity, is_raiser=True)


@pytest.mark.parametrize(("late", "refused"), [(timedelta(), False), (timedelta(microseconds=1), True)])
def test_a_closed_order_is_complained_about_for_thirty_days(late: timedelta, *, refused: bool) -> None:
    now = NOW + 30 * DAY + late
    if refused:
        with pytest.raises(ComplaintTooLate):
            check_raise(OrderState.CLOSED, [7], NOW, days=30, now=now)
    else:
        check_raise(OrderState.CLOSED, [7], NOW, days=30, now=now)


def test_without_a_firm_or_in_the_archive_there_is_no_complaint() -> None:
    with pytest.raises(NobodyToComplainAbout):
        check_raise(OrderState.OFFERED, [], None, days=30, now=NOW)
    with pytest.raises(ComplaintTooLate):
        check_raise(OrderState.ARCHIVED, [7], NOW, days=30, now=NOW)


@given(kinds, fen, st.none() | fen)
def test_what_is_disputed_is_part_of_what_was_charged(kind: ComplaintKind, charged: int, right: int | None) -> None:
    is_sound = right is not None and 0 <= right < charged if kind is ComplaintKind.PRICE else right is None
    try:
        part = disputed(kind, charged, right)
    except Invalid as error:
        assert error.field == "right_fen"  # noqa: PT017 - either way is a property
        assert not is_sound
    else:
        assert is_sound
        assert (part is None) == (kind is not ComplaintKind.PRICE)
        assert part is None or (0 < part <= charged and part == charged - (right or 0))


def test_the_firm_is_heard_first_unless_its_time_is_over() -> None:
    with pytest.raises(AnswerStillAwaited):
        check_decidable(ComplaintState.OPEN, NOW + DAY, NOW)
    check_decidable(ComplaintState.OPEN, NOW, NOW)
    check_decidable(ComplaintState.ANSWERED, NOW + DAY, NOW)


verdicts = st.builds(
    Verdict,
    upheld=st.booleans(),
    consequence=st.sampled_from(Consequence),
    refund_fen=st.none() | st.integers(-2, 20),
    until=st.none() | st.sampled_from([NOW - DAY, NOW, NOW + DAY]),
)


@given(verdicts, st.none() | st.integers(1, 15))
def test_a_verdict_that_passes_is_sound_in_every_part(verdict: Verdict, part: int | None) -> None:
    try:
        check_verdict(verdict, part, NOW)
    except Invalid as error:
        assert error.field in {"consequence", "refund_fen", "until"}  # noqa: PT017 - either way is a property
    else:
        assert verdict.upheld or verdict.consequence is Consequence.NONE
        assert (verdict.refund_fen is not None) == (verdict.upheld and part is not None)
        assert verdict.refund_fen is None or 0 < verdict.refund_fen <= (part or 0)
        assert (verdict.until is not None) == (verdict.consequence is Consequence.SUSPENSION)
        assert verdict.until is None or verdict.until > NOW


@pytest.mark.parametrize(
    ("verdict", "part", "field"),
    [
        (Verdict(upheld=False, consequence=Consequence.WARNING), None, "consequence"),
        (Verdict(upheld=False, refund_fen=1), 10, "refund_fen"),
        (Verdict(upheld=True), 10, "refund_fen"),
        (Verdict(upheld=True, refund_fen=11), 10, "refund_fen"),
        (Verdict(upheld=True, consequence=Consequence.SUSPENSION), None, "until"),
        (Verdict(upheld=True, until=NOW + DAY), None, "until"),
        (Verdict(upheld=True, consequence=Consequence.SUSPENSION, until=NOW), None, "until"),
    ],
)
def test_each_unsound_verdict_names_its_field(verdict: Verdict, part: int | None, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_verdict(verdict, part, NOW)
    assert refused.value.field == field


def test_sound_verdicts_pass() -> None:
    check_verdict(Verdict(upheld=False), 10, NOW)
    check_verdict(Verdict(upheld=True, refund_fen=10), 10, NOW)
    check_verdict(Verdict(upheld=True, consequence=Consequence.SUSPENSION, until=NOW + DAY), None, NOW)
