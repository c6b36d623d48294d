"""Repeats of a run: what came of them, in words, and the forms that ask for more. It is a spread, never an interval."""

from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from bert_training import access
from bert_training.contract.enums import JobStatus, RepeatKind
from bert_training.contract.limits import MOST_REPEATS
from bert_training.models import Run
from bert_training.pages.requests import form_page, person
from bert_training.pages.words import figure_text
from bert_training.services.errors import ServiceError
from bert_training.services.proving.figure_words import distance_text
from bert_training.services.repeating.repeat_summary import MetricSpread, Repeat, RepeatSummary, repeats_of
from bert_training.services.repeating.repeats import FEWEST, repeat_run
from bert_training.tasks import TASKS
from bert_training.tasks.spec import Metric

USUAL = {RepeatKind.FOLD: 5, RepeatKind.SEED: 3}
TITLES = {RepeatKind.FOLD: gettext_noop("Cross-validation"), RepeatKind.SEED: gettext_noop("Other seeds")}
SPREAD_WORDS = {RepeatKind.FOLD: gettext_noop("Spread over folds"), RepeatKind.SEED: gettext_noop("Spread over seeds")}
EXPLANATIONS = {
    RepeatKind.FOLD: gettext_noop(
        "The training and validation rows are divided into parts. Each part is tested once by a network that learned "
        "from the other parts only. The test rows stay aside."
    ),
    RepeatKind.SEED: gettext_noop("The same rows are trained again with other seeds: what changes is chance alone."),
}


@dataclass(frozen=True)
class ShownRepeat:
    """One child as a table shows it."""

    run: Run
    label: str
    figure: str


@dataclass(frozen=True)
class ShownSpread:
    """One figure's spread."""

    label: str
    mean: str
    deviation: str
    lowest: str
    highest: str


class RepeatForm(forms.Form):
    """How many repeats of one kind."""

    def __init__(self, kind: RepeatKind, data: Any = None, *, initial: int = 0) -> None:
        super().__init__(data, auto_id=f"repeat_{kind.value}_%s")
        label = gettext_lazy("Number of parts") if kind is RepeatKind.FOLD else gettext_lazy("Number of other seeds")
        self.fields["count"] = forms.IntegerField(
            label=label, initial=initial or USUAL[kind], min_value=FEWEST[kind], max_value=MOST_REPEATS
        )
        self.kind = kind.value


@dataclass(frozen=True)
class ShownKind:
    """All repeats of one kind, in words; `form` asks for those that are missing, None where nobody can ask."""

    title: str
    explanation: str
    progress: str
    spread_title: str
    sentence: str
    deciding: str
    repeats: list[ShownRepeat]
    spreads: list[ShownSpread]
    form: RepeatForm | None


def repeats_context(run: Run, *, may_change: bool, may_use_data: bool) -> dict[str, Any]:
    """Return what the page of a run says of its repeats, by kind, and the forms that ask for more.

    Nothing for a repeat, and for a run of a task that is gone.
    """
    if run.repeat_of_id is not None or run.task not in TASKS:
        return {}
    summaries = repeats_of(run)
    is_there = run.status == JobStatus.COMPLETED and run.dataset.deleted_at is None
    can_ask = is_there and may_change and may_use_data
    kinds = [_shown(run, summary, can_ask=can_ask) for summary in summaries]
    return {
        "repeat_kinds": [kind for kind in kinds if kind.repeats or kind.form],
        "can_cancel_repeats": may_change and any(summary.ended < len(summary.repeats) for summary in summaries),
    }


@form_page
def repeat(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the repeats that the form asks for; opened without a form, lead to the run."""
    run = access.repeatable_run(person(request), pk)
    kind = request.POST.get("kind", "")
    if request.method == "POST" and kind in set(RepeatKind):
        _repeat(request, run, RepeatKind(kind))
    return redirect(reverse("pages:run", args=[pk]) + "#repeats")


def _repeat(request: HttpRequest, run: Run, kind: RepeatKind) -> None:
    form = RepeatForm(kind, request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return
    try:
        added = len(repeat_run(run, kind=kind, count=form.cleaned_data["count"]))
    except ServiceError as refusal:
        messages.error(request, refusal.message)
        return
    words = ngettext("%(count)s repeat is in the queue.", "%(count)s repeats are in the queue.", added)
    messages.success(request, words % {"count": added} if added else _("These repeats were there already."))


def _form(summary: RepeatSummary) -> RepeatForm | None:
    """Return the form for those that are not there yet: parts up to their number, seeds up to the limit."""
    there = len(summary.repeats)
    if summary.kind is RepeatKind.FOLD:
        return RepeatForm(summary.kind, initial=summary.planned) if not there or there < summary.planned else None
    return RepeatForm(summary.kind, initial=there and there + 1) if there < MOST_REPEATS else None


def _shown(run: Run, summary: RepeatSummary, *, can_ask: bool) -> ShownKind:
    deciding = TASKS[run.task].deciding_metric(run.hyperparameters)
    words = ngettext(
        "%(ended)s of %(planned)s repeat has ended.", "%(ended)s of %(planned)s repeats have ended.", summary.planned
    )
    spreads = [_shown_spread(each) for each in summary.spreads]
    return ShownKind(
        title=_(TITLES[summary.kind]),
        explanation=_(EXPLANATIONS[summary.kind]),
        progress=words % {"ended": summary.ended, "planned": summary.planned},
        spread_title=_(SPREAD_WORDS[summary.kind]),
        sentence=_sentence(spreads[0]) if spreads else "",
        deciding=_(deciding.label),
        repeats=[_shown_repeat(each, summary.kind, deciding) for each in summary.repeats],
        spreads=spreads,
        form=_form(summary) if can_ask else None,
    )


def _sentence(spread: ShownSpread) -> str:
    """Say the spread of the deciding figure."""
    words = _("%(label)s: mean %(mean)s, standard deviation %(deviation)s; lowest %(lowest)s, highest %(highest)s.")
    return words % asdict(spread)


def _shown_spread(each: MetricSpread) -> ShownSpread:
    metric, spread = each.metric, each.spread
    return ShownSpread(
        _(metric.label),
        figure_text(metric, spread.mean),
        _deviation_text(metric, spread.standard_deviation),
        figure_text(metric, spread.lowest),
        figure_text(metric, spread.highest),
    )


def _deviation_text(metric: Metric, deviation: float) -> str:
    """Write a standard deviation in the unit of its figure: of shares in points, which are no per cent of anything."""
    text = figure_text(metric, deviation)
    return _("%(points)s points") % {"points": distance_text(deviation)} if text.endswith("%") else text


def _shown_repeat(each: Repeat, kind: RepeatKind, deciding: Metric) -> ShownRepeat:
    if kind is RepeatKind.FOLD:
        label = _("fold %(number)s") % {"number": each.run.repeat_number}
    else:
        label = _("seed %(seed)s") % {"seed": each.run.hyperparameters["seed"]}
    return ShownRepeat(each.run, label, figure_text(deciding, each.metrics.get(deciding.name)))
