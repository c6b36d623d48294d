"""How much the entities given in a sentence are doubted, after the idea of label_doubts.

An answer that is not given is doubted with its score, where it scores at least what right answers of its type do on the
average: an entity is missing, or has another type or border. Half as much counts what was the model's own mistake twice
as often: type and border different at once, and a given entity where nothing is answered (its doubt is half the share
of the type's entities that are found at all).

LeNER-Br with 3 % of its entities changed, doubted by the linear tagger: of the first 50 sentences 36 held a changed
entity, of 100 66, of 200 116; its own mistakes, and those of the corpus, count as wrong here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bert_training.data.figures.entity_pairs import Fate, Pair, pair_entities
from bert_training.data.figures.shapes import Entity, ScoredEntity
from bert_training.data.predicting.predictions import EntityAnswers

UNSURE = 0.5  # weight of doubts that are the model's own mistake twice as often
LEAST_FOUND = 0.8  # of a type's entities, for one that is not found to be doubted
NOTHING = ""  # the type that is suggested in place of an entity that should not be there


class Doubt(NamedTuple):
    """given: the entity in doubt, None where one is missing.  suggested: its score is the doubt."""

    given: Entity | None
    suggested: ScoredEntity


class Judged(NamedTuple):
    """A sentence: its entities in pairs, and the scores of those that were answered."""

    pairs: list[Pair]
    scores: dict[Entity, float]


def doubt_entities(answers: EntityAnswers) -> tuple[NDArray[np.float64], EntityAnswers]:
    """Return how much each sentence is doubted (N,), 0 = not, and answers that hold the most doubted place alone."""
    judged = [_judge(gold, predicted) for gold, predicted in zip(answers.gold, answers.predicted, strict=True)]
    usual, found = _usual_scores(judged), _found_shares(judged)
    most = [max(_doubts(sentence, usual, found), key=_rank, default=None) for sentence in judged]
    narrowed = EntityAnswers(
        [[doubt.given] if doubt and doubt.given else [] for doubt in most],
        [[doubt.suggested] if doubt else [] for doubt in most],
        answers.words,
        answers.right,
        answers.invalid,
        answers.unseen,
    )
    return np.array([doubt.suggested[3] if doubt else 0.0 for doubt in most]), narrowed


def _judge(gold: Sequence[Entity], predicted: Sequence[ScoredEntity]) -> Judged:
    given = [(kind, start, end) for kind, start, end in gold]
    scores = {(kind, start, end): score for kind, start, end, score in predicted}
    return Judged(pair_entities(given, scores), scores)


def _usual_scores(judged: Sequence[Judged]) -> dict[str, float]:
    """Return the mean score of the right answers of each type."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for pairs, score_of in judged:
        for pair in pairs:
            if pair.fate is Fate.RIGHT and pair.gold:
                scores[pair.gold[0]].append(score_of[pair.gold])
    return {kind: float(np.mean(sorted(found))) for kind, found in scores.items()}  # sorted: whatever the order of rows


def _found_shares(judged: Sequence[Judged]) -> dict[str, float]:
    """Return the share of each type's given entities that were answered at all, right or not."""
    is_found: defaultdict[str, list[bool]] = defaultdict(list)
    for pairs, _ in judged:
        for pair in pairs:
            if pair.gold:
                is_found[pair.gold[0]].append(pair.predicted is not None)
    return {kind: float(np.mean(found)) for kind, found in is_found.items()}


def _doubts(sentence: Judged, usual: dict[str, float], found: dict[str, float]) -> Iterator[Doubt]:
    """Yield every doubt in a sentence."""
    for fate, gold, predicted in sentence.pairs:
        if predicted and fate is not Fate.RIGHT:
            score = sentence.scores[predicted]
            if score >= usual.get(predicted[0], np.inf):
                is_unsure = gold is not None and gold[0] != predicted[0] and gold[1:] != predicted[1:]
                yield Doubt(gold, (*predicted, _stored(score * UNSURE if is_unsure else score)))
        elif gold and fate is Fate.MISSED and found[gold[0]] >= LEAST_FOUND:
            yield Doubt(gold, (NOTHING, *gold[1:], _stored(found[gold[0]] * UNSURE)))


def _stored(doubt: float) -> float:
    """Round as all probabilities are that are stored."""
    return float(np.float16(doubt))


def _rank(doubt: Doubt) -> tuple[float, int, str]:
    """The greatest doubt wins, the last place among equals: the same whatever order the entities have."""
    kind, start, _, score = doubt.suggested
    return score, start, kind
