"""Figures of entities equal those of seqeval in strict IOB2, and each error is counted once."""

import warnings

import numpy as np
import pytest
from seqeval.metrics import accuracy_score
from seqeval.metrics.v1 import precision_recall_fscore_support as strict_scores
from seqeval.scheme import IOB2

from bert_training.data.figures.entities import ENTITIES, iob2_entities
from bert_training.data.figures.entity_pairs import pair_entities
from bert_training.data.figures.rates import RATES
from bert_training.data.predicting.entity_answers import entity_answers
from bert_training.data.predicting.predictions import EntityAnswers
from tests.data.figures.cases import KINDS, Sentences, entity_case, sentence_case

seeds = pytest.mark.parametrize("seed", range(8))


def answers_of(gold: Sentences, predicted: Sentences, *, unseen: list[int] | None = None) -> EntityAnswers:
    """Return answers whose probabilities are all 1."""
    return entity_answers(gold, predicted, [np.ones(len(tags)) for tags in gold], unseen=unseen or [0] * len(gold))


@seeds
def test_every_figure_equals_that_of_seqeval(seed: int) -> None:
    gold, predicted = sentence_case(seed, rows=30)
    expected = {"accuracy": accuracy_score(gold, predicted)}
    with warnings.catch_warnings(action="ignore"):
        for mean, ending in (("micro", ""), ("macro", "_macro")):
            found = strict_scores(gold, predicted, average=mean, scheme=IOB2)
            expected |= {f"{rate}{ending}": value for rate, value in zip(RATES, found[:3], strict=True)}

    assert ENTITIES.figures(answers_of(gold, predicted), KINDS) == pytest.approx(expected)


@seeds
def test_the_figures_of_each_type_equal_those_of_seqeval(seed: int) -> None:
    gold, predicted = sentence_case(seed, rows=30)
    with warnings.catch_warnings(action="ignore"):
        expected = strict_scores(gold, predicted, average=None, scheme=IOB2)

    rows = ENTITIES.classes(answers_of(gold, predicted), KINDS)

    for rate, values in zip((*RATES, "support"), expected, strict=True):
        assert [row[rate] for row in rows] == pytest.approx(values.tolist())  # type: ignore[literal-required]


def test_strict_iob2_takes_no_entity_that_does_not_begin_with_b() -> None:
    assert iob2_entities(["I-PER", "O", "B-PER", "I-PER", "I-LOC", "B-LOC"]) == [("PER", 2, 4), ("LOC", 5, 6)]


def test_a_type_without_examples_has_no_figures_and_does_not_lower_the_mean() -> None:
    answers = answers_of([["O", "B-PER"]], [["B-LOC", "B-PER"]])
    rows = ENTITIES.classes(answers, ["LOC", "PER"])
    assert [(row["name"], row["f1"], row["support"]) for row in rows] == [("LOC", None, 0), ("PER", 1.0, 1)]
    figures = ENTITIES.figures(answers, ["LOC", "PER"])
    assert (figures["f1_macro"], figures["precision"]) == (1.0, 0.5)


@pytest.mark.parametrize("gold", [[], [["O"]]])
def test_without_an_entity_every_figure_of_entities_is_undefined(gold: Sentences) -> None:
    figures = ENTITIES.figures(answers_of(gold, [["B-LOC"]] * len(gold)), ["LOC"])
    assert figures.pop("accuracy") == (0.0 if gold else None)
    assert set(figures.values()) == {None}


@pytest.mark.parametrize(
    ("gold", "predicted", "fates"),
    [
        ([("PER", 0, 2)], [("PER", 0, 2)], "right"),
        ([("PER", 0, 2)], [], "missed"),
        ([], [("PER", 0, 2)], "spurious"),
        ([("PER", 0, 2)], [("ORG", 0, 2)], "wrong_type"),
        ([("PER", 0, 2)], [("ORG", 1, 3)], "wrong_type"),
        ([("PER", 0, 2)], [("PER", 1, 3)], "wrong_boundary"),
        ([("PER", 0, 2)], [("PER", 2, 3)], "missed spurious"),  # they touch, and share no word
        ([("PER", 0, 4)], [("PER", 0, 1), ("PER", 2, 4)], "wrong_boundary spurious"),  # one cut in two
        ([("PER", 0, 1), ("PER", 2, 4)], [("PER", 0, 4)], "wrong_boundary missed"),  # two run together
        ([("PER", 0, 2), ("ORG", 2, 4)], [("ORG", 0, 2), ("ORG", 2, 3)], "wrong_type wrong_boundary"),
        ([("PER", 0, 4)], [("ORG", 0, 3), ("PER", 3, 5)], "wrong_boundary spurious"),  # the type before the words
        ([("PER", 0, 2), ("PER", 3, 5)], [("PER", 0, 2), ("PER", 1, 4)], "right wrong_boundary"),
    ],
)
def test_each_entity_is_in_one_pair(gold: list[object], predicted: list[object], fates: str) -> None:
    pairs = pair_entities(gold, predicted)  # type: ignore[arg-type]  # rows of the table above
    assert [pair.fate.value for pair in pairs] == fates.split()
    assert sorted(filter(None, (pair.gold for pair in pairs))) == sorted(gold)  # type: ignore[type-var]
    assert sorted(filter(None, (pair.predicted for pair in pairs))) == sorted(predicted)  # type: ignore[type-var]
    assert pair_entities(gold[::-1], predicted[::-1]) == pairs  # type: ignore[arg-type]


def test_of_two_that_share_words_the_one_with_more_is_paired() -> None:
    (pair, rest) = pair_entities([("PER", 0, 5)], [("PER", 0, 2), ("PER", 2, 6)])
    assert (pair.predicted, rest.predicted) == (("PER", 2, 6), ("PER", 0, 2))


@seeds
def test_errors_and_confusion_add_up_to_all_entities(seed: int) -> None:
    answers = entity_case(seed, rows=40)
    details = ENTITIES.details(answers, KINDS)
    errors, confusion = details["entities"], np.array(details["confusion"])
    gold, predicted = sum(map(len, answers.gold)), sum(map(len, answers.predicted))
    paired = errors["right"] + errors["wrong_type"] + errors["wrong_boundary"]
    assert (paired + errors["missed"], paired + errors["spurious"]) == (gold, predicted)

    assert errors["right"] == ENTITIES.tally(answers, KINDS).totals()[0, 0].sum()
    for place, name in enumerate(KINDS):
        in_row, in_column = confusion[:, 0] == place, confusion[:, 1] == place
        assert confusion[in_row, 2].sum() == sum(entity[0] == name for row in answers.gold for entity in row)
        assert confusion[in_column, 2].sum() == sum(entity[0] == name for row in answers.predicted for entity in row)
    on_diagonal = confusion[:, 0] == confusion[:, 1]
    assert confusion[on_diagonal, 2].sum() == errors["right"] + errors["wrong_boundary"]
    assert confusion[confusion[:, 0] == -1, 2].sum() == errors["spurious"]
    assert confusion[confusion[:, 1] == -1, 2].sum() == errors["missed"]


def test_what_was_cut_and_what_continues_nothing_is_counted() -> None:
    answers = answers_of([["O", "B-PER"], ["O"]], [["I-PER", "I-LOC"], ["O"]], unseen=[3, 0])
    errors = ENTITIES.details(answers, ["LOC", "PER"])["entities"]
    assert (errors["scheme"], errors["invalid_tags"]) == ("IOB2 strict", 2)
    assert (errors["sentences"], errors["sentences_cut"], errors["words_cut"]) == (2, 1, 3)


def test_an_entity_of_a_type_that_the_run_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="type LEI"):
        ENTITIES.tally(answers_of([["B-PER"]], [["B-LEI"]]), ["PER"])


def test_confidences_are_those_of_predicted_entities() -> None:
    answers = EntityAnswers(
        [[("PER", 0, 1)], []], [[("PER", 0, 1, 0.75), ("PER", 2, 3, 0.5)], []], *[np.zeros(2, dtype=np.int64)] * 4
    )
    scores, right = ENTITIES.confidences(answers)
    assert (scores.tolist(), right.tolist()) == ([0.75, 0.5], [True, False])


@seeds
def test_counts_of_each_sentence_lead_to_the_figures(seed: int) -> None:
    answers = entity_case(seed, rows=20)
    tally = ENTITIES.tally(answers, KINDS)
    of_rows = np.zeros((20, 3, 3))
    np.add.at(of_rows, (tally.rows, tally.kinds, tally.classes), tally.amounts)
    assert of_rows[:, 1].sum(axis=1).tolist() == [len(found) for found in answers.predicted]
    assert of_rows[:, 2].sum(axis=1).tolist() == [len(exist) for exist in answers.gold]
    figures = ENTITIES.figures(answers, KINDS)
    for name, values in ENTITIES.rates(of_rows.sum(axis=0, keepdims=True)).items():
        assert values[0] == pytest.approx(figures[name]), name
