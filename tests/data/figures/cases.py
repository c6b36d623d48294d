"""Answers drawn by lot, with ties, absent classes, and probabilities that float16 rounds to 0."""

import math
from collections.abc import Mapping

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.predicting.entity_answers import entity_answers
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions

KINDS = ["A-B", "ORG", "PER"]
TAGS = ("O", "O", *(f"{place}-{kind}" for kind in KINDS for place in "BI"))

Sentences = list[list[str]]


def near(first: Mapping[str, float | None], second: Mapping[str, float | None]) -> bool:
    """Compare figures, of which some are None: sums of fractions may differ in their last bits."""
    return first.keys() == second.keys() and all(
        value is other if value is None or other is None else math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12)
        for value, other in ((value, second[name]) for name, value in first.items())
    )


def names_of(classes: int) -> list[str]:
    """Return names of so many classes, in the order of their ids."""
    return [f"class {label:02}" for label in range(classes)]


def label_case(seed: int, *, rows: int, classes: int) -> LabelAnswers:
    """Draw answers; half of them right, some rows certain, many probabilities equal."""
    chance = np.random.default_rng(seed)
    scores = chance.random((rows, classes)).round(1) + 1e-9
    is_certain = chance.random(rows) < 0.2
    scores[is_certain] = np.where(scores[is_certain] == scores[is_certain].max(axis=1, keepdims=True), 1.0, 1e-9)
    probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float16)
    predicted = probabilities.argmax(axis=1)
    gold = np.where(chance.random(rows) < 0.5, predicted, chance.integers(0, classes, rows))
    return LabelAnswers(gold, predicted, probabilities)


def sentence_case(seed: int, *, rows: int) -> tuple[Sentences, Sentences]:
    """Draw gold and predicted tags of sentences, many of them not valid."""
    chance = np.random.default_rng(seed)
    gold = [chance.choice(TAGS, size=chance.integers(1, 12)).tolist() for _ in range(rows)]
    return gold, [[tag if chance.random() < 0.8 else str(chance.choice(TAGS)) for tag in tags] for tags in gold]


def entity_case(seed: int, *, rows: int) -> EntityAnswers:
    """Draw the entities of sentences, with scores of which many are equal."""
    gold, predicted = sentence_case(seed, rows=rows)
    chance = np.random.default_rng(seed)
    return entity_answers(
        gold,
        predicted,
        [chance.random(len(tags)).round(1) for tags in gold],
        unseen=chance.integers(0, 2, rows).tolist(),
    )


def predictions_of(
    answers: LabelAnswers | EntityAnswers,
    *,
    source: PredictionSource = PredictionSource.NETWORK,
    split: Split = Split.TEST,
) -> Predictions:
    """Number the rows from 2 on, two of them a unit."""
    rows = np.arange(len(answers)) + 2
    return Predictions(source, split, rows, rows - rows % 2, answers)
