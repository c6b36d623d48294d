"""A run's figures on parts of its test rows: by the length of the texts, or by a column of the person's spreadsheet."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training import access
from bert_training.charts.curves import Axis
from bert_training.charts.estimates import Estimate, draw_estimates
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.charts.shapes import Chart, Table
from bert_training.data.proof.shape import Figure, Slice
from bert_training.models import Run
from bert_training.pages.proof_charts import whole_percent
from bert_training.pages.requests import page, person
from bert_training.services.errors import ServiceError
from bert_training.services.proving.figure_words import count_text, interval_text, share_text
from bert_training.services.proving.slices import METRICS, slices_by_column, slices_by_length
from bert_training.services.proving.verdict_words import metric_label
from bert_training.tasks import TASKS

LENGTH, COLUMN = "length", "column"
CHART = "slices"
DRAWN = 24  # values of a column and what is beside them


@dataclass(frozen=True)
class ShownRate:
    """A figure of a slice with its interval. value: as scripts sort by it."""

    text: str
    interval: str
    value: str


@dataclass(frozen=True)
class ShownSlice:
    """A part of the test rows. count: its rows as scripts sort by them."""

    name: str
    rows: str
    count: str
    is_few: bool
    rates: list[ShownRate]


@dataclass(frozen=True)
class Asked:
    """by: LENGTH or COLUMN.  column: its header, "" until one is chosen."""

    by: str
    column: str

    @property
    def label(self) -> str:
        """Say by what the rows are told apart."""
        return _("length in words") if self.by == LENGTH else self.column


@dataclass(frozen=True)
class Found:
    """What was computed. columns: that can be chosen.  notice: why there is nothing."""

    slices: Sequence[Slice] = ()
    columns: Sequence[str] = ()
    notice: str = ""
    metrics: list[str] = field(default_factory=list)


@page
def show_slices(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the figures of each part."""
    user = person(request)
    run = access.visible_run(user, pk)
    asked, sees_texts = _asked(request), access.may_see_texts(user, run)
    found = _found(run, asked, sees_texts=sees_texts)
    context = {
        "run": run,
        "asked": asked,
        "sees_texts": sees_texts,
        "found": found,
        "heads": [metric_label(TASKS.get(run.task), metric) for metric in found.metrics],
        "slices": [_shown(each, found.metrics) for each in found.slices],
        "chart": _chart(run, asked, found),
        "query": request.GET.urlencode(),
    }
    return render(request, "runs/slices.html", context)


@page
def download_chart(request: HttpRequest, pk: int, form: ChartForm) -> HttpResponse:
    """Send the picture, or its figures, as a file; the page says why there is none."""
    user = person(request)
    run = access.visible_run(user, pk)
    asked = _asked(request)
    chart = _chart(run, asked, _found(run, asked, sees_texts=access.may_see_texts(user, run)))
    if chart is None:
        return redirect(f"{reverse('pages:run-slices', args=[pk])}?{request.GET.urlencode()}")
    return send_chart(request, chart, form, of=run.name)


def _asked(request: HttpRequest) -> Asked:
    by = COLUMN if request.GET.get("by") == COLUMN else LENGTH
    return Asked(by, request.GET.get("column", "") if by == COLUMN else "")


def _found(run: Run, asked: Asked, *, sees_texts: bool) -> Found:
    """Compute what is asked; what a column holds is for those alone who may see the texts."""
    if run.task not in TASKS:
        return Found(notice=_("This portal does not know the task of this run."))
    if asked.by == COLUMN and not sees_texts:
        return Found(notice=_("The texts of this run are not shared with you, and so neither are its columns."))
    try:
        if asked.by == LENGTH:
            return _with_metrics(slices_by_length(run))
        sliced = slices_by_column(run, asked.column)
    except ServiceError as refusal:
        return Found(notice=refusal.message)
    notice = "" if sliced["is_found"] or not asked.column else _("The spreadsheet has no such column.")
    if not sliced["columns"]:
        notice = _("The spreadsheet has no columns beside those that the run was trained on.")
    return _with_metrics(sliced["slices"], columns=sliced["columns"], notice=notice)


def _with_metrics(slices: Sequence[Slice], *, columns: Sequence[str] = (), notice: str = "") -> Found:
    known = {metric for each in slices for metric in each["figures"]}
    return Found(slices, columns, notice, [metric for metric in METRICS if metric in known])


def _chart(run: Run, asked: Asked, found: Found) -> Chart | None:
    """Draw the first figure of each part; the table holds them all."""
    if not found.metrics:
        return None
    metric, *_others = found.metrics
    drawn = [(each, figure) for each in found.slices if (figure := each["figures"][metric])["value"] is not None]
    label = metric_label(TASKS.get(run.task), metric)
    title = _("%(figure)s by %(parts)s") % {"figure": label, "parts": asked.label}
    estimates = [_estimate(each, figure) for each, figure in drawn[:DRAWN]]
    return draw_estimates(CHART, title, estimates, axis=Axis("", text=whole_percent), table=_table(run, asked, found))


def _estimate(each: Slice, figure: Figure) -> Estimate:
    text = f"{share_text(figure['value'])} ({interval_text(figure, share_text)})"
    series = 2 if each["is_few"] else 1
    return Estimate(slice_name(each), figure["value"] or 0.0, text, figure["low"], figure["high"], series)


def _table(run: Run, asked: Asked, found: Found) -> Table:
    heads = [asked.label, _("Test rows")]
    for metric in found.metrics:
        heads += [metric_label(TASKS.get(run.task), metric), _("Interval from"), _("Interval to")]
    rows = []
    for each in found.slices:
        figures = [each["figures"][metric] for metric in found.metrics]
        ends = [share_text(value) for figure in figures for value in (figure["value"], figure["low"], figure["high"])]
        rows.append([slice_name(each), count_text(each["rows"]), *ends])
    return Table(heads, rows)


def _shown(each: Slice, metrics: Sequence[str]) -> ShownSlice:
    figures = [each["figures"][metric] for metric in metrics]
    rates = [
        ShownRate(share_text(figure["value"]), interval_text(figure, share_text), f"{figure['value'] or 0.0:.6f}")
        for figure in figures
    ]
    return ShownSlice(slice_name(each), count_text(each["rows"]), str(each["rows"]), each["is_few"], rates)


def slice_name(each: Slice) -> str:
    """Say which rows a part holds."""
    if each["kind"] == "value":
        return each["value"]
    if each["kind"] == "range":
        ends = [str(number_format(int(end) if end.is_integer() else end)) for end in (each["low"], each["high"])]
        return ends[0] if ends[0] == ends[1] else _("%(low)s to %(high)s") % {"low": ends[0], "high": ends[1]}
    words = {"blank": _("(blank)"), "rest": _("(no number)")}
    rare = ngettext("%(count)s rarer value", "%(count)s rarer values", each["values"])
    return words.get(each["kind"], rare % {"count": count_text(each["values"])})
