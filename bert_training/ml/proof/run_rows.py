"""The rows of a run for those who answer them: splits, units and folds, and answers beside the rows' numbers."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.ml.job import TrainingJob

FOLDS = 5
RowIndexes = NDArray[np.int64]
Answers = LabelAnswers | EntityAnswers


class RunRows:
    """The rows of a run, by their index in the table."""

    def __init__(self, job: TrainingJob) -> None:
        self.numbers = job.table["row"].to_numpy(dtype=np.int64)
        self.units = np.asarray(job.units if len(job.units) else range(len(self.numbers)), dtype=np.int64)
        self.splits = np.asarray(job.splits, dtype=str)
        self.seed = job.settings.seed

    def of(self, *splits: Split) -> RowIndexes:
        """Return the rows of these splits in the order of the table; a row may be in none."""
        return np.flatnonzero(np.isin(self.splits, [split.value for split in splits]))

    def predictions(self, source: PredictionSource, split: Split, rows: RowIndexes, answers: Answers) -> Predictions:
        """Put answers beside the numbers of their rows and units."""
        return Predictions(source, split, self.numbers[rows], self.numbers[self.units[rows]], answers)

    def by_split(self, source: PredictionSource, rows: RowIndexes, answers: Answers) -> Iterator[Predictions]:
        """Sort answers by the split of their row."""
        for split in Split:
            own = np.flatnonzero(self.splits[rows] == split.value)
            yield self.predictions(source, split, rows[own], answers.take(own))

    def folds(self) -> Iterator[tuple[RowIndexes, RowIndexes]]:
        """Yield rows to learn from and rows to answer: each row of a split is answered once, together with its unit."""
        rows = self.of(*Split)
        units, unit_of_row = np.unique(self.units[rows], return_inverse=True)
        fold_of_row = (np.random.default_rng(self.seed).permutation(len(units)) % FOLDS)[unit_of_row]
        for fold in range(min(FOLDS, len(units))):
            yield rows[fold_of_row != fold], rows[fold_of_row == fold]
