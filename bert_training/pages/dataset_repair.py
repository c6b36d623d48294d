"""Repairs on a stored dataset: choose them, make a new dataset of the same file; and where a dataset comes from."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from bert_training import access
from bert_training.contract.enums import DatasetStatus, ShareLevel
from bert_training.models import Dataset
from bert_training.pages.reports import ShownReport, shown_report, stored_groups
from bert_training.pages.requests import form_page, person, refused
from bert_training.services.datasets import DatasetInvalid, repair_dataset
from bert_training.services.errors import ServiceError
from bert_training.services.fix_words import ALWAYS_OFFERED, fix_label, offered_fixes
from bert_training.tasks.intake import Report
from bert_training.upload_form import RecipeForm


@form_page
def repair(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the repairs that the file could use; on POST make the repaired dataset and go to its page."""
    user = person(request)
    dataset = access.usable_dataset(user, pk)
    form = RecipeForm(request.POST or None, initial={"recipe": request.GET.getlist("recipe")})
    found: Report | None = None
    refusal: ServiceError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return _repaired(request, dataset, form.cleaned_data["recipe"])
        except DatasetInvalid as invalid:
            found = invalid.report
        except ServiceError as error:
            refusal = error
            form.add_error(None, error.message)
    groups = found.as_dict() if found else {"groups": stored_groups(dataset)}
    _offer(form, dataset, groups)
    report: ShownReport | None = shown_report(found, is_check_only=False) if found else None
    context = {"dataset": dataset, "form": form, "report": report}
    response = render(request, "datasets/repair.html", context, status=422 if form.errors or found else 200)
    return refused(response, refusal)


def _offer(form: RecipeForm, dataset: Dataset, groups: dict[str, Any]) -> None:
    """Offer what the file could use and what was chosen; what was done before is done again in any case."""
    offered = [fix for fix in offered_fixes(groups) if fix.name not in dataset.recipe]
    chosen = {*(form["recipe"].value() or ()), *ALWAYS_OFFERED} - set(dataset.recipe)
    form.offer(offered, sorted(chosen))


def _repaired(request: HttpRequest, dataset: Dataset, recipe: list[str]) -> HttpResponse:
    user = person(request)
    usable = access.datasets_visible_to(user, ShareLevel.USE)
    registered = repair_dataset(dataset, recipe, owner=user, visible=usable)
    if registered.created:
        messages.success(request, _("The repaired dataset was made; the first one is still there."))
    else:
        messages.info(request, _("A dataset with these repairs was here already; nothing was saved twice."))
    return redirect("pages:dataset", pk=registered.dataset.pk)


def with_repairs(datasets: Iterable[Dataset]) -> list[Dataset]:
    """Give each dataset its `repairs` in words: by them those that were made of one file differ in lists."""
    listed = list(datasets)
    for dataset in listed:
        dataset.repairs = [fix_label(name) for name in dataset.recipe]  # type: ignore[attr-defined]
    return listed


def origin_context(user: User, dataset: Dataset) -> dict[str, Any]:
    """Say where a dataset comes from; costs a query only where it was made from another."""
    origin = None
    if dataset.derived_from_id is not None:
        origin = access.datasets_visible_to(user).filter(pk=dataset.derived_from_id).only("pk", "name").first()
    return {
        "origin": origin,
        "chosen_repairs": [fix_label(name) for name in dataset.recipe],
        "offers_repairs": dataset.status != DatasetStatus.CHECKING
        and bool(offered_fixes({"groups": stored_groups(dataset)})),
    }
