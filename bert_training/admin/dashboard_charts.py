"""The pictures of the admin's first page: each with its figures as a table behind it, and both as files."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from bert_training.charts.bars import draw_bars
from bert_training.charts.curves import Axis, Curve, draw_curves
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.charts.shapes import Chart, Table
from bert_training.contract.enums import JobStatus, QuotaKind
from bert_training.models.choices import STATUS_LABELS
from bert_training.models.reasons import explain
from bert_training.services.house_figures import (
    by_person,
    by_team,
    ended_by_day,
    failures_by_reason,
    last_days,
    minutes_waited_by_day,
    used_by_everybody,
)
from bert_training.services.proving.figure_words import UNKNOWN, count_text

SHOWN_BARS = 10  # the others are added up in words
TICK_STEP = 4  # an axis of five numbers: its end is a multiple of four, so that all are whole
SERIES = {JobStatus.COMPLETED: 3, JobStatus.FAILED: 2, JobStatus.CANCELED: 6}
SECONDS_A_MINUTE, BYTES_A_MEGABYTE = 60, 1_000_000
Use = Mapping[int, int]


def dashboard_charts() -> list[Chart]:
    """Draw all pictures: ten queries, whatever the tables hold."""
    minutes = used_by_everybody(QuotaKind.GPU_MINUTES)
    stored = used_by_everybody(QuotaKind.STORAGE_BYTES)
    charts = [_ended(), _waited(), _failures(), *_of_gpu(minutes), *_of_storage(stored)]
    return [chart for chart in charts if chart.bars or chart.strokes]


def send_dashboard_chart(request: HttpRequest, chart: str, form: ChartForm) -> HttpResponse:
    """Send one picture, or the figures behind it, as a file."""
    found = next((drawn for drawn in dashboard_charts() if drawn.name == chart), None)
    if found is None:
        raise Http404
    return send_chart(request, found, form, of=_("Administration"))


def _ended() -> Chart:
    days, counts = last_days(), ended_by_day()
    shown = {status: row for status, row in counts.items() if any(row)}
    curves = [
        Curve(
            str(STATUS_LABELS[status]),
            list(enumerate(row)),
            SERIES[status],
            titles=[
                f"{_day(day)}: {count_text(count)} {STATUS_LABELS[status]}"
                for day, count in zip(days, row, strict=True)
            ],
        )
        for status, row in shown.items()
    ]
    heads = [_("Day"), *(str(STATUS_LABELS[status]) for status in counts)]
    rows = [[_day(day), *(count_text(row[place]) for row in counts.values())] for place, day in enumerate(days)]
    most = max((count for row in counts.values() for count in row), default=0)
    up = Axis(_("Runs"), high=_whole_end(most), text=_whole)
    title = _("Runs that ended, by day")
    return draw_curves("ended", title, curves, across=_days_axis(days), up=up, table=Table(heads, rows[::-1]))


def _waited() -> Chart:
    days, waited = last_days(), minutes_waited_by_day()
    points = [(float(place), waited[day]) for place, day in enumerate(days) if day in waited]
    says = [f"{_day(day)}: {_minutes(waited[day])}" for day in days if day in waited]
    curves = [Curve(_("Waiting time"), points, titles=says)] if points else []
    rows = [[_day(day), _minutes(waited[day]) if day in waited else UNKNOWN] for day in days]
    table = Table([_("Day"), _("Minutes")], rows[::-1])
    up = Axis(_("Minutes"), high=_whole_end(max(waited.values(), default=0)), text=_whole)
    title = _("Wait in the queue by day, on the average")
    return draw_curves("waited", title, curves, across=_days_axis(days), up=up, table=table)


def _failures() -> Chart:
    counts = {str(explain(code).sentence): count for code, count in failures_by_reason().items()}
    return draw_bars("failures", _("Failed in the last four weeks, by reason"), counts, shown=SHOWN_BARS)


def _of_gpu(seconds: Use) -> list[Chart]:
    titles = _("GPU minutes this month, by person"), _("GPU minutes this month, by team")
    return _holders("gpu", titles, seconds, unit=SECONDS_A_MINUTE)


def _of_storage(stored: Use) -> list[Chart]:
    titles = _("Stored data in MB, by person"), _("Stored data in MB, by team")
    return _holders("storage", titles, stored, unit=BYTES_A_MEGABYTE)


def _holders(name: str, titles: tuple[str, str], used: Use, *, unit: int) -> list[Chart]:
    groups: Sequence[tuple[str, Callable[[Use], dict[str, int]]]] = (("people", by_person), ("teams", by_team))
    drawn = []
    for title, (ending, group) in zip(titles, groups, strict=True):
        counts = {holder: -(-amount // unit) for holder, amount in group(used).items()}  # a part counts as one
        drawn.append(draw_bars(f"{name}-{ending}", title, counts, shown=SHOWN_BARS))
    return drawn


def _days_axis(days: Sequence[date]) -> Axis:
    return Axis(_("Day"), high=len(days) - 1, text=lambda place: _day(days[round(place)]))


def _whole_end(most: float) -> int:
    """Return where an axis ends that begins at 0 and has whole numbers at its marks."""
    return TICK_STEP * max(1, -(-int(most + 0.999) // TICK_STEP))


def _whole(value: float) -> str:
    return count_text(round(value))


def _minutes(value: float) -> str:
    return _("%(count)s min") % {"count": count_text(round(value))}


def _day(day: date) -> str:
    return str(date_format(day, "SHORT_DATE_FORMAT"))
