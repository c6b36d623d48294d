"""What a task must give the loop: a network with its tokenizer, and how its rows become numbers and figures.

Everything that knows what a label means is behind this protocol; the loop knows none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.shapes import ClassFigures, Figures
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers

Logits = NDArray[np.float32]  # of a row: (K,), or of its words (W, K)

IGNORE = -100  # label of a position that is not judged: special tokens, later sub-tokens of a word, padding


@dataclass(frozen=True)
class Example:
    """One encoded row: whole, without special tokens. Every field, also of a subclass, is an array of one dimension.

    input_ids: (T,) int32.  labels: int64, (T,) for a label a token, (1,) for a label a text.
    """

    input_ids: NDArray[np.int32]
    labels: NDArray[np.int64]


ExampleT = TypeVar("ExampleT", bound=Example)


@dataclass(frozen=True)
class Piece:
    """Tokens of a row that go through the network at once, special tokens among them. Made by ml.rows.cutting.

    input_ids: (P,) int32.  labels: int64, (P,) or (1,) as the row's; special tokens have IGNORE.
    positions: (P,) int32, which token of the row each is; -1 for a special token.
    weight: share of the row's loss; the pieces of a row share 1.
    """

    input_ids: NDArray[np.int32]
    labels: NDArray[np.int64]
    positions: NDArray[np.int32]
    weight: float = 1.0


@dataclass(frozen=True)
class Encoded(Generic[ExampleT]):
    """Encoded rows in the order of the table. wordless: words that became no token, such as blanks."""

    examples: list[ExampleT]
    wordless: int = 0


@dataclass(frozen=True)
class Batch:
    """Pieces computed at once, on one device. Made by ml.rows.batching.

    inputs: what the network is called with.  labels: as the logits without their last axis.
    weights: of the piece of each label, in the shape of labels.  lengths: real tokens of each piece.
    """

    inputs: dict[str, torch.Tensor]
    labels: torch.Tensor
    weights: torch.Tensor
    lengths: list[int]


@dataclass(frozen=True)
class Evaluation:
    """Figures of one split; None = not defined there.

    Of a Judge: predictions: logits of each row.  answers: what the figures were counted from.
    """

    metrics: Figures
    classes: list[ClassFigures]
    predictions: Sequence[Logits] = ()
    answers: Any = None


class TaskNetwork(Protocol[ExampleT]):
    """A network in training with what its task knows. `build_network` of a task's network.py makes one."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    pipeline_tag: str  # what transformers.pipeline is called with

    label_per_token: bool  # else one a row
    example_class: type[ExampleT]
    judgement: Judgement[Any]  # computes every figure
    judged_names: list[str]  # of classes or entity types

    def count_labels(self, table: pd.DataFrame) -> NDArray[np.int64]:
        """Count each label id in the rows, without encoding them. Returns (K,)."""

    def encode(self, table: pd.DataFrame) -> Encoded[ExampleT]:
        """Turn rows into numbers, whole and in order; called with some hundred rows at a time, by one thread.

        Depends on nothing but the rows, label_names and the tokenizer: what it returns is kept between runs.
        """

    def label_weight(self, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum the weights of the judged labels of a batch: what its loss is divided by. Scalar."""

    def loss(self, logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        """Sum (not average) the weighted losses of a batch, so that batches can be added exactly. Scalar."""

    def predict(self, logits: Sequence[torch.Tensor], examples: Sequence[ExampleT]) -> list[Logits]:
        """Choose the logits that answer: of (K,) all, of (T, K) those of each word's first token, as (W, K).

        NaN where no piece judged.
        """

    def gold_ids(self, examples: Sequence[ExampleT]) -> NDArray[np.int64]:
        """Return the right label of each row, or the right tag of each word, one row after the other: (N,)."""

    def answers(self, predictions: Sequence[Logits], examples: Sequence[ExampleT]) -> LabelAnswers | EntityAnswers:
        """Turn logits into what was answered: probabilities in float16, the label or tags by the unrounded largest."""

    def evaluate(self, answers: Any) -> Evaluation:
        """Judge all answers of a split at once, from them alone. Without rows every figure is None."""
