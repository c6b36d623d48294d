"""How the examples of each class lie in training, validation and test: of a run, or as a new run would divide them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split
from bert_training.data.splitting.manifest import LETTER_OF
from bert_training.data.table import Columns
from bert_training.models import Dataset, Run
from bert_training.services.divisions import Division, divide, division_of
from bert_training.services.errors import DatasetNotReady, ServiceError
from bert_training.services.rate_limits import Limit, limit_caller
from bert_training.services.stored_files import read_table
from bert_training.tasks import TASKS


@dataclass(frozen=True)
class SplitClasses:
    """counts: of each class, the most frequent first, its examples in each split. facts: those of the division."""

    counts: Mapping[str, Mapping[Split, int]]
    facts: Mapping[str, Any]

    def missing_in(self, split: Split) -> list[str]:
        """Return the classes that have no example in a split."""
        return [name for name, counts in self.counts.items() if not counts[split]]


def classes_of_run(run: Run) -> SplitClasses:
    """Count the classes of a run. Raises ServiceError not_found for one without a stored split, DatasetGone, ..."""
    if not hasattr(run, "split_manifest"):
        raise ServiceError(ErrorCode.NOT_FOUND, _("The split of this run is not known."), http_status=404)
    return _counted(run.dataset, division_of(run))


def classes_of_dataset(dataset: Dataset) -> SplitClasses:
    """Count them as a run with the usual settings would divide the rows now.

    Raises InvalidRun where these settings leave a split empty, DatasetNotReady, DatasetGone, StorageAway, RateLimited.
    """
    if not dataset.is_ready:
        raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, _("The data are not ready yet."))
    limit_caller(Limit.CHECKS)
    return _counted(dataset, divide(dataset, TASKS[dataset.task].hyperparameters()))


def _counted(dataset: Dataset, division: Division) -> SplitClasses:
    table = read_table(dataset)
    by_split = {split: _labels_of(dataset, _rows_of(table, division.letters, split)) for split in Split}
    totals: dict[str, int] = {}
    for labels in by_split.values():
        for name, count in labels.items():
            totals[name] = totals.get(name, 0) + count
    ordered = sorted(totals, key=lambda name: (-totals[name], name))
    counts = {name: {split: by_split[split].get(name, 0) for split in Split} for name in ordered}
    return SplitClasses(counts, division.facts)


def _rows_of(table: Columns, letters: str, split: Split) -> Columns:
    wanted = [place for place, letter in enumerate(letters) if letter == LETTER_OF[split]]
    return {name: [column[place] for place in wanted] if column else column for name, column in table.items()}


def _labels_of(dataset: Dataset, table: Columns) -> dict[str, int]:
    """Count labels, or the beginnings of entities, as the check of a dataset does."""
    labels: dict[str, int] = TASKS[dataset.task].summarize(table)["labels"]
    return labels
