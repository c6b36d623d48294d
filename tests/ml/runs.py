"""Small training runs for tests: toy tables, settings, and a reporter that remembers."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from bert_training.data.predicting.predictions import Predictions
from bert_training.ml.training import BaseModelFiles, TrainingJob, TrainingResult, train
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from bert_training.tasks.text_classification import network as text_network
from bert_training.tasks.token_classification import network as token_network
from tests.ml.tiny_bert import FILLERS, MARKERS

TEXT_LABELS = ["pessoal", "saude", "tributario"]
LABEL_OF_MARKER = {"imposto": "tributario", "remedio": "saude", "salario": "pessoal"}
TAGS = ["B-LOCAL", "B-PESSOA", "I-PESSOA", "O"]
SPLIT_PATTERN = ("train", "train", "train", "validation", "test")


def toy_settings(**changes: Any) -> Hyperparameters:
    """Hyperparameters of a toy run: a large learning rate, because the tiny network knows nothing yet."""
    toy = {"epochs": 4, "batch_size": 8, "learning_rate": 3e-3, "max_length": 64, "early_stopping_patience": 0}
    return Hyperparameters.model_validate(toy).model_copy(update=changes)  # also beyond the limits of people


@dataclass
class Recorder:
    """A reporter that keeps everything; `order` answers the directive from what was seen so far."""

    order: Callable[["Recorder"], str] = lambda recorder: "continue"
    lines: list[tuple[str, str]] = field(default_factory=list)
    points: list[dict[str, Any]] = field(default_factory=list)
    moments: list[dict[str, Any]] = field(default_factory=list)
    seconds_left: list[float] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    answers: list[Predictions] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def log(self, level: str, message: str) -> None:
        self.lines.append((level, message))

    def metrics(self, *, epoch: int, step: int, split: str, values: dict[str, float]) -> None:
        self.points.append({"epoch": epoch, "step": step, "split": split, "values": values})

    def progress(self, *, phase: str, epoch: int, step: int, total_steps: int, checkpoint_step: int) -> None:
        moment = {"phase": phase, "epoch": epoch, "step": step, "total_steps": total_steps}
        self.moments.append({**moment, "checkpoint_step": checkpoint_step})

    def remaining(self, seconds: float) -> None:
        self.seconds_left.append(seconds)

    def token_lengths(self, counts: dict[str, Any]) -> None:
        self.counts = counts

    def machine(self, **facts: Any) -> None:
        self.facts = facts

    def predictions(self, predictions: Predictions) -> None:
        self.answers.append(predictions)

    def directive(self) -> str:
        return self.order(self)

    @property
    def text(self) -> str:
        """All lines as one text."""
        return "\n".join(message for _, message in self.lines)

    def of_split(self, split: str) -> list[dict[str, Any]]:
        """Points of one split."""
        return [point for point in self.points if point["split"] == split]


def text_table(row_count: int = 90, *, shares: tuple[int, ...] = (1, 1, 1)) -> pd.DataFrame:
    """Make texts whose one marker word decides the label; `shares` weighs the markers."""
    chance = random.Random(0)
    rows = []
    for row in range(row_count):
        marker = chance.choices(MARKERS, weights=shares)[0]
        words = [*chance.choices(FILLERS, k=chance.randint(3, 9)), marker]
        chance.shuffle(words)
        rows.append((row + 2, " ".join(words), LABEL_OF_MARKER[marker]))
    return pd.DataFrame(rows, columns=["row", "text", "label"])


def token_table(row_count: int = 90) -> pd.DataFrame:
    """Make sentences with one person of two words and one place of two sub-tokens."""
    chance = random.Random(0)
    rows = []
    for row in range(row_count):
        before = chance.choices(FILLERS, k=chance.randint(1, 4))
        person = [chance.choice(("Ana", "Maria")), "Souza"]
        tokens = [*before, *person, "no", "Brasilia"]
        tags = [*["O"] * len(before), "B-PESSOA", "I-PESSOA", "O", "B-LOCAL"]
        rows.append((row + 2, tokens, tags))
    return pd.DataFrame(rows, columns=["row", "tokens", "tags"])


def text_job(
    base_model: BaseModelFiles, job_dir: Path, *, table: pd.DataFrame | None = None, **settings: Any
) -> TrainingJob:
    """A run over toy texts."""
    return _job(base_model, job_dir, text_table() if table is None else table, TEXT_LABELS, "f1_macro", settings)


def token_job(
    base_model: BaseModelFiles, job_dir: Path, *, table: pd.DataFrame | None = None, **settings: Any
) -> TrainingJob:
    """A run over toy sentences."""
    return _job(base_model, job_dir, token_table() if table is None else table, TAGS, "f1", settings)


def _job(
    base_model: BaseModelFiles,
    job_dir: Path,
    table: pd.DataFrame,
    names: list[str],
    metric: str,
    settings: dict[str, Any],
) -> TrainingJob:
    splits = [SPLIT_PATTERN[index % len(SPLIT_PATTERN)] for index in range(len(table))]
    return TrainingJob(
        table=table,
        splits=splits,
        label_names=names,
        best_metric=metric,
        best_metric_is_higher=True,
        settings=toy_settings(**settings),
        base_model=base_model,
        device="cpu",
        threads=1,
        job_dir=job_dir,
        provenance={"task": "toy", "dataset_sha256": "ab" * 32},
    )


def run_text(job: TrainingJob, recorder: Recorder | None = None) -> TrainingResult:
    """Train a toy text run."""
    return train(job, text_network, recorder or Recorder())


def run_tokens(job: TrainingJob, recorder: Recorder | None = None) -> TrainingResult:
    """Train a toy sentence run."""
    return train(job, token_network, recorder or Recorder())


def module_with(network_class: type) -> ModuleType:
    """Make a network module whose build_network builds `network_class`."""
    module = ModuleType("network_of_a_test")
    module.build_network = lambda base, *, label_names, settings: network_class(base, label_names, settings)  # type: ignore[attr-defined]
    module.build_baselines = lambda table, *, label_names, seed: []  # type: ignore[attr-defined]
    return module
