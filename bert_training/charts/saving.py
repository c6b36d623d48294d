"""Sends a chart of a page or of the admin as a file: the picture (SVG), or the figures behind it (CSV)."""

import re
from enum import StrEnum

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.http import content_disposition_header

from bert_training.charts.shapes import Chart
from bert_training.services.csv_form import reader_form

# The name of a run and that of a spreadsheet's column may be long: too long for the name of a file and for a header.
NAME_CHARACTERS = 120
# One of these in a name, and no program opens the picture.
NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class ChartForm(StrEnum):
    """What a chart is saved as; the values end the names of the files."""

    PICTURE = "svg"
    FIGURES = "csv"


def send_chart(request: HttpRequest, chart: Chart | None, form: ChartForm, *, of: str) -> HttpResponse:
    """Send a chart as a file whose name begins with what it is of. Raises Http404 without one."""
    if chart is None or (form is ChartForm.FIGURES and chart.table is None):
        raise Http404
    answer = _figures(chart) if form is ChartForm.FIGURES else _picture(request, chart)
    name = f"{f'{of} - {chart.title}'[:NAME_CHARACTERS]}.{form.value}"
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _picture(request: HttpRequest, chart: Chart) -> HttpResponse:
    drawn = render_to_string("charts/chart.svg", {"chart": chart, "is_file": True}, request)
    return HttpResponse(NO_XML.sub("\ufffd", drawn), content_type="image/svg+xml")


def _figures(chart: Chart) -> HttpResponse:
    assert chart.table is not None
    rows = [chart.table.heads, *chart.table.rows]
    return HttpResponse(reader_form().file(rows), content_type="text/csv; charset=utf-8")
