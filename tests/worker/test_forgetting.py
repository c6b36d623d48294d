"""Copies of what was deleted on the portal go, whatever happens meanwhile, and are said to be gone only then."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from bert_training.contract.messages import ClaimedJob, Forget
from bert_training.worker import forgetting
from bert_training.worker.forgetting import Forgetting
from bert_training.worker.model_store import ModelStore
from bert_training.worker.spool import SpoolWriter
from bert_training.worker.trainer_orders import spool_path
from bert_training.worker.training_log import TrainingLog
from tests.worker.fake_portal import FakePortal
from tests.worker.held_clock import HeldClock
from tests.worker.supervisors import LocalSupervisor

CANARY = "canario7391"
TABLE, SPLIT = "a" * 64, "b" * 64
ORDER = Forget(id=7, dataset_id=1, sha256="c" * 64, table_sha256=TABLE)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def keep(store: ModelStore, job: int, *, dataset: int = 1, run: int = 0, name: str = "") -> Path:
    """Leave what a job leaves: log, checkpoints with tokens, and the weights of a completed one."""
    folder = store.folder / "jobs" / (name or str(job))
    for part in ("checkpoints/step-10", "final", ".final.unfinished"):
        (folder / part).mkdir(parents=True)
        (folder / part / "model.safetensors").write_text(f"{part} of {job}")
    (folder / "checkpoints" / "step-10" / "rows.json").write_text(CANARY)
    about = {"id": dataset, "sha256": "c" * 64, "table_sha256": TABLE}
    facts = {"job_id": job, "run_id": run or 100 + job, "dataset": about, "split_digest": SPLIT}
    (folder / "job.json").write_text(json.dumps(facts))
    writer = SpoolWriter(spool_path(folder, 1))
    writer.append_log("INFO", f"row with {CANARY}", ts=datetime.now(UTC))
    writer.close()
    TrainingLog(store.folder, spool_path(folder, 1), run_id=run or 100 + job, attempt=1).follow()
    return folder


def keep_table(store: ModelStore) -> None:
    """Leave what is kept by digest."""
    (store.datasets / f"{TABLE}.parquet").write_text(CANARY)
    (store.datasets / f"{TABLE}.part").write_text(CANARY)
    (store.datasets / f"{SPLIT}.manifest").write_text("2\ttrain\n")
    (store.datasets / f"{TABLE}.tokens" / "x").mkdir(parents=True)
    (store.datasets / f"{TABLE}.tokens" / "x" / "ids").write_text(CANARY)


def obey(store: ModelStore, *orders: Forget, forgetting: Forgetting | None = None) -> list[int]:
    """Carry orders out; returns which the next heartbeat confirms."""
    obedient = forgetting or Forgetting(store, HeldClock().timing)
    obedient.take(orders, confirmed=[])
    for _order in orders:
        obedient._step()
    return obedient.done


def test_everything_of_a_dataset_goes_but_the_weights(store: ModelStore) -> None:
    folder, aside = keep(store, 5), keep(store, 6, name="6-1")
    keep_table(store)
    assert obey(store, ORDER) == [7]
    for kept in (folder, aside):
        assert [path.name for path in kept.rglob("*")] == ["final", "model.safetensors"]
    assert list(store.datasets.iterdir()) == []
    assert obey(store, ORDER) == [7]  # nothing is there any more: that is what was asked for


def test_the_same_bytes_of_another_owner_stay_trainable(store: ModelStore) -> None:
    keep_table(store)
    other = keep(store, 9, dataset=2)
    assert obey(store, ORDER) == [7]
    assert (other / "checkpoints" / "step-10" / "rows.json").exists()
    assert spool_path(other, 1).exists()
    assert not (store.datasets / f"{TABLE}.parquet").exists()  # is fetched again


def test_a_run_goes_with_its_lines_in_every_log(store: ModelStore) -> None:
    keep_table(store)
    gone, kept = keep(store, 5, run=12), keep(store, 6, run=1)
    assert obey(store, ORDER.model_copy(update={"runs": [12]})) == [7]
    assert [path.name for path in gone.iterdir()] == ["final"]
    assert (kept / "checkpoints").exists()
    assert (store.datasets / f"{TABLE}.parquet").exists()
    logs = store.folder / "logs" / "train"
    assert sorted(path.name for path in logs.iterdir()) == ["1.log", "all.log"]
    assert [line.split(" - ")[1] for line in (logs / "all.log").read_text().splitlines()] == ["run-1.attempt-1"]


def held_job(**changes: Any) -> ClaimedJob:
    dataset = {"id": 1, "sha256": "c" * 64, "bytes": 1, "table_sha256": TABLE, "table_bytes": 1, "rows": 3}
    facts = {"job_id": 5, "run_id": 105, "attempt": 1, "held": False, "task": "t", "hyperparameters": {}}
    facts |= {"base_model": "", "base_model_revision": "", "simulate": False, "lease_seconds": 60.0}
    return ClaimedJob.model_validate(facts | {"dataset": dataset} | changes)


@pytest.mark.parametrize("dataset", [1, 2], ids=["the job at hand", "the same table under another"])
def test_what_a_job_at_hand_needs_goes_after_it(store: ModelStore, dataset: int) -> None:
    folder = keep(store, 5, dataset=dataset)
    keep_table(store)
    obedient = Forgetting(store, HeldClock().timing)
    job = held_job()
    with obedient.holding(job.model_copy(update={"dataset": job.dataset.model_copy(update={"id": dataset})})):
        assert obey(store, ORDER, forgetting=obedient) == []
        assert (store.datasets / f"{TABLE}.parquet").exists()
        assert (folder / "checkpoints").exists()
    assert obey(store, ORDER, forgetting=obedient) == [7]
    assert not (store.datasets / f"{TABLE}.parquet").exists()
    assert (folder / "checkpoints").exists() == (dataset == 2)


def test_a_folder_in_which_a_former_trainer_lives_waits(store: ModelStore) -> None:
    folder = keep(store, 5)
    with FileLock(folder / "trainer.lock"):
        assert obey(store, ORDER) == []
    assert obey(store, ORDER) == [7]


def test_a_folder_of_nobody_knows_whom_is_not_taken_for_anothers(store: ModelStore) -> None:
    about = keep(store, 5) / "job.json"
    content = about.read_text()
    about.write_text(content[:20])
    assert obey(store, ORDER) == []
    about.write_text(content)
    assert obey(store, ORDER) == [7]


def test_what_cannot_be_deleted_is_not_confirmed(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, 5)
    keep_table(store)

    def refuse(_path: Path) -> None:
        raise PermissionError("open in another program")

    with monkeypatch.context() as locked:
        locked.setattr(forgetting, "_delete", refuse)
        assert obey(store, ORDER) == []
    assert obey(store, ORDER) == [7]


def test_killed_at_any_point_it_begins_anew_and_finds_all_of_it(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round dies one deletion later than the one before; the next start must still know whose the folder is."""
    delete = forgetting._delete
    for deaths in range(40):
        folder = keep_again(store)

        def die_after(path: Path, left: list[int] = [deaths]) -> None:  # noqa: B006 - the count of this round
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            delete(path)

        with monkeypatch.context() as dying:
            dying.setattr(forgetting, "_delete", die_after)
            try:
                survived = obey(store, ORDER) == [7]
            except KeyboardInterrupt:
                survived = False
        assert obey(store, ORDER) == [7]
        left = [path.name for path in store.folder.rglob("*") if path.is_file() and CANARY in path.read_text()]
        assert sorted(left) == ["105.log", "all.log"]  # the run and its log stay on the portal too
        assert [path.name for path in folder.iterdir()] == ["final"]
        if survived:
            return
    raise AssertionError("it never came to its end")


def keep_again(store: ModelStore) -> Path:
    """Lay everything out as it was before."""
    shutil.rmtree(store.folder / "jobs", ignore_errors=True)
    shutil.rmtree(store.folder / "logs", ignore_errors=True)
    for path in store.datasets.iterdir():
        forgetting._delete(path)
    keep_table(store)
    return keep(store, 5)


def test_hostile_orders_name_no_place(store: ModelStore) -> None:
    keep_table(store)
    folder = keep(store, 5)
    facts = json.loads((folder / "job.json").read_text()) | {"split_digest": "../../worker"}
    (folder / "job.json").write_text(json.dumps(facts))
    (store.folder / "worker.json").write_text("{}")
    assert obey(store, ORDER) == [7]
    assert (store.folder / "worker.json").exists()


def test_a_worker_that_was_away_forgets_before_it_works_and_confirms(
    portal: FakePortal, start_worker: Callable[..., LocalSupervisor], tmp_path: Path
) -> None:
    store = ModelStore(tmp_path / "models")
    folder = keep(store, 5)
    keep_table(store)
    portal.forget = [ORDER]
    start_worker()
    portal.wait_for(lambda: 7 in portal.forgotten)
    assert [path.name for path in folder.iterdir()] == ["final"]
    beats = len(portal.sent_to("heartbeat"))
    portal.wait_for(lambda: len(portal.sent_to("heartbeat")) > beats)
    assert portal.sent_to("heartbeat")[-1].json()["forgotten"] == []
