"""Order numbers: a day, thirty random bits and a check character, safe to read out on the telephone."""

import re
from datetime import date

from dispatch.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 characters: no I, L, O, U, so that nothing is misread."""

PREFIX = "HQ"
RANDOM_BITS = 30
LENGTH = 15

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_SHAPE = re.compile(rf"{PREFIX}[0-9]{{6}}[{ALPHABET}]{{7}}")
_FIELD_OVERFLOW = 32
_FIELD_POLYNOMIAL = 0b100101


def make_number(day: date, random_bits: int) -> str:
    """Make an order number such as HQ261123 7K3M0QX: 15 characters without spaces.

    `day` is the day of receipt in Asia/Shanghai; `random_bits` is a random integer below 2**30. Raises
    ValueError when it is outside. Source: promise.md §13 (check digit and a random part).
    """
    if not 0 <= random_bits < 1 << RANDOM_BITS:
        raise ValueError(f"random_bits must lie below 2**{RANDOM_BITS}")
    shifts = range(RANDOM_BITS - 5, -1, -5)
    random_part = "".join(ALPHABET[random_bits >> shift & 31] for shift in shifts)
    body = f"{PREFIX}{day:%y%m%d}{random_part}"
    return body + ALPHABET[_remainder(body)]


def check_number(text: str) -> str:
    """Return the number in its one written form, or raise Invalid("number").

    Small letters, spaces and dashes are forgiven, and O is read as 0, I and L as 1. Every wrong single
    character and every swap of two neighbours is found. Source: promise.md §13.
    """
    number = text.strip().upper().translate(_LOOKALIKES)
    if not _SHAPE.fullmatch(number):
        raise Invalid("number", "单号应以 HQ 开头，共 15 位")
    if _remainder(number[:-1]) != _VALUES[number[-1]]:
        raise Invalid("number", "单号有误，请核对每一位")
    try:
        date.fromisoformat(f"20{number[2:4]}-{number[4:6]}-{number[6:8]}")
    except ValueError:
        raise Invalid("number", "单号中的日期不存在") from None
    return number


def _remainder(body: str) -> int:
    """Fold characters as a Damm quasigroup over GF(32) does: state becomes 2 * (state + value).

    Neighbouring places weigh differently by a factor of 2, and no weight is 0, hence the two promises of
    check_number; the check character makes the sum vanish. Source: H. M. Damm 2004, order 2**k.
    """
    state = 0
    for character in body:
        state = _times_two(state ^ _VALUES[character])
    return state


def _times_two(value: int) -> int:
    """Multiply by x in GF(32) modulo x^5 + x^2 + 1."""
    doubled = value << 1
    return doubled ^ _FIELD_POLYNOMIAL if doubled >= _FIELD_OVERFLOW else doubled
