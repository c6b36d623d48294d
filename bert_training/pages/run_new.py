"""Creating a run: first the data, then base model and settings. The settings come from the task's own declaration."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy

from bert_training import access
from bert_training.contract.enums import DatasetStatus, JobStatus, Role, ShareLevel
from bert_training.models import BaseModel, Dataset, Run
from bert_training.models.home import DecisionKind
from bert_training.models.reasons import explain
from bert_training.pages.dataset_repair import with_repairs
from bert_training.pages.requests import form_page, needs, number_of, person, refused
from bert_training.pages.splits import ShownSplit, shown_split
from bert_training.preset_choices import effective_batch, preset_choices, preset_values, texts_of_presets
from bert_training.run_form import HyperparametersForm
from bert_training.services.errors import InvalidRun, ServiceError
from bert_training.services.home import put_aside
from bert_training.services.initial_models import with_a_model
from bert_training.services.manifests import manifest_of
from bert_training.services.rate_limits import Limit
from bert_training.services.runs import RunRequest, create_run, prepare_run
from bert_training.tasks import TASKS

Result = TypeVar("Result")

DATASETS_OFFERED = 50
MODELS_OFFERED = 50


class RunForm(HyperparametersForm):
    """Base model, settings, and what the run is called."""

    name = forms.CharField(
        label=gettext_lazy("Name of the run"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty: named after the data and the base model."),
    )
    base_model = forms.CharField(
        max_length=200, error_messages={"required": gettext_lazy("Choose the base model to start from.")}
    )
    initial_run = forms.TypedChoiceField(
        label=gettext_lazy("Begin from a trained model"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=gettext_lazy(
            "The model of a completed run learns on, from new data or with other settings; the run waits for the PC "
            "that keeps it. Choose the same base model above."
        ),
    )
    simulate = forms.BooleanField(
        label=gettext_lazy("Simulation"),
        required=False,
        help_text=gettext_lazy("Trains nothing, to test the portal; only computers started with --dry-run take it."),
    )

    offers_models = False
    refusal: ServiceError | None = None  # of a service, about the form as a whole

    def offer_models(self, runs: QuerySet[Run]) -> None:
        """Offer the models of these runs to begin from, by base model."""
        by_base_model: dict[str, list[tuple[int, str]]] = {}
        for run in runs:
            by_base_model.setdefault(run.base_model, []).append((run.pk, f"{run.pk} · {run.name}"))
        nothing = ("", gettext("the base model as it is"))
        self.fields["initial_run"].choices = [nothing, *by_base_model.items()]  # type: ignore[attr-defined]
        self.offers_models = bool(by_base_model)

    def part(self, names: list[str]) -> list[BoundField]:
        """Return some of the fields, in this order."""
        return [self[name] for name in names if name in self.fields]


@form_page
@needs(Role.TRAIN)
def new_run(request: HttpRequest) -> HttpResponse:
    """Offer data; with `?dataset=` show the form; when it is sent show the split (`preview`) or create the run.

    `?like=` names a run whose settings the form begins with.
    """
    user = person(request)
    wanted = number_of(request.GET.get("dataset", ""))
    if wanted is None:
        offered = access.datasets_listed_for(user, ShareLevel.USE).filter(status=DatasetStatus.READY)[:DATASETS_OFFERED]
        return render(request, "runs/new.html", {"datasets": with_repairs(offered)})
    dataset = access.usable_dataset(user, wanted)
    if not dataset.is_ready:
        return redirect("pages:dataset", pk=dataset.pk)
    spec = TASKS[dataset.task]
    preset = spec.preset(request.POST.get("preset", request.GET.get("preset", "")))
    like = _named_as_pattern(request, dataset)
    begin = _values_of(like) if like else None
    form = RunForm(spec.hyperparameters, request.POST or None, preset=preset_values(spec, preset), initial=begin)
    if not access.may_administer(user):
        del form.fields["simulate"]
        if "simulate" in request.POST:
            raise PermissionDenied
    used = access.runs_visible_to(user, ShareLevel.USE).filter(repeat_of=None)
    trained = with_a_model(used, task=dataset.task).only("name", "base_model")
    form.offer_models(trained[:MODELS_OFFERED])
    split = None
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            split = _preview(request, dataset, form)
        else:
            answer = _create(request, dataset, form)
            if answer is not None:
                _put_aside(user, like)
                return answer
    context = _form_context(dataset, form) | {"split": split, "presets": preset_choices(spec, preset), "like": like}
    context["advice"] = explain(like.error_code).advice if like and like.error_code else ""
    return refused(render(request, "runs/new.html", context, status=422 if form.errors else 200), form.refusal)


def _named_as_pattern(request: HttpRequest, dataset: Dataset) -> Run | None:
    """Return the run of `?like=`, whose settings the form begins with."""
    number = number_of(request.GET.get("like", ""))
    run = None if number is None else access.visible_run(person(request), number)
    return run if run is not None and run.task == dataset.task else None


def _values_of(run: Run) -> dict[str, Any]:
    return {**run.hyperparameters, "base_model": run.base_model, "initial_run": run.initial_run_id}


def _put_aside(user: User, like: Run | None) -> None:
    """Remind somebody no more of their failed run once it is trained anew with changes."""
    if like is not None and like.status == JobStatus.FAILED:
        put_aside(user, DecisionKind.RUN_FAILED, like.pk)


def _create(request: HttpRequest, dataset: Dataset, form: RunForm) -> HttpResponse | None:
    """Create the run and go to its page; None when the form has to be shown again with what is wrong."""
    run = _try(form, lambda: create_run(_wanted(request, dataset, form)))
    return None if run is None else redirect("pages:run", pk=run.pk)


def _preview(request: HttpRequest, dataset: Dataset, form: RunForm) -> ShownSplit | None:
    """Return how the rows would be divided; None when the form has to be shown again with what is wrong."""
    prepared = _try(form, lambda: prepare_run(_wanted(request, dataset, form), limit=Limit.CHECKS))
    return None if prepared is None else shown_split(prepared.division.facts)


def _try(form: RunForm, action: Callable[[], Result]) -> Result | None:
    """Do it; what the portal refuses goes on the fields of the form."""
    try:
        return action()
    except InvalidRun as refusal:
        form.add_problems(refusal.errors)
    except ServiceError as refusal:
        form.refusal = refusal
        form.add_error(None, refusal.message)
    return None


def _wanted(request: HttpRequest, dataset: Dataset, form: RunForm) -> RunRequest:
    initial = form.cleaned_data.get("initial_run")
    return RunRequest(
        owner=person(request),
        dataset=dataset,
        base_model=form.cleaned_data["base_model"],
        hyperparameters=form.hyperparameters(),
        name=form.cleaned_data["name"],
        simulate=form.cleaned_data.get("simulate", False),
        initial_run=access.usable_run(person(request), initial) if initial else None,
    )


def _form_context(dataset: Dataset, form: RunForm) -> dict[str, Any]:
    base_models = BaseModel.objects.offered_for(dataset.task)
    return {
        "dataset": dataset,
        "form": form,
        "base_models": base_models,
        "chosen_base_model": form["base_model"].value() or (base_models[0].name if base_models else ""),
        "has_own_split": bool(dataset.extra_files) or manifest_of(dataset) is not None,
        "groups": form.groups(),
        "effective_batch": effective_batch(form),
        "preset_texts": texts_of_presets(TASKS[dataset.task]),
        "initial_fields": form.part(["initial_run"]) if form.offers_models or form.has_error("initial_run") else [],
        "run_fields": form.part(["name", "simulate"]),
    }
