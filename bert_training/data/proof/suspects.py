"""The rows that the linear method doubts, from its predictions of source `suspect`."""

from collections.abc import Iterator, Sequence

from bert_training.contract.enums import PredictionSource
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.data.proof.shape import LabelErrors, Suspect

MOST_SUSPECTS = 1_000

Doubt = tuple[str, str, float]  # given, suggested, how sure


def linear_suspects(predictions: Sequence[Predictions], *, names: list[str], judged: int) -> LabelErrors | None:
    """List the doubted rows of all splits, the most doubtful first; None when the method answered none.

    judged: rows that it looks at where it answers; 0 = not known.
    """
    if not judged or not {PredictionSource.LINEAR, PredictionSource.SUSPECT} & {part.source for part in predictions}:
        return None
    parts = [part for part in predictions if part.source == PredictionSource.SUSPECT]
    found = [suspect for part in parts for suspect in _suspects(part, names)]
    found.sort(key=lambda suspect: (-suspect["doubt"], suspect["row"]))
    return {
        "source": PredictionSource.LINEAR.value,
        "judged": judged,
        "counts": {part.split.value: len(part.rows) for part in parts},
        "suspects": found[:MOST_SUSPECTS],
    }


def _suspects(part: Predictions, names: list[str]) -> list[Suspect]:
    answers = part.answers
    doubts = _label_doubts(answers, names) if isinstance(answers, LabelAnswers) else _entity_doubts(answers)
    return [
        {"row": row, "split": part.split.value, "given": given, "suggested": suggested, "doubt": doubt}
        for row, (given, suggested, doubt) in zip(part.rows.tolist(), doubts, strict=True)
    ]


def _label_doubts(answers: LabelAnswers, names: list[str]) -> Iterator[Doubt]:
    """Yield label, suggestion and how improbable the label is."""
    for gold, predicted, probabilities in zip(answers.gold, answers.predicted, answers.probabilities, strict=True):
        yield names[gold], names[predicted], 1.0 - float(probabilities[gold]) if len(probabilities) else 0.0


def _entity_doubts(answers: EntityAnswers) -> Iterator[Doubt]:
    """Yield the types given and suggested at the most doubted place of each sentence, all that a suspect holds."""
    for gold, predicted in zip(answers.gold, answers.predicted, strict=True):
        suggested, doubt = (predicted[0][0], predicted[0][3]) if predicted else ("", 0.0)
        yield gold[0][0] if gold else "", suggested, doubt
