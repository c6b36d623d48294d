"""The bootstrap draws units as they are, the same ones for all sources, and the same again with the same seed."""

import numpy as np

from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.resampling import Rates, resampled_rates
from bert_training.data.proof.units import UnitCounts
from tests.data.proof.worlds import Ids, counted

GOLD = np.array([0] * 80 + [1] * 20)
ANSWERS = np.array(([0] * 9 + [1]) * 10)


def pair(gold: Ids, predicted: Ids, units: Ids | None = None) -> UnitCounts:
    return counted(gold, predicted, names=["a", "b"], units=units)


def drawn(*sources: UnitCounts, seed: int = 1, replicates: int = 2000) -> list[Rates]:
    return resampled_rates(sources, LABELS.rates, seed=seed, replicates=replicates)


def test_counts_by_unit_add_up_to_those_of_all_rows() -> None:
    units = np.repeat(np.arange(50), 2)
    assert pair(GOLD, ANSWERS, units).totals().tolist() == pair(GOLD, ANSWERS).totals().tolist()
    assert pair(GOLD, ANSWERS, units).unit_count == 50
    assert pair(GOLD, ANSWERS).totals().tolist() == [[72, 2], [90, 10], [80, 20]]


def test_replicates_spread_as_theory_says() -> None:
    accuracy = drawn(pair(GOLD, ANSWERS))[0]["accuracy"]
    assert abs(accuracy.mean() - 0.74) < 0.004
    assert abs(accuracy.std() - np.sqrt(0.74 * 0.26 / 100)) < 0.002


def test_copies_in_one_unit_do_not_make_replicates_narrower() -> None:
    copied = pair(np.repeat(GOLD, 10), np.repeat(ANSWERS, 10), np.repeat(np.arange(100), 10))
    alone = drawn(pair(GOLD, ANSWERS))[0]
    assert np.allclose(drawn(copied)[0]["f1_macro"], alone["f1_macro"])


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    first, again, other = (drawn(pair(GOLD, ANSWERS), seed=seed)[0]["f1_macro"] for seed in (5, 5, 6))
    assert first.tolist() == again.tolist() != other.tolist()


def test_sources_are_drawn_together() -> None:
    first, second = drawn(pair(GOLD, ANSWERS), pair(GOLD, ANSWERS))
    assert all(first[name].tolist() == second[name].tolist() for name in first)


def test_a_class_that_was_not_drawn_stays_a_class() -> None:
    gold = np.array([0] * 60 + [1])
    replicates = drawn(pair(gold, gold))[0]["f1_macro"]
    assert sorted(set(replicates.round(6).tolist())) == [0.5, 1.0]
