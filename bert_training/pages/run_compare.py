"""Several runs side by side: curves, differences of configuration, and on the same test rows figures, classes, rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.charts.saving import ChartForm, send_chart
from bert_training.contract.enums import JobStatus, Role
from bert_training.models import Run
from bert_training.pages.compared_curves import compared_charts
from bert_training.pages.compared_figures import compared_classes, compared_figures, compared_rows, comparison_lines
from bert_training.pages.compared_settings import compared_settings
from bert_training.pages.requests import needs, number_of, page, person
from bert_training.pages.words import Fact, headline
from bert_training.services.answers.comparison_words import refusal_sentences
from bert_training.services.answers.run_pairs import paired_runs
from bert_training.services.answers.same_rows import comparable, stored_answers
from bert_training.services.csv_form import reader_form
from bert_training.services.errors import ServiceError
from bert_training.services.proving.figure_words import count_text

MOST_RUNS = 8


@dataclass(frozen=True)
class ShownRun:
    """One of the runs. place: its colour.  without: the address of the page without it."""

    run: Run
    place: int
    headline: Fact | None
    without: str


@page
@needs(Role.READ)
def compare_runs(request: HttpRequest) -> HttpResponse:
    """Show the runs that `?runs=1,2` or `?runs=1&runs=2` names beside each other."""
    user = person(request)
    wanted = _wanted(request)
    runs = _visible(user, wanted)
    context: dict[str, Any] = {
        "shown": [_shown(run, place, runs) for place, run in enumerate(runs, start=1)],
        "numbers": _numbers(runs),
        "most": MOST_RUNS,
        "is_full": len(runs) >= MOST_RUNS,
        "are_too_many": len(wanted) > MOST_RUNS,
    }
    if len(runs) > 1:
        context |= {"charts": compared_charts(runs), "settings": compared_settings(runs), **_results(user, runs)}
    return render(request, "runs/compare.html", context)


@page
@needs(Role.READ)
def download_chart(request: HttpRequest, name: str, form: ChartForm) -> HttpResponse:
    """Save one of the pictures, or the figures behind it."""
    runs = _visible(person(request), _wanted(request))
    chart = next((chart for chart in compared_charts(runs) if chart.name == name), None)
    if chart is None:
        return _nothing(request, runs)
    return send_chart(request, chart, form, of=_("Runs %(numbers)s") % {"numbers": _numbers(runs)})


@page
@needs(Role.READ)
def download_comparison(request: HttpRequest) -> HttpResponseBase:
    """Save figures and classes with their differences as CSV."""
    user = person(request)
    runs = _visible(user, _wanted(request))
    found = _results(user, runs) if len(runs) > 1 else {}
    if not found.get("pairs"):
        return _nothing(request, runs)
    lines = comparison_lines(found["same"], found["pairs"])
    answer = HttpResponse(reader_form().file(lines), content_type="text/csv; charset=utf-8")
    name = _("Runs %(numbers)s") % {"numbers": _numbers(runs)}
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.csv") or ""
    answer["Cache-Control"] = "no-store"
    return answer


def _nothing(request: HttpRequest, runs: Sequence[Run]) -> HttpResponse:
    messages.info(request, _("There is nothing to save."))
    return redirect(f"{reverse('pages:runs-compare')}?runs={_numbers(runs)}")


def _wanted(request: HttpRequest) -> list[int]:
    """Return the numbers that the address names, each once and in order; what is no number is left out."""
    texts = (text.strip() for value in request.GET.getlist("runs") for text in value.split(","))
    return list(dict.fromkeys(number for text in texts if (number := number_of(text)) is not None))


def _visible(user: User, wanted: Sequence[int]) -> list[Run]:
    """Return the first MOST_RUNS of them; raises Http404 where somebody may not see one."""
    return [access.visible_run(user, pk) for pk in wanted[:MOST_RUNS]]


def _numbers(runs: Sequence[Run]) -> str:
    return ",".join(str(run.pk) for run in runs)


def _shown(run: Run, place: int, runs: Sequence[Run]) -> ShownRun:
    return ShownRun(run, place, headline(run), _numbers([each for each in runs if each != run]))


def _results(user: User, runs: Sequence[Run]) -> dict[str, Any]:
    """Compare what the runs answered, as far as they were tested on the same rows."""
    try:
        stored = stored_answers(runs)
        same, refused = comparable(runs, stored)
        pairs = paired_runs(same, stored) if len(same) > 1 else None
    except ServiceError as refusal:
        return {"notice": refusal.message}
    first = same[0] if same else None
    context: dict[str, Any] = {
        "same": same,
        "refused": [(each.run, refusal_sentences(user, first, each)) for each in refused],
        # Of older runs, without a digest of their split, those alone are known whose rows were read.
        "tested": _tested_on_the_same(user, first) if first and first.split_digest else len(same),
        "is_pending": len(same) > 1 and pairs is None,
    }
    if pairs:
        context |= {
            "pairs": pairs,
            "figures": compared_figures(same, pairs),
            "classes": compared_classes(pairs),
            "crossed": compared_rows(same, pairs),
            "replicates": count_text(pairs[0].replicates),
        }
    return context


def _tested_on_the_same(user: User, first: Run) -> int:
    """Count the runs that somebody may see which were judged on these test rows: the best of many looks too good."""
    same = access.runs_visible_to(user).filter(
        dataset__table_sha256=first.dataset.table_sha256, split_digest=first.split_digest, status=JobStatus.COMPLETED
    )
    return same.exclude(simulate=True).count()
