"""How a proof reads at a terminal: an interval beside each figure, and never a 0 for what is not known."""

from typing import cast

from bert_training.data.proof.shape import ClassProof, Figure, Proof
from bert_training.worker.local.proof_table import WORST_CLASSES, proof_text

UNKNOWN: Figure = {"value": None, "low": None, "high": None}


def figure(value: float) -> Figure:
    return {"value": value, "low": value - 0.05, "high": value + 0.05}


def class_proof(name: str, f1: float | None, support: int = 40) -> ClassProof:
    shown = UNKNOWN if f1 is None else figure(f1)
    counts = {"support": support, "predicted": support, "is_few": support < 30}
    return cast(ClassProof, {"name": name, "precision": shown, "recall": shown, "f1": shown, **counts})


def proof(**changes: object) -> Proof:
    known = {
        "metric": "f1_macro",
        "rows": {"test": 1200},
        "units": 1100,
        "is_few": False,
        "figures": {"accuracy": figure(0.9), "f1_macro": figure(0.85), "auc_roc": UNKNOWN},
        "validation": {"f1_macro": 0.86},
        "classes": [class_proof("penhora", 0.6, 12), class_proof("acordo", None, 0), class_proof("laudo", 0.95)],
        "baselines": [{"source": "linear", "figures": {"f1_macro": figure(0.8)}}],
        "gain": {"over": "linear", "value": 0.05, "low": 0.01, "high": 0.09, "is_shown": True},
        "calibration": {"temperature": 1.5, "has_biases": False, "before": 0.08, "after": 0.02, "bins": []},
        "label_errors": {"source": "linear", "judged": 5000, "counts": {"train": 12, "test": 3}, "suspects": []},
    }
    return cast(Proof, {**known, **changes})


def test_the_deciding_figure_stands_first_with_interval_and_baseline() -> None:
    lines = proof_text(proof()).splitlines()
    assert lines[0].startswith("Test: 1,200 rows, 1,100 when")
    assert lines[3].split() == ["f1_macro", "0.8500", "0.8000", "to", "0.9000", "0.8600"]
    assert "Baseline linear: f1_macro 0.8000 (0.7500 to 0.8500)" in lines
    assert "Gain over linear: f1_macro +0.0500 (+0.0100 to +0.0900): shown." in lines
    assert any("temperature 1.500; expected error 0.0800 before, 0.0200 after" in line for line in lines)
    assert any("train 12, test 3 of 5,000 rows" in line for line in lines)


def test_classes_stand_the_weakest_first_and_one_without_examples_has_no_figures() -> None:
    text = proof_text(proof())
    assert text.index("penhora") < text.index("laudo") < text.index("acordo")
    assert next(line for line in text.splitlines() if line.startswith("penhora")).endswith("12 (few)")
    assert "no examples" in next(line for line in text.splitlines() if line.startswith("acordo"))


def test_of_many_classes_the_worst_are_shown() -> None:
    text = proof_text(proof(classes=[class_proof(f"c{number}", 0.5) for number in range(77)]))
    assert f"... and {77 - WORST_CLASSES} better ones" in text


def test_what_is_not_known_is_said_to_be() -> None:
    text = proof_text(proof(gain=None, calibration=None, label_errors=None, baselines=[], classes=[], is_few=True))
    for words in ("Gain over a baseline: not known", "none was fitted", "not looked for", "may be chance"):
        assert words in text
    gain = {"over": "linear", "value": 0.01, "low": -0.02, "high": 0.04, "is_shown": False}
    assert "(-0.0200 to +0.0400): not shown" in proof_text(proof(gain=gain))
    worse = {"over": "linear", "value": -0.6, "low": -0.7, "high": -0.5, "is_shown": False}
    assert "(-0.7000 to -0.5000): worse than the baseline" in proof_text(proof(gain=worse))
