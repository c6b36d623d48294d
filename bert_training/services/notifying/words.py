"""Puts what happened into the reader's language: one title, one sentence, the figure, and where to look.

Of what people have typed only a run's name and a computer's name are said: no cell, no text, no file's name, and of an
error its code's own sentence, never the message that came with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bert_training.contract.enums import NoticeKind
from bert_training.models import Occurrence
from bert_training.models.reasons import explain
from bert_training.services.proving.figure_words import count_text, interval_text, share_text
from bert_training.services.proving.verdict_words import VERDICT_LABELS, VERDICT_MEANING, metric_label
from bert_training.services.proving.verdicts import Verdict
from bert_training.tasks import TASKS

GOOD, BAD, NEUTRAL, WARNING = "good", "bad", "neutral", "warning"


@dataclass(frozen=True)
class Told:
    """What is said of an occurrence. path: where to look, below BASE_URL.  tone: good, bad, warning or neutral."""

    title: str
    sentence: str = ""
    advice: str = ""
    figure: str = ""
    path: str = ""
    tone: str = NEUTRAL


def tell(occurrence: Occurrence) -> Told:
    """Return what is said of an occurrence that came with its run, dataset and worker: no query."""
    return _TOLD[NoticeKind(occurrence.kind)](occurrence)


def _completed(occurrence: Occurrence) -> Told:
    named = occurrence.facts.get("verdict")
    verdict = Verdict(named) if named in {*Verdict} else None
    return Told(
        title=_("%(run)s is completed") % _run(occurrence),
        sentence=f"{VERDICT_LABELS[verdict]}." if verdict else "",
        advice=_verdict_advice(verdict) if verdict else "",
        figure=figure_words(occurrence),
        path=_run_path(occurrence),
        tone=GOOD,
    )


def _verdict_advice(verdict: Verdict) -> str:
    if verdict is Verdict.DO_NOT_USE:  # whose own words lead to alerts, which stand on the run's page alone
        return _("Nothing should follow from its answers. The run's page says what may help.")
    return _(VERDICT_MEANING[verdict])


def _decision(occurrence: Occurrence) -> Told:
    told = _completed(occurrence)
    title = _("%(run)s is completed: please decide") % _run(occurrence)
    return Told(title, told.sentence, told.advice, told.figure, told.path, WARNING)


def _failed(occurrence: Occurrence) -> Told:
    words = explain(str(occurrence.facts.get("reason", "")))
    title = _("%(run)s failed") % _run(occurrence)
    return Told(title, str(words.sentence), str(words.advice), path=_run_path(occurrence), tone=BAD)


def _canceled(occurrence: Occurrence) -> Told:
    title = _("%(run)s was canceled") % _run(occurrence)
    return Told(title, _("Somebody else canceled it."), path=_run_path(occurrence))


def _repeats(occurrence: Occurrence) -> Told:
    repeats, completed = occurrence.facts.get("repeats", 0), occurrence.facts.get("completed", 0)
    words = ngettext(
        "%(completed)s of %(count)s repeat completed.", "%(completed)s of %(count)s repeats completed.", repeats
    )
    return Told(
        title=_("All repeats of %(run)s have ended") % _run(occurrence),
        sentence=words % {"completed": count_text(completed), "count": count_text(repeats)},
        path=f"{_run_path(occurrence)}#repeats",
        tone=GOOD if completed == repeats else WARNING,
    )


def _dataset_ready(occurrence: Occurrence) -> Told:
    title = _("Dataset %(number)s is ready") % {"number": occurrence.dataset_id}
    return Told(title, _("Its check is over: you can train on it."), path=_dataset_path(occurrence), tone=GOOD)


def _dataset_refused(occurrence: Occurrence) -> Told:
    title = _("Dataset %(number)s cannot be used as it is") % {"number": occurrence.dataset_id}
    advice = _("Its page says what is wrong, and how to mend it.")
    return Told(title, advice=advice, path=_dataset_path(occurrence), tone=BAD)


def _token(occurrence: Occurrence) -> Told:
    title = _("An API token of yours expires within a week")
    return Told(title, advice=_("Rotate it before then."), path=reverse("pages:tokens"), tone=WARNING)


def _worker_silent(occurrence: Occurrence) -> Told:
    title = _("%(computer)s has fallen silent") % _computer(occurrence)
    advice = _("Look whether it is switched on and reaches the network.")
    return Told(title, _("It has not been heard of for ten minutes."), advice, path=reverse("pages:workers"), tone=BAD)


def _worker_token(occurrence: Occurrence) -> Told:
    title = _("The token of %(computer)s expires within a week") % _computer(occurrence)
    advice = _("Staff make a new one in the administration, under Workers; a run in training goes on.")
    return Told(title, advice=advice, path=reverse("pages:workers"), tone=WARNING)


def _disk(occurrence: Occurrence) -> Told:
    if occurrence.worker is None:
        title, advice = (
            _("The portal's disk is nearly full"),
            _("Free some space: uploads are refused when it is full."),
        )
    else:
        title = _("The disk of %(computer)s is nearly full") % _computer(occurrence)
        advice = _("Free some space in its models folder: its next run would fail.")
    return Told(title, advice=advice, path=reverse("pages:workers"), tone=BAD)


def _erasure(occurrence: Occurrence) -> Told:
    title = _("A deletion has waited for a computer for a week")
    advice = _("Switch the computer on, or note that it was cleaned or destroyed.")
    path = reverse("pages:erasure", args=[occurrence.number])
    return Told(title, advice=advice, path=path, tone=WARNING)


def _webhook_off(occurrence: Occurrence) -> Told:
    title = _("A webhook was switched off")
    advice = _("Its deliveries say why; switch it on again in the administration.")
    path = reverse("admin:bert_training_webhook_change", args=[occurrence.number])
    return Told(title, _("Its last 20 calls were in vain."), advice, path=path, tone=BAD)


def _test(_occurrence: Occurrence) -> Told:
    return Told(_("A test of the BERT Training Portal"), _("If you read this, notifications arrive here."), path="/")


_TOLD: dict[NoticeKind, Callable[[Occurrence], Told]] = {
    NoticeKind.RUN_COMPLETED: _completed,
    NoticeKind.RUN_DECISION: _decision,
    NoticeKind.RUN_FAILED: _failed,
    NoticeKind.RUN_CANCELED: _canceled,
    NoticeKind.REPEATS_ENDED: _repeats,
    NoticeKind.DATASET_READY: _dataset_ready,
    NoticeKind.DATASET_REFUSED: _dataset_refused,
    NoticeKind.TOKEN_EXPIRING: _token,
    NoticeKind.WORKER_SILENT: _worker_silent,
    NoticeKind.WORKER_TOKEN_EXPIRING: _worker_token,
    NoticeKind.DISK_FULL: _disk,
    NoticeKind.ERASURE_WAITING: _erasure,
    NoticeKind.WEBHOOK_OFF: _webhook_off,
    NoticeKind.TEST: _test,
}


def figure_words(occurrence: Occurrence) -> str:
    """Return the headline of a completed run with its interval: "F1 (macro) 91.2% (88.0% to 94.0%)"; empty for none."""
    facts = occurrence.facts
    if occurrence.run is None or facts.get("value") is None:
        return ""
    spec = TASKS.get(occurrence.run.task)
    label = metric_label(spec, facts["metric"])
    is_loss = any(
        metric.name == facts["metric"] and not metric.higher_is_better for metric in (spec.metrics if spec else ())
    )
    write = _loss_text if is_loss else share_text
    figure: Any = {"value": facts["value"], "low": facts.get("low"), "high": facts.get("high")}
    interval = interval_text(figure, write)
    return f"{label} {write(facts['value'])}" + (f" ({interval})" if interval else "")


def _loss_text(value: float) -> str:
    """Write a figure that is no share of anything."""
    return str(number_format(round(value, 4), decimal_pos=4))


def _run(occurrence: Occurrence) -> dict[str, str]:
    return {"run": occurrence.run.name if occurrence.run else ""}


def _computer(occurrence: Occurrence) -> dict[str, str]:
    return {"computer": occurrence.worker.name if occurrence.worker else ""}


def _run_path(occurrence: Occurrence) -> str:
    return reverse("pages:run", args=[occurrence.run_id])


def _dataset_path(occurrence: Occurrence) -> str:
    return reverse("pages:dataset", args=[occurrence.dataset_id])
