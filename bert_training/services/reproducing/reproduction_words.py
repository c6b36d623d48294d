"""Says in the reader's language how two runs compare, for pages, admin and API alike."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from bert_training.contract.enums import Cause, Verdict
from bert_training.data.proof.agreement import Agreement
from bert_training.data.table import PART_STRIDE, PARTS
from bert_training.data.table_changes import RowChange
from bert_training.models import Run
from bert_training.models.choices import SPLIT_LABELS
from bert_training.services.proving.figure_words import count_text, points_text, share_text
from bert_training.services.reproducing.reproduction import Comparison, Reason
from bert_training.services.reproducing.reproduction_causes import Difference
from bert_training.tasks import TASKS

VERDICT_LABELS = {
    Verdict.IDENTICAL: gettext_noop("identical"),
    Verdict.EQUIVALENT: gettext_noop("equivalent"),
    Verdict.DIFFERENT: gettext_noop("different"),
    Verdict.NOT_COMPARABLE: gettext_noop("not comparable"),
}
VERDICT_SENTENCES = {
    Verdict.IDENTICAL: gettext_noop("Both runs have the same weights and gave the same answers, bit by bit."),
    Verdict.EQUIVALENT: gettext_noop("The answers are not all the same, but no difference in quality is shown."),
    Verdict.DIFFERENT: gettext_noop("The results differ by more than chance explains."),
    Verdict.NOT_COMPARABLE: gettext_noop("The two runs cannot be compared."),
}
SAME_WEIGHTS = gettext_noop(
    "Both runs have the same weights and gave the same answers; the data or the simple methods differ."
)
ALL_EQUAL = gettext_noop("All answers are the same, but not the weights or the stated probabilities.")
REASON_SENTENCES = {
    Reason.NOT_COMPLETED: gettext_noop("One of them has not been completed."),
    Reason.SIMULATED: gettext_noop("One of them is a simulation."),
    Reason.OTHER_TASK: gettext_noop("They are for different tasks."),
    Reason.FIRST_GONE: gettext_noop("The first run was deleted, or you may not see it."),
    Reason.PREDICTIONS_UNKNOWN: gettext_noop("The portal does not have the answers of one of them, row by row."),
    Reason.BEING_COMPARED: gettext_noop("Their answers are being compared; look again in a minute."),
    Reason.FEW_SHARED_ROWS: gettext_noop("They share too few test rows."),
    Reason.NO_INTERVAL: gettext_noop("No interval can be computed for the figure that decides."),
    Reason.NOT_BIT_EQUAL: gettext_noop(
        "Nothing else differs: this device does not compute the same bits twice unless “deterministic” is on."
    ),
    Reason.FACTS_UNKNOWN: gettext_noop("Nothing that is known differs; what is not known may explain it."),
    Reason.UNEXPLAINED: gettext_noop("Nothing that is known differs, and yet the result does."),
}
CAUSE_LABELS = {
    Cause.TABLE: gettext_noop("Data (SHA-256 of the table)"),
    Cause.SPLIT: gettext_noop("Division (digest of the split)"),
    Cause.HYPERPARAMETER: gettext_noop("Setting"),
    Cause.SEED: gettext_noop("Seed"),
    Cause.INITIAL_MODEL: gettext_noop("Model it begins from"),
    Cause.BASE_MODEL: gettext_noop("Base model"),
    Cause.BASE_MODEL_REVISION: gettext_noop("Revision of the base model"),
    Cause.DEVICE: gettext_noop("Device"),
    Cause.PRECISION: gettext_noop("Numeric precision"),
    Cause.CODE: gettext_noop("Version of the program"),
    Cause.THREADS: gettext_noop("Threads"),
    Cause.PACKAGE: gettext_noop("Package"),
    Cause.ENVIRONMENT: gettext_noop("Fingerprint of the environment"),
    Cause.PYTHON: gettext_noop("Python"),
}
DIGESTS = (Cause.TABLE, Cause.SPLIT, Cause.INITIAL_MODEL, Cause.BASE_MODEL_REVISION, Cause.ENVIRONMENT)
SHOWN_CHARACTERS = 20  # of a digest: 13 hexadecimal digits of sha256:... tell two apart
CHANGE_SENTENCES = {
    ("changed", True): gettext_noop("%(row)s: another value in the column %(column)s"),
    ("added", True): gettext_noop("%(row)s: only in the second"),
    ("missing", True): gettext_noop("%(row)s: only in the first"),
    ("added", False): gettext_noop("column %(column)s: only in the second"),
    ("missing", False): gettext_noop("column %(column)s: only in the first"),
}


def verdict_label(verdict: Verdict) -> str:
    """Name a verdict in a word."""
    return _(VERDICT_LABELS[verdict])


def sentences_of(comparison: Comparison, run: Run) -> list[str]:
    """Say what was found and by what: verdict, agreement on the test rows, reason. run: one of the two."""
    sentences = [_(_first_sentence(comparison))]
    if comparison.agreement and comparison.agreement["rows"]:
        sentences.append(_agreement_sentence(comparison.agreement, run))
    if comparison.reason:
        sentences.append(_(REASON_SENTENCES[Reason(comparison.reason)]))
    if comparison.unknown and comparison.reason != Reason.NOT_COMPLETED:  # who has not ended may still tell
        names = ", ".join(_(CAUSE_LABELS[Cause(name)]).lower() for name in comparison.unknown)
        sentences.append(_("Not known of one of them: %(names)s.") % {"names": names})
    return sentences


def results_of(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Name the digests of what came out that both runs state and that differ: (which, first, second)."""
    pairs = [
        (_("Fingerprint of the model"), comparison.fingerprints),
        (_("Digest of the predictions"), comparison.digests),
    ]
    return [(name, _shortened(one), _shortened(two)) for name, (one, two) in pairs if one and two and one != two]


def cause_label(difference: Difference) -> str:
    """Name what differs: "Package torch", "Setting epochs"."""
    label = _(CAUSE_LABELS[difference.cause])
    named = difference.name if difference.cause in (Cause.PACKAGE, Cause.HYPERPARAMETER) else ""
    return f"{label} {named}".strip()


def value_text(difference: Difference, value: str) -> str:
    """Write one side of a difference, a digest by its beginning; a package that is not there says so."""
    return (_shortened(value) if difference.cause in DIGESTS else value) or _("not installed")


def change_sentence(change: RowChange) -> str:
    """Say in which row of the spreadsheet something differs, never what."""
    row = change["row"]
    sentence = _(CHANGE_SENTENCES[change["kind"], row is not None])
    return sentence % {"row": "" if row is None else row_text(row), "column": _column_label(change["column"])}


def _column_label(name: str) -> str:
    """Name a column of the canonical table as the page for uploads does."""
    columns = (column for spec in TASKS.values() for column in spec.columns)
    return next((_(column.label) for column in columns if column.name == name), name)


def row_text(row: int) -> str:
    """Name a row as the person sees it; of a file sent beside the first its split is named too."""
    part, number = divmod(row, PART_STRIDE)
    words = _("row %(row)s") % {"row": number}
    return f"{words} ({SPLIT_LABELS[PARTS[part].value]})" if part else words


def _shortened(digest: str) -> str:
    return f"{digest[:SHOWN_CHARACTERS]}…" if len(digest) > SHOWN_CHARACTERS else digest


def _first_sentence(comparison: Comparison) -> str:
    if not _are_all_equal(comparison):
        return VERDICT_SENTENCES[comparison.verdict]
    one, other = comparison.fingerprints
    return SAME_WEIGHTS if one and one == other else ALL_EQUAL


def _are_all_equal(comparison: Comparison) -> bool:
    """Tell whether the verdict is that no answer differs, though something else of the result does."""
    agreement = comparison.agreement
    return (
        comparison.verdict == Verdict.EQUIVALENT and agreement is not None and agreement["equal"] == agreement["rows"]
    )


def _agreement_sentence(agreement: Agreement, run: Run) -> str:
    """Say how many answers are equal, and by how much the deciding figure differs."""
    counted = ngettext(
        "%(equal)s of %(rows)s shared test row was answered alike (%(share)s).",
        "%(equal)s of %(rows)s shared test rows were answered alike (%(share)s).",
        agreement["rows"],
    ) % {
        "equal": count_text(agreement["equal"]),
        "rows": count_text(agreement["rows"]),
        "share": share_text(agreement["equal"] / agreement["rows"]),
    }
    if agreement["low"] is None or agreement["high"] is None:
        return counted
    sentence = _("%(metric)s of the second run: %(value)s points (95%% interval: %(low)s to %(high)s).") % {
        "metric": _metric_label(agreement["metric"], run),
        "value": points_text(agreement["difference"]),
        "low": points_text(agreement["low"]),
        "high": points_text(agreement["high"]),
    }
    return f"{counted} {sentence}"


def _metric_label(name: str, run: Run) -> str:
    """Return how a figure of the run's task is called."""
    spec = TASKS.get(run.task)
    labels = {metric.name: _(metric.label) for metric in spec.metrics} if spec else {}
    return labels.get(name, name)
