"""What a worker says of a row must be possible for the data of the run, or it is refused by the name of its field."""

from typing import Any

import pytest

from bert_training.contract.streams import PredictionRow
from bert_training.data.predicting.prediction_checks import Bounds, bounds_of, wrong_field

LABELS = Bounds(frozenset({"ferias", "saude", "dano"}), classes=3, words=20)
ENTITIES = Bounds(frozenset({"KIND"}), classes=1, words=20)
HEAD = {"row": 2, "split": "test", "unit": 2}
LABEL = HEAD | {"gold": 0, "predicted": 2, "p": "ADQANAA4"}  # 0.25, 0.25, 0.5
ENTITY = HEAD | {"gold": [[0, 1, "KIND"]], "predicted": [[0, 1, "KIND", 0.9]], "words": 3, "right": 3}


def judged(row: dict[str, Any], bounds: Bounds) -> str:
    return wrong_field(PredictionRow.model_validate(row, strict=False), bounds)


def test_the_bounds_follow_from_the_summary_of_the_data() -> None:
    summary = {"labels": {"A": 5, "B": 1}, "tags": {"O": 9, "B-A": 5, "B-B": 1, "I-C": 1}, "lengths": {"max": 7}}
    assert bounds_of(summary) == Bounds(frozenset({"A", "B", "C"}), classes=2, words=7)


@pytest.mark.parametrize("changes", [{}, {"p": ""}, {"p": "AH4AfgB+"}], ids=["with", "without", "no number"])
def test_labels_are_taken_with_and_without_probabilities(changes: dict[str, Any]) -> None:
    assert judged(LABEL | changes, LABELS) == ""


def test_entities_are_taken() -> None:
    assert judged(ENTITY, ENTITIES) == ""
    assert judged(ENTITY | {"gold": [], "predicted": []}, ENTITIES) == ""


def test_only_a_doubt_may_suggest_that_there_is_no_entity() -> None:
    nothing = ENTITY | {"predicted": [[0, 1, "", 0.4]]}
    assert judged(nothing | {"source": "suspect"}, ENTITIES) == ""
    assert judged(nothing, ENTITIES) == "predicted"
    assert judged(nothing | {"source": "suspect", "gold": [[0, 1, ""]]}, ENTITIES) == "gold"


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "a class that is not there": ({"gold": 99}, "gold"),
    "a predicted class that is not there": ({"predicted": 99}, "predicted"),
    "a label and entities": ({"predicted": []}, "predicted"),
    "entities and a label": ({"gold": []}, "predicted"),
    "too few probabilities": ({"p": "ADw="}, "p"),
    "no base64": ({"p": "a text of a spreadsheet!"}, "p"),
    "above 1": ({"p": "AEAAAAAA"}, "p"),
    "below 0": ({"p": "ALwAAAAA"}, "p"),
    "infinite": ({"p": "AHwAAAAA"}, "p"),
}


@pytest.mark.parametrize(("changes", "path"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_cannot_be_an_answer_is_refused(changes: dict[str, Any], path: str) -> None:
    assert judged(LABEL | changes, LABELS) == path


WRONG_ENTITIES: dict[str, tuple[dict[str, Any], str]] = {
    "a type that is not there": ({"gold": [[0, 1, "the text of a row"]]}, "gold"),
    "no end": ({"gold": [[0, "KIND"]]}, "gold"),
    "ends before it begins": ({"gold": [[1, 1, "KIND"]]}, "gold"),
    "before the first word": ({"gold": [[-1, 1, "KIND"]]}, "gold"),
    "behind the longest row": ({"gold": [[0, 10_000, "KIND"]]}, "gold"),
    "a text for a place": ({"gold": [["0", 1, "KIND"]]}, "gold"),
    "no score": ({"predicted": [[0, 1, "KIND"]]}, "predicted"),
    "a text for a score": ({"predicted": [[0, 1, "KIND", "0.9"]]}, "predicted"),
    "a score above 1": ({"predicted": [[0, 1, "KIND", 1.5]]}, "predicted"),
    "more words than the longest row": ({"words": 10_000}, "words"),
    "probabilities": ({"p": "AAAA"}, "p"),
}


@pytest.mark.parametrize(("changes", "path"), WRONG_ENTITIES.values(), ids=WRONG_ENTITIES.keys())
def test_entities_that_cannot_be_are_refused(changes: dict[str, Any], path: str) -> None:
    assert judged(ENTITY | changes, ENTITIES) == path
