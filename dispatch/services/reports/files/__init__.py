"""Tables that leave the house as files: XLSX, CSV and PDF, bounded, with who took them and when.

A text is a text: whatever begins like a formula is written so that no program runs it.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from dispatch.errors import Invalid
from dispatch.services.reports.files.comma import write_csv
from dispatch.services.reports.files.paper import MOST_PRINTED, write_pdf
from dispatch.services.reports.files.table import Cell, Table
from dispatch.services.reports.files.workbook import write_xlsx

__all__ = ["MOST_PRINTED", "MOST_ROWS", "Cell", "FileFormat", "Table", "write"]

MOST_ROWS = 50_000


class FileFormat(StrEnum):
    """In what form a table leaves."""

    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"

    @property
    def media_type(self) -> str:
        """Its media type."""
        return {
            FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            FileFormat.CSV: "text/csv; charset=utf-8",
            FileFormat.PDF: "application/pdf",
        }[self]


WRITERS: Mapping[FileFormat, Callable[[Table], bytes]] = {
    FileFormat.XLSX: write_xlsx,
    FileFormat.CSV: write_csv,
    FileFormat.PDF: write_pdf,
}


def write(table: Table, form: FileFormat) -> bytes:
    """The table as a file; raises Invalid("until") for more rows than may leave at once."""
    if len(table.rows) > MOST_ROWS:
        raise Invalid("until", "一次最多导出五万行，请缩短日期范围")
    if form is FileFormat.PDF and len(table.rows) > MOST_PRINTED:
        raise Invalid("format", "超过两千行不能导出PDF，请改用XLSX")
    return WRITERS[form](table)
