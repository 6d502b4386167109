"""A firm's own share: by capacity, of those who may do the kind; nobody's number can be read off."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.reports.own import own_share


def test_work_is_shared_out_by_capacity_among_those_who_may_do_it() -> None:
    share = own_share({1: 2, 2: 6, 9: 4}, {1: 1, 2: 1, 3: 2}, 1)
    assert (share.done, share.fair, share.firms) == (2, Fraction(2), 3)
    assert share.unevenness is not None


def test_among_two_firms_the_unevenness_is_not_told() -> None:
    assert own_share({1: 2, 2: 6}, {1: 1, 2: 1}, 1).unevenness is None


@given(
    st.dictionaries(st.integers(1, 8), st.integers(0, 20), max_size=8),
    st.dictionaries(st.integers(1, 8), st.integers(1, 9), min_size=1, max_size=8),
)
def test_the_fair_shares_of_all_add_up_to_what_they_have_done(done: dict[int, int], capacities: dict[int, int]) -> None:
    shares = [own_share(done, capacities, firm) for firm in capacities]
    assert sum((one.fair for one in shares), Fraction()) == sum(one.done for one in shares)
    assert len({one.unevenness for one in shares}) == 1
    assert all(one.unevenness is None or 0 <= one.unevenness < 1 for one in shares)
