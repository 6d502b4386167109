"""Whom to call about an alarm: by rank, who did not answer again, nobody once somebody has confirmed."""

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.care.chain import Called, CallKind, CallOutcome, Contact, is_confirmed, next_contact

HOME = Contact(1, CallKind.HOME, 1)
SON = Contact(2, CallKind.CHILD, 2)
LEADER = Contact(None, CallKind.STAIRWELL_LEADER, 21)
CHAIN = [LEADER, SON, HOME]
SPOKEN = {CallOutcome.ANSWERED, CallOutcome.GOES}
CALLS = st.lists(
    st.builds(
        lambda one, outcome: Called(one.id, one.kind, outcome), st.sampled_from(CHAIN), st.sampled_from(CallOutcome)
    )
)


def called(contact: Contact, outcome: CallOutcome) -> Called:
    return Called(contact.id, contact.kind, outcome)


def test_each_is_called_in_turn_and_who_did_not_answer_again() -> None:
    calls: list[Called] = []
    for expected in (HOME, SON, LEADER, HOME, SON):
        assert next_contact(CHAIN, calls) == expected
        calls.append(called(expected, CallOutcome.NO_ANSWER))


def test_who_goes_is_not_called_again_and_nobody_after_a_confirmation() -> None:
    calls = [called(HOME, CallOutcome.NO_ANSWER), called(SON, CallOutcome.GOES), called(LEADER, CallOutcome.ANSWERED)]
    assert next_contact(CHAIN, calls) == HOME
    assert next_contact(CHAIN, [*calls, called(HOME, CallOutcome.CONFIRMED)]) is None


@given(calls=CALLS)
def test_nobody_is_left_out_before_somebody_is_called_twice(calls: list[Called]) -> None:
    following = next_contact(CHAIN, calls)
    untried = [one for one in (HOME, SON, LEADER) if (one.id, one.kind) not in {(c.contact_id, c.kind) for c in calls}]
    if is_confirmed(calls):
        assert following is None
    elif untried:
        assert following == untried[0]
    elif following is not None:
        last = next(one for one in reversed(calls) if one.kind is following.kind)
        assert last.outcome is CallOutcome.NO_ANSWER
    else:
        assert all(next(c for c in reversed(calls) if c.kind is one.kind).outcome in SPOKEN for one in CHAIN)
