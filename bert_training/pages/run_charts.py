"""What the charts of a run show: groups of curves as the task declares them, and the table of epochs behind them."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bert_training.contract.enums import Split
from bert_training.models import Metric, Run
from bert_training.pages.words import figure_text
from bert_training.tasks import TASKS
from bert_training.tasks.spec import FINAL, TaskSpec

GROUP_LABELS = {"loss": gettext_noop("Loss"), "quality": gettext_noop("Quality")}
SHOWN_EPOCHS = 200
# More curves than this in one chart are hidden until somebody asks for them.
CURVES_SHOWN_FIRST = 2


def charts_of(spec: TaskSpec | None) -> list[dict[str, Any]]:
    """Describe each chart to the browser: {"label", "percent", "curves": [{"split", "metric", "label", "shown"}]}."""
    if spec is None:
        return []
    groups: dict[str, list[Any]] = {}
    for metric in _charted(spec):
        groups.setdefault(metric.chart, []).append(metric)
    # The loss first: it is there from the first steps on.
    return [_chart(name, groups[name]) for name in sorted(groups, key=lambda name: name != "loss")]


def _charted(spec: TaskSpec) -> list[Any]:
    """Return the metrics that are followed while a run trains."""
    return [metric for metric in spec.metrics if metric.chart != FINAL]


def _chart(name: str, metrics: list[Any]) -> dict[str, Any]:
    splits = [Split.TRAIN.value, Split.VALIDATION.value] if name == "loss" else [Split.VALIDATION.value]
    curves = [
        {"split": split, "metric": metric.name, "label": _(metric.label), "shown": place < CURVES_SHOWN_FIRST}
        for place, metric in enumerate(metrics)
        for split in splits
    ]
    percent = all(metric.higher_is_better for metric in metrics)
    return {"label": _(GROUP_LABELS.get(name, name)), "percent": percent, "curves": curves}


def epochs_of(run: Run, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the validation figures of each epoch as a table: the chart for those who cannot see it.

    attempts: as run_state names them; what a later attempt did again is left out.
    """
    spec = TASKS.get(run.task)
    if spec is None:
        return {"labels": [], "rows": []}
    found = Metric.objects.filter(run=run, split=Split.VALIDATION).select_related("attempt").order_by("-id")
    points = [point for point in found[:SHOWN_EPOCHS] if not _is_superseded(point, attempts)]
    rows = [
        {
            "epoch": point.epoch,
            "step": point.step,
            "texts": [figure_text(metric, point.values.get(metric.name)) for metric in _charted(spec)],
        }
        for point in reversed(points)
    ]
    return {"labels": [_(metric.label) for metric in _charted(spec)], "rows": rows}


def _is_superseded(point: Metric, attempts: list[dict[str, Any]]) -> bool:
    """Tell whether a later attempt went on from a step before this one."""
    later = [attempt for attempt in attempts if attempt["number"] > point.attempt.number]
    return any(
        attempt["resumed_from_step"] is not None and attempt["resumed_from_step"] < point.step for attempt in later
    )
