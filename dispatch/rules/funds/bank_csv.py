"""A bank's statement as a file of commas: read within bounds, whatever a bank or somebody else has put into it.

Columns are found by the names that Chinese banks use; 贷方 is what came in, 借方 what went out (seen from the account).
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Final

from dispatch.errors import Invalid

MOST_BYTES: Final = 200_000
MOST_ROWS: Final = 2_000
MOST_COLUMNS: Final = 40
LONGEST_CELL: Final = 200
MOST_FEN: Final = 10**13
FEN: Final = Decimal("0.01")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("交易日期", "记账日期", "入账日期", "交易时间", "日期"),
    "came": ("收入", "收入金额", "贷方发生额", "贷方金额", "存入", "贷方"),
    "went": ("支出", "支出金额", "借方发生额", "借方金额", "支取", "借方"),
    "amount": ("交易金额", "发生额", "金额"),
    "reference": ("交易流水号", "流水号", "凭证号", "核心流水号"),
    "words": ("摘要", "用途", "附言", "备注", "交易摘要"),
}
DAY: Final = re.compile(r"(\d{4})[-/年.]?(\d{1,2})[-/月.]?(\d{1,2})日?(?:[ T].*)?")
AMOUNT: Final = re.compile(r"[-+]?\d{1,13}(?:\.\d{1,2})?0*")
EXCEL_TEXT: Final = re.compile(r'="([^"]*)"')
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class BankRow:
    """A line of the bank: day, fen (in above zero, out below), reference, words."""

    booked_on: date
    amount_fen: int
    reference: str
    words: str


def read(content: bytes) -> list[BankRow]:
    """The lines of a file; raises Invalid("file", …) naming the row that cannot be read."""
    rows = cells_of(decoded(content))
    for place, row in enumerate(rows):
        found = columns_of(row)
        if found is not None:
            lines = [read_row(cells, found, number) for number, cells in enumerate(rows[place + 1 :], place + 2)]
            kept = [line for line in lines if line is not None]
            if not kept:
                break
            return kept
    raise Invalid("file", "没有找到流水：要有日期和金额（或收入、支出）的标题行，下面是每笔流水")


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8 or GBK; raises Invalid for what is too large or neither."""
    if not 0 < len(content) <= MOST_BYTES:
        raise Invalid("file", "请选择银行导出的 CSV 文件，不超过 200 KB")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Invalid("file", "文件无法读取，请从银行重新导出 CSV（UTF-8 或 GBK）")


def cells_of(text: str) -> list[list[str]]:
    """The cells of every row, within bounds."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(text, newline="")):
            if len(rows) >= MOST_ROWS or len(row) > MOST_COLUMNS:
                raise Invalid("file", "文件太大，一个月最多 2000 笔")
            rows.append([plain(cell) for cell in row])
    except csv.Error as error:
        raise Invalid("file", "文件无法读取，请从银行重新导出 CSV（UTF-8 或 GBK）") from error
    return rows


def plain(cell: str) -> str:
    """A cell as text: what a spreadsheet would calculate is text, control characters are blanks."""
    text = CONTROL.sub(" ", cell).strip()
    wrapped = EXCEL_TEXT.fullmatch(text)
    return (wrapped[1] if wrapped else text).strip()[:LONGEST_CELL]


def columns_of(row: Sequence[str]) -> dict[str, int] | None:
    """Where each column stands, when a row is the one with the titles."""
    titles = [re.sub(r"[((].*?[))]|\s", "", cell) for cell in row]
    found = {}
    for name, spellings in COLUMNS.items():
        place = next((titles.index(one) for one in spellings if one in titles), None)
        if place is not None:
            found[name] = place
    has_amount = "amount" in found or {"came", "went"} <= found.keys()
    return found if "day" in found and has_amount else None


def read_row(row: Sequence[str], found: Mapping[str, int], number: int) -> BankRow | None:
    """A line, None for a row without a day (sums and remarks); raises Invalid naming the row."""

    def cell(name: str) -> str:
        place = found.get(name)
        return row[place] if place is not None and place < len(row) else ""

    if not cell("day") or not cell("day")[0].isdigit():
        return None
    if "came" in found and "went" in found:
        fen = fen_of(cell("came"), number) - fen_of(cell("went"), number)
    else:
        fen = fen_of(cell("amount"), number)
    if fen == 0:
        raise Invalid("file", "第 %(row)s 行没有金额", row=number)
    return BankRow(day_of(cell("day"), number), fen, cell("reference"), cell("words"))


def day_of(text: str, number: int) -> date:
    """A day as banks write it; raises Invalid naming the row."""
    written = DAY.fullmatch(text)
    try:
        if written:
            return date(int(written[1]), int(written[2]), int(written[3]))
    except ValueError:
        pass
    raise Invalid("file", "第 %(row)s 行的日期无法读取", row=number)


def fen_of(text: str, number: int) -> int:
    """An amount as banks write it, in fen; nothing and a dash are none; raises Invalid naming the row."""
    written = text.replace(",", "").replace("¥", "").replace("￥", "").strip()
    if written in {"", "-", "--"}:
        return 0
    if not written.isascii() or not AMOUNT.fullmatch(written):
        raise Invalid("file", "第 %(row)s 行的金额无法读取", row=number)
    fen = int(Decimal(written) / FEN)
    if abs(fen) > MOST_FEN:
        raise Invalid("file", "第 %(row)s 行的金额无法读取", row=number)
    return fen
