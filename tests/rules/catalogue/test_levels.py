"""Levels of escalation as data: read, and refused where they cannot be told one after the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.seed import policies, service_kinds
from dispatch.errors import Invalid
from dispatch.rules.catalogue.levels import Audience, EscalationLevel, read_levels

HALF = {"at_ratio": 0.5, "past_working_days": 0, "tell": "performer"}
WHOLE = {"at_ratio": 1.0, "past_working_days": 0, "tell": "area_chief"}
LATER = {"at_ratio": 1.0, "past_working_days": 1, "tell": "centre"}


def test_levels_are_read_with_their_starting_values() -> None:
    assert read_levels([HALF, {"tell": "centre"}]) == (
        EscalationLevel(Audience.PERFORMER, 500),
        EscalationLevel(Audience.CENTRE),
    )


@pytest.mark.parametrize(
    "rows",
    [
        None,
        {},
        [],
        [HALF] * 11,
        ["performer"],
        [{"at_ratio": 0.5}],
        [HALF | {"tell": "mayor"}],
        [HALF | {"tell": ["centre"]}],
        [HALF | {"at_ratio": 0}],
        [HALF | {"at_ratio": 1.5}],
        [HALF | {"at_ratio": True}],
        [HALF | {"at_ratio": "0.5"}],
        [LATER | {"past_working_days": -1}],
        [LATER | {"past_working_days": 61}],
        [LATER | {"past_working_days": 1.5}],
        [LATER | {"at_ratio": 0.5}],
        [HALF | {"colour": "red"}],
        [WHOLE, HALF],
        [HALF, HALF],
        [LATER, WHOLE],
    ],
)
def test_what_is_no_rising_list_of_levels_is_refused(rows: object) -> None:
    with pytest.raises(Invalid) as refused:
        read_levels(rows)
    assert refused.value.field == "escalation_levels"


SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["centre", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["tell", "at_ratio", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def levels_or_field(rows: object) -> tuple[EscalationLevel, ...] | str:
    """The levels that are read, or the field that they are refused by."""
    try:
        return read_levels(rows)
    except Invalid as error:
        return error.field


@given(SCRAPS)
def test_whatever_is_stored_is_levels_or_refused_by_its_field(rows: object) -> None:
    read = levels_or_field(rows)
    assert read == "escalation_levels" or 1 <= len(read) <= 10


def test_the_seed_is_valid_and_gas_locks_and_lifts_climb_faster_than_the_policy() -> None:
    by_policy = read_levels(next(one.value for one in policies() if one.key == "escalation.levels"))
    own = {kind.code: read_levels([*kind.escalation_levels]) for kind in service_kinds() if kind.escalation_levels}
    assert {"gas_leak", "locksmith", "elevator_fault"} <= set(own)
    for levels in own.values():
        assert levels[0].at_permille < by_policy[0].at_permille
