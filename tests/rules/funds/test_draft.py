"""What may be an entry: two equal sides in every dimension, the shape of its kind, a purpose where one belongs."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.funds.draft import (
    MOST,
    AccountKey,
    Dimension,
    Draft,
    Line,
    added_up,
    at,
    check,
    moved,
    unequal,
)
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose, fits

FEN, GRAM = Dimension(1), Dimension(1, Commodity.GRAM)
DIMENSIONS = st.builds(
    Dimension, st.integers(1, 3), st.sampled_from(Commodity), st.one_of(st.none(), st.integers(1, 2))
)
AMOUNTS = st.integers(1, MOST)


def draft(kind: EntryKind, *lines: Line, **more: object) -> Draft:
    """A draft of community 1."""
    return Draft(1, kind, lines, **more)  # type: ignore[arg-type]


RIGHT = [
    draft(EntryKind.GIFT, *at(FEN, 1, 5)),
    draft(EntryKind.SPEND, *at(FEN, 1, -5), purpose=Purpose.RELIEF),
    draft(EntryKind.TRANSFER, *moved(FEN, 1, 2, 5)),
    draft(EntryKind.PURCHASE, *at(FEN, 1, -5), *at(GRAM, 2, 500)),
    draft(EntryKind.SALE, *at(FEN, 1, 5), *at(GRAM, 2, -500)),
    draft(EntryKind.EARMARK_CHANGE, *at(FEN, 1, -5), *at(Dimension(1, earmark_id=7), 1, 5), consent_id=1),
    draft(EntryKind.REVERSAL, *at(FEN, 1, -5), reverses_id=1),
]
WRONG: list[tuple[str, Draft]] = [
    ("lines", draft(EntryKind.GIFT)),
    ("amount", draft(EntryKind.GIFT, *at(FEN, 1, 0))),
    ("amount", draft(EntryKind.GIFT, *at(FEN, 1, MOST + 1))),
    ("lines", draft(EntryKind.GIFT, *at(FEN, 1, 5), *at(FEN, 2, 5))),
    ("lines", draft(EntryKind.GIFT, *at(FEN, 1, 5)[:1])),
    ("lines", draft(EntryKind.GIFT, *at(FEN, 1, -5))),
    ("lines", draft(EntryKind.TRANSFER, *at(FEN, 1, 5))),
    ("lines", draft(EntryKind.PURCHASE, *at(FEN, 1, -5), *at(Dimension(2, Commodity.GRAM), 2, 500))),
    ("lines", draft(EntryKind.SALE, *at(FEN, 1, -5), *at(GRAM, 2, 500))),
    ("lines", draft(EntryKind.EARMARK_CHANGE, *at(FEN, 1, -5), *at(GRAM, 2, 5), consent_id=1)),
    ("purpose", draft(EntryKind.SPEND, *at(FEN, 1, -5))),
    ("purpose", draft(EntryKind.SPEND, *at(FEN, 1, -5), purpose=Purpose.ANY)),
    ("purpose", draft(EntryKind.GIFT, *at(FEN, 1, 5), purpose=Purpose.RELIEF)),
    ("origin", draft(EntryKind.GIFT, *at(FEN, 1, 5), origin="market.gift")),
    ("consent_id", draft(EntryKind.EARMARK_CHANGE, *at(FEN, 1, -5), *at(Dimension(1, earmark_id=7), 1, 5))),
    ("reverses_id", draft(EntryKind.REVERSAL, *at(FEN, 1, -5))),
]


@pytest.mark.parametrize("one", RIGHT, ids=lambda one: str(one.kind))
def test_what_is_right_passes(one: Draft) -> None:
    check(one)


@pytest.mark.parametrize(("field", "one"), WRONG)
def test_what_is_wrong_is_refused_with_its_field(field: str, one: Draft) -> None:
    with pytest.raises(Invalid) as refused:
        check(one)
    assert refused.value.field == field


@given(st.lists(st.tuples(DIMENSIONS, st.integers(1, 3), AMOUNTS, st.sampled_from([1, -1])), min_size=1))
def test_what_comes_and_goes_is_equal_on_both_sides_however_it_is_put_together(
    parts: list[tuple[Dimension, int, int, int]],
) -> None:
    lines = added_up(line for where, place, amount, sign in parts for line in at(where, place, sign * amount))
    assert unequal(lines) == []
    assert len({line.account for line in lines}) == len(lines)


@given(DIMENSIONS, AMOUNTS, st.integers(1, MOST))
def test_one_unit_too_many_on_either_side_is_found(dimension: Dimension, amount: int, more: int) -> None:
    sides: tuple[Callable[[int], AccountKey], ...] = (
        lambda _: AccountKey(dimension),
        lambda one: AccountKey(dimension, one),
    )
    for side in sides:
        assert unequal([*at(dimension, 1, amount), Line(side(2), more)]) == [dimension]


@given(st.sampled_from(Purpose), st.lists(st.sampled_from(Purpose), min_size=1))
def test_a_purpose_fits_what_is_held_for_it_or_for_anything(purpose: Purpose, purposes: list[Purpose]) -> None:
    assert fits(purpose, purposes) == (purpose in purposes or Purpose.ANY in purposes)
