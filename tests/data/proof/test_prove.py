"""A proof follows from predictions alone, in whatever order they came, and says None of what it cannot know."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions
from bert_training.data.proof.prove import compare, prove
from bert_training.data.proof.shape import Figure, Gain, Proof
from tests.data.proof.worlds import labelled, stated

NAMES = ["civil", "penal", "tributario"]
CALIBRATION = {"temperature": 1.5, "biases": [0.0, 0.1, -0.1], "rows": 60, "loss_before": 0.6, "loss_after": 0.5}


def a_run(rows: int = 120, seed: int = 0) -> list[Predictions]:
    """A network that is right in 9 of 10, a linear method in 7 of 10, and the most frequent class."""
    chance = np.random.default_rng(seed)
    gold = chance.integers(0, 3, rows)

    def answers(right: float) -> np.ndarray:
        return np.where(chance.random(rows) < right, gold, chance.integers(0, 3, rows))

    network, linear = answers(0.85), answers(0.6)
    units = np.arange(2, rows + 2) - np.arange(rows) % 2
    return [
        labelled(gold, network, units=units, probabilities=stated(chance, network, 3)),
        labelled(gold, linear, units=units, source=PredictionSource.LINEAR),
        labelled(gold, gold * 0, units=units, source=PredictionSource.FREQUENT),
        labelled(gold[:40], network[:40], split=Split.VALIDATION, first_row=1000),
    ]


def proof_of(predictions: Sequence[Predictions], **changes: Any) -> Proof:
    asked: dict[str, Any] = {"judgement": LABELS, "names": NAMES, "metric": "f1_macro", "seed": 7, "judged": 0}
    return prove(predictions, **{**asked, "calibration": None, **changes})


def numbers(figure: Figure | Gain) -> tuple[float, float, float]:
    """Return low, value and high of a figure that has an interval."""
    low, value, high = figure["low"], figure["value"], figure["high"]
    assert low is not None
    assert value is not None
    assert high is not None
    return low, value, high


def test_every_figure_of_counts_has_an_interval_that_holds_it() -> None:
    proof = proof_of(a_run())
    counted = {name: figure for name, figure in proof["figures"].items() if figure["low"] is not None}
    assert {"accuracy", "f1_macro", "f1_micro", "f1_weighted", "mcc", "kappa"} <= counted.keys()
    assert all(low < value < high for low, value, high in map(numbers, counted.values()))
    assert (proof["rows"], proof["units"], proof["is_few"]) == ({"test": 120, "validation": 40}, 60, False)
    assert [row["is_few"] for row in proof["classes"]] == [row["support"] < 30 for row in proof["classes"]]
    assert sum(row["predicted"] for row in proof["classes"]) == 120


def test_the_gain_is_over_the_better_baseline() -> None:
    proof = proof_of(a_run())
    gain, values = proof["gain"], {one["source"]: numbers(one["figures"]["f1_macro"])[1] for one in proof["baselines"]}
    assert gain is not None
    assert gain["over"] == "linear"
    assert values["linear"] > values["frequent"]
    assert gain["value"] == pytest.approx(numbers(proof["figures"]["f1_macro"])[1] - values["linear"])
    assert gain["is_shown"]


def test_a_proof_is_json_and_the_same_in_any_order_and_any_chunks() -> None:
    run, chance = a_run(), np.random.default_rng(3)
    shuffled = [part.take(chance.permutation(len(part.rows))) for part in run]
    pieces = [part.take(np.arange(start, len(part.rows), 3)) for part in reversed(shuffled) for start in range(3)]
    whole = json.dumps(proof_of(run, calibration=CALIBRATION), sort_keys=True, allow_nan=False)
    assert json.dumps(proof_of(pieces, calibration=CALIBRATION), sort_keys=True) == whole


def test_units_widen_intervals() -> None:
    alike = a_run()
    copied = [part.take(np.repeat(np.arange(len(part.rows)), 5)) for part in alike]
    once, often = (proof_of(run)["figures"]["f1_macro"] for run in (alike, copied))
    assert often["low"] == pytest.approx(once["low"], abs=0.01)
    assert often["high"] == pytest.approx(once["high"], abs=0.01)


def test_calibration_is_told_before_and_after() -> None:
    proof = proof_of(a_run(), calibration=CALIBRATION)["calibration"]
    assert proof is not None
    assert (proof["temperature"], proof["has_biases"]) == (1.5, True)
    assert proof["before"] is not None
    assert proof["after"] is not None
    assert proof["before"] != proof["after"]
    assert sum(one["rows"] for one in proof["bins"]) == 120


def test_probabilities_that_were_never_scaled_are_the_same_before() -> None:
    same = {**CALIBRATION, "temperature": 1.0, "biases": []}
    proof = proof_of(a_run(), calibration=same)["calibration"]
    assert proof is not None
    assert proof["before"] == pytest.approx(proof["after"], abs=1e-3)
    assert proof_of(a_run())["calibration"] == {**proof, "before": None}


def test_a_run_without_anything_has_an_empty_proof() -> None:
    proof = proof_of([])
    assert (proof["figures"], proof["classes"], proof["baselines"], proof["rows"]) == ({}, [], [], {})
    assert (proof["gain"], proof["calibration"], proof["label_errors"], proof["is_few"]) == (None, None, None, True)


def test_validation_alone_has_figures_without_a_proof_on_test() -> None:
    proof = proof_of(a_run()[3:])
    assert proof["validation"]["f1_macro"] is not None
    assert (proof["figures"], proof["units"]) == ({}, 0)


def test_without_baselines_nothing_is_gained() -> None:
    assert proof_of(a_run()[:1])["gain"] is None


def test_a_baseline_on_other_rows_is_no_baseline() -> None:
    run = a_run()
    proof = proof_of([run[0], run[1].take(np.arange(100)), run[2]])
    assert [one["source"] for one in proof["baselines"]] == ["frequent"]


@pytest.mark.parametrize(("rows", "classes"), [(1, 1), (1, 2), (40, 1), (50, 1000)])
def test_no_number_of_rows_and_classes_is_too_few_or_too_many(rows: int, classes: int) -> None:
    gold = np.random.default_rng(0).integers(0, classes, rows)
    network = labelled(gold, gold, probabilities=np.eye(classes, dtype=np.float16)[gold])
    proof = proof_of([network], names=[str(label) for label in range(classes)])
    low, value, _high = numbers(proof["figures"]["f1_macro"])
    assert low < value == 1.0  # also without one error, other rows may have some
    assert len(proof["classes"]) == classes
    json.dumps(proof, allow_nan=False)


@pytest.mark.parametrize("seed", range(25))
def test_no_few_rows_of_whatever_answers_are_refused(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows, classes = int(chance.integers(1, 8)), int(chance.integers(1, 5))
    gold, units = chance.integers(0, chance.integers(1, classes + 1), rows), chance.integers(0, rows, rows)
    sources = []
    for source in (PredictionSource.NETWORK, PredictionSource.LINEAR):
        predicted = chance.integers(0, classes, rows)
        sure, other = np.eye(classes)[predicted], np.eye(classes)[(predicted + 1) % classes]
        choices = [
            np.zeros((rows, 0)),
            sure,
            other,
            np.full((rows, classes), np.nan),
            stated(chance, predicted, classes),
        ]
        probabilities = choices[int(chance.integers(len(choices)))].astype(np.float16)
        sources.append(labelled(gold, predicted, source=source, units=units, probabilities=probabilities))
    names, metric = [str(label) for label in range(classes)], str(chance.choice(["f1_macro", "loss", "auc_roc", "mcc"]))
    calibration = {**CALIBRATION, "biases": [0.5] * classes}
    proof = proof_of(sources, names=names, metric=metric, calibration=calibration)
    json.dumps(proof, allow_nan=False)
    for figure in proof["figures"].values():
        if figure["low"] is not None:
            low, value, high = numbers(figure)
            assert low <= value <= high


def test_accuracy_and_micro_figures_of_labels_are_one_share() -> None:
    figures = proof_of(a_run())["figures"]
    assert figures["accuracy"] == figures["f1_micro"] == figures["precision_micro"] == figures["recall_micro"]


@pytest.mark.parametrize(("metric", "judged_by"), [("loss", "f1_macro"), ("auc_roc", "auc_roc")])
def test_a_run_that_is_decided_by_its_loss_is_compared_by_a_figure_that_people_can_read(
    metric: str, judged_by: str
) -> None:
    network, linear = (part.answers for part in a_run()[:2])
    assert isinstance(network, LabelAnswers)
    assert isinstance(linear, LabelAnswers)
    unsure = stated(np.random.default_rng(1), linear.predicted, 3)
    second = labelled(linear.gold, linear.predicted, source=PredictionSource.LINEAR, probabilities=unsure)
    first = labelled(network.gold, network.predicted, probabilities=network.probabilities)
    proof = proof_of([first, second], metric=metric)
    assert proof["metric"] == judged_by
    assert proof["gain"] is not None
    assert proof["gain"]["is_shown"]


def test_a_class_without_examples_has_neither_figures_nor_intervals() -> None:
    row = proof_of([labelled([0, 1, 0, 1], [0, 1, 0, 2])])["classes"][2]
    nothing = {"value": None, "low": None, "high": None}
    assert row == {
        "name": "tributario",
        "precision": nothing,
        "recall": nothing,
        "f1": nothing,
        "support": 0,
        "predicted": 1,
        "is_few": True,
    }


def test_suspects_come_with_the_most_doubtful_first() -> None:
    p = np.array([[0.3, 0.7, 0.0], [0.9, 0.05, 0.05]], dtype=np.float16)
    doubted = labelled([0, 1], [1, 0], source=PredictionSource.SUSPECT, split=Split.TRAIN, probabilities=p)
    found = proof_of([*a_run(), doubted], judged=900)["label_errors"]
    assert found is not None
    assert (found["source"], found["judged"], found["counts"]) == ("linear", 900, {"train": 2})
    assert [(one["row"], one["given"], one["suggested"]) for one in found["suspects"]] == [
        (3, "penal", "civil"),
        (2, "civil", "penal"),
    ]
    assert found["suspects"][0]["doubt"] == pytest.approx(0.95, abs=1e-3)


def test_a_run_without_the_linear_method_says_nothing_of_label_errors() -> None:
    network, linear, *_ = a_run()
    assert proof_of([network], judged=900)["label_errors"] is None
    clean = proof_of([network, linear], judged=900)["label_errors"]
    assert clean is not None
    assert (clean["judged"], clean["suspects"]) == (900, [])


def test_what_was_folded_in_is_told_also_when_no_entity_was_found() -> None:
    proof = proof_of([sentences(0.0)], judgement=ENTITIES, names=["LOC", "PER"], metric="f1", calibration=CALIBRATION)
    assert proof["calibration"] == {"temperature": 1.5, "has_biases": True, "before": None, "after": None, "bins": []}


def test_a_run_compared_with_itself_differs_by_nothing() -> None:
    network = a_run()[0]
    metric, gain = compare(network, network, judgement=LABELS, names=NAMES, metric="loss", seed=1)
    assert metric == "f1_macro"
    assert (gain["value"], gain["low"], gain["high"], gain["is_shown"]) == (0.0, 0.0, 0.0, False)


def test_runs_without_a_row_in_common_are_not_compared() -> None:
    run = a_run()
    _, gain = compare(run[0], run[3], judgement=LABELS, names=NAMES, metric="f1_macro", seed=1)
    assert (gain["value"], gain["low"], gain["is_shown"]) == (None, None, False)


def sentences(right: float, source: PredictionSource = PredictionSource.NETWORK) -> Predictions:
    """80 sentences of two entities, found in that share."""
    chance, count = np.random.default_rng(1), 80
    gold = [[("PER", 0, 2), ("LOC", 3, 4)] for _ in range(count)]
    found = [[(*entity, 0.5) for entity in one if chance.random() < right] for one in gold]
    words, zeros = np.full(count, 5), np.zeros(count, dtype=np.int64)
    answers = EntityAnswers(gold, found, words, words - 1, zeros, zeros)
    return Predictions(source, Split.TEST, np.arange(2, 82), np.arange(2, 82), answers)


def test_entities_have_intervals_gain_and_errors() -> None:
    sources = [sentences(0.9), sentences(0.5, PredictionSource.LINEAR)]
    proof = proof_of(sources, judgement=ENTITIES, names=["LOC", "PER"], metric="f1", calibration=CALIBRATION)
    gain, calibration = proof["gain"], proof["calibration"]
    low, value, high = numbers(proof["figures"]["f1"])
    assert low < value < high < 1.0
    assert gain is not None
    assert gain["is_shown"]
    assert proof["entities"]["scheme"] == "IOB2 strict"
    assert calibration is not None
    assert calibration["before"] is None
    json.dumps(proof, allow_nan=False)


def test_sentences_without_any_entity_have_no_figures_of_entities() -> None:
    words, zeros = np.full(3, 5), np.zeros(3, dtype=np.int64)
    answers = EntityAnswers([[]] * 3, [[]] * 3, words, words, zeros, zeros)
    run = [Predictions(PredictionSource.NETWORK, Split.TEST, np.arange(3), np.arange(3), answers)]
    proof = proof_of(run, judgement=ENTITIES, names=["LOC"], metric="loss")
    assert (proof["metric"], proof["figures"]["f1"]["value"], proof["figures"]["accuracy"]["value"]) == (
        "f1",
        None,
        1.0,
    )


def test_doubted_entities_are_named_by_their_types() -> None:
    words, zeros = np.full(3, 9), np.zeros(3, dtype=np.int64)
    gold = [[("PER", 0, 2)], [("LOC", 3, 4)], []]
    found = [[("LOC", 1, 2, 0.7)], [("", 3, 4, 0.4)], [("PER", 0, 1, 0.9)]]
    answers = EntityAnswers(gold, found, words, words, zeros, zeros)
    run = [Predictions(PredictionSource.SUSPECT, Split.TRAIN, np.arange(3), np.arange(3), answers)]
    doubted = proof_of(run, judgement=ENTITIES, names=["LOC", "PER"], metric="f1", judged=3)["label_errors"]
    assert doubted is not None
    assert [(one["row"], one["given"], one["suggested"], one["doubt"]) for one in doubted["suspects"]] == [
        (2, "", "PER", 0.9),
        (0, "PER", "LOC", 0.7),
        (1, "LOC", "", 0.4),
    ]
