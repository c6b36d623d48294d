"""The curves of several runs over the same axes: loss, and the figure that decides, while they trained."""

from collections.abc import Mapping, Sequence
from functools import partial

from django.utils.translation import gettext as _

from bert_training.charts.curves import Curve, axis_around, draw_curves
from bert_training.charts.shapes import Chart, Table
from bert_training.contract.enums import Split
from bert_training.models import Run
from bert_training.pages.words import figure_text
from bert_training.services.picturing.curve_points import Points, points_of
from bert_training.services.proving.figure_words import count_text
from bert_training.tasks import TASKS
from bert_training.tasks.spec import Metric as MetricSpec

LOSS = "loss"
MARKED_POINTS = 20  # of a curve; more would hide those of the others
DRAWN_POINTS = 300  # a curve; more are not to be told apart

Found = Mapping[int, Points]  # by run


def compared_charts(runs: Sequence[Run]) -> list[Chart]:
    """Draw what the runs told while they trained; a figure that none of them told is left out."""
    names = {spec.deciding_metric(run.hyperparameters).name for run in runs if (spec := TASKS.get(run.task))}
    wanted = [(Split.TRAIN, LOSS), (Split.VALIDATION, LOSS)]
    wanted += [(Split.VALIDATION, name) for name in sorted(names - {LOSS})]
    drawn = [_chart(runs, split, metric) for split, metric in wanted]
    return [chart for chart in drawn if chart is not None]


def _chart(runs: Sequence[Run], split: Split, metric: str) -> Chart | None:
    found = {run.pk: points_of(run, split, metric) for run in runs}
    spec = _spec_of(runs, metric)
    if spec is None or not any(found.values()):
        return None
    splits = {Split.TRAIN: _("training"), Split.VALIDATION: _("validation")}
    label = _(spec.label)
    slug, title = f"{metric.replace('_', '-')}-{split.value}", f"{label} · {splits[split]}"
    curves = [
        Curve(run.name, points, series=place, titles=_titles(run, points, spec))
        for place, run in enumerate(runs, start=1)
        if (points := _thinned(found[run.pk]))
    ]
    every = [point for curve in curves for point in curve.points]
    across = axis_around(_("Step"), [0.0, *(step for step, _value in every)], lambda step: count_text(round(step)))
    up = axis_around(label, [value for _step, value in every], partial(figure_text, spec))
    return draw_curves(slug, title, curves, across=across, up=up, table=_table(runs, found, spec))


def _spec_of(runs: Sequence[Run], name: str) -> MetricSpec | None:
    specs = (TASKS[run.task] for run in runs if run.task in TASKS)
    return next((metric for spec in specs for metric in spec.metrics if metric.name == name), None)


def _thinned(points: Points) -> Points:
    """Keep so many points of a curve as can be told apart, its last among them."""
    stride = -(-len(points) // DRAWN_POINTS) or 1
    return points[::-1][::stride][::-1]


def _titles(run: Run, points: Points, spec: MetricSpec) -> list[str]:
    if len(points) > MARKED_POINTS:
        return []
    words = _("%(run)s, step %(step)s: %(value)s")
    return [
        words % {"run": run.name, "step": count_text(round(step)), "value": figure_text(spec, value)}
        for step, value in points
    ]


def _table(runs: Sequence[Run], found: Found, spec: MetricSpec) -> Table:
    """Return a line for each step at which any of them told the figure."""
    drawn = {run.pk: dict(_thinned(found[run.pk])) for run in runs if found[run.pk]}
    steps = sorted({step for own in drawn.values() for step in own})
    rows = [[count_text(round(step)), *(figure_text(spec, own.get(step)) for own in drawn.values())] for step in steps]
    return Table([_("Step"), *(run.name for run in runs if run.pk in drawn)], rows)
