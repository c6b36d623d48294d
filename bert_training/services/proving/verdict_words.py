"""Says verdict, grade and reasons in the reader's language: a sentence on which somebody without statistics can act."""

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from bert_training.contract.enums import PredictionSource
from bert_training.services.proving.figure_words import UNKNOWN, count_text, distance_text, points_text, share_text
from bert_training.services.proving.grades import Grade
from bert_training.services.proving.verdicts import Case, Finding, Verdict, Why, never_recognised, untested
from bert_training.tasks.spec import TaskSpec

NAMED = 3  # classes in a sentence; the table names all

VERDICT_LABELS = {
    Verdict.USE: gettext_lazy("Can be used"),
    Verdict.REVIEW: gettext_lazy("Use with review"),
    Verdict.DO_NOT_USE: gettext_lazy("Do not use"),
}
VERDICT_MEANING = {
    Verdict.USE: gettext_noop("Its answers can be used as they are. Look at a sample of them from time to time."),
    Verdict.REVIEW: gettext_noop("A person should look at each answer before anything follows from it."),
    Verdict.DO_NOT_USE: gettext_noop("Nothing should follow from its answers. The alerts below say what may help."),
}
GRADE_LABELS = {
    Grade.EXCELLENT: gettext_lazy("excellent"),
    Grade.GOOD: gettext_lazy("good"),
    Grade.FAIR: gettext_lazy("fair"),
    Grade.LOW: gettext_lazy("low"),
}
# As they stand in a sentence: a gain over ..., worse than ...
BASELINE_NAMES = {
    PredictionSource.FREQUENT: gettext_noop("the most frequent answer"),
    PredictionSource.LINEAR: gettext_noop("the linear method"),
}
PLAIN_REASONS = {
    Why.NOTHING_TESTED: gettext_noop("no test row says how good it is"),
    Why.NOTHING_LEARNED: gettext_noop("always giving the most frequent answer may be as good"),
    Why.UNPROTECTED: gettext_noop("copies of test texts with small changes may be among the training texts"),
    Why.NO_BASELINE: gettext_noop("there is no simple method to compare it with"),
    Why.NO_INTERVAL: gettext_noop("how much of its figures is chance is not known"),
}


def baseline_name(source: str) -> str:
    """Name a simple method; a newer worker may know others."""
    return _(BASELINE_NAMES[PredictionSource(source)]) if source in BASELINE_NAMES else source


def metric_label(spec: TaskSpec | None, name: str) -> str:
    """Name a figure as the task does."""
    found = (metric.label for metric in spec.metrics if metric.name == name) if spec else iter(())
    return next((_(label) for label in found), name)


def verdict_sentence(case: Case, finding: Finding, spec: TaskSpec | None) -> str:
    """Say whether the model may be used, and why."""
    clauses = [reason_text(why, case, spec) for why in finding.reasons] or [_praise(case, spec)]
    clauses += [reason_text(why, case, spec) for why in finding.caveats]
    return _("%(verdict)s: %(reasons)s.") % {
        "verdict": VERDICT_LABELS[finding.verdict],
        "reasons": "; ".join(clauses),
    }


def gain_text(case: Case, spec: TaskSpec | None) -> str:
    """Say what the network gains over the better of the simple methods."""
    gain = case.proof["gain"]
    if gain is None or gain["value"] is None:
        return _("There is no simple method to compare it with.")
    over, value, low, high = _compared_to(case, spec), gain["value"], gain["low"], gain["high"]
    if low is None or high is None:
        words = _("Gain over %(baseline)s not shown: %(points)s points.")
        return words % {"baseline": over, "points": points_text(value)}
    if high < 0:
        words = _("Gain not shown: %(points)s points worse than %(baseline)s; between %(low)s and %(high)s.")
        return words % _gain_values(over, value, ends=(high, low), text=distance_text)
    if gain["is_shown"]:
        words = _("Gain of %(points)s points over %(baseline)s; between %(low)s and %(high)s.")
        return words % _gain_values(over, value, ends=(low, high), text=distance_text)
    words = _("Gain over %(baseline)s not shown: %(points)s points; between %(low)s and %(high)s.")
    return words % _gain_values(over, value, ends=(low, high), text=points_text)


def reason_text(why: Why, case: Case, spec: TaskSpec | None) -> str:
    """Say one reason as a part of a sentence."""
    if why in PLAIN_REASONS:
        return _(PLAIN_REASONS[why])
    if why == Why.TEST_CORRECTED:
        return _corrected(case)
    if why in (Why.LOW_GRADE, Why.FAIR_GRADE):
        return _low_end(case, spec)
    if why == Why.NO_SCALE:
        return _("no grades are set for %(metric)s") % {"metric": metric_label(spec, case.graded.metric)}
    if why == Why.FEW_UNITS:
        units = case.proof["units"]
        words = ngettext("only %(units)s independent test text", "only %(units)s independent test texts", units)
        return words % {"units": count_text(units)}
    if why in (Why.NEVER_RECOGNISED, Why.UNTESTED):
        return _classes(why, case)
    is_worse = why == Why.BELOW_BASELINE
    words = _("gain not shown, worse than %(baseline)s") if is_worse else _("gain over %(baseline)s not shown")
    return words % {"baseline": _compared_to(case, spec)}


def named_classes(names: Sequence[str]) -> str:
    """Name the first classes of a list, and say how many more there are."""
    shown = ", ".join(f"“{name}”" for name in names[:NAMED])
    if len(names) <= NAMED:
        return shown
    words = ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", len(names) - NAMED)
    return words % {"names": shown, "count": count_text(len(names) - NAMED)}


def _classes(why: Why, case: Case) -> str:
    found = never_recognised(case.proof) if why == Why.NEVER_RECOGNISED else untested(case.proof)
    if why == Why.NEVER_RECOGNISED:
        words = ngettext("%(names)s is never recognised", "%(names)s are never recognised", len(found))
    else:
        words = ngettext("%(names)s has no test example", "%(names)s have no test example", len(found))
    return words % {"names": named_classes([entry["name"] for entry in found])}


def _corrected(case: Case) -> str:
    words = ngettext(
        "%(count)s test label was corrected: compare with the uncorrected figure with care",
        "%(count)s test labels were corrected: compare with the uncorrected figure with care",
        case.corrected_test_rows,
    )
    return words % {"count": count_text(case.corrected_test_rows)}


def _low_end(case: Case, spec: TaskSpec | None) -> str:
    worst = case.graded.worst
    return _("%(metric)s may be as low as %(low)s (%(grade)s)") % {
        "metric": metric_label(spec, case.graded.metric),
        "low": share_text(case.graded.figure["low"]),
        "grade": GRADE_LABELS[worst] if worst else UNKNOWN,
    }


def _praise(case: Case, spec: TaskSpec | None) -> str:
    """Say why a model may be used: its figure, the low end of it, and what it gains."""
    gain, worst = case.proof["gain"], case.graded.worst
    words = _(
        "%(metric)s is %(value)s and hardly below %(low)s (%(grade)s); %(points)s points better than %(baseline)s"
    )
    return words % {
        "metric": metric_label(spec, case.graded.metric),
        "value": share_text(case.graded.figure["value"]),
        "low": share_text(case.graded.figure["low"]),
        "grade": GRADE_LABELS[worst] if worst else UNKNOWN,
        "points": distance_text(gain["value"]) if gain else UNKNOWN,
        "baseline": _compared_to(case, spec),
    }


def _compared_to(case: Case, spec: TaskSpec | None) -> str:
    """Name the simple method, and the figure in which it was compared unless that is the graded one."""
    gain = case.proof["gain"]
    if gain is None or case.proof["metric"] == case.graded.metric:
        return baseline_name(gain["over"]) if gain else UNKNOWN
    words = _("%(baseline)s in %(metric)s")
    return words % {"baseline": baseline_name(gain["over"]), "metric": metric_label(spec, case.proof["metric"])}


def _gain_values(
    over: str, value: float, *, ends: tuple[float, float], text: Callable[[float | None], str]
) -> dict[str, str]:
    return {"baseline": over, "points": text(value), "low": text(ends[0]), "high": text(ends[1])}
