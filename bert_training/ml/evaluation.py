"""Judges a split: predictions of all its rows first, then every figure from all of them at once."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from bert_training.ml.batching import cut_into, forward, logits_by_row, to_device
from bert_training.ml.task_network import Evaluation, ExampleT, TaskNetwork


def evaluate_split(
    network: TaskNetwork[ExampleT],
    model: torch.nn.Module,
    examples: Sequence[ExampleT],
    *,
    batch_size: int,
    device: torch.device,
    class_weights: torch.Tensor | None,
    on_batch: Callable[[], None],
) -> Evaluation:
    """Return the task's figures and the loss (weighted as in training) of these rows.

    Neither the batch size nor the order changes a figure: rows of near-equal length share a batch only for speed.
    """
    predictions: dict[int, NDArray[Any]] = {}
    loss_sum = weight_sum = 0.0
    model.eval()
    longest_first = sorted(range(len(examples)), key=lambda row: -len(examples[row].input_ids))
    for rows in cut_into(longest_first, batch_size):
        chosen = [examples[row] for row in rows]
        batch = to_device(network.collate(chosen), device)
        with torch.inference_mode():
            logits = forward(model, batch)
            loss_sum += network.loss(logits, batch.labels, class_weights).item()
            weight_sum += network.label_weight(batch.labels, class_weights).item()
        predictions.update(zip(rows, network.predict(logits_by_row(logits, batch), chosen), strict=True))
        on_batch()
    evaluation = network.evaluate([predictions[row] for row in range(len(examples))], examples)
    loss = loss_sum / weight_sum if weight_sum else None
    return Evaluation(
        {name: _defined(value) for name, value in {**evaluation.metrics, "loss": loss}.items()}, evaluation.classes
    )


def _defined(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
