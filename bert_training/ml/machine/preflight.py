"""What is looked at before a run takes its first step: labels, and room on the disk. Costs next to nothing."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bert_training.ml.errors import DiskTooSmall, LabelsUnusable
from bert_training.ml.job import TrainingJob
from bert_training.ml.machine.memory_use import shown_bytes
from bert_training.ml.reporting import RunReport

SHOWN_NAMES = 10
MOMENTS = 2  # that AdamW keeps of each trained weight
LEAST_CHECKPOINTS = 2  # one that is whole while the next is written


def check_labels(label_names: Sequence[str], counts: NDArray[np.int64], report: RunReport) -> None:
    """Take how often each label id occurs in train: refuse ids without a name, name the labels that never occur.

    On a GPU a label beyond the last one ends the process with a message about the device that names no label.
    """
    if len(counts) > len(label_names):
        raise LabelsUnusable(
            f"The train split has label id {len(counts) - 1}, but this run knows {len(label_names)} labels, "
            f"0 to {len(label_names) - 1}. Check the dataset again and create a new run."
        )
    absent = [name for name, count in zip(label_names, counts.tolist(), strict=True) if not count]
    if absent:
        more = f" and {len(absent) - SHOWN_NAMES:,} more" if len(absent) > SHOWN_NAMES else ""
        shown = ", ".join(absent[:SHOWN_NAMES])
        report.warning(f"{len(absent):,} labels do not occur in train and cannot be learned: {shown}{more}")


def check_disk(job: TrainingJob, model: torch.nn.Module, report: RunReport) -> None:
    """Refuse a run whose checkpoints and model cannot fit on the disk; warn of one for which it is tight.

    Room taken by this run's own checkpoints counts as free: later ones replace them.
    """
    trained = sum(_bytes_of(parameter) for parameter in model.parameters() if parameter.requires_grad)
    checkpoint = (1 + MOMENTS) * trained  # what is frozen is in none
    final = max(sum(map(_bytes_of, model.parameters())), _folder_bytes(job.base_model.folder, "*.safetensors"))
    least = LEAST_CHECKPOINTS * checkpoint + final
    wanted = (job.settings.save_total_limit + 1) * checkpoint + final
    job.job_dir.mkdir(parents=True, exist_ok=True)
    room = shutil.disk_usage(job.job_dir).free + _folder_bytes(job.job_dir / "checkpoints", "*/*")
    if room < least:
        raise DiskTooSmall(
            f"The disk is too full for this run: its checkpoints and its model take {shown_bytes(least)}, "
            f"{job.job_dir} has room for {shown_bytes(room)}. Make room there, or choose a smaller base model."
        )
    if room < wanted:
        report.warning(
            f"The disk is nearly full: with save_total_limit {job.settings.save_total_limit} this run takes up to "
            f"{shown_bytes(wanted)}, {job.job_dir} has room for {shown_bytes(room)}"
        )


def _bytes_of(parameter: torch.nn.Parameter) -> int:
    return parameter.numel() * parameter.element_size()


def _folder_bytes(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))
