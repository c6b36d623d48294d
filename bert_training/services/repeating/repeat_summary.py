"""What came of a run's repeats so far: mean and spread of each figure, over folds or over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform

from bert_training.contract.enums import JobStatus, RepeatKind
from bert_training.data.figures.spread import Spread, spread_of
from bert_training.models import Run
from bert_training.tasks import TASKS
from bert_training.tasks.spec import Metric

Metrics = dict[str, float | None]


@dataclass(frozen=True)
class Repeat:
    """One child with its test figures; none before its end."""

    run: Run
    metrics: Metrics


@dataclass(frozen=True)
class MetricSpread:
    """How one figure of the task spreads."""

    metric: Metric
    spread: Spread


@dataclass(frozen=True)
class RepeatSummary:
    """All repeats of one kind.

    planned: how many were asked for.  spreads: of each metric; over seeds the run itself counts as one more.
    """

    kind: RepeatKind
    planned: int
    repeats: list[Repeat]
    spreads: list[MetricSpread]

    @property
    def ended(self) -> int:
        """Return how many have ended, in whatever way."""
        return sum(repeat.run.is_finished for repeat in self.repeats)

    @property
    def completed(self) -> int:
        """Return how many have figures."""
        return sum(repeat.run.status == JobStatus.COMPLETED for repeat in self.repeats)


def repeats_of(run: Run) -> list[RepeatSummary]:
    """Return a summary for each kind of repeat, of those that there are none of too. Costs one query."""
    children = list(_children(run))
    by_kind = {kind: [child for child in children if child.repeat_kind == kind] for kind in RepeatKind}
    return [_summary(run, kind, those) for kind, those in by_kind.items()]


def _children(run: Run) -> QuerySet[Run]:
    """Load what is shown of each child: of a result, which may hold a thousand classes, only its figures."""
    children = run.repeats.select_related("job__worker", "split_manifest").order_by("repeat_number")
    return children.defer("result", "reproducibility", "split_manifest__letters").annotate(
        result_metrics=KeyTransform("metrics", "result")
    )


def _summary(run: Run, kind: RepeatKind, children: Sequence[Run]) -> RepeatSummary:
    repeats = [Repeat(child, _metrics_of(child)) for child in children]
    figures = [repeat.metrics for repeat in repeats if repeat.metrics]
    if kind is RepeatKind.SEED and run.result:
        figures.append(run.result.get("metrics", {}))
    planned = len(children)
    if kind is RepeatKind.FOLD and children:
        planned = children[0].split_manifest.facts["folds"]
    return RepeatSummary(kind, planned, repeats, _spreads(run, figures))


def _metrics_of(child: Any) -> Metrics:
    return child.result_metrics or {}


def _spreads(run: Run, figures: Sequence[Metrics]) -> list[MetricSpread]:
    """Return the spread of each metric of the task, the deciding one first; none for a task that is gone."""
    spec = TASKS.get(run.task)
    if spec is None:
        return []
    deciding = spec.deciding_metric(run.hyperparameters)
    ordered = sorted(spec.metrics, key=lambda metric: metric != deciding)
    found = ((metric, spread_of([each.get(metric.name) for each in figures])) for metric in ordered)
    return [MetricSpread(metric, spread) for metric, spread in found if spread is not None]
