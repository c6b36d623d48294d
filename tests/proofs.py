"""Proofs made by hand, for tests of what is said of them; changes name what a test is about."""

from typing import Any, cast

from bert_training.data.proof.shape import (
    BaselineProof,
    CalibrationProof,
    ClassProof,
    EntityErrors,
    Figure,
    Gain,
    LabelErrors,
    Proof,
)
from bert_training.models import GradeScale

LABELS = ("pessoal", "saude", "tributario")
SCALES = {
    "f1_macro": GradeScale(metric="f1_macro", excellent=0.8, good=0.7, fair=0.6),
    "f1": GradeScale(metric="f1", excellent=0.8, good=0.7, fair=0.6),
    "accuracy": GradeScale(metric="accuracy", excellent=0.9, good=0.8, fair=0.7),
}
FIGURES = ("f1_macro", "accuracy", "f1_weighted", "precision_macro", "recall_macro")


def figure(value: float | None, half: float = 0.02) -> Figure:
    """A figure with an interval of that half width."""
    if value is None:
        return Figure(value=None, low=None, high=None)
    return Figure(value=value, low=max(0.0, value - half), high=min(1.0, value + half))


def class_proof(name: str, *, support: int = 100, recall: float = 0.9) -> ClassProof:
    """A class that is recognised as said."""
    rate = figure(recall if support else None, 0.05)
    return ClassProof(
        name=name, precision=rate, recall=rate, f1=rate, support=support, predicted=support, is_few=support < 30
    )


def gain(value: float, *, half: float = 0.01, over: str = "linear") -> Gain:
    """A gain whose interval has that half width."""
    low, high = value - half, value + half
    return Gain(over=over, value=value, low=low, high=high, is_shown=low > 0)


def baseline(source: str, value: float) -> BaselineProof:
    """A simple method that reaches this value in every figure."""
    return BaselineProof(source=source, figures={name: figure(value) for name in ("f1_macro", "accuracy", "f1")})


def calibration(after: float = 0.02) -> CalibrationProof:
    """A calibration on 1,500 rows."""
    bins = [{"confidence": 0.5 + place / 30, "accuracy": 0.5 + place / 30, "rows": 100} for place in range(15)]
    return CalibrationProof(temperature=1.4, has_biases=False, before=0.09, after=after, bins=bins)  # type: ignore[typeddict-item]


def entity_errors(cut: int = 0) -> EntityErrors:
    """Errors of 200 sentences."""
    return EntityErrors(
        scheme="IOB2 strict",
        right=800,
        missed=40,
        spurious=30,
        wrong_type=10,
        wrong_boundary=25,
        invalid_tags=3,
        sentences=200,
        sentences_cut=cut,
        words_cut=30 * cut,
    )


def label_errors(count: int = 7) -> LabelErrors:
    """So many doubted labels among 1,000 rows."""
    suspects = [
        {"row": 2 + n, "split": "train", "given": "saude", "suggested": "pessoal", "doubt": 0.9} for n in range(count)
    ]
    return LabelErrors(source="linear", judged=1000, counts={"train": count}, suspects=suspects)  # type: ignore[typeddict-item]


def make_proof(value: float | None = 0.9, *, names: tuple[str, ...] = LABELS, **changes: Any) -> Proof:
    """A proof of a text classifier that nothing speaks against."""
    classes = [class_proof(name) for name in names]
    proof: dict[str, Any] = {
        "version": 1,
        "metric": "f1_macro",
        "rows": {"validation": 300, "test": 300},
        "units": 290,
        "is_few": False,
        "names": list(names),
        "figures": {name: figure(value) for name in FIGURES},
        "validation": {"f1_macro": value, "accuracy": value},
        "classes": classes,
        "confusion": [[place, place, 90] for place in range(len(names))],
        "curves": {},
        "baselines": [baseline("frequent", 0.3), baseline("linear", 0.85)],
        "gain": gain(0.05),
        "calibration": calibration(),
        "label_errors": None,
    }
    return cast(Proof, proof | changes)


def entity_proof(value: float = 0.88, **changes: Any) -> Proof:
    """A proof of a tagger that nothing speaks against."""
    figures = {name: figure(value) for name in ("f1", "precision", "recall", "accuracy")}
    found = {"metric": "f1", "figures": figures, "validation": {"f1": value}, "entities": entity_errors()}
    confusion = [[0, 0, 90], [0, -1, 6], [-1, 1, 4], [1, 0, 2]]
    return make_proof(names=("LOCAL", "PESSOA", "TEMPO"), **(found | {"confusion": confusion} | changes))
