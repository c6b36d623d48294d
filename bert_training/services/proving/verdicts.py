"""Whether a model may be used: pure rules over its proof, its grade and its split. Words: verdict_words.py.

RULES is the one place that says it. Each rule that fits allows at most its verdict; the strictest decides, and the
rules that said so are the reasons. A model that no rule is about may be used. The grade in words is that of the value;
what is allowed follows from the low end of the interval, so that good luck on the test rows allows nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.proof.shape import ClassProof, Proof
from bert_training.services.divisions import Protection
from bert_training.services.doubting.corrections import CORRECTED
from bert_training.services.proving.grades import IS_GOOD, Grade, Graded


class Verdict(StrEnum):
    """From the strictest on. Sent by the API: never renamed."""

    DO_NOT_USE = "do_not_use"
    REVIEW = "use_with_review"
    USE = "use"


class Why(StrEnum):
    """What speaks against a model. Sent by the API: never renamed."""

    NOTHING_TESTED = "nothing_tested"
    BELOW_BASELINE = "below_baseline"
    GAIN_NOT_SHOWN = "gain_not_shown"
    NOTHING_LEARNED = "nothing_learned"
    LOW_GRADE = "low_grade"
    FAIR_GRADE = "fair_grade"
    FEW_UNITS = "few_units"
    NEVER_RECOGNISED = "never_recognised"
    UNTESTED = "untested"
    UNPROTECTED = "unprotected"
    NO_BASELINE = "no_baseline"
    NO_INTERVAL = "no_interval"
    NO_SCALE = "no_scale"
    TEST_CORRECTED = "test_corrected"


@dataclass(frozen=True)
class Case:
    """What a verdict is found from. split: the facts of services.divisions.Division."""

    proof: Proof
    graded: Graded
    split: Mapping[str, Any]

    @property
    def is_tested(self) -> bool:
        """Whether the model could be judged at all."""
        return self.graded.figure["value"] is not None

    @property
    def corrected_test_rows(self) -> int:
        """How many test rows have another answer than in the dataset that the run's own one continues."""
        return int(self.split.get(CORRECTED, {}).get(Split.TEST, 0))

    @property
    def is_below_baseline(self) -> bool:
        """Whether a simple method is better beyond chance."""
        gain = self.proof["gain"]
        return gain is not None and gain["high"] is not None and gain["high"] < 0

    @property
    def has_unshown_gain(self) -> bool:
        """Whether the network may be better or worse than a simple method: the interval of the gain contains 0."""
        gain = self.proof["gain"]
        return gain is not None and gain["value"] is not None and not gain["is_shown"] and not self.is_below_baseline


@dataclass(frozen=True)
class Rule:
    """`fits` tells whether the rule is about a case; then at most this verdict is allowed."""

    allows: Verdict
    why: Why
    fits: Callable[[Case], bool]


@dataclass(frozen=True)
class Finding:
    """A verdict with the reasons for it, the weightiest first; none for a model that may be used.

    caveats: what changes no verdict, but must be said beside it.
    """

    verdict: Verdict
    reasons: tuple[Why, ...]
    caveats: tuple[Why, ...] = ()


def never_recognised(proof: Proof) -> list[ClassProof]:
    """Return the classes of whose test examples not one was found."""
    return [entry for entry in proof["classes"] if entry["support"] and not entry["recall"]["value"]]


def untested(proof: Proof) -> list[ClassProof]:
    """Return the classes without an example among the test rows."""
    return [entry for entry in proof["classes"] if not entry["support"]]


def _has_learned_nothing(case: Case) -> bool:
    """Compare the low end to what the most frequent answer alone reaches: in lopsided data that is much."""
    reached, worst = _most_frequent_answer(case), case.graded.figure["low"]
    return case.has_unshown_gain and reached is not None and worst is not None and worst <= reached


def _most_frequent_answer(case: Case) -> float | None:
    found = (entry for entry in case.proof["baselines"] if entry["source"] == PredictionSource.FREQUENT)
    figure = next((entry["figures"].get(case.graded.metric) for entry in found), None)
    return figure["value"] if figure else None


def _has_no_baseline(case: Case) -> bool:
    gain = case.proof["gain"]
    return case.is_tested and (gain is None or gain["value"] is None)


# That the network equals a simple method is no ban where the figure is good all the same: its answers are.
RULES = (
    Rule(Verdict.DO_NOT_USE, Why.NOTHING_TESTED, lambda case: not case.is_tested),
    Rule(Verdict.DO_NOT_USE, Why.BELOW_BASELINE, lambda case: case.is_below_baseline),
    Rule(
        Verdict.DO_NOT_USE,
        Why.GAIN_NOT_SHOWN,
        lambda case: case.has_unshown_gain and (case.graded.grade not in IS_GOOD or _has_learned_nothing(case)),
    ),
    Rule(Verdict.DO_NOT_USE, Why.NOTHING_LEARNED, _has_learned_nothing),
    Rule(Verdict.DO_NOT_USE, Why.LOW_GRADE, lambda case: case.graded.worst == Grade.LOW),
    Rule(Verdict.REVIEW, Why.GAIN_NOT_SHOWN, lambda case: case.has_unshown_gain),
    Rule(Verdict.REVIEW, Why.FAIR_GRADE, lambda case: case.graded.worst == Grade.FAIR),
    Rule(Verdict.REVIEW, Why.FEW_UNITS, lambda case: case.proof["is_few"]),
    Rule(Verdict.REVIEW, Why.NEVER_RECOGNISED, lambda case: bool(never_recognised(case.proof))),
    Rule(Verdict.REVIEW, Why.UNTESTED, lambda case: bool(untested(case.proof))),
    Rule(Verdict.REVIEW, Why.UNPROTECTED, lambda case: case.split.get("protection") == Protection.EXACT),
    Rule(Verdict.REVIEW, Why.NO_BASELINE, _has_no_baseline),
    Rule(Verdict.REVIEW, Why.NO_SCALE, lambda case: case.is_tested and case.graded.grade is None),
    Rule(
        Verdict.REVIEW,
        Why.NO_INTERVAL,
        lambda case: case.graded.grade is not None and case.graded.worst is None,
    ),
)


def verdict(case: Case) -> Finding:
    """Return the strictest verdict of the rules that fit, with its reasons."""
    fitting = [rule for rule in RULES if rule.fits(case)]
    strictness = list(Verdict)
    strictest = min((rule.allows for rule in fitting), key=strictness.index, default=Verdict.USE)
    caveats = (Why.TEST_CORRECTED,) if case.corrected_test_rows else ()
    return Finding(strictest, tuple(rule.why for rule in fitting if rule.allows == strictest), caveats)
