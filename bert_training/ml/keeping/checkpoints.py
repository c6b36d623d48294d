"""Checkpoints on disk: whole or not at all, and trusted only when each file has the digest that the manifest names.

Knows folders and JSON, no torch: the supervisor finds with it from where a trainer can go on.
"""

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_training.data.digest import file_digest
from bert_training.ml.keeping.folders import UNFINISHED, whole_folder

WEIGHTS = "model.safetensors"
TRAINING = "training.safetensors"  # optimizer and random states: twice the weights, of use to a resumed training only
STATE = "state.json"
MANIFEST = "manifest.json"
MANIFEST_VERSION = 2  # 1: the recipe before schedules, groups of parameters and evaluation by steps
_FOLDER_NAME = re.compile(r"^step-(\d+)$")


class CheckpointDamaged(Exception):
    """A checkpoint is not what its manifest says, or not of this job; the message says in what."""


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint. state: what the training had to remember beside its tensors."""

    folder: Path
    state: dict[str, Any]

    @property
    def step(self) -> int:
        """Return the optimizer step after which it was written."""
        return int(self.state["step"])

    @property
    def best_step(self) -> int:
        """Return the step of the best weights until then; 0 = nothing was judged."""
        return int(self.state["best_step"])

    @property
    def is_resumable(self) -> bool:
        """Tell whether a training can go on from here; else it holds the best weights only."""
        return bool(self.state.get("is_resumable", True))


def checkpoint_folder(checkpoints: Path, step: int) -> Path:
    """Return where the checkpoint of a step lies."""
    return checkpoints / f"step-{step}"


def write_checkpoint(
    checkpoints: Path, state: dict[str, Any], *, write_files: Callable[[Path], None] = lambda _folder: None
) -> Path:
    """Write the checkpoint of state["step"]: the caller's files, `state`, and a manifest of them all.

    state: JSON values; `identity` names the job, `best_step` the checkpoint that must be there too (0 or itself: none),
    `is_resumable` whether a training can go on from here (absent: yes).
    """
    folder = checkpoint_folder(checkpoints, state["step"])
    with whole_folder(folder) as unfinished:
        write_files(unfinished)
        (unfinished / STATE).write_text(json.dumps(state, ensure_ascii=False, indent=1), encoding="utf-8")
        digests = {path.name: file_digest(path) for path in sorted(unfinished.iterdir())}
        manifest = {"version": MANIFEST_VERSION, "sha256": digests}
        (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return folder


def newest_checkpoint(checkpoints: Path, identity: str, *, on_skipped: Callable[[str], None]) -> Checkpoint | None:
    """Return the newest checkpoint that verifies and belongs to this job; tells why each newer one was skipped.

    Reads every byte of it: about a second a gigabyte.
    """
    for step, folder in sorted(_checkpoints_in(checkpoints), reverse=True):
        try:
            checkpoint = _verified_for(folder, identity)
            if not checkpoint.is_resumable:
                continue
            if checkpoint.best_step not in (0, step):
                _verified_for(checkpoint_folder(checkpoints, checkpoint.best_step), identity)
        except CheckpointDamaged as error:
            on_skipped(f"Checkpoint {folder.name} is skipped: {error}")
        else:
            return checkpoint
    return None


def read_checkpoint(checkpoints: Path, step: int) -> Checkpoint:
    """Return a checkpoint that was verified before."""
    folder = checkpoint_folder(checkpoints, step)
    return Checkpoint(folder, json.loads((folder / STATE).read_text(encoding="utf-8")))


def keep_newest(checkpoints: Path, count: int, *, best_step: int) -> None:
    """Keep the newest `count` that can be gone on from, with the best weights that each needs, and those of best_step.

    So there are two to go on from, should one be found damaged.
    """
    found = [_readable(checkpoints, step) for step, _folder in sorted(_checkpoints_in(checkpoints))]
    newest = [checkpoint for checkpoint in found if checkpoint is not None and checkpoint.is_resumable][-count:]
    keep_only(checkpoints, {best_step, *(kept.step for kept in newest), *(kept.best_step for kept in newest)})


def forget_after(checkpoints: Path, step: int) -> None:
    """Remove what was written after a step: the training goes on from there and writes it again."""
    keep_only(checkpoints, [other for other, _folder in _checkpoints_in(checkpoints) if other <= step])


def keep_only(checkpoints: Path, steps: Collection[int]) -> None:
    """Remove the checkpoints of other steps, and what a process that died left unfinished."""
    for step, folder in _checkpoints_in(checkpoints):
        if step not in steps:
            shutil.rmtree(folder)
    for folder in checkpoints.glob(UNFINISHED.format(name="step-*")):
        shutil.rmtree(folder, ignore_errors=True)


def drop_training_files(checkpoints: Path) -> None:
    """Keep the weights only: nothing will be resumed from here any more."""
    for path in checkpoints.glob(f"step-*/{TRAINING}"):
        path.unlink()


def _checkpoints_in(checkpoints: Path) -> Iterator[tuple[int, Path]]:
    for folder in list(checkpoints.glob("step-*")):
        found = _FOLDER_NAME.match(folder.name)
        if found:
            yield int(found[1]), folder


def _readable(checkpoints: Path, step: int) -> Checkpoint | None:
    """Return a checkpoint without verifying it; None when its state says nothing."""
    try:
        checkpoint = read_checkpoint(checkpoints, step)
        return checkpoint if checkpoint.best_step <= checkpoint.step == step else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _verified_for(folder: Path, identity: str) -> Checkpoint:
    try:
        _verify_files(folder)
        checkpoint = Checkpoint(folder, json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CheckpointDamaged(f"{folder.name} cannot be read ({error})") from error
    if checkpoint.state["identity"] != identity:
        raise CheckpointDamaged(f"{folder.name} belongs to another run")
    return checkpoint


def _verify_files(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    digests = manifest.get("sha256") if isinstance(manifest, dict) else None
    if not isinstance(digests, dict) or STATE not in digests or manifest.get("version") != MANIFEST_VERSION:
        raise CheckpointDamaged(f"the manifest of {folder.name} is damaged or of another version")
    for name, digest in digests.items():
        if file_digest(folder / Path(name).name) != digest:
            raise CheckpointDamaged(f"{name} of {folder.name} has not the digest that the manifest names")
