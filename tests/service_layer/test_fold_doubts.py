"""Label errors by a cross-validated run's own networks: every row judged once by one that had not seen it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from django_q.models import OrmQ, Schedule

from bert_training.background import find_fold_doubts, make_proof
from bert_training.contract.enums import ErrorCode, PredictionSource, ProofStatus, RepeatKind, Split
from bert_training.data.doubting import label_doubts
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.data.proof.shape import LabelErrors
from bert_training.data.splitting.manifest import SPLIT_OF
from bert_training.models import Job, Run, RunProof, Worker
from bert_training.services.divisions import division_of
from bert_training.services.errors import StorageAway
from bert_training.services.repeating import fold_doubts
from bert_training.services.repeating.repeats import cancel_repeats, repeat_run
from bert_training.services.stored_files import read_table
from bert_training.tasks import doubting
from tests.personas import claim
from tests.predicting import complete_with

pytestmark = pytest.mark.usefixtures("proved_here", "doubted_here")

MISLABELED = 5  # place of the row in the table whose label every network doubts


@pytest.fixture
def doubted_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the child process around the search, and judge classes of four rows too."""

    def doubt_here(own: Path, folds: Sequence[Path], names: Sequence[str]) -> LabelErrors:
        return doubting.doubt_files(str(own), [str(path) for path in folds], list(names))

    monkeypatch.setattr(fold_doubts, "doubt_in_sandbox", doubt_here)
    monkeypatch.setattr(label_doubts, "LEAST_UNITS", 2)


def answers_of(run: Run, split: Split, *, source: PredictionSource = PredictionSource.NETWORK) -> Predictions:
    """Answer for the rows of one split: surely right, but for one row surely not as it is labelled."""
    table = read_table(run.dataset)
    names = sorted(run.dataset.summary["labels"])
    letters = division_of(run).letters
    places = [place for place, letter in enumerate(letters) if SPLIT_OF[letter] == split]
    gold = np.array([names.index(table["label"][place]) for place in places], dtype=np.int64)
    doubted = np.array([place == MISLABELED for place in places], dtype=bool)
    predicted = np.where(doubted, (gold + 1) % len(names), gold)
    stated = np.full((len(places), len(names)), 0.02, dtype=np.float16)
    stated[np.arange(len(places)), predicted] = 0.96
    rows = np.array([table["row"][place] for place in places], dtype=np.int64)
    return Predictions(source, split, rows, rows, LabelAnswers(gold, predicted, stated))


def complete(worker: Worker, run: Run) -> Run:
    """Train a run, with its predictions, and make its proof."""
    job = Job.objects.select_related("run__dataset").get(pk=claim(worker).job_id)
    assert job.run_id == run.pk
    complete_with(worker, job, [answers_of(run, Split.VALIDATION), answers_of(run, Split.TEST)])
    make_proof(run.pk)
    return Run.objects.get(pk=run.pk)


@pytest.fixture
def completed(run: Run, worker: Worker) -> Run:
    return complete(worker, run)


def waiting() -> list[int]:
    """Return the runs for which label errors are to be looked for."""
    tasks = [queued.task for queued in OrmQ.objects.order_by("pk")]
    return [task["args"][0] for task in tasks if task["func"] == fold_doubts.DOUBTS_FUNCTION]


def found(run: Run) -> dict[str, Any]:
    """Return what the proof says of label errors."""
    return RunProof.objects.get(run=run).content["label_errors"] or {}


def test_when_the_last_fold_is_proved_every_row_is_judged_by_a_network_that_had_not_seen_it(
    completed: Run, worker: Worker
) -> None:
    *folds, last = repeat_run(completed, kind=RepeatKind.FOLD, count=3)
    for fold in folds:
        complete(worker, fold)
    assert waiting() == []
    complete(worker, last)
    assert waiting() == [completed.pk]
    find_fold_doubts(completed.pk)
    doubts = found(completed)
    own = division_of(completed)
    table = read_table(completed.dataset)
    assert (doubts["source"], doubts["judged"]) == ("network", len(own.letters))
    (suspect,) = doubts["suspects"]
    assert (suspect["row"], suspect["given"]) == (table["row"][MISLABELED], table["label"][MISLABELED])
    assert doubts["counts"] == {SPLIT_OF[own.letters[MISLABELED]]: 1} | {suspect["split"]: 1}
    assert suspect["suggested"] != suspect["given"]


def test_other_seeds_and_a_fold_without_a_result_leave_what_the_linear_baseline_found(
    completed: Run, worker: Worker
) -> None:
    complete(worker, repeat_run(completed, kind=RepeatKind.SEED, count=2)[0])
    cancel_repeats(completed)
    complete(worker, repeat_run(completed, kind=RepeatKind.FOLD, count=3)[0])
    cancel_repeats(completed)
    find_fold_doubts(completed.pk)
    assert (waiting(), found(completed).get("source") != "network") == ([], True)


def test_whatever_fails_leaves_the_proof_as_it_was_and_a_new_proof_starts_the_search_again(
    completed: Run, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fold in repeat_run(completed, kind=RepeatKind.FOLD, count=3):
        complete(worker, fold)
    before = found(completed)
    for name, error in (("stored_copy", StorageAway(ErrorCode.UNAVAILABLE, "away")), ("doubt_in_sandbox", ValueError)):
        with monkeypatch.context() as patched:
            patched.setattr(fold_doubts, name, Mock(side_effect=error))
            find_fold_doubts(completed.pk)
    assert Schedule.objects.filter(func=fold_doubts.DOUBTS_FUNCTION).count() == 1  # while the store is away
    RunProof.objects.filter(run=completed).update(status=ProofStatus.PENDING)
    find_fold_doubts(completed.pk)
    assert found(completed) == before
    make_proof(completed.pk)
    assert waiting() == [completed.pk] * 2
    RunProof.objects.filter(run__repeat_of=completed).update(key="proofs/gone.parquet")
    find_fold_doubts(completed.pk)
    assert found(completed) == before
