"""XLSX by openpyxl, written row by row; every text cell says that it is a text, so that none is a formula."""

import io
from collections.abc import Iterable
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from dispatch.services.reports.files.table import Cell, Table, is_formula, plain

TEXT = "s"
LONGEST_TITLE = 31
NOT_IN_TITLES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
BOLD = Font(bold=True)


def write_xlsx(table: Table) -> bytes:
    """One sheet: title, columns, rows, and below them the watermark and the notes; the mark on each printed page."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(table.title.translate(NOT_IN_TITLES)[:LONGEST_TITLE])
    sheet.freeze_panes = "B3"
    sheet.oddFooter.center.text = table.mark
    sheet.append([cell_of(sheet, table.title, BOLD)])
    sheet.append([cell_of(sheet, column, BOLD) for column in table.columns])
    for row in table.rows:
        sheet.append(cells_of(sheet, row))
    sheet.append([])
    for line in (table.mark, *table.notes):
        sheet.append([cell_of(sheet, line)])
    book.properties.creator = table.mark
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def cells_of(sheet: Any, row: Iterable[Cell]) -> list[Any]:
    """A row: numbers and days as they are, texts as texts."""
    return [cell_of(sheet, cell) if isinstance(cell, str) else cell for cell in row]


def cell_of(sheet: Any, text: str, font: Font | None = None) -> Any:
    """A text cell."""
    clean = plain(text)
    cell = WriteOnlyCell(sheet, value=clean)
    cell.data_type = TEXT
    if is_formula(clean):
        cell.quotePrefix = True
    if font is not None:
        cell.font = font
    return cell
