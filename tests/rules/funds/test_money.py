"""Money of abroad in fen, amounts as they are said, and the chain by its published example."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.access.chain import GENESIS, link
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.money import DIGITS, check_foreign, fen_of
from dispatch.rules.funds.record import Recorded, RecordedLine, digest, line_of
from dispatch.rules.funds.spoken import smallest, spoken
from dispatch.rules.funds.terms import Commodity

DAY = date(2026, 11, 25)
RATES = st.decimals(min_value="0.0001", max_value="9999", places=10)


@pytest.mark.parametrize(
    ("currency", "minor", "rate", "fen"),
    [
        ("USD", 100_00, "7.1234", 71_234),
        ("USD", 1, "0.5", 0),
        ("USD", 1, "1.5", 2),
        ("USD", 1, "2.5", 2),
        ("USD", 1, "3.5", 4),
        ("JPY", 10_000, "0.04785", 47_850),
        ("KWD", 1_000, "23.4567", 2_346),
        ("EUR", 33_333, "7.8321000001", 261_067),
    ],
)
def test_foreign_money_is_rounded_once_half_to_even(currency: str, minor: int, rate: str, fen: int) -> None:
    assert fen_of(Foreign(currency, minor, Decimal(rate), DAY)) == fen


@given(st.sampled_from(sorted(DIGITS)), st.integers(1, 10**11), RATES)
def test_no_other_whole_fen_is_nearer(currency: str, minor: int, rate: Decimal) -> None:
    exact = Fraction(minor, 10 ** DIGITS[currency]) * Fraction(rate) * 100
    found = fen_of(Foreign(currency, minor, rate, DAY))
    assert abs(found - exact) <= Fraction(1, 2)
    if abs(found - exact) == Fraction(1, 2):
        assert found % 2 == 0


@pytest.mark.parametrize(
    ("field", "foreign"),
    [
        ("currency", Foreign("XXX", 1, Decimal(1), DAY)),
        ("foreign_minor", Foreign("USD", 0, Decimal(1), DAY)),
        ("rate", Foreign("USD", 1, Decimal(0), DAY)),
        ("rate", Foreign("USD", 1, Decimal("NaN"), DAY)),
        ("rate", Foreign("USD", 1, Decimal("Infinity"), DAY)),
        ("rate", Foreign("USD", 1, Decimal("1.00000000001"), DAY)),
        ("rate", Foreign("USD", 1, Decimal("1e999999999"), DAY)),
        ("rate_on", Foreign("USD", 1, Decimal(1), date(2026, 11, 26))),
    ],
)
def test_impossible_foreign_money_is_refused_with_its_field(field: str, foreign: Foreign) -> None:
    with pytest.raises(Invalid) as refused:
        check_foreign(foreign, DAY)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("amount", "commodity", "said"),
    [
        (1_234_50, Commodity.FEN, "1,234.50 元"),
        (1, Commodity.FEN, "0.01 元"),
        (500, Commodity.GRAM, "1 斤"),
        (5_000_000, Commodity.GRAM, "10,000 斤"),
        (1_001, Commodity.GRAM, "2.002 斤"),
        (0, Commodity.GRAM, "0 斤"),
        (35_000, Commodity.PIECE, "35,000 件"),
    ],
)
def test_amounts_are_said_in_yuan_jin_and_pieces(amount: int, commodity: Commodity, said: str) -> None:
    assert spoken(amount, commodity) == said


@given(st.integers(1, 10**11), st.sampled_from(Commodity))
def test_what_is_said_is_read_back_exactly(amount: int, commodity: Commodity) -> None:
    number = Decimal(spoken(amount, commodity).split()[0].replace(",", ""))
    assert smallest("amount", number, commodity) == amount


@pytest.mark.parametrize(
    ("number", "commodity"),
    [("0.001", Commodity.FEN), ("0.001", Commodity.GRAM), ("1.5", Commodity.PIECE), ("0", Commodity.FEN),
     ("-1", Commodity.FEN), ("NaN", Commodity.FEN), ("1e30", Commodity.FEN),
     (f"0.01{'0' * 40}1", Commodity.FEN), ("1e-999999999", Commodity.GRAM)],
)  # fmt: skip
def test_what_is_no_whole_unit_is_refused(number: str, commodity: Commodity) -> None:
    with pytest.raises(Invalid) as refused:
        smallest("amount", Decimal(number), commodity)
    assert refused.value.field == "amount"


def test_the_chain_is_that_of_the_published_example() -> None:
    line = {"seq": 1, "kind": "donation_cash", "fund": "general", "amount_fen": 10_000}
    assert link(GENESIS, line).hex() == "3a9fc8333b3861ec08f0baf3a0607c27499bf6b0d1c79811d36ff409f208fa5a"


def test_an_entry_in_the_chain_names_nothing_that_is_empty_and_its_lines_by_account() -> None:
    lines = (RecordedLine(9, 1, "own", None, "fen", None, 5), RecordedLine(3, 1, "own", None, "fen", 2, 5))
    foreign = Foreign("USD", 100, Decimal("7.10"), DAY)
    entry = Recorded(1, 1, "gift", DAY, DAY, None, None, None, 1, None, None, 4, None, None, foreign, {}, lines)
    assert json.loads(json.dumps(line_of(entry))) == {
        "community": 1,
        "seq": 1,
        "kind": "gift",
        "posted_on": "2026-11-25",
        "happened_on": "2026-11-25",
        "occasion": 1,
        "made_by": 4,
        "foreign": ["USD", 100, "7.1", "2026-11-25"],
        "lines": [[3, 1, "own", None, "fen", 2, 5], [9, 1, "own", None, "fen", None, 5]],
    }
    assert digest(GENESIS, entry) == link(GENESIS, line_of(entry))
