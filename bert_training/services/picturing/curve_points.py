"""The points of a curve of a run, few enough for a picture, without what a later attempt did again."""

from collections.abc import Sequence

from django.db.models import F, QuerySet, Window
from django.db.models.functions import Mod, RowNumber

from bert_training.charts.curves import bounded
from bert_training.contract.enums import Split
from bert_training.models import JobAttempt, Metric, Run

MOST_POINTS = 2000  # of a curve: more are not told apart on 1,000 pixels

Points = Sequence[tuple[int, float]]


def points_of(run: Run, split: Split, name: str) -> Points:
    """Return (step, value) in the order of steps, of a long curve one of every so many and the last. Three queries.

    Counted by rows and not by `seq`: other splits, and the computer's figures, stand between those of a split.
    """
    rows = standing_points(run).filter(split=split)
    apart = -(-rows.count() // MOST_POINTS)
    if apart > 1:
        place = Window(RowNumber(), order_by=F("id").desc())
        rows = rows.annotate(place=Mod(place - 1, apart)).filter(place=0)
    kept: list[tuple[int, float]] = []
    for step, value in rows.order_by("-id").values_list("step", f"values__{name}"):
        # Also where no attempt says from where it went on: what was told last counts.
        if isinstance(value, int | float) and (not kept or step < kept[-1][0]):
            kept.append((step, bounded(float(value))))
    return kept[::-1]


def standing_points(run: Run) -> QuerySet[Metric]:
    """Return what a run told, without the steps that a later attempt did again. One query, and the one returned."""
    rows = Metric.objects.filter(run=run)
    resumed = JobAttempt.objects.filter(job__run=run, resumed_from_step__isnull=False)
    for number, step in resumed.values_list("number", "resumed_from_step"):
        rows = rows.exclude(attempt__number__lt=number, step__gt=step)
    return rows
