"""Draws a chart on a page of a PDF: the same pieces that templates/charts/chart.svg prints."""

from fpdf import FPDF
from fpdf.enums import RenderStyle

from bert_training.charts.shapes import Chart, Words

POINTS_PER_MM = 72 / 25.4
TEXT_UNITS = 12  # height of words in units of the picture
INK, MUTED, LINE = (23, 33, 43), (83, 96, 112), (219, 225, 231)
FAINT = 0.18
SHIFT = {"start": 0.0, "middle": 0.5, "end": 1.0}


def draw_chart(pdf: FPDF, chart: Chart, *, width: float, font: str) -> None:
    """Draw a chart at the left margin, `width` mm wide, on a page that has room for it, and go below it."""
    scale = width / chart.width
    if pdf.will_page_break(chart.height * scale + 8):
        pdf.add_page()
    pdf.set_font(font, "B", 9)
    pdf.cell(0, 6, chart.title, new_x="LMARGIN", new_y="NEXT")
    _Drawing(pdf, pdf.l_margin, pdf.get_y(), scale).draw(chart, font)
    pdf.set_y(pdf.get_y() + chart.height * scale)


class _Drawing:
    """A place on the page, and how large a unit of the picture is there."""

    def __init__(self, pdf: FPDF, left: float, top: float, scale: float) -> None:
        self.pdf, self.left, self.top, self.scale = pdf, left, top, scale

    def draw(self, chart: Chart, font: str) -> None:
        """Draw all pieces, the grid first."""
        pdf, scale = self.pdf, self.scale
        for line in chart.lines:
            with pdf.local_context(fill_color=LINE):
                pdf.rect(*self._at(line.x, line.y), line.width * scale, scale, style=RenderStyle.F)
        for bar in chart.bars:
            with pdf.local_context(fill_color=bar.colour):
                pdf.rect(*self._at(bar.x, bar.y), bar.width * scale, bar.height * scale, style=RenderStyle.F)
        for tile in chart.tiles:
            with pdf.local_context(fill_opacity=float(tile.opacity), fill_color=tile.colour):
                pdf.rect(*self._at(tile.x, tile.y), tile.width * scale, tile.height * scale, style=RenderStyle.F)
        for band in chart.bands:
            with pdf.local_context(fill_opacity=FAINT, fill_color=band.colour):
                pdf.polygon(self._path(band.points), style=RenderStyle.F)
        for stroke in chart.strokes:
            dashes = {"dash_pattern": {"dash": 1.5, "gap": 1.5, "phase": 0}} if stroke.is_dashed else {}
            with pdf.local_context(draw_color=stroke.colour, line_width=0.5, **dashes):
                pdf.polyline(self._path(stroke.points))
        for dot in chart.dots:
            with pdf.local_context(fill_color=dot.colour):
                pdf.circle(*self._at(dot.x, dot.y), dot.radius * scale, style=RenderStyle.F)
        pdf.set_font(font, size=TEXT_UNITS * scale * POINTS_PER_MM)
        for words in chart.words:
            self._write(words)
        pdf.set_text_color(*INK)

    def _write(self, words: Words) -> None:
        self.pdf.set_text_color(*(MUTED if words.is_muted else INK))
        x, y = self._at(words.x, words.y)
        self.pdf.text(x - SHIFT[words.anchor] * self.pdf.get_string_width(words.text), y, words.text)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * self.scale, self.top + y * self.scale

    def _path(self, points: str) -> list[tuple[float, float]]:
        pairs = (place.split(",") for place in points.split())
        return [self._at(float(x), float(y)) for x, y in pairs]
