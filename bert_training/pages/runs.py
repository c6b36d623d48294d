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
from bert_training.models import Run
from bert_training.models.choices import status_choices, task_choices
from bert_training.pages.filters import ListFilters, with_all
from bert_training.pages.requests import page, page_of, person
from bert_training.pages.words import headline
from bert_training.tasks import TASKS

# Large or unused in a list: a result may hold a thousand classes.
NOT_IN_LISTS = ("result", "hyperparameters", "reproducibility", "error_message")


class RunFilters(ListFilters[Run]):
    """Which runs to show."""

    search = forms.CharField(label=_("Run or data"), max_length=200)
    status = forms.ChoiceField(label=_("Status"), choices=lambda: with_all(status_choices()))
    task = forms.ChoiceField(label=_("Task"), choices=lambda: with_all(task_choices()))
    owner = forms.ModelChoiceField(label=_("Owner"), queryset=User.objects.none(), empty_label=_("all"))
    dataset = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**63 - 1)

    def __init__(self, data: Any, user: User) -> None:
        super().__init__(data)
        if access.may_operate(user):
            owners = User.objects.filter(Exists(Run.objects.filter(owner=OuterRef("pk"))))
            self.fields["owner"].queryset = owners.order_by("username")  # type: ignore[attr-defined]
        else:
            del self.fields["owner"]

    def narrow(self, rows: QuerySet[Run]) -> QuerySet[Run]:
        """Keep the runs that fit all filters."""
        chosen = self.chosen()
        if search := chosen.pop("search", ""):
            rows = rows.filter(Q(name__icontains=search) | Q(dataset__name__icontains=search))
        return rows.filter(**chosen)


@page
def list_runs(request: HttpRequest) -> HttpResponse:
    """List the runs that somebody may see, the newest first."""
    user = person(request)
    filters = RunFilters(request.GET, user)
    rows = page_of(request, filters.narrow(rows_for_list(access.runs_listed_for(user))))
    rows.object_list = with_headlines(rows.object_list)
    return render(request, "runs/list.html", {"page": rows, "filters": filters, "is_filtered": filters.is_set})


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


def with_headlines(runs: Iterable[Run]) -> list[Run]:
    """Give each run its `headline`: the figure that picks the best network, in words."""
    listed = list(runs)
    for run in listed:
        facts: Any = run
        facts.headline = headline(TASKS.get(run.task), facts.result_metrics, best_metric=facts.deciding_metric)
    return listed
