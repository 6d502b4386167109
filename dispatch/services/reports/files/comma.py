"""CSV: UTF-8 with its mark, so that spreadsheets read the Chinese; formulas are made texts by an apostrophe."""

import csv
import io

from dispatch.services.reports.files.table import Cell, Table, is_formula, plain

BYTE_ORDER_MARK = "\ufeff"


def safe(cell: Cell) -> str:
    """A cell that no spreadsheet runs; numbers stay numbers, also negative ones."""
    text = plain(cell)
    return f"'{text}" if isinstance(cell, str) and is_formula(text) else text


def write_csv(table: Table) -> bytes:
    """The columns, the rows, an empty line, and below it the watermark and the notes."""
    text = io.StringIO()
    text.write(BYTE_ORDER_MARK)
    writer = csv.writer(text)
    writer.writerow([safe(column) for column in table.columns])
    writer.writerows([safe(cell) for cell in row] for row in table.rows)
    writer.writerow([])
    writer.writerows([safe(line)] for line in (table.title, table.mark, *table.notes))
    return text.getvalue().encode()
