"""Says the alerts of a result in the reader's language: what was seen, and what may help."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext_lazy

from bert_training.services.proving.figure_words import count_text, distance_text, points_text, share_text
from bert_training.services.proving.proof_alerts import Alert, Code, Severity
from bert_training.services.proving.verdict_words import baseline_name, metric_label, named_classes
from bert_training.tasks.spec import TaskSpec

SEVERITY_LABELS = {
    Severity.ERROR: gettext_lazy("Serious"),
    Severity.WARNING: gettext_lazy("Attention"),
    Severity.INFO: gettext_lazy("Note"),
}

SENTENCES = {
    Code.BELOW_BASELINE: gettext_noop(
        "Worse than %(baseline)s: the difference is between %(low)s and %(high)s points."
    ),
    Code.GAIN_NOT_SHOWN: gettext_noop(
        "Gain not shown: the difference to %(baseline)s is between %(low)s and %(high)s points, which may be chance."
    ),
    Code.LOW_PERFORMANCE: gettext_noop(
        "Low performance: %(metric)s is %(value)s on the test rows, and may be only %(least)s."
    ),
    Code.OVERFITTING: gettext_noop(
        "Overfitting: the validation loss rose from %(before)s to %(after)s while the training loss fell."
    ),
    Code.WEAKER_ON_TEST: gettext_noop(
        "Weaker on test than on validation: %(metric)s is %(test)s instead of %(validation)s, more than "
        "chance explains."
    ),
    Code.BADLY_CALIBRATED: gettext_noop(
        "The stated probabilities are off: on average by %(error)s points, also after the calibration."
    ),
}
# The plural goes by `number`, which no sentence shows: counts are shown with the thousands apart.
COUNTED = {
    Code.FEW_TEST_ROWS: ngettext_lazy(
        "Too little data: only %(units)s independent test text; figures are worth little below 30.",
        "Too little data: only %(units)s independent test texts; figures are worth little below 30.",
        "number",
    ),
    Code.FEW_TRAINING_ROWS: ngettext_lazy(
        "Too little data: %(rows)s training row for %(classes)s labels, less than 10 for each.",
        "Too little data: %(rows)s training rows for %(classes)s labels, less than 10 for each.",
        "number",
    ),
    Code.FEW_ROWS_OF_CLASSES: ngettext_lazy(
        "Few examples: %(names)s has fewer than 30 in the test rows.",
        "Few examples: %(names)s have fewer than 30 in the test rows.",
        "number",
    ),
    Code.UNTESTED_CLASSES: ngettext_lazy(
        "No examples: %(names)s does not occur in the test rows.",
        "No examples: %(names)s do not occur in the test rows.",
        "number",
    ),
    Code.NEVER_RECOGNISED: ngettext_lazy(
        "Never recognised: %(names)s.",
        "Never recognised: %(names)s.",
        "number",
    ),
    Code.DOUBTED_LABELS: ngettext_lazy(
        "%(count)s label is doubted, %(share)s of those that were looked at.",
        "%(count)s labels are doubted, %(share)s of those that were looked at.",
        "number",
    ),
    Code.CORRECTED_TEST_LABELS: ngettext_lazy(
        "%(count)s of %(all)s test rows has another label than in the spreadsheet that this one continues.",
        "%(count)s of %(all)s test rows have another label than in the spreadsheet that this one continues.",
        "number",
    ),
    Code.SENTENCES_CUT: ngettext_lazy(
        "%(count)s of %(all)s test sentence was cut, and %(words)s words with it.",
        "%(count)s of %(all)s test sentences were cut, and %(words)s words with them.",
        "number",
    ),
}
ADVICE = {
    Code.BELOW_BASELINE: gettext_noop(
        "Train longer or with a higher learning rate, look at the labels, or use the simple method."
    ),
    Code.GAIN_NOT_SHOWN: gettext_noop(
        "More test rows narrow the interval; more training rows, more epochs or a larger base model may bring a gain."
    ),
    Code.LOW_PERFORMANCE: gettext_noop(
        "Look at the most confused pairs and the doubted labels first; then add rows of the weak labels."
    ),
    Code.OVERFITTING: gettext_noop(
        "The weights of the best evaluation were kept. Fewer epochs, a lower learning rate, more weight decay or more "
        "rows help."
    ),
    Code.WEAKER_ON_TEST: gettext_noop(
        "Trust the test figure. Look whether the test rows come from another time or source than the others."
    ),
    Code.FEW_TEST_ROWS: gettext_noop("Add rows, or give the test split a larger share."),
    Code.FEW_TRAINING_ROWS: gettext_noop("Add rows of each label, or join labels that mean nearly the same."),
    Code.FEW_ROWS_OF_CLASSES: gettext_noop("Their own figures may be chance. Add rows of these labels."),
    Code.UNTESTED_CLASSES: gettext_noop("Nothing is known of how well they are recognised. Add rows of them."),
    Code.NEVER_RECOGNISED: gettext_noop("Add rows of them, use class weights or train for more epochs."),
    Code.BADLY_CALIBRATED: gettext_noop("Do not decide by the stated probability alone."),
    Code.DOUBTED_LABELS: gettext_noop("Look at the doubted rows, correct the spreadsheet and train again."),
    Code.CORRECTED_TEST_LABELS: gettext_noop(
        "Where labels are corrected because a model doubted them, the test comes to agree with models: figures rise "
        "even if the model is no better. Compare it only with runs on the same corrected rows."
    ),
    Code.SENTENCES_CUT: gettext_noop("Raise the maximum length, or divide long rows: what is cut is never found."),
}


@dataclass(frozen=True)
class ShownAlert:
    """An alert in words."""

    code: str
    severity: str
    severity_label: str
    sentence: str
    advice: str


def shown_alert(alert: Alert, spec: TaskSpec | None) -> ShownAlert:
    """Put an alert into words."""
    values = {name: _value_text(name, value, spec) for name, value in alert.values.items()} | {"number": alert.number}
    sentence = COUNTED[alert.code] % values if alert.code in COUNTED else _(SENTENCES[alert.code]) % values
    label = str(SEVERITY_LABELS[alert.severity])
    return ShownAlert(alert.code.value, alert.severity.value, label, str(sentence), _(ADVICE[alert.code]))


def _value_text(name: str, value: Any, spec: TaskSpec | None) -> str:
    """Write what a sentence names, by what its name stands for."""
    match name:
        case "baseline":
            return baseline_name(value)
        case "metric":
            return metric_label(spec, value)
        case "names":
            return named_classes(value)
        case "low" | "high":
            return points_text(value)
        case "error":
            return distance_text(value)
        case "before" | "after":
            return str(number_format(round(value, 4), decimal_pos=4))
        case "units" | "rows" | "classes" | "count" | "all" | "words":
            return count_text(value)
    return share_text(value)
