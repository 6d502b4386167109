"""Amounts as they are said: yuan with two places, 斤 as far as needed (500 g exactly), whole pieces."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.funds.draft import MOST
from dispatch.rules.funds.terms import Commodity

GRAMS_IN_A_JIN: Final = 500
FEN_IN_A_YUAN: Final = 100
UNITS: Final = {Commodity.FEN: "元", Commodity.GRAM: "斤", Commodity.PIECE: "件"}
PLACES: Final = {Commodity.FEN: Decimal("0.01"), Commodity.GRAM: Decimal("0.002"), Commodity.PIECE: Decimal(1)}
"""What the smallest unit is in the spoken one."""
MOST_PLACES: Final = 100
"""Nobody writes more places; made exact, a number like 1e-99999999 would keep a process busy for hours."""


def spoken(amount: int, commodity: Commodity) -> str:
    """An amount with its unit: 12.30 元, 3.5 斤, 7 件."""
    return f"{number_of(amount, commodity)} {UNITS[commodity]}"


def number_of(amount: int, commodity: Commodity) -> str:
    """The number alone."""
    if commodity is Commodity.FEN:
        return f"{Decimal(amount) / FEN_IN_A_YUAN:,.2f}"
    if commodity is Commodity.GRAM:
        whole = Decimal(amount) / GRAMS_IN_A_JIN
        return f"{whole.normalize():,f}" if whole else "0"
    return f"{amount:,d}"


def smallest(field: str, number: Decimal, commodity: Commodity) -> int:
    """An amount in the spoken unit as a whole number of the smallest; raises Invalid when it is none or too much."""
    if not number.is_finite() or not 0 < number <= MOST:
        raise Invalid(field, "请填写大于零的数量")
    exponent = number.as_tuple().exponent
    is_written_out = isinstance(exponent, int) and -exponent <= MOST_PLACES
    if not is_written_out or (Fraction(number) / Fraction(PLACES[commodity])).denominator != 1:
        raise Invalid(field, "金额最多到分，重量最多到克，件数要是整数")
    return (Fraction(number) / Fraction(PLACES[commodity])).numerator
