"""A gain is shown where there is one, and hardly ever where there is none, as simulations tell."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from bert_training.contract.enums import PredictionSource
from bert_training.data.figures.labels import LABELS
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.proof.gain import gain
from bert_training.data.proof.judged import judge
from bert_training.data.proof.shape import Gain
from tests.data.proof.worlds import Ids, labelled, stated

SOURCES = (PredictionSource.NETWORK, PredictionSource.LINEAR)


def answers_of_two(
    chance: np.random.Generator, gold: Ids, *, classes: int, right: tuple[float, float]
) -> Iterator[Ids]:
    """Yield the answers of two models that are right in these shares; half of the texts are hard for both."""
    hardness = chance.random(len(gold))
    for share in right:
        own = np.where(chance.random(len(gold)) < 0.5, hardness, chance.random(len(gold)))
        wrong = (gold + chance.integers(1, classes, len(gold))) % classes
        yield np.where(own < share, gold, wrong)


def gains(
    *,
    classes: int,
    rarest: float,
    right: tuple[float, float],
    rows: int,
    trials: int,
    metric: str = "f1_macro",
    copies: int = 1,
    replicates: int = 300,
) -> list[Gain]:
    """Compare two models on texts that are drawn anew each time; each text stands there `copies` times."""
    chance = np.random.default_rng([classes, rows, copies, *(round(1000 * share) for share in right)])
    exist = np.geomspace(1.0, rarest, classes)
    names = [str(label) for label in range(classes)]
    found = []
    for trial in range(trials):
        gold = chance.choice(classes, size=rows // copies, p=exist / exist.sum())
        units = np.repeat(np.arange(len(gold)), copies)
        pairs = zip(answers_of_two(chance, gold, classes=classes, right=right), SOURCES, strict=True)
        sources = [labelled(gold[units], answers[units], units=units, source=source) for answers, source in pairs]
        first, second = judge(sources, judgement=LABELS, names=names, seed=trial, replicates=replicates)
        found.append(gain(first, second, metric))
    return found


def gain_of_pair(pair: Sequence[Predictions], metric: str, names: Sequence[str] = ("a", "b", "c")) -> Gain:
    first, second = judge(pair, judgement=LABELS, names=[*names], seed=3)
    return gain(first, second, metric)


def share_shown(found: list[Gain]) -> float:
    return float(np.mean([one["is_shown"] for one in found]))


def test_of_two_equal_models_neither_is_shown_to_be_better() -> None:
    found = gains(classes=3, rarest=0.2, right=(0.8, 0.8), rows=300, trials=100)
    assert share_shown(found) <= 0.05  # 2.5 % in the long run: of 100 trials, more than 5 in one of 100 cases


def test_five_points_are_shown_at_a_thousand_rows() -> None:
    assert share_shown(gains(classes=3, rarest=0.2, right=(0.85, 0.8), rows=1000, trials=25)) >= 0.8


def test_answers_of_chance_gain_nothing_over_answers_of_chance() -> None:
    found = gains(classes=3, rarest=0.5, right=(1 / 3, 1 / 3), rows=300, trials=40)
    assert share_shown(found) <= 0.05


def test_copies_do_not_show_a_gain_that_single_rows_do_not() -> None:
    alone = gains(classes=3, rarest=0.5, right=(0.83, 0.8), rows=60, trials=1)[0]
    gold = np.repeat(np.arange(3), 20)
    assert alone["low"] is not None
    assert alone["low"] < 0
    first, second = answers_of_two(np.random.default_rng(4), gold, classes=3, right=(0.83, 0.8))
    intervals = []
    for copies in (1, 50):
        units = np.repeat(np.arange(60), copies)
        pair = [labelled(gold[units], one[units], units=units) for one in (first, second)]
        intervals.append(gain_of_pair(pair, "f1_macro"))
    assert intervals[0]["low"] == pytest.approx(intervals[1]["low"])


@pytest.mark.parametrize("metric", ["f1_macro", "accuracy", "auc_roc", "log_loss", "mcc"])
def test_a_model_gains_nothing_over_itself(metric: str) -> None:
    chance = np.random.default_rng(0)
    gold, answers = chance.integers(0, 3, 60), chance.integers(0, 3, 60)
    part = labelled(gold, answers, probabilities=stated(chance, answers, 3))
    found = gain_of_pair([part, part], metric)
    assert (found["value"], found["low"], found["high"], found["is_shown"]) == (0.0, 0.0, 0.0, False)


@pytest.mark.parametrize("metric", ["auc_roc", "log_loss"])
def test_better_probabilities_are_a_gain(metric: str) -> None:
    chance = np.random.default_rng(0)
    gold = chance.integers(0, 3, 400)
    first, second = answers_of_two(chance, gold, classes=3, right=(0.9, 0.6))
    pair = [labelled(gold, one, probabilities=stated(chance, one, 3)) for one in (first, second)]
    found = gain_of_pair(pair, metric)
    assert found["value"] is not None
    assert found["value"] > 0
    assert found["is_shown"]


def test_a_source_without_probabilities_is_not_compared_by_them() -> None:
    gold = np.array([0, 1] * 20)
    pair = [labelled(gold, gold, probabilities=np.eye(2, dtype=np.float16)[gold]), labelled(gold, gold)]
    assert gain_of_pair(pair, "auc_roc", names=("a", "b"))["value"] is None


@pytest.mark.long
@pytest.mark.parametrize("metric", ["f1_macro", "accuracy"])
@pytest.mark.parametrize(("rows", "copies"), [(100, 1), (300, 1), (1000, 1), (300, 3)])
@pytest.mark.parametrize(
    ("classes", "rarest", "right"), [(2, 1.0, 0.8), (3, 0.1, 0.8), (5, 0.03, 0.9), (20, 0.03, 0.8)]
)
def test_equal_models_in_many_worlds(
    metric: str, rows: int, copies: int, classes: int, rarest: float, right: float
) -> None:
    found = gains(
        classes=classes, rarest=rarest, right=(right, right), rows=rows, copies=copies, trials=400, metric=metric
    )
    assert share_shown(found) <= 0.055  # 2.5 % and three deviations of 400 trials
