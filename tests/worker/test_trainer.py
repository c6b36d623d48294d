"""The trainer child with a real, tiny network: what it is given, what it leaves behind, how it fails."""

import json
import platform
import shutil
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bert_training.contract.enums import Split
from bert_training.contract.limits import JSON_BODY_BYTES, PACKAGES
from bert_training.contract.messages import ProgressRequest, Reproducibility, Result, TokenLengths
from bert_training.data.digest import file_digest
from bert_training.data.splitting.manifest import manifest_bytes, split_digest
from bert_training.data.splitting.split import Shares, split_rows
from bert_training.ml.errors import DiskTooSmall, GpuOutOfMemory, HostOutOfMemory, NonFiniteLoss
from bert_training.ml.keeping.checkpoints import newest_checkpoint
from bert_training.tasks import TASKS
from bert_training.worker import trainer
from bert_training.worker.child import ChildReporter
from bert_training.worker.machine import task_names
from bert_training.worker.spool import METRIC, SpoolReader
from bert_training.worker.timing import Timing
from bert_training.worker.trainer import run_job
from bert_training.worker.trainer_orders import CANCEL, FINISH, OrderBox, spool_path
from tests.ml.tiny_bert import MARKERS, write_tiny_bert
from tests.worker.fake_portal import FakePortal
from tests.worker.supervisors import LocalSupervisor, TrainingSupervisor

SETTINGS = {"epochs": 1, "max_steps": 3, "max_length": 16, "batch_size": 8}
ROWS = 30
ATTEMPT = 1


class Bench:
    """A job folder with a table and a tiny base model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "job"
        self.folder.mkdir()
        write_tiny_bert(folder / "base" / "tiny--bert")
        self.table = folder / "table.parquet"
        frame = pd.DataFrame(
            {
                "row": range(2, ROWS + 2),
                "text": [f"o autor pede {MARKERS[number % 3]}" for number in range(ROWS)],
                "label": [MARKERS[number % 3] for number in range(ROWS)],
            }
        )
        frame.to_parquet(self.table)
        splits = split_rows(TASKS["text-classification"].strata(frame), Shares(0.7, 0.15, 0.15), seed=42)
        self.split_digest = split_digest(frame["row"].tolist(), splits)
        self.orders = OrderBox()

    def job(self, **changes: Any) -> dict[str, Any]:
        facts = {
            "job_id": 1,
            "run_id": 7,
            "attempt": ATTEMPT,
            "task": "text-classification",
            "hyperparameters": SETTINGS,
            "base_model": "tiny/bert",
            "base_model_revision": "",
            "split_digest": self.split_digest,
            "dataset": {"sha256": "a" * 64, "table_sha256": file_digest(self.table), "rows": ROWS},
            "table": str(self.table),
            "manifest": "",
            "device": "cpu",
            "offline": True,
            "base_models_dir": str(self.folder.parent / "base"),
            "identity": "this run",
            "resume_step": 0,
            "initial_weights": "",
            "initial_fingerprint": "",
        }
        return facts | changes

    def run(self, **changes: Any) -> dict[str, Any]:
        reporter = ChildReporter(self.folder, ATTEMPT, self.orders, timing=Timing())
        try:
            return run_job(self.job(**changes), self.folder, reporter)
        finally:
            reporter.close()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Bench(tmp_path)


def test_training_leaves_a_result_a_log_a_progress_and_the_model(bench: Bench) -> None:
    outcome = bench.run()
    result = Result.model_validate(outcome["result"])
    assert outcome["outcome"] == "completed"
    assert {figures.name for figures in result.classes} == set(MARKERS)
    weights = (bench.folder / "final" / "model.safetensors").read_bytes()
    assert result.model_fingerprint == sha256(weights).hexdigest()
    assert len(result.prediction_digest) == 64
    assert json.dumps(outcome)
    progress = json.loads((bench.folder / f"progress-{ATTEMPT}.json").read_text())
    assert (progress["step"], progress["total_steps"]) == (3, 3)
    origin = Reproducibility.model_validate(progress["reproducibility"])
    assert (origin.split_digest, origin.table_sha256) == (bench.split_digest, file_digest(bench.table))
    assert (origin.python, origin.threads) == (platform.python_version(), 1)
    assert origin.precision in ("fp32", "bf16")
    assert origin.packages["torch"] == version("torch")
    lengths = TokenLengths.model_validate(progress["token_lengths"])
    assert sum(lengths.counts) == sum(map(sum, lengths.classes.values())) == ROWS
    spool = spool_path(bench.folder, ATTEMPT)
    points = SpoolReader(spool, METRIC).read(end=spool.stat().st_size, most=100, most_bytes=10**6)
    assert {point.content["split"] for point in points} == {"train", "validation", "test"}


def test_a_table_that_is_not_the_runs_is_refused(bench: Bench) -> None:
    outcome = bench.run(dataset={"sha256": "a" * 64, "table_sha256": "b" * 64, "rows": ROWS})
    assert outcome["code"] == "dataset_corrupt"
    assert "bbbbbbbbbbbb" in outcome["message"]


def test_more_packages_than_the_portal_takes_cost_no_progress(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    many = {f"package-{number}{'x' * 300}": "1" * 300 for number in range(PACKAGES + 5)}
    monkeypatch.setattr(trainer, "installed_packages", lambda: many)
    bench.orders.put(CANCEL)
    assert bench.run()["outcome"] == "canceled"
    progress = json.loads((bench.folder / f"progress-{ATTEMPT}.json").read_text())
    told = ProgressRequest.model_validate({**progress, "attempt": 1}, strict=False)
    assert len(told.model_dump_json()) < JSON_BODY_BYTES


def test_what_each_way_of_reading_long_texts_loses_is_in_the_result(bench: Bench) -> None:
    table = pd.read_parquet(bench.table)
    table.assign(text="o autor pede que a parte seja ouvida " + table["text"]).to_parquet(bench.table)
    outcome = bench.run(hyperparameters=SETTINGS | {"max_length": 8, "train_split": 0.6}, split_digest="")
    found = Result.model_validate(outcome["result"]).long_text
    assert found is not None
    assert (found.max_length, found.long_rows) == (8, 6)


def test_the_next_training_on_a_table_finds_its_tokens_beside_it(bench: Bench) -> None:
    outcomes = [bench.run(), bench.run()]
    assert outcomes[0] == outcomes[1]
    log = spool_path(bench.folder, ATTEMPT).read_text()
    assert log.count("tokenized in") == log.count("kept by an earlier run") == 1
    assert len(list(bench.table.with_suffix(".tokens").iterdir())) == 1


def test_where_the_model_comes_from_stands_beside_it(bench: Bench) -> None:
    bench.run()
    run = json.dumps(json.loads((bench.folder / "final" / "run.json").read_text()))
    for fact in ("a" * 64, bench.split_digest, "tiny/bert", '"learning_rate": 5e-05'):
        assert fact in run


def test_the_manifest_of_the_portal_is_what_is_trained_on(bench: Bench) -> None:
    rows = list(range(2, ROWS + 2))
    splits: list[Split | None] = [Split.TRAIN] * 20 + [None] * 3 + [Split.VALIDATION] * 3 + [Split.TEST] * 4
    manifest = bench.folder / "manifest"
    manifest.write_bytes(manifest_bytes(rows, splits))
    outcome = bench.run(manifest=str(manifest), split_digest=split_digest(rows, splits))
    assert outcome["outcome"] == "completed"
    assert sum(figures["support"] for figures in outcome["result"]["classes"]) == 4
    log = spool_path(bench.folder, ATTEMPT).read_text()
    assert "train 20, validation 3, test 4" in log
    assert "3 of 30 rows are in no split" in log


def test_a_manifest_of_other_rows_is_not_trained_on(bench: Bench) -> None:
    rows = list(range(2, ROWS + 3))
    manifest = bench.folder / "manifest"
    manifest.write_bytes(manifest_bytes(rows, [Split.TRAIN] * len(rows)))
    outcome = bench.run(manifest=str(manifest), split_digest=sha256(manifest.read_bytes()).hexdigest())
    assert (outcome["outcome"], outcome["code"]) == ("failed", "split_mismatch")


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"split_digest": "0" * 64}, "split_mismatch", "same version"),
        ({"task": "seq2seq"}, "crashed", "update the worker"),
        ({"hyperparameters": {"epochs": 0}}, "crashed", "epochs"),
        ({"hyperparameters": {"epohcs": 1}}, "crashed", "epohcs"),
        ({"base_model": "no/such-model"}, "base_model_unavailable", "no/such-model"),
        ({"base_model": "../../etc"}, "base_model_unavailable", "etc"),
        ({"device": "cuda:7"}, "gpu_not_found", "cuda"),
    ],
)
def test_a_job_that_cannot_be_trained_fails_with_its_reason(
    bench: Bench, changes: dict[str, Any], code: str, words: str
) -> None:
    outcome = bench.run(**changes)
    assert (outcome["outcome"], outcome["code"]) == ("failed", code)
    assert words in outcome["message"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GpuOutOfMemory("halve batch_size"), "gpu_out_of_memory"),
        (HostOutOfMemory("halve batch_size"), "out_of_memory"),
        (MemoryError("no room"), "out_of_memory"),
        (NonFiniteLoss("at step 3"), "nonfinite_loss"),
        (DiskTooSmall("room for 1 GiB"), "disk_full"),
    ],
)
def test_each_failure_of_training_has_its_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(trainer, "train", fail)
    assert bench.run()["code"] == code


def test_a_mistake_is_not_hidden(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(trainer, "train", fail)
    with pytest.raises(ZeroDivisionError):
        bench.run()


def test_an_attempt_goes_on_from_a_checkpoint_of_the_same_job(bench: Bench) -> None:
    whole = bench.run()
    found = newest_checkpoint(bench.folder / "checkpoints", "this run", on_skipped=pytest.fail)
    assert found is not None
    shutil.rmtree(bench.folder / "final")
    assert bench.run(resume_step=found.step) == whole
    assert (bench.folder / "final").is_dir()
    assert f"Resumed after step {found.step} of 3" in spool_path(bench.folder, ATTEMPT).read_text()


def test_cancel_and_finish_are_obeyed(bench: Bench) -> None:
    bench.orders.put(FINISH)
    assert bench.run()["outcome"] == "completed"
    bench.orders.put(CANCEL)
    assert bench.run()["outcome"] == "canceled"


def test_a_weaker_order_does_not_undo_a_stronger_one() -> None:
    orders = OrderBox()
    for word in (FINISH, CANCEL, FINISH, "nonsense"):
        orders.put(word)
    assert orders.current == CANCEL


def test_the_tasks_of_a_claim_are_those_that_can_be_trained() -> None:
    assert task_names() == sorted(TASKS)


@pytest.mark.long  # three trainers that load torch
@pytest.mark.processes
def test_a_real_training_killed_with_its_supervisor_ends_with_the_weights_of_one_that_was_not(
    portal: FakePortal, bench: Bench, tmp_path: Path
) -> None:
    portal.tables[1] = bench.table.read_bytes()
    names = ("task", "base_model", "split_digest")
    facts = {name: value for name, value in bench.job().items() if name in names}
    facts |= {
        "simulate": False,
        "hyperparameters": {
            **SETTINGS,
            "epochs": 40,
            "max_steps": None,
            "early_stopping_patience": 0,
            "save_steps": 10,
        },
    }
    flags = ("--offline", "--device", "cpu", "--base-models-dir", bench.job()["base_models_dir"])

    job = portal.enqueue(**facts)
    worker = TrainingSupervisor(portal, tmp_path / "models", *flags)
    portal.wait_for(lambda: portal.progress and portal.progress[-1]["checkpoint_step"] >= 30, seconds=60)
    worker.kill()
    portal.held = job.model_copy(update={"attempt": 2, "held": True})
    again = TrainingSupervisor(portal, tmp_path / "models", *flags)
    portal.wait_for(lambda: portal.ends, seconds=60)
    portal.enqueue(**facts)
    portal.wait_for(lambda: len(portal.ends) == 2, seconds=60)
    again.kill()

    resumed, undisturbed = (end["result"] for end in portal.ends)
    told = next(entry for entry in portal.progress if entry["attempt"] == 2)
    assert told["resumed_from_step"] >= 30
    assert [end["outcome"] for end in portal.ends] == ["completed", "completed"]
    assert resumed == undisturbed


@pytest.mark.long  # loading torch in a child; the end-to-end tests run it against the real portal
def test_a_whole_real_run_from_claim_to_the_weights_that_stay(portal: FakePortal, bench: Bench, tmp_path: Path) -> None:
    portal.tables[1] = bench.table.read_bytes()
    names = ("task", "hyperparameters", "base_model", "split_digest")
    facts = {name: value for name, value in bench.job().items() if name in names}
    job = portal.enqueue(simulate=False, **facts)
    base_models = Path(bench.job()["base_models_dir"])
    supervisor = LocalSupervisor(portal, tmp_path / "models", dry_run=False, base_models_dir=base_models)
    supervisor.start()
    portal.wait_for(lambda: portal.ends, seconds=90)
    supervisor.stop()
    assert portal.ends[0]["outcome"] == "completed", portal.messages(job)
    weights = (tmp_path / "models" / "jobs" / "1" / "final" / "model.safetensors").read_bytes()
    assert portal.ends[0]["result"]["model_fingerprint"] == sha256(weights).hexdigest()
    assert {"preparing", "training"} <= {entry["phase"] for entry in portal.progress}
    assert len(portal.messages(job)) == portal.ends[0]["log_seq"]
