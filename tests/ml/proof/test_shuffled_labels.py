"""On labels that mean nothing the result must say so, whatever the network learned by heart."""

import random
from pathlib import Path

import pandas as pd
import pytest
from django.utils.translation import override

from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.prove import prove
from bert_training.data.proof.shape import Proof
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.services.proving.grades import graded
from bert_training.services.proving.verdict_words import gain_text, verdict_sentence
from bert_training.services.proving.verdicts import Case, Verdict, verdict
from bert_training.tasks.text_classification.spec import TEXT_CLASSIFICATION
from tests.ml.runs import TEXT_LABELS, Recorder, run_text, text_job, text_table
from tests.proofs import SCALES

ROWS = 300


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    labels = list(table["label"])
    random.Random(5).shuffle(labels)
    return table.assign(label=labels)


def proof_of(table: pd.DataFrame, tiny_bert: BaseModelFiles, folder: Path, *, epochs: int) -> Proof:
    """Train and prove as worker and portal do."""
    recorder = Recorder()
    job = text_job(tiny_bert, folder, table=table, epochs=epochs)
    result = run_text(job, recorder)
    return prove(
        recorder.answers,
        judgement=LABELS,
        names=TEXT_LABELS,
        metric="f1_macro",
        seed=0,
        calibration=result.calibration,
        judged=len(table),
    )


def case_of(proof: Proof) -> Case:
    return Case(proof, graded(proof, SCALES, task_metric="f1_macro"), {})


@pytest.mark.parametrize("shares", [(1, 1, 1), pytest.param((9, 1, 1), marks=pytest.mark.long)])
def test_on_shuffled_labels_the_result_says_do_not_use(
    tiny_bert: BaseModelFiles, tmp_path: Path, shares: tuple[int, ...]
) -> None:
    proof = proof_of(shuffled(text_table(ROWS, shares=shares)), tiny_bert, tmp_path, epochs=1)
    case = case_of(proof)
    assert verdict(case).verdict == Verdict.DO_NOT_USE
    with override("en"):
        assert verdict_sentence(case, verdict(case), TEXT_CLASSIFICATION).startswith("Do not use: gain ")
        assert "not shown" in verdict_sentence(case, verdict(case), TEXT_CLASSIFICATION)
        assert "not shown" in gain_text(case, TEXT_CLASSIFICATION)


@pytest.mark.long
def test_on_the_same_texts_with_their_own_labels_it_does_not(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    assert verdict(case_of(proof_of(text_table(ROWS), tiny_bert, tmp_path, epochs=4))).verdict != Verdict.DO_NOT_USE
