"""Money of abroad in fen: exact, rounded once, half to even.

Source: decision 0009 (currency, amount in its smallest unit, exact rate, day of the rate); ISO 4217 (minor units).
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.funds.draft import Foreign

DIGITS: Final[Mapping[str, int]] = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "DKK": 2, "EUR": 2, "GBP": 2, "HKD": 2, "IDR": 2, "JPY": 0,
    "KRW": 0, "KWD": 3, "MOP": 2, "MYR": 2, "NOK": 2, "NZD": 2, "PHP": 2, "SEK": 2, "SGD": 2, "THB": 2,
    "TWD": 2, "USD": 2, "VND": 0, "ZAR": 2,
}  # fmt: skip
"""Decimal places of the currencies in which gifts are counted (ISO 4217)."""

MOST_PLACES: Final = 10
MOST_RATE: Final = 10**6
"""No unit of a currency is worth a million yuan; what is far above cannot be worked out in any time."""
FEN_IN_A_YUAN: Final = 100
EXACT: Final = Context(prec=60)


def fen_of(foreign: Foreign) -> int:
    """What the amount is worth in whole fen: minor ÷ 10^places × rate × 100, half to even, rounded once."""
    places = DIGITS[foreign.currency]
    exact = EXACT.multiply(Decimal(foreign.minor).scaleb(-places, EXACT), foreign.rate)
    fen = EXACT.multiply(exact, Decimal(FEN_IN_A_YUAN))
    return int(fen.to_integral_value(rounding=ROUND_HALF_EVEN, context=EXACT))


def check_foreign(foreign: Foreign, today: date) -> None:
    """Refuse an unknown currency, an impossible amount or rate, a rate of tomorrow; raises Invalid naming the field."""
    if foreign.currency not in DIGITS:
        raise Invalid("currency", "不认识这种货币，请填三个字母的代码，如 USD")
    if foreign.minor <= 0:
        raise Invalid("foreign_minor", "外币金额要大于零")
    exponent = foreign.rate.as_tuple().exponent
    if not foreign.rate.is_finite() or not 0 < foreign.rate <= MOST_RATE:
        raise Invalid("rate", "汇率要大于零，最多十位小数")
    if not isinstance(exponent, int) or -exponent > MOST_PLACES:
        raise Invalid("rate", "汇率要大于零，最多十位小数")
    if foreign.rate_on > today:
        raise Invalid("rate_on", "汇率的日期不能晚于今天")
