"""Judges a split: predictions of all its rows first, then every figure from all of them at once."""

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch

from bert_training.ml.layout.layout import Layout
from bert_training.ml.learning.micro_batch import MicroBatch
from bert_training.ml.machine.distributed import ALONE, World, pack, unpack
from bert_training.ml.rows.batching import cut_at, cut_into, fill_ends, to_device
from bert_training.ml.rows.cutting import Cutting, join_logits
from bert_training.ml.task_network import Evaluation, ExampleT, Logits, Piece, TaskNetwork


class Judge:
    """Judges rows with a network. micro_batch: how many pieces are computed at once; on_batch: called after each.

    world: the processes that share the rows; on_round: called by all of them at the same time, again and again.
    """

    def __init__(
        self,
        network: TaskNetwork[Any],
        model: torch.nn.Module,
        cutting: Cutting,
        layout: Layout,
        *,
        micro_batch: MicroBatch,
        device: torch.device,
        class_weights: torch.Tensor | None,
        on_batch: Callable[[], None],
        on_round: Callable[[], None] = lambda: None,
        world: World = ALONE,
    ) -> None:
        self.network = network
        self.model = model
        self.cutting = cutting
        self.layout = layout
        self.micro_batch = micro_batch
        self.device = device
        self.class_weights = class_weights
        self.on_batch = on_batch
        self.on_round = on_round
        self.world = world
        self._loss_sum = self._weight_sum = 0.0

    def evaluate(self, examples: Sequence[ExampleT]) -> Evaluation:
        """Return the task's figures and the loss (weighted as in training) of these rows, with their predictions.

        Neither the batch size nor the order changes a figure: rows of near-equal length are together only for speed.
        A row counts once, in however many windows it was read; its loss is the mean of theirs, as in training.
        """
        predictions = self.predict(examples)
        evaluation = self.figures(predictions, examples)
        loss = self._loss_sum / self._weight_sum if self._weight_sum else None
        metrics = self.world.agree({**evaluation.metrics, "loss": _defined(loss)})
        return replace(evaluation, metrics=metrics, predictions=predictions)

    def predict(self, examples: Sequence[ExampleT]) -> list[Logits]:
        """Return the logits that answer for each row; each process computes its share."""
        predictions: dict[int, Logits] = {}
        self._loss_sum = self._weight_sum = 0.0
        self.model.eval()
        longest_first = sorted(range(len(examples)), key=lambda row: -len(examples[row].input_ids))
        for rows in self.world.deal(self._rounds(examples, longest_first)):
            if rows is not None:
                chosen = [examples[row] for row in rows]
                predictions.update(zip(rows, self.network.predict(self._logits(chosen), chosen), strict=True))
            self.on_round()
        predictions = self._put_together(predictions)
        return [predictions[row] for row in range(len(examples))]

    def _rounds(self, examples: Sequence[ExampleT], order: list[int]) -> list[Sequence[int]]:
        """Cut rows into what a process judges at once: about a micro-batch, in all processes the same."""
        size = self.world.agree(self.micro_batch.size)  # processes whose memory ran out may have smaller ones
        if not self.micro_batch.by_tokens:
            return list(cut_into(order, size))
        seen = [self.cutting.count_seen(len(examples[row].input_ids)) + self.cutting.specials for row in order]
        return cut_at(order, fill_ends(np.array(seen, dtype=np.int64), size))

    def _put_together(self, own: dict[int, Logits]) -> dict[int, Logits]:
        """Return the predictions of all processes, and add up their losses."""
        if self.world.size == 1:
            return own
        sums = self.world.sum(torch.tensor([self._loss_sum, self._weight_sum], dtype=torch.float64))
        self._loss_sum, self._weight_sum = sums.tolist()
        rows = torch.tensor(list(own), dtype=torch.int64)
        predictions: dict[int, Logits] = {}
        for part in self.world.gather({"rows": rows, **pack(list(own.values()))}):
            predictions.update(zip(part.pop("rows").tolist(), unpack(part), strict=True))
        return predictions

    def figures(self, predictions: Sequence[Logits], examples: Sequence[ExampleT]) -> Evaluation:
        """Judge predictions of these rows; a figure that is not finite is not defined."""
        answers = self.network.answers(predictions, examples)
        evaluation = self.network.evaluate(answers)
        metrics = {name: _defined(value) for name, value in evaluation.metrics.items()}
        return Evaluation(metrics, evaluation.classes, answers=answers)

    def reading(self, cutting: Cutting) -> Self:
        """Return a judge that reads rows in another way and is the same in all else."""
        other = copy(self)
        other.cutting = cutting
        return other

    def _logits(self, examples: Sequence[ExampleT]) -> list[torch.Tensor]:
        """Return the logits of each row, from all its pieces."""
        pieces = [self.cutting.cut(example) for example in examples]
        flat = [piece for own in pieces for piece in own]
        logits = iter(self.micro_batch.retry(lambda: self._run_all(flat)))
        return [
            join_logits(example, own, [next(logits) for _piece in own])
            for example, own in zip(examples, pieces, strict=True)
        ]

    def _run_all(self, pieces: Sequence[Piece]) -> list[torch.Tensor]:
        """Return the logits of each piece. Nothing is noted before all of them are there."""
        answers = [self._run(chunk) for chunk in self.micro_batch.cut(pieces)]
        self._loss_sum += sum(loss for _logits, loss, _weight in answers)
        self._weight_sum += sum(weight for _logits, _loss, weight in answers)
        return [part for logits, _loss, _weight in answers for part in logits]

    @torch.inference_mode()
    def _run(self, pieces: Sequence[Piece]) -> tuple[list[torch.Tensor], float, float]:
        """Return the logits of each piece, and the sums of their losses and of their labels' weights."""
        batch = to_device(self.layout.collate(pieces), self.device)
        logits = self.layout.forward(self.model, batch)
        loss = self.network.loss(logits, batch, self.class_weights).item()
        weight = self.network.label_weight(batch, self.class_weights).item()
        self.on_batch()
        return self.layout.split(logits, batch), loss, weight


def _defined(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
