"""Columns of whole numbers as bytes: the narrowest width that fits, low bytes first, each byte plane together."""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import sub

WIDTHS = (("B", 1), ("H", 2), ("I", 4), ("Q", 8))
_SEVEN_BITS = 0x7F


def packed(values: Sequence[int]) -> bytes:
    """Pack a column; raises ValueError for a negative number."""
    count = len(values)
    try:
        return _head(count, 1) + bytes(values)
    except ValueError:
        return _wide(values, count)


def _wide(values: Sequence[int], count: int) -> bytes:
    for code, width in WIDTHS[1:]:
        try:
            plain = struct.pack(f"<{count}{code}", *values)
        except struct.error:
            continue
        return _head(count, width) + b"".join([plain[plane::width] for plane in range(width)])
    raise ValueError("a fact in a decision record is negative")


@lru_cache(maxsize=1024)
def _head(count: int, width: int) -> bytes:
    return varints((count, width))


def differences(values: Sequence[int]) -> list[int]:
    """Give the first number and then by how much each is above the one before."""
    return list(map(sub, values, (0, *values[:-1])))


def varints(numbers: Iterable[int]) -> bytes:
    """Write whole numbers from 0 in groups of seven bits, the last group without the high bit."""
    written = bytearray()
    for number in numbers:
        rest = number
        if rest < 0:
            raise ValueError("a decision record holds no negative numbers here")
        while rest > _SEVEN_BITS:
            written.append(rest & _SEVEN_BITS | 0x80)
            rest >>= 7
        written.append(rest)
    return bytes(written)
