"""The model to begin from is found by its fingerprint among those that this worker keeps, and verified."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_training.contract.messages import ClaimedJob
from bert_training.data.digest import file_digest
from bert_training.ml.keeping.checkpoints import WEIGHTS
from bert_training.worker.initial_weights import InitialWeightsMissing, find_initial_weights
from bert_training.worker.resume import job_identity
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import LocalSupervisor


def keep_model(models_dir: Path, number: str, content: bytes) -> tuple[Path, str]:
    """Leave a model as a finished training does. Returns its folder and fingerprint."""
    folder = models_dir / "jobs" / number / "final"
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(content)
    fingerprint = file_digest(folder / WEIGHTS)
    (folder / "run.json").write_text(json.dumps({"model_fingerprint": fingerprint}))
    return folder, fingerprint


def job_from(portal: FakePortal, fingerprint: str) -> ClaimedJob:
    return portal.enqueue(initial_fingerprint=fingerprint, initial_run_id=3, simulate=False)


def test_it_is_found_whatever_its_number(portal: FakePortal, tmp_path: Path) -> None:
    keep_model(tmp_path, "1", b"other weights")
    folder, fingerprint = keep_model(tmp_path, "2-1", b"weights")
    assert find_initial_weights(tmp_path, job_from(portal, fingerprint)) == folder


def remove(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def change(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"other weights")


@pytest.mark.parametrize("damage", [remove, change])
def test_a_model_that_is_not_as_it_was_is_named(
    portal: FakePortal, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder, fingerprint = keep_model(tmp_path, "1", b"weights")
    damage(folder)
    with pytest.raises(InitialWeightsMissing, match=r"of run 3 in .* was changed"):
        find_initial_weights(tmp_path, job_from(portal, fingerprint))


def test_a_job_whose_model_is_not_here_fails_with_the_reason_before_anything_is_fetched(
    portal: FakePortal, tmp_path: Path
) -> None:
    job = job_from(portal, "a" * 64)
    supervisor = LocalSupervisor(portal, tmp_path / "models", dry_run=False)
    supervisor.start()
    portal.wait_for(lambda: portal.ends)
    supervisor.stop()
    (end,) = portal.ends
    assert (end["outcome"], end["error"]["code"]) == ("failed", "initial_weights_missing")
    assert "of run 3" in end["error"]["message"]
    assert not any("download" in request.path for request in portal.requests)
    assert portal.messages(job)


def test_checkpoints_of_another_beginning_are_another_training(portal: FakePortal) -> None:
    plain = portal.enqueue()
    begun = plain.model_copy(update={"initial_fingerprint": "a" * 64})
    assert job_identity(plain) != job_identity(begun)
