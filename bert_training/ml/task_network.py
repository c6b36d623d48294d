"""What a task must give the loop: a network with its tokenizer, and how its rows become numbers and figures.

Everything that knows what a label means is behind this protocol; the loop knows none of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bert_training.data.figures import ClassFigures, Figures

IGNORE = -100  # label of a position that is not judged: special tokens, later sub-tokens of a word, padding


@dataclass(frozen=True)
class Example:
    """One encoded row. input_ids: (T,) int32.  labels: int64, (T,) for a label a token, (1,) for a label a text."""

    input_ids: NDArray[np.int32]
    labels: NDArray[np.int64]


ExampleT = TypeVar("ExampleT", bound=Example)


@dataclass(frozen=True)
class Encoded(Generic[ExampleT]):
    """Encoded rows in the order of the table. lengths: tokens of each row before the cut at max_length."""

    examples: list[ExampleT]
    lengths: list[int]
    lost_words: int = 0  # words without a sub-token, so without a prediction: cut off, or nothing but spaces

    @property
    def cut_rows(self) -> int:
        """Count the rows that were longer than max_length."""
        return sum(length > len(example.input_ids) for length, example in zip(self.lengths, self.examples, strict=True))


@dataclass(frozen=True)
class Batch:
    """Rows computed at once, on one device. Made by ml.batching.

    inputs: what the network is called with.  labels: as the logits without their last axis.
    lengths: real tokens of each row.
    """

    inputs: dict[str, torch.Tensor]
    labels: torch.Tensor
    lengths: list[int]


@dataclass(frozen=True)
class Evaluation:
    """Figures of one split; None = not defined there."""

    metrics: Figures
    classes: list[ClassFigures]


class TaskNetwork(Protocol[ExampleT]):
    """A network in training with what its task knows. `build_network` of a task's network.py makes one."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    pipeline_tag: str  # what transformers.pipeline is called with

    def encode(self, table: pd.DataFrame, on_rows: Callable[[int], None]) -> Encoded[ExampleT]:
        """Turn rows into numbers; calls on_rows with the rows done so far, every thousand or so."""

    def collate(self, examples: Sequence[ExampleT]) -> Batch:
        """Put rows into one batch, on the CPU."""

    def label_weight(self, labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the weights of the judged labels of a batch: what its loss is divided by. Scalar."""

    def loss(self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum (not average) the weighted losses of a batch, so that batches can be added exactly. Scalar."""

    def predict(self, logits: Sequence[torch.Tensor], examples: Sequence[ExampleT]) -> list[NDArray[Any]]:
        """Turn the logits of each row into what `evaluate` judges."""

    def evaluate(self, predictions: Sequence[NDArray[Any]], examples: Sequence[ExampleT]) -> Evaluation:
        """Judge all predictions of a split at once; both in the same order. Without rows every figure is None."""
