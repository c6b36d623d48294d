"""What a person should look at in a result, by rules over its proof (S2.16). Words: alert_words.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import pi, sqrt
from typing import Any

from bert_training.contract.enums import Split
from bert_training.data.overfitting import Losses, overfitting_anywhere
from bert_training.data.proof.shape import Bin
from bert_training.services.proving.grades import Grade
from bert_training.services.proving.verdicts import Case, never_recognised, untested

FEW_ROWS_A_CLASS = 10  # training rows for each class, on average
CALIBRATION_ERROR = 0.05  # beyond what chance makes of so many rows
DOUBTED_SHARE = 0.05
CUT_SHARE = 0.01


class Severity(StrEnum):
    """How much an alert weighs. Sent by the API: never renamed."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Code(StrEnum):
    """What an alert is about. Sent by the API: never renamed."""

    BELOW_BASELINE = "below_baseline"
    GAIN_NOT_SHOWN = "gain_not_shown"
    LOW_PERFORMANCE = "low_performance"
    OVERFITTING = "overfitting"
    WEAKER_ON_TEST = "weaker_on_test"
    FEW_TEST_ROWS = "few_test_rows"
    FEW_TRAINING_ROWS = "few_training_rows"
    FEW_ROWS_OF_CLASSES = "few_rows_of_classes"
    UNTESTED_CLASSES = "untested_classes"
    NEVER_RECOGNISED = "never_recognised"
    BADLY_CALIBRATED = "badly_calibrated"
    DOUBTED_LABELS = "doubted_labels"
    SENTENCES_CUT = "sentences_cut"
    CORRECTED_TEST_LABELS = "corrected_test_labels"


@dataclass(frozen=True)
class Alert:
    """values: what its sentence names.  number: of what it is about, for the plural."""

    code: Code
    severity: Severity
    values: dict[str, Any] = field(default_factory=dict)
    number: int = 0


def alerts(case: Case, losses: Sequence[Losses]) -> list[Alert]:
    """Return what there is to say, the weightiest first. losses: of each epoch, the first one first."""
    found = [alert for rule in RULES if (alert := rule(case)) is not None]
    if seen := overfitting_anywhere(losses):
        values = {"before": seen[0][1], "after": seen[-1][1]}
        found.append(Alert(Code.OVERFITTING, Severity.WARNING, values))
    return sorted(found, key=lambda alert: list(Severity).index(alert.severity))


def _baseline(case: Case) -> Alert | None:
    gain = case.proof["gain"]
    if gain is None or not (case.is_below_baseline or case.has_unshown_gain):
        return None
    values = {"baseline": gain["over"], "low": gain["low"], "high": gain["high"]}
    if case.is_below_baseline:
        return Alert(Code.BELOW_BASELINE, Severity.ERROR, values)
    return Alert(Code.GAIN_NOT_SHOWN, Severity.WARNING, values)


def _performance(case: Case) -> Alert | None:
    """Find a figure that is low, or that may be: the low end of its interval is."""
    if Grade.LOW not in (case.graded.grade, case.graded.worst):
        return None
    severity = Severity.ERROR if case.graded.grade == Grade.LOW else Severity.WARNING
    value, low = case.graded.figure["value"], case.graded.figure["low"]
    values = {"metric": case.graded.metric, "value": value, "least": value if low is None else low}
    return Alert(Code.LOW_PERFORMANCE, severity, values)


def _validation(case: Case) -> Alert | None:
    """Find a figure that is better on validation than the whole interval on test: the settings suit those rows."""
    metric, high = case.graded.metric, case.graded.figure["high"]
    on_validation = case.proof["validation"].get(metric)
    if on_validation is None or high is None or on_validation <= high:
        return None
    values = {"metric": metric, "validation": on_validation, "test": case.graded.figure["value"]}
    return Alert(Code.WEAKER_ON_TEST, Severity.WARNING, values)


def _test_rows(case: Case) -> Alert | None:
    units = case.proof["units"]
    return Alert(Code.FEW_TEST_ROWS, Severity.WARNING, {"units": units}, units) if case.proof["is_few"] else None


def _training_rows(case: Case) -> Alert | None:
    rows, classes = case.split.get("rows", {}).get(Split.TRAIN), len(case.proof["names"])
    if rows is None or rows >= FEW_ROWS_A_CLASS * classes:
        return None
    return Alert(Code.FEW_TRAINING_ROWS, Severity.WARNING, {"rows": rows, "classes": classes}, rows)


def _rows_of_classes(case: Case) -> Alert | None:
    few = [entry["name"] for entry in case.proof["classes"] if entry["is_few"] and entry["support"]]
    if not few or case.proof["is_few"]:
        return None
    return Alert(Code.FEW_ROWS_OF_CLASSES, Severity.INFO, {"names": few}, len(few))


def _untested(case: Case) -> Alert | None:
    names = [entry["name"] for entry in untested(case.proof)]
    return Alert(Code.UNTESTED_CLASSES, Severity.WARNING, {"names": names}, len(names)) if names else None


def _recognition(case: Case) -> Alert | None:
    names = [entry["name"] for entry in never_recognised(case.proof)]
    return Alert(Code.NEVER_RECOGNISED, Severity.WARNING, {"names": names}, len(names)) if names else None


def _calibration(case: Case) -> Alert | None:
    found = case.proof["calibration"]
    if found is None or found["after"] is None or found["after"] <= CALIBRATION_ERROR + chance_error(found["bins"]):
        return None
    return Alert(Code.BADLY_CALIBRATED, Severity.WARNING, {"error": found["after"]})


def chance_error(bins: Sequence[Bin]) -> float:
    """Return the calibration error that a perfectly calibrated model shows by chance in bins of these sizes.

    The mean distance of a share from its expectation is about sqrt(2 p (1 - p) / (pi n)): .11 for 100 rows at p = .8.
    """
    rows = sum(entry["rows"] for entry in bins)
    shares = ((min(max(entry["confidence"], 0.0), 1.0), entry["rows"]) for entry in bins if entry["rows"])
    return sum(sqrt(2 * share * (1 - share) * count / pi) for share, count in shares) / max(1, rows)


def _labels(case: Case) -> Alert | None:
    found = case.proof["label_errors"]
    doubted = sum(found["counts"].values()) if found else 0
    if found is None or not found["judged"] or doubted / found["judged"] <= DOUBTED_SHARE:
        return None
    values = {"count": doubted, "share": doubted / found["judged"]}
    return Alert(Code.DOUBTED_LABELS, Severity.WARNING, values, doubted)


def _cuts(case: Case) -> Alert | None:
    found = case.proof.get("entities")
    if not found or not found["sentences_cut"]:
        return None
    severity = Severity.WARNING if found["sentences_cut"] > CUT_SHARE * found["sentences"] else Severity.INFO
    values = {"count": found["sentences_cut"], "all": found["sentences"], "words": found["words_cut"]}
    return Alert(Code.SENTENCES_CUT, severity, values, found["sentences_cut"])


def _corrected(case: Case) -> Alert | None:
    count = case.corrected_test_rows
    values = {"count": count, "all": case.proof["rows"].get(Split.TEST, 0)}
    return Alert(Code.CORRECTED_TEST_LABELS, Severity.WARNING, values, count) if count else None


RULES: tuple[Callable[[Case], Alert | None], ...] = (
    _baseline,
    _performance,
    _validation,
    _test_rows,
    _training_rows,
    _recognition,
    _untested,
    _rows_of_classes,
    _calibration,
    _labels,
    _cuts,
    _corrected,
)
