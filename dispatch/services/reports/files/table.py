"""A table as it leaves: title, columns, rows, and the lines below it that say who took it, when, and what it means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

Cell = str | int | Decimal | date | None
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Table:
    """What a file shows; a cell None is empty. `mark` is the watermark: who and when."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    mark: str
    notes: Sequence[str] = ()


def plain(cell: Cell) -> str:
    """A cell as text, without what no file can hold."""
    if cell is None:
        return ""
    text = cell.isoformat() if isinstance(cell, date) else str(cell)
    return "".join(character for character in text if character in "\t\n" or character.isprintable())


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run this text."""
    return text.startswith(FORMULA_STARTS)
