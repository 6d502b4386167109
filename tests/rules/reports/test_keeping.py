"""What totals are kept by: a question is answered by the fewest rows that know all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.reports.keeping import KNOWN, PLACES, Kept, kept_for


@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        ((), Kept.ALL),
        (("area_id",), Kept.AREA),
        (("lead_team_id", "lead_team_id"), Kept.LEAD),
        (("performer_id", "service_id"), Kept.WORK),
        (("area_id", "service_id"), Kept.EACH),
        (PLACES, Kept.EACH),
    ],
)
def test_the_rows_for_a_question(columns: tuple[str, ...], kept: Kept) -> None:
    assert kept_for(columns) is kept


@given(st.sets(st.sampled_from(PLACES)))
def test_the_rows_know_all_of_it_and_no_smaller_ones_do(columns: set[str]) -> None:
    kept = kept_for(columns)
    assert columns <= set(KNOWN[kept])
    assert not [one for one in KNOWN if columns <= set(KNOWN[one]) and len(KNOWN[one]) < len(KNOWN[kept])]


def test_a_thing_that_nothing_is_kept_by_is_refused() -> None:
    with pytest.raises(KeyError, match="building_id"):
        kept_for(["building_id"])
