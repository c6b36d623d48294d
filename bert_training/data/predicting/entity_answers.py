"""Reads the answers of a tagger, a tag a word, as entities: what every figure of a tagger is counted from."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.entities import iob2_entities
from bert_training.data.figures.shapes import FloatArray, ScoredEntity
from bert_training.data.predicting.predictions import EntityAnswers

INSIDE = "I-"


def entity_answers(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    certainties: Sequence[FloatArray],
    *,
    unseen: Sequence[int],
) -> EntityAnswers:
    """Make answers from the tags of each of N sentences, as many as it has words.

    certainties: (W,) of each sentence, the probability of each predicted tag; an entity's score is the mean of those of
    its words, as transformers.pipeline states it, rounded to float16.  unseen: words of each that were cut off.
    """
    pairs = list(zip(gold, predicted, strict=True))
    return EntityAnswers(
        gold=[iob2_entities(tags) for tags in gold],
        predicted=[_scored(tags, own) for tags, own in zip(predicted, certainties, strict=True)],
        words=_counts(len(tags) for tags in gold),
        right=_counts(sum(map(str.__eq__, tags, others)) for tags, others in pairs),
        invalid=_counts(map(_count_invalid, predicted)),
        unseen=_counts(unseen),
    )


def _scored(tags: Sequence[str], certainties: FloatArray) -> list[ScoredEntity]:
    return [
        (kind, start, end, float(np.float16(certainties[start:end].mean(dtype=np.float64))))
        for kind, start, end in iob2_entities(tags)
    ]


def _count_invalid(tags: Sequence[str]) -> int:
    """Count the I- tags that belong to no entity."""
    inside = sum(tag.startswith(INSIDE) for tag in tags)
    return inside - sum(end - start - 1 for _kind, start, end in iob2_entities(tags))


def _counts(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(numbers), dtype=np.int64)
