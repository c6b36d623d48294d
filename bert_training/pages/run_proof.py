"""What proves the result of a run, as its page shows it: verdict first, then figures, classes, errors, source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bert_training.charts.shapes import Chart
from bert_training.contract.enums import JobStatus, ProofStatus
from bert_training.contract.limits import API_PREFIX
from bert_training.data.proof.shape import CalibrationProof, Proof
from bert_training.models import Run, RunProof
from bert_training.pages import proof_classes, proof_doubts, proof_figures, proof_matrix, run_proof_charts
from bert_training.pages.proof_coverage import ShownCoverage, shown_coverage
from bert_training.pages.result_view import ResultView
from bert_training.pages.words import Fact
from bert_training.services.proving.figure_words import count_text, distance_text
from bert_training.services.proving.proof_alerts import Code
from bert_training.services.proving.proof_summary import Summary, summarize, usable
from bert_training.tasks import TASKS
from bert_training.tasks.spec import TaskSpec


@dataclass(frozen=True)
class ShownProof:
    """A ready proof in words and pictures.

    charts: by their names, those that there are.  download: "" where the predictions were deleted with the dataset.
    """

    summary: Summary
    headline: list[proof_figures.ShownFigure]
    table: proof_figures.FigureTable
    averaging: list[str]
    classes: proof_classes.ClassList
    weakest: str
    pairs: list[proof_matrix.ShownPair]
    matrix: proof_matrix.Matrix | None
    errors: list[Fact]
    errors_sentence: str
    calibration: list[str]
    coverage: ShownCoverage | None
    doubts: proof_doubts.ShownDoubts | None
    charts: Mapping[str, Chart]
    source: str
    download: str

    @property
    def is_entities(self) -> bool:
        """Whether it is about entities in sentences rather than labels of texts."""
        return "entities" in self.summary.proof


@dataclass(frozen=True)
class ProofState:
    """How far the proof of a run is. notice: why there are figures of the worker alone; "" where there is a proof."""

    shown: ShownProof | None
    notice: str
    is_pending: bool = False


def proof_of(run: Run, *, split: Mapping[str, Any], view: ResultView) -> ProofState:
    """Return the proof of a run in words, or why there is none. split: the facts of its division."""
    spec = TASKS.get(run.task)
    if run.status != JobStatus.COMPLETED or run.simulate or spec is None:
        return ProofState(None, "")
    row = RunProof.objects.filter(run=run).first()
    proof = usable(row)
    if proof is not None:
        summary = summarize(run, proof, split=split)
        return ProofState(_shown(run, spec, summary, view=view, has_file=bool(row and row.key)), "")
    if row is None:
        return ProofState(
            None,
            _(
                "The program on the computer that trained sent no predictions: these are its own figures, without "
                "intervals and without a comparison. Update the program there, then reproduce the run."
            ),
        )
    if row.status == ProofStatus.PENDING:
        words = _("Intervals and comparison are being computed. Until then these are the worker's own figures.")
        return ProofState(None, words, is_pending=True)
    return ProofState(
        None,
        _(
            "Intervals and comparison could not be computed from the predictions; these are the worker's own figures. "
            "Staff find the reason in the portal's log."
        ),
    )


def _shown(run: Run, spec: TaskSpec, summary: Summary, *, view: ResultView, has_file: bool) -> ShownProof:
    proof = summary.proof
    return ShownProof(
        summary=summary,
        headline=proof_figures.headline_figures(
            proof, spec, graded_metric=summary.graded.metric, grade=summary.grade_label
        ),
        table=proof_figures.figure_table(proof, spec, (run.result or {}).get("metrics", {})),
        averaging=_averaging(proof),
        classes=proof_classes.class_list(run, proof, view),
        weakest=proof_classes.weakest_sentence(proof),
        pairs=proof_matrix.confused_pairs(run, proof),
        matrix=proof_matrix.shown_matrix(run, proof, view),
        errors=_errors(proof),
        errors_sentence=_errors_sentence(proof),
        calibration=_calibration(proof["calibration"], is_bad=summary.warns_of(Code.BADLY_CALIBRATED)),
        coverage=shown_coverage(proof, view),
        doubts=proof_doubts.shown_doubts(proof["label_errors"]),
        charts=run_proof_charts.charts_of(proof, spec, graded_metric=summary.graded.metric),
        source=_source(summary),
        download=f"{API_PREFIX}/runs/{run.pk}/predictions" if has_file else "",
    )


def _averaging(proof: Proof) -> list[str]:
    """Say what the names of the figures mean."""
    found = proof.get("entities")
    if found:
        scheme = _("Entities are counted whole, type and both borders (%(scheme)s); macro: each type counts alike.")
        words = _("The accuracy counts words, most of which belong to no entity: it says little.")
        linear = _(
            "The linear method judges each word by its letters and its neighbours and learned from the same sentences "
            "in seconds; a network must be better to be worth its cost."
        )
        return [scheme % {"scheme": found["scheme"]}, words, linear]
    macro = _("Macro: each label counts alike. Micro: each row counts alike. Weighted: each label by its rows.")
    linear = _(
        "The linear method counts words (TF-IDF with logistic regression) and learned from the same training rows in "
        "seconds; a network must be better to be worth its cost."
    )
    return [macro, linear]


def _errors(proof: Proof) -> list[Fact]:
    """Count what became of the entities, each once."""
    found = proof.get("entities")
    if not found:
        return []
    return [
        Fact(_("Right"), count_text(found["right"])),
        Fact(_("Missed"), count_text(found["missed"])),
        Fact(_("Spurious"), count_text(found["spurious"])),
        Fact(_("Wrong type"), count_text(found["wrong_type"])),
        Fact(_("Wrong boundary"), count_text(found["wrong_boundary"])),
    ]


def _errors_sentence(proof: Proof) -> str:
    found = proof.get("entities")
    if not found:
        return ""
    words = _(
        "Of %(sentences)s sentences %(cut)s were cut, and %(words)s words with them were never looked at. %(invalid)s "
        "predicted tags continue no entity and count for nothing."
    )
    values = {"sentences": "sentences", "cut": "sentences_cut", "words": "words_cut", "invalid": "invalid_tags"}
    return words % {name: count_text(found[field]) for name, field in values.items()}  # type: ignore[literal-required]


def _calibration(found: CalibrationProof | None, *, is_bad: bool) -> list[str]:
    """Say in plain words what a stated probability is worth; of a bad one an alert has said that it is not much."""
    if found is None or found["before"] is None or found["after"] is None:
        return []
    errors = {"before": distance_text(found["before"]), "after": distance_text(found["after"])}
    said = _(
        "How far stated probabilities are from the share that is right, on average on the test rows: %(before)s points "
        "before the calibration, %(after)s after it (ECE, 15 bins of equally many rows)."
    )
    fitted = _("The correction was fitted on the validation rows and is part of the kept model.")
    means = _("So of answers stated with 80%% about 80 in 100 should be right.") % {}
    return [said % errors, fitted if is_bad else f"{means} {fitted}"]


def _source(summary: Summary) -> str:
    """Say from what the figures were computed."""
    words = _(
        "Computed by the portal from the answer to each of %(rows)s test rows, of which %(units)s are independent: "
        "near-copies and rows of a group count as one. 95%% intervals: bootstrap over these, %(replicates)s "
        "replicates; single shares by Wilson."
    )
    proof = summary.proof
    values = {"rows": proof["rows"].get("test", 0), "units": proof["units"], "replicates": summary.replicates}
    return words % {name: count_text(value) for name, value in values.items()}
