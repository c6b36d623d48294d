"""What a tagger has to beat: the most frequent tag of each word form, and a linear tagger over the words around."""

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import SGDClassifier

from bert_training.contract.enums import PredictionSource
from bert_training.data.figures.entities import OUTSIDE
from bert_training.data.predicting.entity_answers import entity_answers
from bert_training.data.predicting.predictions import EntityAnswers
from bert_training.ml.proof.baselines import Baseline, NothingToLearn
from bert_training.ml.proof.run_rows import RowIndexes
from bert_training.tasks.token_classification.tag_paths import best_paths, learn_transitions
from bert_training.tasks.token_classification.word_features import WordFeatures

EPOCHS = 3  # 5 made no better entities of LeNER-Br
STRENGTH = 0.5  # scikit-learn's C
UPDATES = 500_000_000  # of weights, 8 s of a processor: with more, fewer sentences are learned from
WEIGHTS = 20_000_000  # tags x features kept, 80 MB: with more, features share columns
SENTENCES_AT_ONCE = 512
LEAST_PROBABILITY = 1e-9


class TaggedSentences:
    """The sentences of a table: their words as features, their tags as ids (an index among `names`)."""

    def __init__(self, table: pd.DataFrame, label_names: list[str]) -> None:
        self.names = label_names if OUTSIDE in label_names else [*label_names, OUTSIDE]
        self.tokens = table["tokens"]
        ids = {name: index for index, name in enumerate(self.names)}
        self.tags = np.array([ids[tag] for tags in table["tags"] for tag in tags], dtype=np.int64)

    @cached_property
    def words(self) -> WordFeatures:
        """Features of all words, made once; no label plays a part in them."""
        return WordFeatures(self.tokens)

    def answers(
        self, rows: RowIndexes, predicted: NDArray[np.int64], certainties: NDArray[np.float64]
    ) -> EntityAnswers:
        """Make answers from a tag id and its probability for each word of these sentences, one after the other."""
        ends = np.cumsum(self.words.lengths(rows))
        gold, answered = (
            [[self.names[tag] for tag in part] for part in _split(tags, ends)]
            for tags in (self.tags[self.words.words_of(rows)], predicted)
        )
        return entity_answers(gold, answered, _split(certainties, ends), unseen=[0] * len(rows))


class FrequentTags:
    """Answers the most frequent tag of each word form, its share as probability; a form not learned is outside."""

    source = PredictionSource.FREQUENT

    def __init__(self, sentences: TaggedSentences) -> None:
        self.sentences = sentences

    def fit(self, rows: RowIndexes) -> str:
        """Count the tags of each form; the first in the list of tags among equals."""
        if not len(rows):
            raise NothingToLearn("there are no sentences to learn from")
        words = self.sentences.words
        places, names = words.words_of(rows), self.sentences.names
        pairs, counts = np.unique(words.form[places] * len(names) + self.sentences.tags[places], return_counts=True)
        forms, tags = np.divmod(pairs, len(names))
        order = np.lexsort((tags, -counts, forms))
        known, first = np.unique(forms[order], return_index=True)
        self.tag = np.full(words.form_count, names.index(OUTSIDE))
        self.tag[known] = tags[order][first]
        self.share = np.ones(words.form_count)
        self.share[known] = counts[order][first] / np.bincount(forms, weights=counts)[known]
        return f"{len(known):,} forms in {len(rows):,} sentences"

    def answer(self, rows: RowIndexes) -> EntityAnswers:
        """Look every word up."""
        forms = self.sentences.words.form[self.sentences.words.words_of(rows)]
        return self.sentences.answers(rows, self.tag[forms], self.share[forms])


class LinearTagger:
    """Logistic regression a word over features of the words around, then the best path of tags that IOB2 allows.

    By stochastic descent on one core, so the number of threads changes nothing. On LeNER-Br (7,827 sentences learned,
    1,389 tested) entities reach a strict F1 of 0.77, where a CRF is usually reported at 0.75 to 0.80.
    """

    source = PredictionSource.LINEAR

    def __init__(self, sentences: TaggedSentences, *, seed: int) -> None:
        self.sentences = sentences
        self.seed = seed

    @property
    def width(self) -> int:
        """Return how many columns the features have."""
        return max(1, min(self.sentences.words.count, WEIGHTS // len(self.sentences.names)))

    def fit(self, rows: RowIndexes) -> str:
        """Learn weights of features and which tag follows which."""
        learned = self._affordable(np.random.default_rng(self.seed).permutation(rows))
        words = self.sentences.words.words_of(learned)
        tags = self.sentences.tags[words]
        if len(np.unique(tags)) < 2:
            raise NothingToLearn("all words to learn from have one tag")
        alpha = 1 / (STRENGTH * len(words))
        self.model: Any = SGDClassifier(loss="log_loss", alpha=alpha, max_iter=EPOCHS, tol=None, random_state=self.seed)
        self.model.fit(self.sentences.words.of(words, width=self.width), tags)
        rows_of_tags = _split(tags, np.cumsum(self.sentences.words.lengths(learned)))
        self.gains = learn_transitions(rows_of_tags, self.sentences.names)
        return f"{self.width:,} features of {len(words):,} words in {len(learned):,} sentences, C {STRENGTH:g}"

    def answer(self, rows: RowIndexes) -> EntityAnswers:
        """Tag each sentence; an entity's score is the mean of the probabilities of its tags."""
        starts = range(0, len(rows), SENTENCES_AT_ONCE)
        parts = [self._tag(rows[start : start + SENTENCES_AT_ONCE]) for start in starts]
        return EntityAnswers.join(parts or [self._tag(rows)])

    def _tag(self, rows: RowIndexes) -> EntityAnswers:
        words = self.sentences.words.words_of(rows)
        probabilities = np.full((len(words), len(self.sentences.names)), LEAST_PROBABILITY)
        if len(words):
            found = self.model.predict_proba(self.sentences.words.of(words, width=self.width))
            probabilities[:, self.model.classes_] = np.maximum(found, LEAST_PROBABILITY)
        tags = best_paths(np.log(probabilities), self.sentences.words.lengths(rows), self.gains)
        return self.sentences.answers(rows, tags, probabilities[np.arange(len(words)), tags])

    def _affordable(self, rows: RowIndexes) -> RowIndexes:
        """Return as many of the sentences as can be learned from in UPDATES."""
        of_one_word = self.sentences.words.of(np.zeros(1, dtype=np.int64), width=self.width).nnz
        most = UPDATES // (of_one_word * EPOCHS * len(self.sentences.names))
        return rows[: max(1, int(np.searchsorted(np.cumsum(self.sentences.words.lengths(rows)), most)))]


def _split(values: NDArray[Any], ends: NDArray[np.int64]) -> list[NDArray[Any]]:
    """Cut what stands word by word into sentences."""
    return np.split(values, ends)[: len(ends)]


def build_baselines(table: pd.DataFrame, *, label_names: list[str], seed: int) -> list[Baseline]:
    """Make the baselines of a table with columns `tokens` and `tags`; the index of a name is its tag id."""
    sentences = TaggedSentences(table, label_names)
    return [FrequentTags(sentences), LinearTagger(sentences, seed=seed)]
