"""The proof of a run: made in the background from all predictions, once, whatever happens meanwhile."""

import random
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django_q.models import OrmQ, Schedule

from bert_training.background import make_proof
from bert_training.contract.enums import ErrorCode, PredictionSource, Split
from bert_training.data.predicting.predictions import Predictions, prediction_digest
from bert_training.models import Job, Prediction, Run, RunProof, Worker
from bert_training.services import sweep
from bert_training.services.datasets import delete_dataset
from bert_training.services.errors import ServiceError, StorageAway, StorageFull
from bert_training.services.jobs import complete_job
from bert_training.services.proving import proofs
from bert_training.services.proving.prediction_stream import append_predictions
from bert_training.services.proving.predictions import predictions_of
from bert_training.services.proving.proofs import PROOF_ATTEMPTS
from bert_training.services.runs import delete_run
from bert_training.services.stored_files import put_file
from tests.personas import claim, make_run, ready_dataset
from tests.predicting import (
    batch_of,
    complete_with,
    completion,
    entity_predictions,
    label_predictions,
    names_of,
    records_of,
    send,
)

pytestmark = pytest.mark.usefixtures("proved_here")


def some_predictions(job: Job) -> list[Predictions]:
    """The network on both splits and a baseline, on the rows of twelve."""
    classes = len(names_of(job))
    return [
        label_predictions(range(2, 5), classes=classes, split=Split.VALIDATION),
        label_predictions(range(5, 14), classes=classes, seed=2),
        label_predictions(range(5, 14), classes=classes, source=PredictionSource.LINEAR, seed=3),
    ]


@pytest.fixture
def completed(running_job: Job, worker: Worker) -> Run:
    """A run that was completed with its predictions, whose proof waits."""
    complete_with(worker, running_job, some_predictions(running_job))
    return Run.objects.select_related("job", "dataset").get(pk=running_job.run_id)


def proof_of(run: Run) -> RunProof:
    return RunProof.objects.get(pk=run.pk)


def test_a_completed_run_waits_for_its_proof(completed: Run) -> None:
    assert (proof_of(completed).status, proof_of(completed).key) == ("pending", "")
    assert [task.func() for task in OrmQ.objects.all()].count(proofs.PROOF_FUNCTION) == 1
    assert Prediction.objects.filter(run=completed).count() == 21


def test_a_run_without_predictions_has_no_proof(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion([], names_of(running_job), digest="0" * 64))
    assert not RunProof.objects.exists()
    assert proofs.PROOF_FUNCTION not in [task.func() for task in OrmQ.objects.all()]


@pytest.mark.embedded
def test_the_predictions_become_one_file_and_the_file_a_proof(completed: Run) -> None:
    make_proof(completed.pk)
    proof = proof_of(completed)
    assert (proof.status, proof.rows, proof.finished_at is not None) == ("ready", 21, True)
    assert proof.content["rows"] == {"validation": 3, "test": 9}
    assert proof.content["names"] == names_of(completed.job)
    assert [each["source"] for each in proof.content["baselines"]] == ["linear"]
    assert not Prediction.objects.exists()
    assert default_storage.size(proof.key) == proof.bytes
    stored = predictions_of(completed)
    assert prediction_digest(stored) == (completed.result or {})["prediction_digest"]


def test_plain_pandas_reads_the_file(completed: Run) -> None:
    make_proof(completed.pk)
    with default_storage.open(proof_of(completed).key) as file:
        table = pd.read_parquet(file)
    assert list(table["source"].value_counts().items()) == [("network", 12), ("linear", 9)]
    assert "text" not in table.columns


def test_the_real_children_make_the_same_of_entities(
    ana: User, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # no child is spared
    run = make_run(ana, ready_dataset(ana, task="token-classification"))
    job = Job.objects.get(pk=claim(worker).job_id, run=run)
    complete_with(worker, job, [entity_predictions(range(2, 12), names_of(job)[0])])
    make_proof(run.pk)
    proof = proof_of(run)
    assert (proof.status, proof.rows) == ("ready", 10)
    assert proof.content["figures"]["recall"]["value"] == 0.5


@pytest.mark.parametrize("seed", range(2))
def test_however_the_stream_was_cut_and_repeated_file_and_proof_are_the_same(
    completed: Run, ana: User, worker: Worker, seed: int
) -> None:
    make_proof(completed.pk)
    run = make_run(ana, completed.dataset)
    job = Job.objects.get(pk=claim(worker).job_id, run=run)
    predictions, chance = some_predictions(job), random.Random(seed)
    chance.shuffle(predictions)
    records, sent = records_of(predictions), 0
    while sent < len(records):
        start = chance.randint(0, sent)
        end = chance.randint(start, min(start + 7, len(records)))
        sent = append_predictions(worker, job.pk, batch_of(records[start:end], start + 1)).next_seq - 1
    complete_job(worker, job.pk, completion(predictions, names_of(job)))
    make_proof(run.pk)
    assert proof_of(run).content == proof_of(completed).content
    assert prediction_digest(predictions_of(run)) == prediction_digest(predictions_of(completed))


def test_only_what_the_completing_attempt_sent_counts(running_job: Job, worker: Worker) -> None:
    predictions = some_predictions(running_job)
    send(worker, running_job, [label_predictions(range(2, 14), classes=len(names_of(running_job)), seed=9)])
    claim(worker, instance="machine-1:2")
    running_job.refresh_from_db()
    send(worker, running_job, predictions, attempt=2)
    complete_job(worker, running_job.pk, completion(predictions, names_of(running_job), attempt=2))
    make_proof(running_job.run_id)
    assert (proof_of(running_job.run).status, proof_of(running_job.run).rows) == ("ready", 21)


def test_a_second_call_changes_nothing(completed: Run) -> None:
    make_proof(completed.pk)
    before = proof_of(completed)
    make_proof(completed.pk)
    assert (proof_of(completed).key, proof_of(completed).attempts) == (before.key, 1)


def test_what_is_not_what_the_worker_computed_fails_and_is_not_kept(running_job: Job, worker: Worker) -> None:
    complete_with(worker, running_job, some_predictions(running_job), digest="0" * 64)
    make_proof(running_job.run_id)
    proof = proof_of(running_job.run)
    assert (proof.status, proof.key, proof.content) == ("failed", "", {})
    assert sweep.sweep_predictions() == 21


def test_a_source_that_answers_twice_for_a_row_fails(running_job: Job, worker: Worker) -> None:
    part = some_predictions(running_job)[1]
    complete_with(worker, running_job, [part, part])
    make_proof(running_job.run_id)
    assert proof_of(running_job.run).status == "failed"


@pytest.mark.parametrize("answer", [StorageAway, StorageFull])
def test_a_store_that_is_away_costs_time_and_no_attempt(
    completed: Run, answer: type[ServiceError], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(proofs, "put_file", Mock(side_effect=answer(ErrorCode.UNAVAILABLE, "away")))
        make_proof(completed.pk)
    assert (proof_of(completed).status, proof_of(completed).attempts) == ("pending", 0)
    assert Schedule.objects.filter(func=proofs.PROOF_FUNCTION, args=f"({completed.pk},)").exists()
    make_proof(completed.pk)
    assert proof_of(completed).status == "ready"


class Killed(BaseException):
    """The process ends here."""


STEPS = ("pack_in_sandbox", "put_file", "hold_dataset", "stored_copy", "prove_in_sandbox", "_settle")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_made_the_next_time(
    completed: Run, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(proofs, step, Mock(side_effect=Killed))
        with pytest.raises(Killed):
            make_proof(completed.pk)
    assert proof_of(completed).status == "pending"
    make_proof(completed.pk)
    proof = proof_of(completed)
    assert (proof.status, proof.rows, proof.attempts) == ("ready", 21, 2)
    assert default_storage.exists(proof.key)
    assert not Prediction.objects.exists()


def test_a_proof_that_kills_its_process_is_given_up(completed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "prove_in_sandbox", Mock(side_effect=Killed))
    for _attempt in range(PROOF_ATTEMPTS):
        with pytest.raises(Killed):
            make_proof(completed.pk)
    make_proof(completed.pk)
    proof = proof_of(completed)
    assert (proof.status, proof.rows) == ("failed", 21)
    assert default_storage.exists(proof.key)  # the predictions are there all the same


def test_a_mistake_of_ours_is_a_proof_that_failed(completed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "prove_in_sandbox", Mock(side_effect=ZeroDivisionError))
    make_proof(completed.pk)
    assert proof_of(completed).status == "failed"


@pytest.mark.embedded
def test_a_deleted_run_leaves_neither_rows_nor_a_file(completed: Run, django_capture_on_commit_callbacks: Any) -> None:
    make_proof(completed.pk)
    key = proof_of(completed).key
    with django_capture_on_commit_callbacks(execute=True):
        delete_run(completed)
    assert not default_storage.exists(key)
    assert not RunProof.objects.exists()


def test_a_run_that_is_deleted_while_its_proof_is_made_leaves_no_file(
    completed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []

    def put_and_delete(key: str, path: Any) -> None:
        put_file(key, path)
        keys.append(key)
        delete_run(completed)

    monkeypatch.setattr(proofs, "put_file", put_and_delete)
    make_proof(completed.pk)
    assert not default_storage.exists(keys[0])
    assert not Prediction.objects.exists()


def test_with_its_data_the_predictions_go_and_the_figures_stay(
    completed: Run, django_capture_on_commit_callbacks: Any
) -> None:
    make_proof(completed.pk)
    key, content = proof_of(completed).key, proof_of(completed).content
    with django_capture_on_commit_callbacks(execute=True):
        delete_dataset(completed.dataset)
    proof = proof_of(completed)
    assert (proof.key, proof.content, proof.status) == ("", content, "ready")
    assert not default_storage.exists(key)


def test_with_its_data_a_proof_that_waits_ends(completed: Run) -> None:
    delete_dataset(completed.dataset)
    make_proof(completed.pk)
    assert proof_of(completed).status == "failed"
    assert not Prediction.objects.exists()


@pytest.mark.embedded
def test_the_sweep_takes_what_no_proof_will_be_made_of(completed: Run, running_other: Job, worker: Worker) -> None:
    send(worker, running_other, some_predictions(running_other))
    assert sweep.sweep_predictions() == 0  # one waits for its proof, one still runs
    RunProof.objects.update(status="failed")
    assert sweep.sweep_predictions() == 21


@pytest.fixture
def running_other(completed: Run, ana: User, worker: Worker) -> Job:
    run = make_run(ana, completed.dataset)
    return Job.objects.get(pk=claim(worker).job_id, run=run)


def test_files_of_proofs_without_a_row_are_swept(completed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    make_proof(completed.pk)
    orphan = default_storage.save("proofs/orphan.parquet", ContentFile(b"x"))
    monkeypatch.setattr(sweep, "MINIMUM_AGE", timedelta(seconds=-5))
    listed = sweep._orphans_of_proofs()
    assert orphan in listed
    assert proof_of(completed).key not in listed
    default_storage.delete(orphan)
