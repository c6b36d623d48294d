"""What is judged in the benchmark `evaluate`: made answers of a network, a linear method and the most frequent one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.shapes import Entity
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions

SEED = 11
ROWS = 100_000
CLASSES = 50
SENTENCES = 10_000
WORDS = 30
TYPES = ("JURISPRUDENCIA", "LEGISLACAO", "LOCAL", "ORGANIZACAO", "PESSOA", "TEMPO")
RIGHT = {PredictionSource.NETWORK: 0.85, PredictionSource.LINEAR: 0.78, PredictionSource.FREQUENT: 0.0}


def label_sources() -> list[Predictions]:
    """Make 100,000 answers of 50 classes, the rarest 20 times rarer, each with its probabilities."""
    chance = np.random.default_rng(SEED)
    shares = np.geomspace(1.0, 0.05, CLASSES)
    gold = chance.choice(CLASSES, ROWS, p=shares / shares.sum())
    return [_source(source, _labels(chance, gold, right)) for source, right in RIGHT.items()]


def sentence_sources() -> list[Predictions]:
    """Make 10,000 sentences of 30 words with entities of two words, of six types."""
    chance = np.random.default_rng(SEED)
    gold = [_entities(chance) for _ in range(SENTENCES)]
    return [_source(source, _found(chance, gold, right)) for source, right in RIGHT.items()]


def tags_of(sentences: Sequence[Sequence[Sequence[Any]]]) -> list[list[str]]:
    """Write entities as IOB2 tags."""
    written = []
    for entities in sentences:
        tags = ["O"] * WORDS
        for kind, start, end, *_ in entities:
            tags[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
        written.append(tags)
    return written


def _source(source: PredictionSource, answers: LabelAnswers | EntityAnswers) -> Predictions:
    rows = np.arange(2, 2 + len(answers))
    return Predictions(source, Split.TEST, rows, rows, answers)


def _labels(chance: np.random.Generator, gold: NDArray[np.int64], right: float) -> LabelAnswers:
    predicted = np.where(chance.random(ROWS) < right, gold, chance.integers(0, CLASSES, ROWS)) if right else gold * 0
    probabilities = np.zeros((ROWS, CLASSES), dtype=np.float16)
    for start in range(0, ROWS, 10_000):
        block = slice(start, start + 10_000)
        odds = chance.random((10_000, CLASSES))
        odds[np.arange(10_000), predicted[block]] += 20.0
        probabilities[block] = odds / odds.sum(axis=1, keepdims=True)
    return LabelAnswers(gold, predicted, probabilities)


def _entities(chance: np.random.Generator) -> list[Entity]:
    """Return up to three entities of a sentence, two words each, with words between."""
    starts = np.flatnonzero(chance.random(WORDS // 10) < 0.6) * 10
    return [(TYPES[int(chance.integers(len(TYPES)))], int(start), int(start) + 2) for start in starts]


def _found(chance: np.random.Generator, gold: list[list[Entity]], right: float) -> EntityAnswers:
    """Find entities with that chance, the others under another type or not at all."""
    found = []
    for entities in gold:
        drawn = chance.random(len(entities))
        kinds = [kind if one < right else TYPES[0] for (kind, _, _), one in zip(entities, drawn, strict=True)]
        found.append([(kind, start, end, 0.5) for kind, (_, start, end) in zip(kinds, entities, strict=True)])
    words = np.full(SENTENCES, WORDS)
    zeros = np.zeros(SENTENCES, dtype=np.int64)
    return EntityAnswers(gold, found, words, words - 1, zeros, zeros)
