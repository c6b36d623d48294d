"""What a text classifier has to beat: the majority class, and TF-IDF with a logistic regression."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import SGDClassifier

from bert_training.contract.enums import PredictionSource
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import LabelAnswers
from bert_training.ml.proof.baselines import Baseline, NothingToLearn
from bert_training.ml.proof.run_rows import RowIndexes
from bert_training.tasks.text_classification.word_counts import count_words, inverse_frequencies, weigh_words

EPOCHS = 5  # 10 change no figure of five data sets by a point
UPDATES = 1_000_000_000  # of weights, 5 s of a processor: with more, fewer rows are learned from
WEIGHTS = 20_000_000  # classes x words kept, 80 MB: with more, the rarest words are left out
ROWS_AT_ONCE = 4096  # answered, so that a thousand classes need no memory of their own
HELD_BACK = 5  # every fifth row that is learned from chooses the candidate


@dataclass(frozen=True)
class Candidate:
    """A way to fit. strength: scikit-learn's C, the larger the freer.  is_balanced: rare classes weigh more."""

    strength: float
    is_balanced: bool


CANDIDATES = [Candidate(strength, balanced) for strength in (1.0, 4.0, 16.0) for balanced in (False, True)]


class MajorityClass:
    """Answers the most frequent label of the rows it learned from, and their shares as probabilities."""

    source = PredictionSource.FREQUENT

    def __init__(self, labels: NDArray[np.int64], class_count: int) -> None:
        self.labels = labels
        self.class_count = class_count

    def fit(self, rows: RowIndexes) -> str:
        """Count the labels."""
        counts = np.bincount(self.labels[rows], minlength=self.class_count)
        if not counts.any():
            raise NothingToLearn("there are no rows to learn from")
        self.shares = counts / counts.sum()
        return f"{self.shares.max():.1%} of the rows have the most frequent label"

    def answer(self, rows: RowIndexes) -> LabelAnswers:
        """Give all the same answer."""
        return _answers(self.labels[rows], np.tile(self.shares, (len(rows), 1)))


class LinearTexts:
    """Logistic regression over TF-IDF of words and pairs of words, one class against the rest, by stochastic descent.

    As good as L-BFGS on five data sets for a tenth of its time and without its memory; uses one core, so the number of
    threads changes nothing.  The first fit chooses among CANDIDATES by macro F1 on a part of its rows, held back.
    """

    source = PredictionSource.LINEAR

    def __init__(self, texts: list[str], labels: NDArray[np.int64], names: list[str], *, seed: int) -> None:
        self.texts = texts
        self.labels = labels
        self.names = names
        self.seed = seed
        self.chosen: Candidate | None = None

    @cached_property
    def counts(self) -> csr_array:
        """Words of all texts, counted once; what they weigh is learned from the rows of each fit."""
        return count_words(self.texts, most=WEIGHTS // len(self.names))

    def fit(self, rows: RowIndexes) -> str:
        """Learn weights of words and classes."""
        shuffled = np.random.default_rng(self.seed).permutation(rows)
        if self.chosen is None:
            self.chosen = self._choose(self._affordable(shuffled, UPDATES // len(CANDIDATES)))
        learned = self._affordable(shuffled, UPDATES)
        self._learn(learned, self.chosen)
        weighed = "weighted" if self.chosen.is_balanced else "as they are"
        return (
            f"{np.count_nonzero(self.word_weights):,} words and pairs of words of {len(learned):,} rows, "
            f"C {self.chosen.strength:g}, classes {weighed}"
        )

    def answer(self, rows: RowIndexes) -> LabelAnswers:
        """Give each text the probabilities of the classes; one that was not there to learn has 0."""
        probabilities = np.zeros((len(rows), len(self.names)), dtype=np.float32)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            features = weigh_words(self.counts[rows[part]], self.word_weights)
            probabilities[part, self.model.classes_] = self.model.predict_proba(features)
        return _answers(self.labels[rows], probabilities)

    def _choose(self, rows: RowIndexes) -> Candidate:
        """Try the candidates on a part of the rows that is held back: nothing but rows to learn from is looked at."""
        is_held_back = np.arange(len(rows)) % HELD_BACK == 0
        held_back, learned = rows[is_held_back], rows[~is_held_back]
        return max(CANDIDATES, key=lambda candidate: self._macro_f1(candidate, learned, held_back))

    def _macro_f1(self, candidate: Candidate, learned: RowIndexes, held_back: RowIndexes) -> float:
        self._learn(learned, candidate)
        answers = self.answer(held_back)
        figures = [row["f1"] for row in LABELS.classes(answers, self.names)]
        return float(np.mean([f1 for f1 in figures if f1 is not None]))

    def _learn(self, rows: RowIndexes, candidate: Candidate) -> None:
        counts, labels = self.counts[rows], self.labels[rows]
        if not counts.nnz:
            raise NothingToLearn("no word comes in two texts")
        if len(np.unique(labels)) < 2:
            raise NothingToLearn("all rows to learn from have one label")
        self.word_weights = inverse_frequencies(counts)
        self.model: Any = SGDClassifier(
            loss="log_loss",
            alpha=1 / (candidate.strength * len(rows)),
            max_iter=EPOCHS,
            tol=None,
            class_weight="balanced" if candidate.is_balanced else None,
            random_state=self.seed,
        )
        self.model.fit(weigh_words(counts, self.word_weights), labels)

    def _affordable(self, rows: RowIndexes, updates: int) -> RowIndexes:
        """Return as many of the rows as can be learned from in that many updates of weights."""
        words_per_row = max(1.0, self.counts.nnz / max(1, self.counts.shape[0]))
        return rows[: max(1, int(updates / (words_per_row * EPOCHS * len(self.names))))]


def build_baselines(table: pd.DataFrame, *, label_names: list[str], seed: int) -> list[Baseline]:
    """Make the baselines of a table with columns `text` and `label`; the index of a name is its label id."""
    ids = {name: index for index, name in enumerate(label_names)}
    labels = np.array([ids[name] for name in table["label"]], dtype=np.int64)
    linear = LinearTexts(table["text"].tolist(), labels, label_names, seed=seed)
    return [MajorityClass(labels, len(label_names)), linear]


def _answers(gold: NDArray[np.int64], probabilities: NDArray[np.floating[Any]]) -> LabelAnswers:
    return LabelAnswers(gold, probabilities.argmax(axis=1), probabilities.astype(np.float16))
