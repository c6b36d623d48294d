"""The list of runs: filters in the address, one page at a time, a constant number of queries."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from bert_training import access
from bert_training.contract.enums import Role
from bert_training.models import Run
from bert_training.models.choices import status_choices, task_choices
from bert_training.pages.filters import OwnedFilters, with_all
from bert_training.pages.ownership import has_others, mark_teams
from bert_training.pages.requests import needs, page, page_of, person
from bert_training.pages.words import headline
from bert_training.tasks import TASKS

# Large or unused in a list: a result may hold a thousand classes.
NOT_IN_LISTS = ("result", "hyperparameters", "reproducibility", "error_message")


class RunFilters(OwnedFilters[Run]):
    """Which runs to show."""

    search = forms.CharField(label=_("Run or data"), max_length=200)
    status = forms.ChoiceField(label=_("Status"), choices=lambda: with_all(status_choices()))
    task = forms.ChoiceField(label=_("Task"), choices=lambda: with_all(task_choices()))
    owner = forms.ModelChoiceField(label=_("Owner"), queryset=User.objects.none(), empty_label=_("all"))
    dataset = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)

    def __init__(self, data: Any, user: User) -> None:
        super().__init__(data, user)
        if access.may_administer(user):
            owners = User.objects.filter(Exists(Run.objects.filter(owner=OuterRef("pk"))))
            self.fields["owner"].queryset = owners.order_by("username")  # type: ignore[attr-defined]
        else:
            del self.fields["owner"]

    def keep(self, rows: QuerySet[Run], name: str, value: Any) -> QuerySet[Run]:
        """Keep the runs that fit one filter; the search looks at two names."""
        if name == "search":
            return rows.filter(Q(name__icontains=value) | Q(dataset__name__icontains=value))
        return super().keep(rows, name, value)


@page
@needs(Role.READ)
def list_runs(request: HttpRequest) -> HttpResponse:
    """List the runs that somebody may see, the newest first."""
    user = person(request)
    filters = RunFilters(request.GET, user)
    rows = page_of(request, filters.narrow(rows_for_list(access.runs_listed_for(user))))
    rows.object_list = listed_runs(user, rows.object_list)
    context = {
        "page": rows,
        "filters": filters,
        "is_filtered": filters.is_set,
        "shows_owners": has_others(user, rows.object_list),
    }
    return render(request, "runs/list.html", context)


def rows_for_list(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Load what a list shows, and of the result only its headline figures."""
    return (
        runs.select_related("dataset", "owner", "job")
        .defer(*NOT_IN_LISTS)
        .annotate(
            result_metrics=KeyTransform("metrics", "result"),
            deciding_metric=KeyTransform("best_metric", "hyperparameters"),
        )
    )


def listed_runs(user: User, runs: Iterable[Run]) -> list[Run]:
    """Give each run what a list shows beside its fields: headline, teams, and whether its data can be opened.

    headline: the figure that picks the best network, in words.
    """
    listed = list(runs)
    opened = access.datasets_visible_to(user).filter(pk__in={run.dataset_id for run in listed})
    visible = set(opened.values_list("pk", flat=True))
    for run in listed:
        facts: Any = run
        facts.headline = headline(TASKS.get(run.task), facts.result_metrics, best_metric=facts.deciding_metric)
        facts.opens_data = run.dataset_id in visible
    mark_teams(user, listed)
    return listed
