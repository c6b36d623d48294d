"""Answers of a run and of its folds put together: each row once, under its split in the run, entities too."""

from dataclasses import replace

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.doubting.label_errors import find_suspects
from bert_training.data.predicting.predictions import EntityAnswers, Predictions
from bert_training.data.proof.suspects import linear_suspects
from bert_training.tasks.doubting import judged_out_of_sample

DOUBTED = 3


def answers(rows: list[int], split: Split = Split.TEST) -> Predictions:
    """A person in even sentences, a place in odd ones; in one of these the network is sure of a person instead."""
    given = [[("LOCAL" if row % 2 else "PESSOA", 0, 2)] for row in rows]
    found = [
        [("PESSOA" if row == DOUBTED else kind, 0, 2, 0.75)] for row, [(kind, _, _)] in zip(rows, given, strict=True)
    ]
    numbers, words = np.array(rows, dtype=np.int64), np.full(len(rows), 5)
    none = np.zeros(len(rows), dtype=np.int64)
    judged = EntityAnswers(given, found, words, words, none, none)
    return Predictions(PredictionSource.NETWORK, split, numbers, numbers, judged)


def test_each_row_is_judged_once_under_its_split_in_the_run() -> None:
    own = [answers([4, 5], Split.VALIDATION), answers([6, 7])]
    others = [replace(own[1], source=PredictionSource.LINEAR), answers([2], Split.VALIDATION)]
    judged = judged_out_of_sample(own, [answers([2, 4]), answers([3, 5]), *others])
    rows = {split: [row for part in judged if part.split == split for row in part.rows.tolist()] for split in Split}
    assert {split: sorted(found) for split, found in rows.items()} == {
        Split.TRAIN: [2, 3],
        Split.VALIDATION: [4, 5],
        Split.TEST: [6, 7],
    }


def test_entities_are_doubted_too() -> None:
    judged = judged_out_of_sample([answers([20, 21], Split.VALIDATION), answers([22, 23])], [answers([*range(2, 22)])])
    found = linear_suspects(find_suspects(judged), names=["LOCAL", "PESSOA"], judged=22)
    assert found is not None
    first = found["suspects"][0]
    assert (first["row"], first["split"], first["given"], first["suggested"]) == (DOUBTED, "train", "LOCAL", "PESSOA")
