"""Price lists of firms: money in whole fen, read from yuan as people write it; what costs more than the list."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.errors import Invalid

FEN_IN_YUAN = 100
MOST_FEN = 100_000_000
MOST_LINES = 30
LONGEST_ITEM = 60
LONGEST_UNIT = 10
_YUAN = re.compile(r"[¥￥]?(?P<yuan>[0-9]{1,7})(\.(?P<fen>[0-9]{1,2}))?元?")


@dataclass(frozen=True, slots=True)
class PriceLine:
    """What one thing costs: from and to, in fen, for a unit."""

    item: str
    unit: str
    from_fen: int
    to_fen: int


def fen_of(text: str, field: str = "cost") -> int:
    """Yuan as people write them (80, 80.5, ¥80.50, 80元) in whole fen; raises Invalid for anything else.

    Signs, spaces inside, commas, exponents and a third place are refused rather than guessed at.
    """
    match = _YUAN.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        raise Invalid(field, "金额请用数字填写，单位元，最多两位小数，例如 80 或 80.50")
    fen = int(match["yuan"]) * FEN_IN_YUAN + int((match["fen"] or "0").ljust(2, "0"))
    if fen > MOST_FEN:
        raise Invalid(field, "金额不能超过 100 万元")
    return fen


def yuan_of(fen: int) -> str:
    """Fen as yuan, with two places only where they are not nought: 80, 80.50."""
    yuan, rest = divmod(fen, FEN_IN_YUAN)
    return f"{yuan}.{rest:02d}" if rest else str(yuan)


def check_lines(lines: Sequence[PriceLine]) -> None:
    """Refuse a list without lines, with too many, or a line that says nothing or ends below its beginning."""
    if not 1 <= len(lines) <= MOST_LINES:
        raise Invalid("lines", "价目表至少一行，最多30行")
    for line in lines:
        if not line.item.strip() or len(line.item) > LONGEST_ITEM or not line.unit.strip():
            raise Invalid("lines", "每一行都要写明项目和单位")
        if len(line.unit) > LONGEST_UNIT:
            raise Invalid("lines", "单位不超过10个字")
        if not 0 <= line.from_fen <= line.to_fen <= MOST_FEN:
            raise Invalid("lines", "每一行的最低价不能高于最高价，都不能超过 100 万元")


def span_of(lines: Sequence[PriceLine]) -> tuple[int, int] | None:
    """The least and the most that one item of a list costs, in fen; None without a list."""
    if not lines:
        return None
    return min(line.from_fen for line in lines), max(line.to_fen for line in lines)


def is_above(cost_fen: int, lines: Sequence[PriceLine]) -> bool:
    """Whether a cost is more than the dearest item of the list: then a note has to say why (several items, parts)."""
    span = span_of(lines)
    return span is not None and cost_fen > span[1]
