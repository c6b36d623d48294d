"""Predictions as records, as a file and as a digest."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bert_training.contract.enums import PredictionSource, Split
from bert_training.contract.streams import PredictionRow
from bert_training.data.predicting.prediction_files import read_predictions, write_predictions
from bert_training.data.predicting.prediction_records import BrokenPredictions, from_records, to_records
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions, merge, prediction_digest
from tests.data.figures.cases import entity_case, label_case, predictions_of

LABELLED = [
    predictions_of(label_case(1, rows=9, classes=3)),
    predictions_of(label_case(2, rows=5, classes=3), split=Split.VALIDATION),
    predictions_of(
        LabelAnswers(np.array([0, 1]), np.array([1, 1]), np.zeros((2, 0), dtype=np.float16)),
        source=PredictionSource.FREQUENT,
    ),
]
TAGGED = [
    predictions_of(entity_case(1, rows=9)),
    predictions_of(entity_case(2, rows=5), source=PredictionSource.LINEAR),
]
kinds = pytest.mark.parametrize("parts", [LABELLED, TAGGED], ids=["labels", "entities"])


def described(parts: list[Predictions]) -> list[Any]:
    """Return parts in a form that compares."""
    return [
        (part.source, part.split, part.rows.tolist(), part.units.tolist(), list(to_records(part))) for part in parts
    ]


def records_of(parts: list[Predictions]) -> list[dict[str, Any]]:
    return [record for part in parts for record in to_records(part)]


@kinds
def test_records_are_what_the_contract_says_and_come_back_as_they_were(parts: list[Predictions]) -> None:
    sent = json.loads(json.dumps(records_of(parts)))
    assert described(from_records(sent)) == described(parts)
    read = [PredictionRow.model_validate_json(json.dumps(record)).model_dump(mode="json") for record in sent]
    assert described(from_records(read)) == described(parts)


@kinds
def test_records_of_several_sources_may_come_mixed(parts: list[Predictions]) -> None:
    records = records_of(parts)
    mixed = sorted(records, key=lambda record: record["row"])
    found = sorted(from_records(mixed), key=lambda part: (part.source, part.split))
    assert described(found) == described(sorted(parts, key=lambda part: (part.source, part.split)))


@kinds
def test_a_file_keeps_what_was_written(parts: list[Predictions], tmp_path: Path) -> None:
    write_predictions(parts, tmp_path / "predictions.parquet")
    assert described(read_predictions(tmp_path / "predictions.parquet")) == described(parts)


@kinds
def test_the_same_predictions_make_the_same_file(parts: list[Predictions], tmp_path: Path) -> None:
    write_predictions(parts, tmp_path / "first")
    write_predictions(from_records(records_of(parts)), tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_plain_pandas_reads_the_file(tmp_path: Path) -> None:
    write_predictions(LABELLED, tmp_path / "labels.parquet")
    table = pd.read_parquet(tmp_path / "labels.parquet")
    assert table["row"].tolist() == [row for part in LABELLED for row in part.rows]
    assert table["source"].unique().tolist() == ["network", "frequent"]
    first = LABELLED[0].answers
    assert isinstance(first, LabelAnswers)
    assert table["probabilities"][0].tolist() == first.probabilities[0].tolist()
    assert table["probabilities"][0].dtype == np.float16

    write_predictions(TAGGED, tmp_path / "entities.parquet")
    table = pd.read_parquet(tmp_path / "entities.parquet")
    assert {"start", "end", "type", "score"} == set(table["predicted"][table["predicted"].map(len) > 0].iloc[0][0])


@kinds
def test_nothing_is_also_a_file(parts: list[Predictions], tmp_path: Path) -> None:
    nothing = parts[0].take(np.zeros(0, dtype=np.int64))
    for empty in ([], [nothing]):
        write_predictions(empty, tmp_path / "empty.parquet")
        assert read_predictions(tmp_path / "empty.parquet") == []
        assert (merge(empty), prediction_digest(empty)) == ([], prediction_digest([]))


def changed(part: Predictions) -> list[Predictions]:
    """Return predictions that differ from this one in one thing each."""
    answers = part.answers
    others: list[Any] = []
    if isinstance(answers, LabelAnswers):
        stated = answers.probabilities.copy()
        stated[4, 1] = 0.123
        others = [
            replace(answers, gold=(answers.gold + np.eye(9, dtype=int)[2]) % 3),
            replace(answers, predicted=(answers.predicted + np.eye(9, dtype=int)[8]) % 3),
            replace(answers, probabilities=stated),
        ]
    else:
        longer = [*answers.predicted[:-1], [*answers.predicted[-1], ("PER", 90, 91, 0.5)]]
        surer = [*longer[:-1], [*answers.predicted[-1], ("PER", 90, 91, 0.75)]]
        others = [
            replace(answers, gold=answers.gold[::-1]),
            replace(answers, predicted=longer),
            replace(answers, predicted=surer),
            replace(answers, right=answers.right + 1),
        ]
    return [
        *(replace(part, answers=other) for other in others),
        replace(part, rows=part.rows + 1),
        replace(part, split=Split.VALIDATION),
        replace(part, source=PredictionSource.LINEAR),
    ]


@kinds
def test_two_different_answers_have_two_digests(parts: list[Predictions]) -> None:
    every = [parts[0], *changed(parts[0])]
    assert len({prediction_digest([part]) for part in every}) == len(every)


@kinds
def test_units_play_no_part_in_the_digest_nor_does_the_order_of_parts(parts: list[Predictions]) -> None:
    others = [replace(part, units=part.units * 0) for part in reversed(parts)]
    assert prediction_digest(others) == prediction_digest(parts)


def test_the_order_of_entities_plays_no_part_in_the_digest() -> None:
    answers = TAGGED[0].answers
    assert isinstance(answers, EntityAnswers)
    other = replace(
        answers, gold=[row[::-1] for row in answers.gold], predicted=[row[::-1] for row in answers.predicted]
    )
    assert prediction_digest([replace(TAGGED[0], answers=other)]) == prediction_digest(TAGGED[:1])


def test_the_digest_stays_what_it_is() -> None:
    """It is compared across months and machines: a new form of the bytes would make every run look different."""
    answers = LabelAnswers(np.array([0, 1]), np.array([0, 0]), np.array([[0.75, 0.25], [0.5, 0.5]], dtype=np.float16))
    assert (
        prediction_digest([predictions_of(answers)])
        == "c4560b24f16cbdd154e229b7dd0927eeaa31132e209a96e164ceb15c29a48e02"
    )


RECORD = next(to_records(LABELLED[0]))
ENTITY = next(to_records(TAGGED[0]))


@pytest.mark.parametrize(
    "broken",
    [
        {**RECORD, "p": "AAA"},
        {**RECORD, "p": "AAAA"},
        {**RECORD, "p": "é"},
        {**RECORD, "p": "*" + RECORD["p"]},
        {**RECORD, "gold": None},
        {**RECORD, "row": "2"},
        {**RECORD, "row": 2**70},
        {**RECORD, "source": "oracle"},
        {**RECORD, "predicted": [[0, 1, "PER", 0.5]]},
        {name: value for name, value in RECORD.items() if name != "split"},
        ENTITY,
        {**ENTITY, "p": RECORD["p"]},
    ],
)
def test_a_broken_record_is_named(broken: dict[str, Any]) -> None:
    with pytest.raises(BrokenPredictions, match=f"row {broken['row']} "):
        from_records([RECORD, broken])


@pytest.mark.parametrize("found", [[[0, 1]], [[0, 1, "PER", 0.5]], [["a", 1, "PER"]], 7, [7]])
def test_a_broken_entity_is_named(found: Any) -> None:
    with pytest.raises(BrokenPredictions, match="row"):
        from_records([ENTITY, {**ENTITY, "gold": found}])
