"""How long a run will take, from what earlier ones of the same task and base model took. Reads a fixed number of them.

Size = rows times epochs. Runs of half to twice the size count alone; where there are none, all do, with a wider range.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import Q

from bert_training.contract.enums import Outcome
from bert_training.models import Job, JobAttempt, Run

ATTEMPTS_READ = 300  # the newest completed ones
ALIKE = 2.0  # sizes that differ by no more than this factor
SPREAD_OF_ALIKE = 1.25  # the range goes from the lower quartile over this to the upper quartile times this
SPREAD_OF_OTHERS = 2.5
EPOCHS = 3  # where a run of before does not say

Kind = tuple[str, bool, str]  # task, simulation, base model


class Duration(NamedTuple):
    """Seconds that a run takes, in a rough range."""

    low: float
    high: float


class PastDurations:
    """What earlier runs took."""

    def __init__(self, taken: Iterable[tuple[Kind, float, float]]) -> None:
        """taken: kind, size and seconds of each."""
        self._taken: dict[Kind, list[tuple[float, float]]] = defaultdict(list)
        for kind, size, seconds in taken:
            self._taken[kind].append((size, seconds))

    def of(self, job: Job) -> Duration | None:
        """Return how long a job (with its run and dataset) will take; None where no like run was ever completed."""
        return self.estimate((job.task, job.simulate, job.run.base_model), size_of(job.run))

    def estimate(self, kind: Kind, size: float) -> Duration | None:
        """Return how long a run of this kind and size takes."""
        taken = self._taken.get(kind, [])
        alike = [seconds * size / past for past, seconds in taken if past / ALIKE <= size <= past * ALIKE]
        scaled = sorted(alike or [seconds * size / past for past, seconds in taken])
        if not scaled:
            return None
        spread = SPREAD_OF_ALIKE if alike else SPREAD_OF_OTHERS
        lower, upper = scaled[len(scaled) // 4], scaled[(3 * len(scaled)) // 4]
        return Duration(lower / spread, upper * spread)


def size_of(run: Run) -> float:
    """Return rows times epochs of a run with its dataset."""
    return _size(run.dataset.rows, run.hyperparameters.get("epochs"))


def past_durations() -> PastDurations:
    """Read what the newest completed attempts took from beginning to end: one query."""
    whole = Q(resumed_from_step__isnull=True) | Q(resumed_from_step=0)
    completed = JobAttempt.objects.filter(whole, outcome=Outcome.COMPLETED).order_by("-pk")
    rows = completed.values_list(
        "job__task",
        "job__simulate",
        "job__run__base_model",
        "job__run__dataset__rows",
        "job__run__hyperparameters__epochs",
        "started_at",
        "ended_at",
    )
    return PastDurations(
        ((task, simulate, base_model), _size(count, epochs), (ended - started).total_seconds())
        for task, simulate, base_model, count, epochs, started, ended in rows[:ATTEMPTS_READ]
        if ended is not None
    )


def _size(rows: int, epochs: Any) -> float:
    return float(max(1, rows) * (epochs or EPOCHS))
