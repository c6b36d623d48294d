"""What the training library is given and what it gives back. The caller maps it to its own words; ml knows no task."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd

from bert_training.data.figures import ClassFigures
from bert_training.ml.base_model import BaseModelFiles

CHECKPOINT_SECONDS = 600.0  # the most training that a power cut may cost

Ended = Literal["completed", "canceled", "released"]


class TrainingSettings(Protocol):
    """The hyperparameters that the loop reads; units in the names or in the task's declaration of them."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def max_length(self) -> int: ...
    @property
    def train_split(self) -> float: ...
    @property
    def warmup_steps(self) -> int: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def gradient_accumulation_steps(self) -> int: ...
    @property
    def early_stopping_patience(self) -> int: ...
    @property
    def use_class_weights(self) -> bool: ...
    @property
    def truncation_side(self) -> Literal["right", "left"]: ...
    @property
    def seed(self) -> int: ...
    @property
    def max_steps(self) -> int | None: ...


class Reporter(Protocol):
    """Where a run speaks to; the worker's child appends to its spool."""

    def log(self, level: str, message: str) -> None:
        """Take one line. Never a row's text."""

    def metrics(self, *, epoch: int, step: int, split: str, values: dict[str, float]) -> None:
        """Take figures measured at a step; values may be NaN or infinite."""

    def progress(self, *, phase: str, epoch: int, step: int, total_steps: int, checkpoint_step: int) -> None:
        """Take a sign of life; called often, also while rows are encoded or judged and no step passes."""

    def token_lengths(self, counts: dict[str, Any]) -> None:
        """Take how long the rows are in tokens, counted by profiling.token_lengths; called once."""

    def directive(self) -> str:
        """Answer "continue", "cancel", "finish" or "release"; cheap, asked at every step and between phases."""


@dataclass(frozen=True)
class TrainingJob:
    """One run.

    table: canonical, column `row` and the task's columns.  splits: "train", "validation" or "test", one a row.
    label_names: index = label id.  threads: None = as many as are free.  job_dir: gets checkpoints/ and final/.
    row_classes: one name a row, to count lengths by; may be empty.
    provenance: written into final/run.json and the model card.  identity: written into each checkpoint.
    resume_step: go on from this checkpoint, verified by the caller; 0 = from the beginning.
    checkpoint_seconds: of training after which a checkpoint is written, beside those at the end of each epoch.
    """

    table: pd.DataFrame
    splits: list[str]
    label_names: list[str]
    best_metric: str
    best_metric_is_higher: bool
    settings: TrainingSettings
    base_model: BaseModelFiles
    device: str
    threads: int | None
    job_dir: Path
    provenance: dict[str, Any]
    identity: str = ""
    resume_step: int = 0
    row_classes: Sequence[str] = ()
    checkpoint_seconds: float = CHECKPOINT_SECONDS


@dataclass(frozen=True)
class TrainingResult:
    """How it ended; figures are those of the test split, empty unless completed."""

    ended: Ended
    metrics: dict[str, float | None]
    classes: list[ClassFigures]
    model_fingerprint: str
    best_step: int
