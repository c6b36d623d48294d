"""What the training library is given and what it gives back. The caller maps it to its own words; ml knows no task."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd

from bert_training.data.figures.shapes import ClassFigures
from bert_training.data.predicting.predictions import Predictions
from bert_training.ml.network.base_model import BaseModelFiles

CHECKPOINT_SECONDS = 600.0  # the most training that a power cut may cost

Ended = Literal["completed", "canceled", "released"]
TruncationSide = Literal["right", "left", "middle", "none"]  # where a long row is cut; none: it is read in windows


class TrainingSettings(Protocol):
    """The hyperparameters that the loop reads; the task's declaration of them says what each means, with its unit."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def batch_tokens(self) -> int | None: ...
    @property
    def gradient_accumulation_steps(self) -> int: ...
    @property
    def max_steps(self) -> int | None: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def lr_scheduler_type(self) -> Literal["linear", "cosine", "constant", "polynomial"]: ...
    @property
    def warmup_steps(self) -> int: ...
    @property
    def warmup_ratio(self) -> float | None: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def max_grad_norm(self) -> float: ...
    @property
    def label_smoothing_factor(self) -> float: ...
    @property
    def dropout(self) -> float | None: ...
    @property
    def adam_beta1(self) -> float: ...
    @property
    def adam_beta2(self) -> float: ...
    @property
    def adam_epsilon(self) -> float: ...
    @property
    def layer_lr_decay(self) -> float: ...
    @property
    def freeze_embeddings(self) -> bool: ...
    @property
    def frozen_layers(self) -> int: ...
    @property
    def max_length(self) -> int: ...
    @property
    def truncation_side(self) -> TruncationSide: ...
    @property
    def window_overlap(self) -> int: ...
    @property
    def lowercase(self) -> bool: ...
    @property
    def use_class_weights(self) -> bool: ...
    @property
    def seed(self) -> int: ...
    @property
    def lora_r(self) -> int: ...
    @property
    def lora_alpha(self) -> int: ...
    @property
    def lora_dropout(self) -> float: ...
    @property
    def eval_steps(self) -> int | None: ...
    @property
    def early_stopping_patience(self) -> int: ...
    @property
    def early_stopping_threshold(self) -> float: ...
    @property
    def save_steps(self) -> int | None: ...
    @property
    def save_total_limit(self) -> int: ...
    @property
    def logging_steps(self) -> int | None: ...
    @property
    def precision(self) -> Literal["auto", "fp32", "bf16", "fp16"]: ...
    @property
    def gradient_checkpointing(self) -> bool: ...
    @property
    def parallelism(self) -> Literal["ddp", "fsdp"]: ...
    @property
    def dataloader_num_workers(self) -> int: ...
    @property
    def dataloader_pin_memory(self) -> bool: ...
    @property
    def deterministic(self) -> bool: ...


class Reporter(Protocol):
    """Where a run speaks to; the worker's child appends to its spool."""

    def log(self, level: str, message: str) -> None:
        """Take one line. Never a row's text."""

    def metrics(self, *, epoch: int, step: int, split: str, values: dict[str, float]) -> None:
        """Take figures measured at a step; values may be NaN or infinite."""

    def progress(self, *, phase: str, epoch: int, step: int, total_steps: int, checkpoint_step: int) -> None:
        """Take a sign of life; called often, also while rows are encoded or judged and no step passes."""

    def remaining(self, seconds: float) -> None:
        """Take how long the run will still take, at most; called often once there is a forecast."""

    def token_lengths(self, counts: dict[str, Any]) -> None:
        """Take how long the rows are in tokens, counted by profiling.token_lengths; called once."""

    def machine(self, *, device: str, precision: str, threads: int) -> None:
        """Take what the run is really computed with; called once, before the first step."""

    def predictions(self, predictions: Predictions) -> None:
        """Take what one source answered for rows of one split; called once for each, when training has ended."""

    def directive(self) -> str:
        """Answer "continue", "cancel", "finish" or "release"; cheap, asked at every step and between phases."""


@dataclass(frozen=True)
class TrainingJob:
    """One run.

    table: canonical, column `row` and the task's columns.  splits: "train", "validation" or "test", one a row.
    label_names: index = label id.  threads: None = as many as are free.  job_dir: gets checkpoints/ and final/.
    row_classes: one name a row, to count lengths by; may be empty.
    units: the unit of each row (splitting.units), an index into the table's rows; empty = each row is one.
    provenance: written into final/run.json and the model card.  identity: written into each checkpoint.
    resume_step: go on from this checkpoint, verified by the caller; 0 = from the beginning.
    checkpoint_seconds: of training after which the whole state is saved; after an evaluation sooner (keeping.saving).
    initial_weights: folder of a kept model to begin from instead of the base model's own weights.
    cache_dir: where encoded rows are kept between runs; None = nowhere.  history: JSON lines of past runs on this
    machine, for the forecast; None = nothing is learned.
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
    units: Sequence[int] = ()
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    initial_weights: Path | None = None
    cache_dir: Path | None = None
    history: Path | None = None


@dataclass(frozen=True)
class TrainingResult:
    """How it ended; figures are those of the test split, empty unless completed.

    long_text: see ml.judging.long_text; None without enough long rows.
    prediction_digest: of all predictions that were told (data.predictions).  calibration: the fields of
    contract.messages.Calibration; None where nothing could be fitted.
    """

    ended: Ended
    metrics: dict[str, float | None]
    classes: list[ClassFigures]
    model_fingerprint: str
    best_step: int
    long_text: dict[str, Any] | None = None
    prediction_digest: str = ""
    calibration: dict[str, Any] | None = None
