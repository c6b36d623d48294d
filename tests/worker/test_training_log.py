"""The training log on the PC: the stream of every run, once, in its order, whatever happens to disk or processes."""

import errno
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bert_training.contract.enums import Split
from bert_training.contract.messages import ClaimedJob, DatasetReference
from bert_training.contract.streams import MetricPoint
from bert_training.worker import log_file
from bert_training.worker.files import write_json
from bert_training.worker.log_file import LogFile
from bert_training.worker.spool import SpoolWriter
from bert_training.worker.timing import Timing
from bert_training.worker.trainer_process import SIMULATION_VARIABLE
from bert_training.worker.training_log import TrainingLog, copy_rest
from tests.worker import faulty_trainer
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import LocalSupervisor

Start = Callable[..., LocalSupervisor]
LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d - run-7\.attempt-1 - [A-Z]+ - ", re.ASCII)
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The spool of the first attempt at job 3."""
    folder = tmp_path / "jobs" / "3"
    folder.mkdir(parents=True)
    return folder / "attempt-1.jsonl"


@pytest.fixture
def writer(spool: Path) -> SpoolWriter:
    return SpoolWriter(spool)


def training_log(spool: Path) -> TrainingLog:
    return TrainingLog(spool.parents[2], spool, run_id=7, attempt=1)


def logged(spool: Path, name: str = "7") -> str:
    return (spool.parents[2] / "logs" / "train" / f"{name}.log").read_text("utf-8")


def test_every_line_stands_in_both_files_with_time_name_level_and_message(spool: Path, writer: SpoolWriter) -> None:
    writer.append_log("INFO", "Começo\nsegunda linha", ts=NOON)
    writer.append_metric(MetricPoint(epoch=1, step=1, split=Split.TRAIN, values={"loss": 1.0}))
    writer.append_log("WARNING", "ação", ts=NOON)
    training_log(spool).follow()
    lines = logged(spool).splitlines()
    assert all(LINE.match(line) for line in lines)
    assert [LINE.sub("", line) for line in lines] == ["Começo", "segunda linha", "ação"]
    assert " - WARNING - ação" in lines[2]
    assert logged(spool, "all") == logged(spool)


def test_the_banner_cannot_be_made_to_say_a_line_of_its_own(spool: Path) -> None:
    forged = "bert\n2026-01-02 12:00:00.000+00:00 - run-7.attempt-1 - INFO - fine"
    dataset = DatasetReference(id=1, sha256="a" * 64, bytes=1, table_sha256="b" * 64, table_bytes=1, rows=1)
    facts = {"job_id": 3, "run_id": 7, "attempt": 1, "held": False, "task": "text-classification", "simulate": False}
    asked = {"hyperparameters": {"seed": 1}, "base_model": forged, "base_model_revision": "", "lease_seconds": 60.0}
    job = ClaimedJob.model_validate({**facts, **asked, "dataset": dataset})
    training_log(spool).begin(job, Timing())
    assert len(logged(spool).splitlines()) == 7


def test_a_log_that_is_followed_again_says_nothing_twice(spool: Path, writer: SpoolWriter) -> None:
    first = training_log(spool)
    for number in range(3):
        writer.append_log("INFO", f"line {number}", ts=NOON)
        first.follow()
    writer.append_log("INFO", "said when the supervisor was dead", ts=NOON)
    training_log(spool).follow()
    assert [LINE.sub("", line) for line in logged(spool).splitlines()] == [
        *(f"line {number}" for number in range(3)),
        "said when the supervisor was dead",
    ]


def test_the_rest_of_a_killed_supervisors_log_is_copied_at_the_next_start(spool: Path, writer: SpoolWriter) -> None:
    write_json(spool.parent / "job.json", {"run_id": 7})
    writer.append_log("INFO", "last words", ts=NOON)
    for _ in range(2):
        copy_rest(spool.parents[2], spool, 1)
    assert logged(spool).count("last words") == logged(spool, "all").count("last words") == 1


def test_a_full_disk_costs_lines_neither_twice_nor_halves_and_never_raises(
    spool: Path, writer: SpoolWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = training_log(spool)
    writer.append_log("INFO", "first", ts=NOON)
    log.follow()
    whole_append = LogFile.append

    def half_append(self: LogFile, text: str) -> None:
        if self.path.name == "all.log":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole_append(self, text)

    writer.append_log("INFO", "second", ts=NOON)
    with monkeypatch.context() as patched:
        patched.setattr(LogFile, "append", half_append)
        log.follow()
        log.follow()
    assert "second" not in logged(spool, "all")
    log.follow()
    assert logged(spool).count("second") == logged(spool, "all").count("second") == 1


def test_a_damaged_record_is_one_unreadable_line(spool: Path, writer: SpoolWriter) -> None:
    spool.write_bytes(b'{"kind":"log","ts":7}\nrubbish\n')
    training_log(spool).follow()
    assert logged(spool).count("unreadable") == 2


def test_a_large_log_is_put_aside_and_the_oldest_part_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "FILE_BYTES", 100)
    monkeypatch.setattr(log_file, "KEPT", 2)
    file = LogFile(tmp_path / "all.log")
    for number in range(12):
        file.append(f"{number:039}\n")
    kept = {path.name: path.read_text().split() for path in tmp_path.iterdir()}
    assert {name: [int(line) for line in lines] for name, lines in kept.items()} == {
        "all.log": [10, 11],
        "all.log.1": [8, 9],
        "all.log.2": [6, 7],
    }


def test_the_files_hold_what_the_portal_got_after_a_banner_for_each_run(
    portal: FakePortal, start_worker: Start, tmp_path: Path
) -> None:
    jobs = [portal.enqueue(hyperparameters={"epochs": 1}) for _ in range(2)]
    worker: Any = start_worker()
    portal.wait_for(lambda: len(portal.ends) == 2)
    worker.stop()
    folder = next(tmp_path.rglob("logs/train"))
    for job in jobs:
        text = (folder / f"{job.run_id}.log").read_text("utf-8")
        assert f"Run {job.run_id}, attempt 1 (job {job.job_id}): {job.task}, a simulation" in text
        assert f"Base model {job.base_model}" in text
        assert "epochs=1" in text
        banner, _, stream = text.rpartition("=" * 70 + "\n")
        assert banner
        assert [line.split(" - ", 3)[3] for line in stream.splitlines()] == portal.messages(job)
    texts = [(folder / f"{job.run_id}.log").read_text("utf-8") for job in jobs]
    assert (folder / "all.log").read_text("utf-8") == "".join(texts)


@pytest.mark.parametrize(
    ("fault", "step"), [("exception@10", 10), pytest.param("nan", 0, marks=pytest.mark.long)], ids=["crash", "named"]
)
def test_a_failure_stands_there_with_its_stack_its_run_and_its_step(
    portal: FakePortal, start_worker: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, step: int
) -> None:
    monkeypatch.setenv(SIMULATION_VARIABLE, faulty_trainer.MODULE)
    job = portal.enqueue(hyperparameters={"fault": fault})
    worker: Any = start_worker()
    portal.wait_for(lambda: portal.ends)
    worker.stop()
    (text,) = [path.read_text("utf-8") for path in tmp_path.rglob(f"logs/train/{job.run_id}.log")]
    assert f"(run {job.run_id}, attempt 1, step {step}):" in text
    assert "Traceback (most recent call last):" in text


def test_it_is_followed_once_a_second(spool: Path, writer: SpoolWriter) -> None:
    seconds = iter([0.0, 0.5, 1.5])
    clock, log = Timing(monotonic=lambda: next(seconds)), training_log(spool)
    log.follow_at_times(clock)
    writer.append_log("INFO", "soon", ts=NOON)
    log.follow_at_times(clock)
    assert not (spool.parents[2] / "logs").exists()
    log.follow_at_times(clock)
    assert "soon" in logged(spool)
