"""Saves a chart of a run as a file: the picture with its marks, or every figure behind it, by step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.charts.curves import Axis, Curve, draw_curves
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.charts.shapes import Chart, Table
from bert_training.charts.thinning import thin
from bert_training.models import Metric, Run
from bert_training.models.choices import SPLIT_LABELS
from bert_training.pages.requests import page, person
from bert_training.pages.run_charts import UNITS, RunChart, RunCurve, best_rule, charts_of, is_superseded
from bert_training.services.proving.figure_words import count_text
from bert_training.services.run_state import run_state
from bert_training.tasks import TASKS

COLOURS = 6
ROWS_AT_ONCE = 2000
FROM_ZERO = frozenset({"number", "rate", "percent", "bytes"})  # units whose axis begins at nothing


@dataclass(frozen=True)
class Step:
    """What is known of one step: its epoch, and values by split and figure."""

    epoch: int
    values: dict[tuple[str, str], float] = field(default_factory=dict)


Steps = dict[int, Step]


@page
def download_curve(request: HttpRequest, pk: int, name: str, form: ChartForm) -> HttpResponse:
    """Download one chart of a run."""
    run = access.visible_run(person(request), pk)
    wanted = next((chart for chart in charts_of(TASKS.get(run.task)) if chart.name == name), None)
    chart = draw_run_chart(run, wanted) if wanted else None
    return send_chart(request, chart, form, of=run.name)


def draw_run_chart(run: Run, wanted: RunChart) -> Chart | None:
    """Draw a chart from all stored points that no later attempt did again; None when there is no figure of it."""
    state = run_state(run)
    steps = _read_steps(run, state["attempts"])
    curves = [curve for curve in wanted.curves if any(_key(curve) in step.values for step in steps.values())]
    if not curves:
        return None
    text = UNITS[wanted.unit]
    drawn = [
        Curve(_label(wanted, curve), thin(_points(steps, curve)), wanted.curves.index(curve) % COLOURS + 1)
        for curve in curves
    ]
    across = Axis(_("Step"), 0, max(steps), lambda value: count_text(round(value)))
    up = _upright(wanted, drawn)
    marks = [] if wanted.folded else list(_marks(run, state["progress"], steps, up))
    table = Table(
        [_("Step"), _("Epoch"), *(curve.label for curve in drawn)],
        [
            [str(number), str(step.epoch), *(_text(step.values.get(_key(curve)), text) for curve in curves)]
            for number, step in sorted(steps.items())
            if any(_key(curve) in step.values for curve in curves)
        ],
    )
    return draw_curves(wanted.name, wanted.label, [*drawn, *marks], across=across, up=up, table=table)


def _read_steps(run: Run, attempts: list[dict[str, Any]]) -> Steps:
    fields = ("attempt__number", "epoch", "step", "split", "values")
    rows = Metric.objects.filter(run=run).order_by("id").values_list(*fields)
    found: Steps = {}
    for attempt, epoch, number, split, values in rows.iterator(chunk_size=ROWS_AT_ONCE):
        if is_superseded(attempts, attempt=attempt, step=number):
            continue
        step = found.setdefault(number, Step(epoch))
        step.values.update({(split, name): value for name, value in values.items() if value is not None})
    return found


def _key(curve: RunCurve) -> tuple[str, str]:
    return curve.split, curve.metric


def _points(steps: Steps, curve: RunCurve) -> list[tuple[float, float]]:
    key = _key(curve)
    return [(number, step.values[key]) for number, step in sorted(steps.items()) if key in step.values]


def _label(chart: RunChart, curve: RunCurve) -> str:
    return f"{curve.label} ({SPLIT_LABELS[curve.split]})" if chart.has_several_splits else curve.label


def _text(value: float | None, text: Callable[[float], str]) -> str:
    return "" if value is None else text(value)


def _upright(chart: RunChart, drawn: list[Curve]) -> Axis:
    values = [value for curve in drawn for _step, value in curve.points]
    low = min(0.0, *values) if chart.unit in FROM_ZERO else min(values)
    high = 100.0 if chart.unit == "percent" else max(values)
    return Axis(chart.label, low, high if high > low else low + 1.0, UNITS[chart.unit])


def _marks(run: Run, progress: dict[str, Any], steps: Steps, up: Axis) -> Iterator[Curve]:
    """Yield the best evaluation and the early stop as upright lines."""
    best = _best_step(run, steps)
    if best is not None:
        label = _("best: epoch %(epoch)s") % {"epoch": steps[best].epoch}
        yield Curve(label, [(best, up.low), (best, up.high)], 3, is_reference=True)
    last = progress["step"]
    if progress["stopped_early"] and last in steps:
        label = _("stopped early, step %(step)s") % {"step": count_text(last)}
        yield Curve(label, [(last, up.low), (last, up.high)], 5, is_reference=True)


def _best_step(run: Run, steps: Steps) -> int | None:
    """Return the step of the best evaluation, the first of equal ones, as the worker chooses."""
    rule = best_rule(run)
    key = ("validation", rule["metric"]) if rule else ("", "")
    judged = [number for number, step in sorted(steps.items()) if key in step.values]
    if rule is None or not judged:
        return None
    sign = 1 if rule["higher"] else -1
    return max(judged, key=lambda number: sign * steps[number].values[key])
