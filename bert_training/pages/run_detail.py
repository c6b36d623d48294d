"""The page of one run: its state now and the newest log lines; the browser appends the rest as it happens."""

from datetime import datetime
from itertools import accumulate
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.limits import API_PREFIX
from bert_training.models import Log, Run
from bert_training.models.choices import STATUS_LABELS
from bert_training.models.reasons import explain
from bert_training.pages import run_charts, run_facts, run_long_text, run_proof, run_repeats, run_reproduction
from bert_training.pages.requests import page, person
from bert_training.pages.result_view import ResultView
from bert_training.pages.run_marks import marks_context
from bert_training.pages.run_settings import settings_of
from bert_training.pages.sharing import shares_context
from bert_training.pages.splits import shown_split
from bert_training.pages.waiting import why_waiting
from bert_training.services.divisions import split_facts
from bert_training.services.provenance import provenance_of
from bert_training.services.run_state import run_state
from bert_training.services.telemetry import telemetry_since
from bert_training.tasks import TASKS

# The newest lines stand in the first answer; the browser fetches older ones after the page is there.
FIRST_LINES = 500
LINES_WITHOUT_SCRIPT = 100


@page
def show_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Show everything about one run."""
    user = person(request)
    run = access.visible_run(user, pk)
    state = run_state(run)
    oldest = _cursor_before_newest(run)
    telemetry = telemetry_since(run.pk, logs_after=oldest, limit=FIRST_LINES)
    may_change = access.may_change(user, run)
    may_use_data = access.may_use(user, run.dataset)
    division = split_facts(run)
    context: dict[str, Any] = {
        "run": run,
        "state": state,
        "may_change": may_change,
        "may_reproduce": run.dataset.is_ready and may_use_data and access.may_use(user, run),
        "opens_data": access.may_see_texts(user, run),
        "reproduced_from_visible": _is_visible(user, run.reproduced_from_id),
        "initial_run_visible": _is_visible(user, run.initial_run_id),
        "progress_value": f"{state['progress']['fraction']:.4f}",
        "steps_sentence": steps_sentence(state["progress"]),
        "waiting": why_waiting(run.job, user),
        "explanation": explain(run.error_code) if run.error_code else None,
        "result": run_facts.result_of(run),
        "proof": run_proof.proof_of(run, split=division, view=ResultView.of(request.GET)),
        "long_text": run_long_text.long_text_of(run),
        **run_repeats.repeats_context(run, may_change=may_change, may_use_data=may_use_data),
        **shares_context(user, run),
        **marks_context(run, may_change=may_change),
        "reproduction": run_reproduction.reproduction_of(run, user),
        "has_metrics": bool(telemetry.metrics),
        "epochs": run_charts.epochs_of(run, state["attempts"]),
        "attempts": [_shown_attempt(attempt) for attempt in state["attempts"]],
        "settings": settings_of(run),
        "split": shown_split(division),
        "provenance": provenance_of(run),
        "last_lines": [_shown_line(line) for line in telemetry.logs[-LINES_WITHOUT_SCRIPT:]],
        "page_data": {
            "socket": f"/ws/runs/{run.pk}",
            "api": f"{API_PREFIX}/runs/{run.pk}",
            "state": state,
            "logs": telemetry.logs,
            "logsBefore": oldest,
            "metrics": telemetry.metrics,
            "metricsLeft": len(telemetry.metrics) == FIRST_LINES,
            "charts": run_charts.described(run, run_charts.charts_of(TASKS.get(run.task))),
            "best": run_charts.best_rule(run),
            "words": _words_for_scripts(),
        },
    }
    return render(request, "runs/detail.html", context)


def _is_visible(user: User, pk: int | None) -> bool:
    """Tell whether a run that this one names can be opened."""
    return pk is not None and access.runs_visible_to(user).filter(pk=pk).exists()


def steps_sentence(progress: dict[str, Any]) -> str:
    """Say where the training is: "epoch 2, step 130 of 400"."""
    if not progress["total_steps"]:
        return ""
    return _("epoch %(epoch)s · step %(step)s of %(total_steps)s") % progress


def _cursor_before_newest(run: Run) -> int:
    """Return the cursor after which the newest FIRST_LINES lines stand; 0 when that is all of them."""
    older = Log.objects.filter(run=run).order_by("-id").values_list("id", flat=True)[FIRST_LINES : FIRST_LINES + 1]
    return next(iter(older), 0)


def _shown_line(line: dict[str, Any]) -> dict[str, str]:
    moment = timezone.localtime(datetime.fromisoformat(line["ts"]))
    return {"level": line["level"], "time": f"{moment:%H:%M:%S}", "message": line["message"]}


def _shown_attempt(attempt: dict[str, Any]) -> dict[str, Any]:
    started_at = datetime.fromisoformat(attempt["started_at"])
    return {**attempt, "started_at": started_at, "bars": _phase_bars(attempt["phases"])}


def _phase_bars(phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say where each phase lies on a bar whose whole is 100."""
    total = sum(phase["seconds"] for phase in phases) or 1.0
    begins = accumulate((phase["seconds"] for phase in phases), initial=0.0)
    return [
        {**phase, "x": round(100 * begin / total, 2), "width": round(100 * phase["seconds"] / total, 2)}
        for phase, begin in zip(phases, begins, strict=False)
    ]


def _words_for_scripts() -> dict[str, Any]:
    """Return the sentences that scripts show, in the reader's language; {places} are filled in by them."""
    return {
        "timeZone": timezone.get_current_timezone_name(),
        "statuses": {status: str(label) for status, label in STATUS_LABELS.items()},
        "train": _("training"),
        "validation": _("validation"),
        "steps": _("epoch {epoch} · step {step} of {total}"),
        "remainingMinutes": _("about {minutes} min left, until {time}"),
        "remainingSeconds": _("less than a minute left"),
        "lines": _("{count} lines"),
        "oneLine": _("1 line"),
        "loadOlder": _("Load more of the earlier lines"),
        "found": _("{count} found"),
        "foundHere": _("{count} found in the {lines} lines that are loaded"),
        "attempt": _("attempt {number}"),
        "reconnecting": _("The live connection is interrupted; the page asks again by itself."),
        "signedOut": _("You are signed out. Sign in again to go on watching."),
        "step": _("Step"),
        "epoch": _("Epoch"),
        "place": _("epoch {epoch}, step {step}"),
        "best": _("best: epoch {epoch}"),
        "stoppedEarly": _("stopped early, step {step}"),
        "table": _("The figures as a table"),
        "thinned": _("One of every {every} noted steps, the newest first; the saved figures have all of them."),
        "savePicture": _("Save the picture"),
        "saveFigures": _("Save the figures"),
        "gone": _("This run is no longer there, or you may no longer see it."),
    }
