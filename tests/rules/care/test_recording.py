"""What a record of a visit or call must say, until when, and what shows that somebody was there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care import recording
from dispatch.rules.care.terms import ContactKind, Mood, Proof

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
VISIT, CALL = ContactKind.VISIT, ContactKind.CALL


def field_of(check: Callable[[], object]) -> str | None:
    """The field by which a check refuses; None where it does not."""
    try:
        check()
    except Invalid as refused:
        return refused.field
    return None


@pytest.mark.parametrize(
    ("before", "days", "fits"),
    [
        (timedelta(), 7, True),
        (timedelta(days=7), 7, True),
        (timedelta(days=7, seconds=1), 7, False),
        (timedelta(days=7, seconds=1), 8, True),
        (timedelta(seconds=1), 0, False),
        (timedelta(seconds=-1), 7, False),
    ],
)
def test_a_contact_is_written_down_within_its_days_and_never_before_it_was(
    before: timedelta, days: int, *, fits: bool
) -> None:
    found = field_of(lambda: recording.check_moment(NOW - before, NOW, days=days))
    assert found == (None if fits else "happened_at")


@pytest.mark.parametrize(
    ("kind", "mood", "answered", "tested", "field"),
    [
        (CALL, None, False, False, None),
        (CALL, "good", True, False, None),
        (VISIT, "low", True, True, None),
        (CALL, "good", True, True, "tested"),
        (VISIT, None, False, False, "answered"),
        (CALL, "good", False, False, "mood"),
        (CALL, None, True, False, "mood"),
        (VISIT, "merry", True, False, "mood"),
    ],
)
def test_what_is_said_of_somebody_fits_to_how_they_were_reached(
    kind: ContactKind, mood: str | None, field: str | None, *, answered: bool, tested: bool
) -> None:
    assert field_of(lambda: recording.check_answered(kind, mood, answered=answered, tested=tested)) == field


@pytest.mark.parametrize("kind", [VISIT, CALL])
@pytest.mark.parametrize(("confirmed", "signed"), [(False, False), (True, False), (False, True), (True, True)])
def test_the_strongest_thing_that_was_shown_is_the_proof(kind: ContactKind, *, confirmed: bool, signed: bool) -> None:
    shown = {"confirmed": confirmed, "signed": signed}
    assert field_of(lambda: recording.proof_of(kind, code_fits=False, **shown)) == "door_code"
    at_the_door = kind is VISIT
    assert recording.proof_of(kind, code_fits=True, **shown) is (Proof.DOOR_CODE if at_the_door else Proof.REPORT)
    by_word = at_the_door and (confirmed or signed)
    assert recording.proof_of(kind, code_fits=None, **shown) is (Proof.CONFIRMED if by_word else Proof.REPORT)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=8, max_size=8))
def test_the_code_of_a_door_is_read_as_it_is_scanned_typed_and_misread(code: str) -> None:
    typed = f" {code[:4].lower()}-{code[4:]} "
    misread = code.replace("O", "0").replace("I", "1").replace("B", "8")
    assert {recording.code_said(one) for one in (code, f"HQD1/{code}", f"hqd1/{code}", typed, misread)} == {code}


@pytest.mark.parametrize("code", ["", "test", "VISIT", "letter"])
def test_only_a_visit_or_a_call_is_reported(code: str) -> None:
    assert {recording.kind_of(str(kind)) for kind in (VISIT, CALL)} == {VISIT, CALL}
    with pytest.raises(Invalid) as refused:
        recording.kind_of(code)
    assert refused.value.field == "kind"


def test_words_are_kept_without_blanks_and_not_without_end() -> None:
    assert recording.check_words("note", f" {'好' * 500} ") == "好" * 500
    with pytest.raises(Invalid) as refused:
        recording.check_words("difficulty", "难" * 501)
    assert refused.value.field == "difficulty"
    assert {str(one) for one in Mood} == {"good", "flat", "low"}
