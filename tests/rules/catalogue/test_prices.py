"""Prices: yuan read strictly into fen, lines that make sense, what costs more than the list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.catalogue.prices import MOST_FEN, PriceLine, check_lines, fen_of, is_above, span_of, yuan_of

WRONG = [
    "",
    "八十",
    "-1",
    "1,000",
    "80.505",
    "1e3",
    "8 0",
    "0x50",
    "80.",
    ".5",
    "10000000",
    "1000000.01",
    "80元整",
    "٨٠",
]


@pytest.mark.parametrize(
    ("written", "fen"),
    [("80", 8_000), ("80.5", 8_050), ("¥80.50", 8_050), ("８０元", 8_000), ("0", 0), ("1000000", MOST_FEN)],
)
def test_yuan_as_people_write_them(written: str, fen: int) -> None:
    assert fen_of(written) == fen


@pytest.mark.parametrize("written", WRONG)
def test_what_is_no_amount_is_refused_by_its_field(written: str) -> None:
    with pytest.raises(Invalid) as refused:
        fen_of(written, "lines")
    assert refused.value.field == "lines"


@given(st.integers(0, MOST_FEN))
def test_what_is_shown_is_read_back(fen: int) -> None:
    assert fen_of(yuan_of(fen)) == fen


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_refused(written: str) -> None:
    try:
        found = fen_of(written)
    except Invalid:
        return
    assert 0 <= found <= MOST_FEN


LINES = st.lists(
    st.tuples(st.integers(0, 90_000), st.integers(0, 90_000)).map(
        lambda ends: PriceLine("疏通", "次", min(ends), max(ends))
    ),
    max_size=5,
)


@given(LINES, st.integers(0, 100_000))
def test_above_the_list_is_above_its_every_line_and_nothing_is_above_no_list(lines: list[PriceLine], cost: int) -> None:
    assert is_above(cost, lines) == (bool(lines) and all(cost > line.to_fen for line in lines))
    span = span_of(lines)
    assert (span is None) == (not lines)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [PriceLine("疏通", "次", 2, 1)],
        [PriceLine(" ", "次", 1, 1)],
        [PriceLine("疏通", "", 1, 1)],
        [PriceLine("疏通", "次" * 11, 1, 1)],
        [PriceLine("疏通", "次", 0, MOST_FEN + 1)],
        [PriceLine("疏通", "次", 1, 1)] * 31,
    ],
)
def test_a_list_that_says_nothing_or_contradicts_itself_is_refused(lines: list[PriceLine]) -> None:
    with pytest.raises(Invalid):
        check_lines(lines)
