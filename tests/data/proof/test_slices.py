"""How test rows are cut into parts, whatever a column holds, and that each part is judged on its own rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.data.figures.labels import LABELS
from bert_training.data.figures.shapes import Figures
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.data.proof.slices import MOST_VALUES, cut_numbers, cut_texts, slice_figures
from tests.data.proof.worlds import labelled


def figures_of(predictions: Predictions, names: list[str]) -> Figures:
    """Return the figures of these rows alone."""
    assert isinstance(predictions.answers, LabelAnswers)
    return LABELS.figures(predictions.answers, names)


def parts_of(texts: list[str]) -> list[tuple[str, str, int]]:
    """Return kind, value and size of each part."""
    names, groups = cut_texts(texts)
    return [(name["kind"], name["value"], int((groups == place).sum())) for place, name in enumerate(names)]


def test_numbers_are_cut_into_quartiles_of_whole_values() -> None:
    names, groups = cut_numbers([float(number) for number in range(1, 101)])
    assert [(name["low"], name["high"]) for name in names] == [(1, 25), (26, 50), (51, 75), (76, 100)]
    assert np.bincount(groups).tolist() == [25, 25, 25, 25]
    same, of_same = cut_numbers([7.0] * 9)
    assert ([(name["low"], name["high"]) for name in same], set(of_same.tolist())) == ([(7, 7)], {0})


def test_few_values_stand_alone_and_blank_ones_apart() -> None:
    assert parts_of(["b", "", "a", "b ", " "]) == [("value", "a", 1), ("value", "b", 2), ("blank", "", 2)]


def test_values_stand_in_the_order_of_their_numbers() -> None:
    assert [value for _kind, value, _size in parts_of(["vara 10", "vara 2", "10", "9", "ªº²"])] == [
        "9",
        "10",
        "vara 2",
        "vara 10",
        "ªº²",
    ]


def test_rarer_values_are_one_part() -> None:
    texts = [f"autor {number:02}" for number in range(MOST_VALUES)] * 2 + ["raro 1", "raro 2"]
    assert parts_of(texts)[-1] == ("others", "", 2)
    assert len(parts_of(texts)) == MOST_VALUES + 1


def test_dates_go_by_year_and_many_numbers_by_quartile() -> None:
    dates = [f"{year}-0{1 + day % 9}-{10 + day:02}" for year in (2021, 2023) for day in range(15)]
    assert parts_of(dates) == [("value", "2021", 15), ("value", "2023", 15)]
    brazilian = [f"{10 + day}/03/20{20 + day % 2} 08:00" for day in range(20)]
    assert parts_of([*brazilian, "01/04/2020"])[0] == ("value", "2020", 11)
    amounts = [f"{number},5" for number in range(99)] + ["isento"]
    assert [kind for kind, _value, _size in parts_of(amounts)] == ["range"] * 4 + ["rest"]


@settings(max_examples=40)
@given(st.lists(st.one_of(st.text(max_size=6), st.integers().map(str), st.dates().map(str)), min_size=1, max_size=60))
def test_every_row_is_in_one_part_and_no_part_is_empty(texts: list[str]) -> None:
    names, groups = cut_texts(texts)
    assert len(groups) == len(texts)
    assert sorted(set(groups.tolist())) == [*range(len(names))]


def test_a_part_is_judged_as_if_it_were_all() -> None:
    chance = np.random.default_rng(1)
    gold = chance.integers(0, 3, 90)
    predicted = np.where(chance.random(90) < 0.7, gold, 0)
    parts = cut_texts(["norte"] * 60 + ["sul"] * 20 + [""] * 10)
    tested = labelled(gold, predicted)
    names, wanted = ["a", "b", "c"], ["f1_macro", "accuracy", "f1"]
    found = slice_figures(tested, parts, judgement=LABELS, names=names, metrics=wanted, seed=3)
    assert [(each["value"], each["rows"], each["is_few"]) for each in found] == [
        ("norte", 60, False),
        ("sul", 20, True),
        ("", 10, True),
    ]
    alone = figures_of(tested.take(np.arange(60, 80)), names)
    assert {name: figure["value"] for name, figure in found[1]["figures"].items()} == {
        "f1_macro": pytest.approx(alone["f1_macro"]),
        "accuracy": pytest.approx(alone["accuracy"]),
    }
    for each in found:
        for figure in each["figures"].values():
            assert figure["low"] is not None
            assert figure["high"] is not None
            assert figure["low"] <= (figure["value"] or 0.0) <= figure["high"]
