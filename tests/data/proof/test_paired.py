"""Several networks on the same rows: paired differences, class by class, and which rows only one of them gets right."""

import numpy as np

from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.proof.agreement import with_names
from bert_training.data.proof.gain import gain
from bert_training.data.proof.judged import judge
from bert_training.data.proof.paired import pair
from tests.answered import entities, labels

NAMES = ["a", "b", "c"]
COUNT = 400


def network(share: float, *, seed: int, without: str = "") -> Predictions:
    """A network that is right so often, and never answers one of the classes."""
    chance = np.random.default_rng(seed)
    gold = np.random.default_rng(0).integers(0, 3, COUNT)
    predicted = np.where(chance.random(COUNT) < share, gold, chance.integers(0, 3, COUNT))
    if without:
        predicted = np.where(predicted == NAMES.index(without), 0, predicted)
    return labels(range(COUNT), list(gold), list(predicted))


def test_the_difference_of_two_networks_is_their_gain_drawn_in_the_same_pairs() -> None:
    first, second = network(0.7, seed=1), network(0.9, seed=2)
    one, other = judge([first, second], judgement=LABELS, names=NAMES, seed=7)
    promised = gain(other, one, "f1_macro")
    found = pair([first, second], judgement=LABELS, names=NAMES, metric="loss", seed=7)[1]
    assert found.metric == "f1_macro"
    assert found.differences["f1_macro"] == {name: promised[name] for name in ("value", "low", "high")}


def test_a_network_does_not_differ_from_itself() -> None:
    first, same = pair([network(0.7, seed=1)] * 2, judgement=LABELS, names=NAMES, metric="accuracy", seed=1)
    assert set(map(tuple, (each.values() for each in same.differences.values()))) == {(0.0, 0.0, 0.0)}
    assert same.rows[True, False] == same.rows[False, True] == 0
    assert sum(first.rows.values()) == COUNT


def test_the_class_that_one_never_answers_stands_out_and_one_without_examples_has_no_figure() -> None:
    first, second = network(0.95, seed=1), network(0.95, seed=2, without="c")
    names = [*NAMES, "d"]
    both = [with_names(each, NAMES, names) for each in (first, second)]
    found = pair(both, judgement=LABELS, names=names, metric="accuracy", seed=1)[1]
    worst = min((each for each in found.classes if each.f1 is not None), key=lambda each: each.difference["value"] or 0)
    assert worst.name == "c"
    assert (worst.difference["high"] or 0) < -0.9
    assert found.classes[3].f1 is None
    assert found.classes[3].difference == {"value": None, "low": None, "high": None}


def test_rows_are_counted_by_who_got_them_right() -> None:
    gold = [0, 0, 1, 2]
    first, second = labels(range(4), gold, [0, 0, 0, 0]), labels(range(4), gold, [0, 1, 1, 0])
    rows = pair([first, second], judgement=LABELS, names=NAMES, metric="accuracy", seed=1)[1].rows
    assert rows == {(True, True): 1, (True, False): 1, (False, True): 1, (False, False): 1}


def test_a_sentence_is_right_when_every_entity_is() -> None:
    gold = [[("a", 0, 1), ("b", 2, 3)]] * 2
    first = entities(range(2), gold, [[("a", 0, 1, 0.9), ("b", 2, 3, 0.8)], [("a", 0, 1, 0.9)]])
    second = entities(range(2), gold, [[("b", 2, 3, 0.4), ("a", 0, 1, 0.5)]] * 2)
    found = pair([first, second], judgement=ENTITIES, names=["a", "b"], metric="f1", seed=1)[1]
    assert found.rows == {(True, True): 1, (True, False): 0, (False, True): 1, (False, False): 0}
    assert (found.differences["f1"]["value"] or 0) > 0
