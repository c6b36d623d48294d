"""The figures of a proof in words: large ones, and the table beside the simple methods and validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bert_training.contract.enums import PredictionSource
from bert_training.data.proof.shape import Figure, Proof
from bert_training.pages.words import figure_text
from bert_training.services.proving.figure_words import interval_text
from bert_training.services.proving.verdict_words import baseline_name
from bert_training.tasks.spec import FINAL, Metric, TaskSpec

BASELINE_HEADS = {
    PredictionSource.LINEAR: gettext_lazy("Linear method"),
    PredictionSource.FREQUENT: gettext_lazy("Most frequent answer"),
}
LOSS = "loss"
NO_FIGURE = Figure(value=None, low=None, high=None)


@dataclass(frozen=True)
class ShownFigure:
    """A figure with its interval; `note` says what else belongs to it."""

    label: str
    text: str
    interval: str
    note: str = ""
    is_first: bool = False


@dataclass(frozen=True)
class FigureRow:
    """One figure in the table: on test, on validation, and what each simple method reaches on test."""

    label: str
    text: str
    interval: str
    validation: str
    baselines: list[ShownFigure]
    is_first: bool


@dataclass(frozen=True)
class FigureTable:
    """All figures of a proof, the deciding one first. more: those that few ask for."""

    baselines: list[str]
    rows: list[FigureRow]
    more: list[FigureRow]


def headline_figures(proof: Proof, spec: TaskSpec, *, graded_metric: str, grade: str) -> list[ShownFigure]:
    """Return the graded figure and the accuracy.

    Of entities precision and recall instead: most words belong to none, so their accuracy is high whatever is found.
    """
    others = ("precision", "recall") if "entities" in proof else ("accuracy",)
    shown = [metric for metric in spec.metrics if metric.name == graded_metric]
    shown += [metric for metric in spec.metrics if metric.name in others and metric not in shown]
    return [
        _shown(metric, proof["figures"].get(metric.name), note=grade if metric == shown[0] else "", is_first=not place)
        for place, metric in enumerate(shown)
    ]


def figure_table(proof: Proof, spec: TaskSpec, worker_figures: dict[str, Any]) -> FigureTable:
    """Return every figure that the task reports; the loss, which no prediction holds, is the worker's."""
    known = [metric for metric in spec.metrics if metric.name in proof["figures"] or metric.name == LOSS]
    known.sort(key=lambda metric: metric.name != proof["metric"])
    return FigureTable(
        baselines=[baseline_head(entry["source"]) for entry in ordered_baselines(proof)],
        rows=[_row(metric, proof, worker_figures) for metric in known if metric.chart != FINAL],
        more=[_row(metric, proof, worker_figures) for metric in known if metric.chart == FINAL],
    )


def _row(metric: Metric, proof: Proof, worker_figures: dict[str, Any]) -> FigureRow:
    figure = _plain(worker_figures.get(LOSS)) if metric.name == LOSS else proof["figures"][metric.name]
    found = _shown(metric, figure)
    return FigureRow(
        label=found.label,
        text=found.text,
        interval=found.interval,
        validation=figure_text(metric, proof["validation"].get(metric.name)),
        baselines=[_shown(metric, entry["figures"].get(metric.name)) for entry in ordered_baselines(proof)],
        is_first=metric.name == proof["metric"],
    )


def _shown(metric: Metric, figure: Figure | None, *, note: str = "", is_first: bool = False) -> ShownFigure:
    found = figure or NO_FIGURE
    between = interval_text(found, lambda value: figure_text(metric, value))
    return ShownFigure(_(metric.label), figure_text(metric, found["value"]), between, note, is_first)


def _plain(value: float | None) -> Figure:
    return Figure(value=value, low=None, high=None)


def ordered_baselines(proof: Proof) -> Sequence[Any]:
    """Return the simple methods, the stronger kind first."""
    order = list(BASELINE_HEADS)
    return sorted(proof["baselines"], key=lambda entry: order.index(entry["source"]) if entry["source"] in order else 9)


def baseline_head(source: str) -> str:
    """Name a simple method above a column."""
    known = BASELINE_HEADS.get(PredictionSource(source)) if source in list(PredictionSource) else None
    return str(known) if known else baseline_name(source)
