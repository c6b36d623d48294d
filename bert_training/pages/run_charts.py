"""What the charts of a run show: groups of curves as the task declares them, the computer's, and the table of epochs.

The browser draws them live; the same charts are saved as picture and figures: see run_curves.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from bert_training.contract.enums import HARDWARE, Split
from bert_training.models import Metric, Run
from bert_training.pages.words import figure_text
from bert_training.services.proving.figure_words import share_text
from bert_training.tasks import TASKS
from bert_training.tasks.spec import FINAL, TaskSpec

GROUP_LABELS = {"loss": gettext_noop("Loss"), "quality": gettext_noop("Quality")}
SHOWN_EPOCHS = 200
# More curves than this in one chart are hidden until somebody asks for them.
CURVES_SHOWN_FIRST = 2
SHOWN_GPUS = 8  # as many as a worker tells of
GIB = 1024**3
# How figures of a unit are written in tables; the browser's chart_units.js has the same units.
UNITS: dict[str, Callable[[float], str]] = {
    "number": lambda value: str(number_format(round(value, 4), decimal_pos=4)),
    "rate": lambda value: str(number_format(f"{value:.3g}" if value >= 1e-4 else f"{value:.8f}".rstrip("0"))),
    "share": share_text,
    "percent": lambda value: share_text(value / 100),
    "bytes": lambda value: f"{number_format(round(value / GIB, 1), decimal_pos=1)} GB",
    "celsius": lambda value: f"{number_format(round(value), decimal_pos=0)} °C",
}


@dataclass(frozen=True)
class RunCurve:
    """One figure of one split."""

    split: str
    metric: str
    label: str
    shown: bool = True


@dataclass(frozen=True)
class RunChart:
    """Curves over the steps that share an axis. unit: of UNITS; folded: below the charts of learning."""

    name: str
    label: str
    unit: str
    curves: list[RunCurve] = field(default_factory=list)
    folded: bool = False

    @property
    def has_several_splits(self) -> bool:
        """Tell whether a curve's label must name its split."""
        return len({curve.split for curve in self.curves}) > 1


def charts_of(spec: TaskSpec | None) -> list[RunChart]:
    """Return every chart that a run of the task may have: the loss first, it is there from the first steps on."""
    if spec is None:
        return []
    groups: dict[str, list[Any]] = {}
    for metric in charted(spec):
        groups.setdefault(metric.chart, []).append(metric)
    learned = [_learned(name, groups[name]) for name in sorted(groups, key=lambda name: name != "loss")]
    rate = [RunCurve(Split.TRAIN, "learning_rate", _("Learning rate"))]
    return [*learned, RunChart("learning-rate", _("Learning rate"), "rate", rate), *_hardware_charts()]


def described(run: Run, charts: list[RunChart]) -> list[dict[str, Any]]:
    """Describe charts to the browser, with the addresses of their files."""
    return [{**asdict(chart), "files": _files_of(run, chart)} for chart in charts]


def best_rule(run: Run) -> dict[str, Any] | None:
    """Say how evaluations of a run are compared: {"metric", "higher"}; None for a task that is gone."""
    spec = TASKS.get(run.task)
    if spec is None:
        return None
    metric = spec.deciding_metric(run.hyperparameters)
    return {"metric": metric.name, "higher": metric.higher_is_better}


def _files_of(run: Run, chart: RunChart) -> dict[str, str]:
    return {form: reverse(f"pages:run-curve-{form}", args=[run.pk, chart.name]) for form in ("svg", "csv")}


def charted(spec: TaskSpec) -> list[Any]:
    """Return the metrics that are followed while a run trains."""
    return [metric for metric in spec.metrics if metric.chart != FINAL]


def _learned(name: str, metrics: list[Any]) -> RunChart:
    splits = [Split.TRAIN.value, Split.VALIDATION.value] if name == "loss" else [Split.VALIDATION.value]
    curves = [
        RunCurve(split, metric.name, _(metric.label), place < CURVES_SHOWN_FIRST)
        for place, metric in enumerate(metrics)
        for split in splits
    ]
    unit = "share" if all(metric.higher_is_better for metric in metrics) else "number"
    return RunChart(name, _(GROUP_LABELS.get(name, name)), unit, curves)


def _hardware_charts() -> list[RunChart]:
    memory = [("memory_bytes", _("in use")), ("memory_total_bytes", _("installed"))]
    return [
        _computer("processor", _("Processor"), "percent", [("cpu_percent", _("Processor"))]),
        _computer("memory", _("Memory"), "bytes", memory),
        _computer("gpu", _("GPU"), "percent", _of_gpus("percent", _("GPU %(number)s"))),
        _computer(
            "gpu-memory",
            _("GPU memory"),
            "bytes",
            [
                *_of_gpus("memory_bytes", _("GPU %(number)s, in use")),
                *_of_gpus("memory_total_bytes", _("GPU %(number)s, installed")),
            ],
        ),
        _computer("gpu-temperature", _("GPU temperature"), "celsius", _of_gpus("celsius", _("GPU %(number)s"))),
        _computer("disk", _("Free disk space"), "bytes", [("disk_free_bytes", _("free"))]),
    ]


def _of_gpus(figure: str, label: str) -> list[tuple[str, str]]:
    return [(f"gpu{number}_{figure}", label % {"number": number + 1}) for number in range(SHOWN_GPUS)]


def _computer(name: str, label: str, unit: str, figures: list[tuple[str, str]]) -> RunChart:
    curves = [RunCurve(HARDWARE, figure, said) for figure, said in figures]
    return RunChart(name, label, unit, curves, folded=True)


def epochs_of(run: Run, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the validation figures of each epoch as a table: the chart for those who cannot see it.

    attempts: as run_state names them; what a later attempt did again is left out.
    """
    spec = TASKS.get(run.task)
    if spec is None:
        return {"labels": [], "rows": []}
    found = Metric.objects.filter(run=run, split=Split.VALIDATION).select_related("attempt").order_by("-id")
    points = [
        point
        for point in found[:SHOWN_EPOCHS]
        if not is_superseded(attempts, attempt=point.attempt.number, step=point.step)
    ]
    rows = [
        {
            "epoch": point.epoch,
            "step": point.step,
            "texts": [figure_text(metric, point.values.get(metric.name)) for metric in charted(spec)],
        }
        for point in reversed(points)
    ]
    return {"labels": [_(metric.label) for metric in charted(spec)], "rows": rows}


def is_superseded(attempts: list[dict[str, Any]], *, attempt: int, step: int) -> bool:
    """Tell whether a later attempt went on from a step before this one."""
    later = [other for other in attempts if other["number"] > attempt]
    return any(other["resumed_from_step"] is not None and other["resumed_from_step"] < step for other in later)
