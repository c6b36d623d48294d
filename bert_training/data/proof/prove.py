"""Makes a Proof from predictions alone, in whatever order and chunks they came; worker and portal call the same."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.shapes import Figures
from bert_training.data.predicting.predictions import Predictions, in_row_order, merge
from bert_training.data.proof.calibration import calibration_proof
from bert_training.data.proof.coverage import coverage_points
from bert_training.data.proof.gain import gain, no_gain
from bert_training.data.proof.intervals import bounded
from bert_training.data.proof.judged import Judged, judge
from bert_training.data.proof.shape import PROOF_VERSION, BaselineProof, ClassProof, Gain, LabelErrors, Proof
from bert_training.data.proof.suspects import linear_suspects
from bert_training.data.proof.units import FOUND

FEW = 30
NETWORK = PredictionSource.NETWORK
INSTEAD = {"loss": ("f1", "f1_macro")}  # points of a share can be read by everybody, those of a loss by nobody
BASELINES = (PredictionSource.FREQUENT, PredictionSource.LINEAR)


def prove(
    predictions: Sequence[Predictions],
    *,
    judgement: Judgement[Any],
    names: list[str],
    metric: str,
    seed: int,
    calibration: Mapping[str, Any] | None,
    judged: int,
    label_errors: LabelErrors | None = None,
) -> Proof:
    """Say how far a run can be trusted.

    names: of classes or entity types, in the order of their ids.  metric: the deciding one.  calibration: fields of
    the contract's Calibration.  judged: rows in which the linear method looks for label errors.  label_errors: those
    that the network's own folds found, in their place.  What cannot be said is None: no test rows, no baselines.
    """
    # In the order of rows, so that no figure depends on how they came, not even in its last bit.
    parts = {(part.source, part.split): in_row_order(part) for part in merge(predictions)}
    sources = judge(_sources_on_test(parts), judgement=judgement, names=names, seed=seed)
    network, baselines = (sources[0], sources[1:]) if sources else (None, [])
    metric = decided_by(metric, network.figures if network else {})
    validation = parts.get((PredictionSource.NETWORK, Split.VALIDATION))
    proof: Proof = {
        "version": PROOF_VERSION,
        "metric": metric,
        "rows": {split.value: len(part.rows) for (source, split), part in parts.items() if source == NETWORK},
        "units": network.counts.unit_count if network else 0,
        "is_few": not network or network.counts.unit_count < FEW,
        "names": list(names),
        "figures": network.with_intervals() if network else {},
        "validation": judgement.figures(validation.answers, names) if validation else {},
        "classes": _classes(network, judgement, names) if network else [],
        "confusion": [],
        "curves": {},
        "baselines": [_baseline(one) for one in baselines],
        "gain": _gain(network, baselines, metric) if network else None,
        "calibration": None,
        "label_errors": label_errors or linear_suspects(predictions, names=names, judged=judged),
    }
    if network:
        answers = network.predictions.answers
        details = judgement.details(answers, names)
        proof["confusion"], proof["curves"] = details["confusion"], details.get("curves", {})
        if "entities" in details:
            proof["entities"] = details["entities"]
        proof["calibration"] = calibration_proof(answers, judgement=judgement, calibration=calibration)
        proof["coverage"] = coverage_points(answers, network.predictions.units, judgement=judgement)
    return proof


def compare(
    first: Predictions, second: Predictions, *, judgement: Judgement[Any], names: list[str], metric: str, seed: int
) -> tuple[str, Gain]:
    """Return on which figure, and by how much, the first is better than the second on the rows that both answered."""
    _, here, there = np.intersect1d(first.rows, second.rows, return_indices=True)
    if not len(here):
        return metric, no_gain(second.source.value)
    one, other = judge([first.take(here), second.take(there)], judgement=judgement, names=names, seed=seed)
    metric = decided_by(metric, one.figures)
    return metric, gain(one, other, metric)


def _sources_on_test(parts: Mapping[tuple[PredictionSource, Split], Predictions]) -> list[Predictions]:
    """Return the network and the baselines that answered the very same test rows; none without the network."""
    network = parts.get((NETWORK, Split.TEST))
    if network is None:
        return []
    others = [parts[source, Split.TEST] for source in BASELINES if (source, Split.TEST) in parts]
    return [network, *(other for other in others if np.array_equal(other.rows, network.rows))]


def _baseline(judged: Judged) -> BaselineProof:
    return {"source": judged.predictions.source.value, "figures": judged.with_intervals()}


def _gain(network: Judged, baselines: Sequence[Judged], metric: str) -> Gain | None:
    """Compare with the baseline that does best on these very test rows: the choice favours it, not the network."""
    gains = [gain(network, baseline, metric) for baseline in baselines]
    known = [one for one in gains if one["value"] is not None]
    return min(known, key=lambda one: one["value"] or 0.0, default=None)


def decided_by(metric: str, figures: Figures) -> str:
    """Return the deciding metric; predictions do not tell the loss of training, then the task's usual one."""
    return next((name for name in INSTEAD.get(metric, ()) if name in figures), metric)


def _classes(judged: Judged, judgement: Judgement[Any], names: list[str]) -> list[ClassProof]:
    """Judge each class; one without examples has neither figures nor intervals."""
    rows = judgement.classes(judged.predictions.answers, names)
    predicted = judged.counts.totals()[FOUND].astype(int).tolist()
    of_class = judged.intervals.of_class
    return [
        {
            "name": row["name"],
            "precision": bounded(row["precision"], of_class("precision", label)),
            "recall": bounded(row["recall"], of_class("recall", label)),
            "f1": bounded(row["f1"], of_class("f1", label)),
            "support": row["support"],
            "predicted": predicted[label],
            "is_few": row["support"] < FEW,
        }
        for label, row in enumerate(rows)
    ]
