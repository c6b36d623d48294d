"""Writes a report as PDF: A4, page numbers and the run on each page, charts as drawings, the letters of Europe."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, XPos, YPos
from fpdf.fonts import FontFace

from bert_training.services.reporting.blocks import Block, Bullets, Facts, Grid, Paragraph, Picture, Report, Section
from bert_training.services.reporting.pdf_chart import draw_chart

FONT = "DejaVu"
MARGIN_MM = 20
INK, MUTED, LINE, SOFT = (23, 33, 43), (83, 96, 112), (219, 225, 231), (224, 239, 245)
TEXT_POINTS, SMALL_POINTS, TITLE_POINTS, HEAD_POINTS = 10, 8, 18, 13
LINE_MM = 5.2
TERM_SHARE = 35  # of 100, of the width of a list of facts
DIGEST_POINTS = 7
# Room that a heading wants below it, so that it does not end a page.
HEAD_NEEDS_MM = 30


def to_pdf(report: Report) -> bytes:
    """Return the whole file; a picture and five tables take about half a second."""
    pdf = _Pages(report)
    pdf.write_title()
    for section in report.sections:
        pdf.write_section(section)
    return bytes(pdf.output())


def _font(name: str) -> Path:
    """Return a font that comes with matplotlib: the fonts of PDF itself lack most letters of Europe."""
    found = find_spec("matplotlib")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"


class _Pages(FPDF):
    """The pages of one report."""

    def __init__(self, report: Report) -> None:
        super().__init__(format="A4")
        self.report = report
        self.add_font(FONT, "", _font("DejaVuSans"))
        self.add_font(FONT, "B", _font("DejaVuSans-Bold"))
        self.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, margin=MARGIN_MM + LINE_MM)
        self.set_title(f"{report.title} · {report.subtitle}")
        self.set_lang(report.language)
        self.set_font(FONT, size=TEXT_POINTS)
        self.set_text_color(*INK)
        self.set_draw_color(*LINE)
        self.add_page()

    def footer(self) -> None:
        """Write the run and the number of the page; fpdf2 calls it for each page."""
        self.set_y(-MARGIN_MM + LINE_MM)
        self.set_font(FONT, size=SMALL_POINTS)
        self.set_text_color(*MUTED)
        self.cell(0, LINE_MM, self.report.footer)
        self.set_x(MARGIN_MM)
        self.cell(0, LINE_MM, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(*INK)
        self.set_font(FONT, size=TEXT_POINTS)

    def write_title(self) -> None:
        """Write what the report is about."""
        self.set_font(FONT, "B", TITLE_POINTS)
        self._lines(self.report.title, height=9)
        self.set_font(FONT, size=TEXT_POINTS)
        self.set_text_color(*MUTED)
        self._lines(self.report.subtitle)
        self.set_text_color(*INK)

    def write_section(self, section: Section) -> None:
        """Write a heading and what stands below it."""
        if self.will_page_break(HEAD_NEEDS_MM):
            self.add_page()
        self.ln(LINE_MM)
        self.set_font(FONT, "B", HEAD_POINTS)
        self.start_section(section.title)
        self._lines(section.title, height=7)
        self.set_font(FONT, size=TEXT_POINTS)
        for block in section.blocks:
            self._write(block)
            self.ln(LINE_MM / 2)

    def _write(self, block: Block) -> None:
        match block:
            case Paragraph(text, is_strong=True):
                with self.local_context(fill_color=SOFT, font_style="B"):
                    self._lines(text, fill=True, height=LINE_MM + 1)
            case Paragraph(text):
                self._lines(text)
            case Bullets(items):
                for item in items:
                    self._lines(f"•  {item}")
            case Facts(entries, is_digest=is_digest):
                self._facts(entries, is_digest=is_digest)
            case Grid(heads, rows, words=words):
                self._table(heads, rows, words=words)
            case Picture(chart):
                draw_chart(self, chart, width=self.epw, font=FONT)

    def _lines(self, text: str, *, height: float = LINE_MM, fill: bool = False) -> None:
        self.multi_cell(0, height, text, align="L", fill=fill, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _facts(self, entries: Sequence[tuple[str, str]], *, is_digest: bool) -> None:
        if not entries:
            return
        self.set_font(FONT, size=DIGEST_POINTS if is_digest else SMALL_POINTS + 1)
        with self.table(
            borders_layout=TableBordersLayout.NONE,
            col_widths=(TERM_SHARE, 100 - TERM_SHARE),
            text_align="LEFT",
            first_row_as_headings=False,
            line_height=LINE_MM - 0.4,
        ) as table:
            for term, value in entries:
                table.row((term, value))
        self.set_font(FONT, size=TEXT_POINTS)

    def _table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: int) -> None:
        self.set_font(FONT, size=SMALL_POINTS)
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=[3 if place < words else 2 for place in range(len(heads))],
            text_align=["LEFT" if place < words else "RIGHT" for place in range(len(heads))],
            headings_style=FontFace(emphasis=TextEmphasis.B, color=INK),
            line_height=LINE_MM - 0.4,
        ) as table:
            table.row(heads)
            for row in rows:
                table.row(row)
        self.set_font(FONT, size=TEXT_POINTS)
