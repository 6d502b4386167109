"""PDF by fpdf2 with a Chinese font of its own: landscape, repeated headings, the watermark across and below."""

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace
from pylopdf_fonts_zh_cn import sans_path

from dispatch.services.reports.files.table import Cell, Table, plain

MOST_PRINTED = 2_000
FONT = "house"
MARGIN_MILLIMETRES = 12
HEAD = FontFace(emphasis="", fill_color=(227, 239, 241))
MARK_GREY = 235
FOOT_GREY = 90


class Paper(FPDF):
    """Pages that carry the watermark: who took them and when."""

    def __init__(self, mark: str) -> None:
        """Landscape A4."""
        super().__init__(orientation="landscape", format="A4")
        self.mark = mark
        self.set_margin(MARGIN_MILLIMETRES)
        self.set_auto_page_break(auto=True, margin=MARGIN_MILLIMETRES + 6)
        self.add_font(FONT, fname=str(sans_path()))
        self.set_font(FONT, size=9)

    def header(self) -> None:
        """The watermark across the page, below what is written on it."""
        self.set_font(FONT, size=22)
        self.set_text_color(MARK_GREY)
        with self.rotation(20, x=self.w / 2, y=self.h / 2):
            for height in (0.3, 0.55, 0.8):
                self.text(MARGIN_MILLIMETRES, self.h * height, self.mark)
        self.set_text_color(0)
        self.set_font(FONT, size=9)

    def footer(self) -> None:
        """The watermark once more, and the page."""
        self.set_y(-MARGIN_MILLIMETRES)
        self.set_text_color(FOOT_GREY)
        self.cell(0, 5, f"{self.mark} · {self.page_no()}", align="C")
        self.set_text_color(0)


def write_pdf(table: Table) -> bytes:
    """The title, the table with its headings on every page, the notes."""
    paper = Paper(plain(table.mark))
    paper.set_title(plain(table.title))
    paper.add_page()
    paper.set_font(FONT, size=14)
    paper.cell(0, 10, plain(table.title), new_x="LMARGIN", new_y="NEXT")
    paper.set_font(FONT, size=8)
    align = tuple("LEFT" if not number else "RIGHT" for number in range(len(table.columns)))
    with paper.table(
        headings_style=HEAD, borders_layout=TableBordersLayout.HORIZONTAL_LINES, text_align=align, padding=1
    ) as drawn:
        for row in (table.columns, *table.rows):
            line = drawn.row()
            for cell in row:
                line.cell(shown(cell))
    paper.ln(4)
    for note in table.notes:
        paper.multi_cell(0, 5, plain(note), new_x="LMARGIN", new_y="NEXT")
    return bytes(paper.output())


def shown(cell: Cell) -> str:
    """A cell on paper; an empty one has a dash, so that a row can be followed."""
    return plain(cell) or "—"
