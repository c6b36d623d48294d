"""Judges the best weights for good: calibrated on validation, then on test as they will be kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers
from bert_training.ml.judging.evaluation import Judge
from bert_training.ml.proof.calibration import LEAST_ROWS, Calibration, fit_calibration
from bert_training.ml.proof.folding import find_last_layer, fold
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.encoding import Rows
from bert_training.ml.task_network import Evaluation, Example, Logits


@dataclass(frozen=True)
class FinalJudgement:
    """What the network answers for validation and test as it is kept; calibration: what was folded into it, or None."""

    validation: LabelAnswers | EntityAnswers
    test: Evaluation
    calibration: Calibration | None

    def calibration_facts(self) -> dict[str, Any] | None:
        """Return the fields of contract.messages.Calibration."""
        return self.calibration.facts() if self.calibration else None


def judge_finally(judge: Judge, rows: Rows, report: RunReport) -> FinalJudgement:
    """Calibrate the network on validation and judge it on test. Collective. Leaves the network as it will be kept.

    Validation is not computed again by the calibrated network: what it would answer is known.
    """
    validation = rows.splits["validation"]
    predictions = judge.predict(validation)
    calibration = _calibrate(judge, predictions, validation, report)
    if calibration:
        predictions = [calibration.apply(row) for row in predictions]
    return FinalJudgement(
        judge.network.answers(predictions, validation), judge.evaluate(rows.splits["test"]), calibration
    )


def _calibrate(
    judge: Judge,
    predictions: Sequence[Logits],
    validation: Sequence[Example],
    report: RunReport,
) -> Calibration | None:
    """Fit in the first process, fold in all."""
    layer = find_last_layer(judge.network.model)
    if layer is None:
        report.info("Not calibrated: no layer above the encoder has an output for each label")
        return None
    found = None
    if judge.world.is_main:
        with_biases = _favour_classes(judge.class_weights) and layer.bias is not None
        found = fit_calibration(predictions, judge.network.gold_ids(validation), with_biases=with_biases)
    facts = judge.world.agree(found and found.facts())
    if facts is None:
        rows = len(predictions)
        few = f"{rows:,} validation rows are fewer than {LEAST_ROWS}"
        report.info(f"Not calibrated: {few if rows < LEAST_ROWS else 'the log-loss on validation gets no better'}")
        return None
    calibration = Calibration.of(facts)
    fold(layer, calibration)
    report.info(_describe(calibration, predictions))
    return calibration


def _favour_classes(weights: torch.Tensor | None) -> bool:
    """Tell whether these class weights took anything that biases could give back; equal ones took nothing."""
    return weights is not None and bool((weights != weights[0]).any())


def _describe(calibration: Calibration, predictions: Sequence[Logits]) -> str:
    text = (
        f"Calibrated on validation: temperature {calibration.temperature:.3f}, log-loss {calibration.loss_before:.4f} "
        f"-> {calibration.loss_after:.4f} over {calibration.rows:,} labels"
    )
    if not calibration.biases:
        return text
    logits = np.concatenate([np.atleast_2d(row) for row in predictions])
    changed = int((logits.argmax(axis=1) != calibration.apply(logits).argmax(axis=1)).sum())
    low, high = min(calibration.biases), max(calibration.biases)
    return f"{text}; biases {low:+.2f} to {high:+.2f} against the class weights change {changed:,} answers"
