"""The trainer child: `python -m bert_training.worker.trainer <job folder>`, started by the supervisor or by torchrun.

Reads job.json, trains, writes files. It has no token, no portal address, and never opens a connection to the portal.
"""

import platform
import traceback
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from bert_training.contract.enums import Reason
from bert_training.contract.limits import PACKAGES
from bert_training.data.digest import file_digest
from bert_training.data.splitting.manifest import read_manifest, split_digest
from bert_training.data.splitting.split import Splits, split_rows
from bert_training.ml.errors import (
    BaseModelUnavailable,
    DiskTooSmall,
    GpuNotFound,
    GpuOutOfMemory,
    HostOutOfMemory,
    NonFiniteLoss,
    SettingsUnusable,
    TrainingError,
)
from bert_training.ml.job import TrainingJob, TrainingResult
from bert_training.ml.machine.hardware import choose_device, count_processes, describe_device, free_threads
from bert_training.ml.machine.meeting import is_follower, is_launched
from bert_training.ml.machine.reproducibility import code_commit, environment_fingerprint, installed_packages
from bert_training.ml.network.base_model import BaseModelFiles, resolve_base_model
from bert_training.ml.reporting import Silent
from bert_training.ml.training import train
from bert_training.tasks import TASKS, load_network
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.spec import TaskSpec
from bert_training.worker.child import FACT_CHARACTERS, ChildReporter, failure, run_child
from bert_training.worker.kept_tokens import drop_least_used, tokens_beside
from bert_training.worker.ranks import Ranks, run_follower
from bert_training.worker.row_units import units_of_taken

HISTORY = "history.jsonl"  # in the models-dir: what past runs on this machine took

MODULE = "bert_training.worker.trainer"  # __name__ is __main__ in the process of a training
_REASONS: tuple[tuple[type[BaseException], Reason], ...] = (
    (BaseModelUnavailable, Reason.BASE_MODEL_UNAVAILABLE),
    (DiskTooSmall, Reason.DISK_FULL),
    (GpuNotFound, Reason.GPU_NOT_FOUND),
    (GpuOutOfMemory, Reason.GPU_OUT_OF_MEMORY),
    (HostOutOfMemory, Reason.OUT_OF_MEMORY),
    (NonFiniteLoss, Reason.NONFINITE_LOSS),
    (SettingsUnusable, Reason.CRASHED),
    (MemoryError, Reason.OUT_OF_MEMORY),
)


class FollowerReporter(Silent):
    """The reporter of a process that is not rank 0."""

    step = 0

    def origin(self, **facts: Any) -> None:
        """Say nothing."""


class JobRefused(Exception):
    """This job cannot be trained here; the reason says why in the contract's words."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def run_all(job: dict[str, Any], folder: Path, reporter: ChildReporter) -> dict[str, Any]:
    """Train one job in as many processes as it shall have; this one becomes their rank 0."""
    ranks = Ranks(folder, int(job["attempt"]), reporter, module=MODULE)
    try:
        if not is_launched():
            ranks.start(count_processes(job["processes"], choose_device(job["device"])), threads=free_threads())
        return run_job(job, folder, reporter)
    except GpuNotFound as error:
        return failure(Reason.GPU_NOT_FOUND, str(error))
    except RuntimeError:
        ranks.give_way()
        raise


def follow(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Train one job as a process that is not rank 0."""
    return run_job(job, folder, FollowerReporter())


def run_job(job: dict[str, Any], folder: Path, reporter: ChildReporter | FollowerReporter) -> dict[str, Any]:
    """Train one job. Returns its outcome as the supervisor reads it; errors that can be named become a failure.

    Others pass through: they end the process, and the supervisor reports the crash with the last lines.
    """
    try:
        return _describe(_train(job, folder, reporter))
    except JobRefused as error:
        return failure(error.reason, str(error))
    except (TrainingError, MemoryError) as error:
        reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)
        if reason is None:
            raise
        place = f"run {job['run_id']}, attempt {job['attempt']}, step {reporter.step}"
        reporter.log("DEBUG", f"Where it failed ({place}):\n{traceback.format_exc()}")
        return failure(reason, str(error) or type(error).__name__)


def _train(job: dict[str, Any], folder: Path, reporter: ChildReporter | FollowerReporter) -> TrainingResult:
    spec = _task_of(job)
    settings = _settings_of(job, spec)
    if not is_follower():  # rank 0 may be writing there
        drop_least_used(Path(job["table"]).parent)
    table, table_sha256 = _read_table(job)
    splits = _splits_of(job, spec, settings, table)
    digest = split_digest(table["row"].tolist(), splits)
    _require_same_split(job, digest)
    taken = [index for index, split in enumerate(splits) if split is not None]
    if len(taken) < len(table):
        count = len(table) - len(taken)
        reporter.log("INFO", f"{count:,} of {len(table):,} rows are in no split of the run's manifest: left out")
    classes = spec.strata(table)
    base_model = _base_model_of(job)
    device = choose_device(job["device"])
    origin = {"table_sha256": table_sha256, "split_digest": digest, **_origin(base_model, device)}
    reporter.origin(**origin)
    metric = spec.deciding_metric(settings.model_dump())
    training_job = TrainingJob(
        table=table.iloc[taken].reset_index(drop=True),
        splits=[split.value for split in splits if split is not None],
        label_names=spec.label_names(table),
        best_metric=metric.name,
        best_metric_is_higher=metric.higher_is_better,
        settings=settings,
        base_model=base_model,
        device=job["device"],
        threads=None,
        job_dir=folder,
        provenance=_provenance(job, settings, origin),
        identity=job["identity"],
        resume_step=job["resume_step"],
        initial_weights=Path(job["initial_weights"]) if job["initial_weights"] else None,
        history=Path(job.get("models_dir") or folder.parents[1]) / HISTORY,
        row_classes=[classes[index] for index in taken],
        cache_dir=tokens_beside(Path(job["table"])),
        units=[] if is_follower() else units_of_taken(table, spec.texts(table), taken),
    )
    return train(training_job, load_network(spec), reporter)


def _read_table(job: dict[str, Any]) -> tuple[pd.DataFrame, str]:
    """Read the table and digest what was read; refuses one that is not the run's, whoever put it there."""
    path, stated = Path(job["table"]), job["dataset"]["table_sha256"]
    digest = file_digest(path)
    if digest != stated:
        raise JobRefused(
            Reason.DATASET_CORRUPT,
            f"The table {path.name} is not the one of this run: its SHA-256 is {digest[:12]}... instead of "
            f"{stated[:12]}... Delete the file: it is fetched again.",
        )
    return pd.read_parquet(path), digest


def _task_of(job: dict[str, Any]) -> TaskSpec:
    spec = TASKS.get(job["task"])
    if spec is None:
        known = ", ".join(TASKS)
        raise JobRefused(Reason.CRASHED, f"This worker cannot train {job['task']!r}, only {known}: update the worker.")
    return spec


def _settings_of(job: dict[str, Any], spec: TaskSpec) -> Hyperparameters:
    try:
        return spec.hyperparameters.model_validate(job["hyperparameters"])
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        message = f"The portal sent hyperparameters that this worker does not take ({wrong}): update the worker."
        raise JobRefused(Reason.CRASHED, message) from error


def _splits_of(job: dict[str, Any], spec: TaskSpec, settings: Hyperparameters, table: pd.DataFrame) -> Splits:
    """Return the split of each row by the portal's manifest; by shares and seed where an older portal has sent none."""
    if job["manifest"]:
        split_of = read_manifest(Path(job["manifest"]).read_bytes())
        return [split_of.get(row) for row in table["row"].tolist()]
    return list(split_rows(spec.strata(table), settings.shares, seed=settings.seed))


def _require_same_split(job: dict[str, Any], digest: str) -> None:
    stated = job["split_digest"]
    if stated and stated != digest:
        raise JobRefused(
            Reason.SPLIT_MISMATCH,
            f"This worker splits the rows otherwise than the portal ({digest[:12]}... instead of {stated[:12]}...): "
            "portal and worker must be of the same version.",
        )


def _base_model_of(job: dict[str, Any]) -> BaseModelFiles:
    folder = Path(job["base_models_dir"]) if job["base_models_dir"] else None
    name, revision = job["base_model"], job["base_model_revision"]
    return resolve_base_model(name, revision, base_models_dir=folder, offline=job["offline"])


def _origin(base_model: BaseModelFiles, device: str) -> dict[str, Any]:
    """Say what this computer trains with; what the training library chooses is added by ChildReporter.machine."""
    packages = installed_packages()
    named = ((name[:FACT_CHARACTERS], number[:FACT_CHARACTERS]) for name, number in packages.items())
    return {
        "code_commit": code_commit(),
        "environment_fingerprint": environment_fingerprint(packages),
        "packages": dict(islice(named, PACKAGES)),  # the portal would refuse more, and with them all progress
        "python": platform.python_version(),
        "base_model_revision": base_model.revision,
        "device": describe_device(device)[:FACT_CHARACTERS],
    }


def _provenance(job: dict[str, Any], settings: Hyperparameters, origin: dict[str, str]) -> dict[str, Any]:
    dataset = job["dataset"]
    return {
        "run_id": job["run_id"],
        "attempt": job["attempt"],
        "task": job["task"],
        "base_model": job["base_model"],
        "initial_fingerprint": job["initial_fingerprint"],
        "dataset_sha256": dataset["sha256"],
        "dataset_rows": dataset["rows"],
        "hyperparameters": settings.model_dump(),
        **origin,
    }


def _describe(result: TrainingResult) -> dict[str, Any]:
    if result.ended != "completed":
        return {"outcome": result.ended}
    figures = {
        "metrics": result.metrics,
        "model_fingerprint": result.model_fingerprint,
        "best_step": result.best_step,
        "classes": [dict(figure) for figure in result.classes],
        "long_text": result.long_text,
        "prediction_digest": result.prediction_digest,
        "calibration": result.calibration,
    }
    return {"outcome": result.ended, "result": figures}


if __name__ == "__main__":
    if is_follower():
        run_follower(follow)
    run_child(run_all)
