"""Repeats in the list of runs: hidden until they are asked for, made and canceled by actions on the run they repeat."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.admin.base import FROM_ROW, PortalModelAdmin, admin_url, link, list_url
from bert_training.contract.enums import JobStatus, RepeatKind
from bert_training.models import Run
from bert_training.services.repeating.repeats import cancel_repeats, repeat_run

FOLDS, SEEDS = 5, 3
REPEAT_ACTIONS = ("cross_validate", "try_seeds", "cancel_all_repeats")
ONLY, TOO = "only", "too"


class RepeatFilter(admin.SimpleListFilter):
    """Repeats beside their runs, or they alone; without a choice, runs alone."""

    title = _("repeats of runs")
    parameter_name = "repeats"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """List what can be chosen."""
        return [(TOO, _("shown too")), (ONLY, _("only repeats"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Call the first choice by what it does."""
        first, *others = super().choices(changelist)
        yield {**first, "display": _("not shown")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        """Keep the chosen rows; the buttons on the page of a repeat find it always."""
        if self.value() == TOO or FROM_ROW in request.POST:
            return queryset
        return queryset.filter(repeat_of__isnull=self.value() != ONLY)


class RepeatActions(PortalModelAdmin[Run]):
    """What the admin of runs can do with repeats."""

    def repeat_actions_for(self, row: Run) -> Iterable[str]:
        """Offer to repeat what was completed, and to cancel its repeats."""
        if row.status != JobStatus.COMPLETED or row.repeat_of_id is not None:
            return ()
        return REPEAT_ACTIONS

    def repeat_links(self, row: Run) -> list[tuple[str, str]]:
        """Lead to the list of a run's repeats."""
        if row.repeat_of_id is not None:
            return []
        return [(f"{list_url(Run)}?repeats={TOO}&repeat_of__id__exact={row.pk}", gettext("Repeats"))]

    @admin.action(description=_("Cross-validate in 5 parts"), permissions=["add"])
    def cross_validate(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Queue one run a part for each chosen run."""

        def act(run: Run) -> list[Run]:
            return repeat_run(run, kind=RepeatKind.FOLD, count=FOLDS)

        self.perform(request, queryset.select_related("dataset", "owner"), act=act, history=gettext("Cross-validated."))

    @admin.action(description=_("Repeat with 3 other seeds"), permissions=["add"])
    def try_seeds(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Queue each chosen run with other seeds."""

        def act(run: Run) -> list[Run]:
            return repeat_run(run, kind=RepeatKind.SEED, count=SEEDS)

        history = gettext("Repeated with other seeds.")
        self.perform(request, queryset.select_related("dataset", "owner"), act=act, history=history)

    @admin.action(description=_("Cancel all repeats"), permissions=["change"])
    def cancel_all_repeats(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Cancel the repeats of the chosen runs."""
        self.perform(request, queryset, act=cancel_repeats, history=gettext("Repeats canceled."))

    @admin.display(description=_("one of the repeats of"))
    def repeat_link(self, run: Run) -> SafeString | str:
        """Lead to the run that it repeats."""
        return link(admin_url(run.repeat_of), run.repeat_of.name) if run.repeat_of else "-"
