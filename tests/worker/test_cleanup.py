"""What nobody can want any more goes; weights, logs that are not delivered, and the job at hand stay."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bert_training.worker import cleanup
from bert_training.worker.cleanup import KEPT_SECONDS, PERIOD_SECONDS, Cleaner
from bert_training.worker.model_store import ModelStore
from bert_training.worker.sender import mark_delivered
from bert_training.worker.spool import SpoolWriter
from bert_training.worker.trainer_orders import spool_path
from tests.worker.held_clock import HeldClock

OLD = KEPT_SECONDS + 3600


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path)


def leave(store: ModelStore, name: str, *, age: float = OLD, delivered: bool = True, final: bool = False) -> Path:
    """Leave the folder of a job as its end left it."""
    folder = store.folder / "jobs" / name
    (folder / "checkpoints" / "step-10").mkdir(parents=True)
    (folder / "checkpoints" / "step-10" / "model.safetensors").write_bytes(b"weights")
    (folder / "job.json").write_text("{}")
    writer = SpoolWriter(spool_path(folder, 1))
    writer.append_log("INFO", "a line", ts=datetime.now(UTC))
    writer.close()
    if delivered:
        mark_delivered(spool_path(folder, 1))
    if final:
        (folder / "final").mkdir()
        (folder / "final" / "model.safetensors").write_bytes(b"the only copy")
    let_age(folder, age)
    return folder


def let_age(place: Path, seconds: float) -> None:
    moment = time.time() - seconds
    for path in (place, *place.rglob("*")):
        os.utime(path, (moment, moment))


def clean(store: ModelStore, *, held_job: int | None = None) -> None:
    Cleaner(store, HeldClock().timing).clean_when_due(held_job=held_job)


def test_the_folder_of_an_old_job_goes_and_its_weights_stay(store: ModelStore) -> None:
    ended, completed = leave(store, "1"), leave(store, "2", final=True)
    clean(store)
    assert not ended.exists()
    assert [path.name for path in completed.iterdir()] == ["final"]
    assert (completed / "final" / "model.safetensors").read_bytes() == b"the only copy"
    clean(store)
    assert (completed / "final" / "model.safetensors").exists()


def test_what_may_still_be_wanted_stays(store: ModelStore) -> None:
    kept = [leave(store, "1", age=KEPT_SECONDS - 3600), leave(store, "2", delivered=False), leave(store, "3")]
    one_file_is_new = leave(store, "4")
    let_age(one_file_is_new / "checkpoints", 60)
    clean(store, held_job=3)
    for folder in (*kept, one_file_is_new):
        assert (folder / "checkpoints" / "step-10" / "model.safetensors").exists()
        assert spool_path(folder, 1).exists()


def test_what_was_put_aside_goes_although_nobody_takes_its_log(store: ModelStore) -> None:
    aside = leave(store, "1-1", delivered=False)
    clean(store)
    assert not aside.exists()


def test_a_folder_that_somebody_removed_is_no_hindrance(store: ModelStore) -> None:
    store.datasets.rmdir()
    old = leave(store, "1")
    clean(store)
    assert not old.exists()


def test_a_table_that_was_not_used_for_a_week_goes(store: ModelStore) -> None:
    old, new = store.datasets / f"{'a' * 64}.parquet", store.datasets / f"{'b' * 64}.parquet"
    for path, age in ((old, OLD), (new, 60.0)):
        path.write_bytes(b"PAR1")
        os.utime(path, (time.time() - age,) * 2)
    clean(store)
    assert (old.exists(), new.exists()) == (False, True)


def leave_tokens(store: ModelStore, digit: str, *, age: float) -> Path:
    """Leave the tokens of a table as a training left them."""
    folder = store.datasets / f"{digit * 64}.tokens"
    (folder / "by-some-tokenizer").mkdir(parents=True)
    (folder / "by-some-tokenizer" / "input_ids.npy").write_bytes(b"ids")
    let_age(folder, age)
    return folder


def test_tokens_go_with_their_table_or_when_they_were_not_used_for_a_week(store: ModelStore) -> None:
    table = store.datasets / f"{'a' * 64}.parquet"
    table.write_bytes(b"PAR1")
    of_table, old, new = (leave_tokens(store, digit, age=age) for digit, age in (("a", OLD), ("b", OLD), ("c", 60.0)))
    os.utime(table, (time.time() - OLD,) * 2)
    clean(store)
    assert [path.exists() for path in (table, of_table, old, new)] == [False, False, False, True]


def test_a_table_whose_tokens_are_used_stays(store: ModelStore) -> None:
    table = store.datasets / f"{'a' * 64}.parquet"
    table.write_bytes(b"PAR1")
    os.utime(table, (time.time() - OLD,) * 2)
    tokens = leave_tokens(store, "a", age=60.0)
    clean(store)
    assert (table.exists(), tokens.exists()) == (True, True)


def test_what_several_processes_left_goes_with_the_folder(store: ModelStore) -> None:
    old = leave(store, "1")
    for name in ("meeting-4711", "rank-1.json"):
        (old / name).write_text("{}")
    let_age(old, OLD)
    clean(store)
    assert not old.exists()


def test_what_is_not_ours_is_left_alone(store: ModelStore) -> None:
    """Somebody may have chosen a models-dir that holds other things."""
    theirs = [
        store.datasets / "clients.parquet",
        store.folder / "jobs" / "summer" / "letter.txt",
        store.folder / "jobs" / "5" / "notes.txt",
    ]
    leave(store, "5")
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        let_age(path, OLD)
    clean(store)
    assert [path.exists() for path in theirs] == [True, True, True]
    assert [path.name for path in (store.folder / "jobs" / "5").iterdir()] == ["notes.txt"]


def test_it_is_done_at_the_start_and_then_once_a_day(store: ModelStore) -> None:
    clock = HeldClock()
    cleaner = Cleaner(store, clock.timing)
    cleaner.clean_when_due(held_job=None)
    later = leave(store, "1")
    clock.now = PERIOD_SECONDS - 1
    cleaner.clean_when_due(held_job=None)
    assert later.exists()
    clock.now = PERIOD_SECONDS
    cleaner.clean_when_due(held_job=None)
    assert not later.exists()


def test_what_cannot_be_removed_is_left_for_another_day(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    stubborn, other = leave(store, "1"), leave(store, "2")
    remove = cleanup._remove

    def fail(path: Path) -> None:
        if path == stubborn:
            raise PermissionError("open in another program")
        remove(path)

    monkeypatch.setattr(cleanup, "_remove", fail)
    clean(store)
    assert (stubborn.exists(), other.exists()) == (True, False)
