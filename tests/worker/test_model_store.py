"""Another portal, or one with a new database, gives numbers that were given before: nothing is mixed up then."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bert_training.contract.messages import ClaimedJob
from bert_training.worker.files import write_json
from bert_training.worker.model_store import ModelStore
from bert_training.worker.resume import job_identity
from bert_training.worker.sender import mark_delivered
from bert_training.worker.trainer_orders import spool_path
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import LocalSupervisor

Start = Callable[..., LocalSupervisor]


@pytest.fixture
def job(portal: FakePortal) -> ClaimedJob:
    return portal.enqueue(job_id=7)


def as_attempt(job: ClaimedJob, attempt: int, **changes: object) -> ClaimedJob:
    return job.model_copy(update={"attempt": attempt, **changes})


def begin(models: Path, job: ClaimedJob) -> Path:
    """Leave the folder of a job as an earlier start of the worker left it."""
    folder = ModelStore(models).job_folder(job)
    write_json(folder / "job.json", {"identity": job_identity(job)})
    spool_path(folder, job.attempt).write_text("a line\n")
    return folder


def test_the_next_attempt_and_a_repeated_claim_find_their_folder_as_it_was(tmp_path: Path, job: ClaimedJob) -> None:
    folder = begin(tmp_path, job)
    store = ModelStore(tmp_path)
    second = as_attempt(job, 2)
    assert store.job_folder(second) == folder
    spool_path(folder, 2).write_text("a line\n")
    assert store.job_folder(second) == folder
    assert spool_path(folder, 1).exists()


@pytest.mark.parametrize("change", [{}, {"run_id": 999}])
def test_a_log_of_this_attempt_that_an_earlier_start_wrote_is_of_another_job(
    tmp_path: Path, job: ClaimedJob, change: dict[str, int]
) -> None:
    folder = begin(tmp_path, job)
    again = ModelStore(tmp_path).job_folder(as_attempt(job, 1, **change))
    assert again == folder
    assert list(again.iterdir()) == []
    assert spool_path(tmp_path / "jobs" / "7-1", 1).read_text() == "a line\n"


def test_another_training_under_this_number_is_put_aside_with_its_weights(tmp_path: Path, job: ClaimedJob) -> None:
    folder = begin(tmp_path, job)
    (folder / "final").mkdir()
    second = as_attempt(job, 2, hyperparameters={"epochs": 9})
    for number in (1, 2):
        assert list(ModelStore(tmp_path).job_folder(second).iterdir()) == []
        assert (tmp_path / "jobs" / f"7-{number}").is_dir()
        (folder / "final").mkdir()
    assert (tmp_path / "jobs" / "7-1" / "final").is_dir()


def test_a_worker_that_meets_a_new_database_mixes_no_logs(
    portal: FakePortal, start_worker: Start, tmp_path: Path, job: ClaimedJob
) -> None:
    portal.queue.clear()
    mark_delivered(spool_path(begin(tmp_path / "models", job), 1))
    again = portal.enqueue(job_id=7)
    start_worker()
    portal.wait_for(lambda: portal.ends)
    assert portal.messages(again)[0].startswith("Worker took simulated run")
    assert len(portal.messages(again)) == portal.ends[0]["log_seq"]
