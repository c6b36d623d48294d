"""Answers as lists: what is kept of the probabilities, in which order rows come, which ones fit."""

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.listing.label_list import LabelList, LabelWish, Order, list_labels
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.data.table import PART_STRIDE


def listed(stated: list[list[float]], rows: list[int] | None = None) -> LabelList:
    """Rows whose label is the first one, with these probabilities."""
    probabilities = np.asarray(stated, dtype=np.float16).reshape(len(stated), -1)
    numbers = np.asarray(rows or range(2, 2 + len(stated)))
    known = np.nan_to_num(probabilities, nan=0.0)
    predicted = known.argmax(axis=1) if known.shape[1] else np.zeros(len(stated), dtype=np.int64)
    answers = LabelAnswers(np.zeros(len(stated), dtype=np.int64), predicted, probabilities)
    found = list_labels([Predictions(PredictionSource.NETWORK, Split.TEST, numbers, numbers, answers)])
    assert found is not None
    return found


def test_the_three_most_probable_labels_are_kept_equal_ones_in_the_order_of_their_ids() -> None:
    assert listed([[0.125, 0.25, 0.25, 0.5, 0.0625]]).top(0) == [(3, 0.5), (1, 0.25), (2, 0.25)]
    assert listed([[0.25, 0.75]]).top(0) == [(1, 0.75), (0, 0.25)]


def test_rows_without_a_probability_come_last_and_fit_no_bound() -> None:
    found = listed([[0.5, 0.5], [np.nan, np.nan], [0.75, 0.25]])
    assert found.places(LabelWish()) == [2, 0, 1]
    assert found.places(LabelWish(order=Order.UNSURE)) == [0, 2, 1]
    assert found.places(LabelWish(low=0.0)) == [2, 0]
    assert listed([[], []]).places(LabelWish()) == [0, 1]
    assert listed([[]]).top(0) == []


def test_rows_are_ordered_by_number_and_found_in_whichever_file() -> None:
    found = listed([[0.5, 0.5]] * 3, rows=[PART_STRIDE + 7, 9, 7])
    assert found.places(LabelWish(order=Order.ROW)) == [2, 1, 0]
    assert found.places(LabelWish(row=7)) == [2, 0]
    assert found.places(LabelWish(among=np.array([9]))) == [1]


def test_answers_for_no_row_are_no_list() -> None:
    assert list_labels([]) is None
