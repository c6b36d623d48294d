"""Runs: create in two steps (the dataset, then the form generated from its task), cancel, finish, reproduce, delete.

What a run was asked to do and what came of it never changes; only its name may.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.access import datasets_visible_to, runs_visible_to
from bert_training.admin.badges import run_badge
from bert_training.admin.base import admin_url, link, list_url, signed_in
from bert_training.admin.deletion import ServiceDeletion
from bert_training.admin.facts import facts_table, shown_size
from bert_training.admin.repeats import REPEAT_ACTIONS, RepeatActions, RepeatFilter
from bert_training.admin.run_forms import DatasetForm, RunForm
from bert_training.models import BaseModel, Dataset, Log, Metric, Run, RunProof
from bert_training.models.choices import PROOF_STATUS_LABELS
from bert_training.models.reasons import explain
from bert_training.preset_choices import PresetChoice, preset_choices, preset_values
from bert_training.services.errors import InvalidRun, ServiceError
from bert_training.services.initial_models import with_a_model
from bert_training.services.proving.proof_summary import proof_summary
from bert_training.services.reproducing.reproduction import compare
from bert_training.services.reproducing.reproduction_words import cause_label, sentences_of, value_text, verdict_label
from bert_training.services.run_marks import update_run
from bert_training.services.runs import RunRequest, cancel_run, create_run, delete_run, finish_run, reproduce_run
from bert_training.tasks import TASKS

SHOWN_CAUSES = 20
FACTS = (
    "status_badge",
    "why",
    "owner",
    "dataset_link",
    "task",
    "base_model",
    "base_model_revision",
    "simulate",
    "shown_hyperparameters",
    "shown_result",
    "shown_verdict",
    "shown_reproducibility",
    "split_digest",
    "model_fingerprint",
    "reproduced_link",
    "shown_reproduction",
    "repeat_link",
    "initial_link",
    "initial_fingerprint",
    "created_at",
    "started_at",
    "finished_at",
)


class RunAdmin(RepeatActions, ServiceDeletion[Run]):
    """Staff see everybody's runs."""

    add_label = _("Create a run")
    list_display = ("name", "status_badge", "task", "owner", "worker", "created", "live")
    list_filter = ("status", "task", "simulate", "base_model", RepeatFilter)
    list_select_related = ("owner", "dataset", "job__worker")
    search_fields = ("name", "dataset__name", "base_model", "owner__username", "error_message")
    date_hierarchy = "created_at"
    fields = ("name", *FACTS)
    readonly_fields = FACTS
    actions = ("cancel", "finish", "reproduce", *REPEAT_ACTIONS, "delete_chosen")
    row_actions = ("cancel", "finish", "reproduce")
    deletion_warning = _("The run goes with its log, figures, result and repeats. The weights on the computer stay.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Ask access.py."""
        return runs_visible_to(request.user)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the dataset, then for everything else."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.GET if "dataset" in request.GET else None
        choice = DatasetForm(self.admin_site, datasets_visible_to(request.user), given)
        if not choice.is_valid():
            return self._show_dataset_form(request, choice)
        dataset: Dataset = choice.cleaned_data["dataset"]
        spec = TASKS[dataset.task]
        preset = spec.preset(request.GET.get("preset", ""))
        trained = with_a_model(runs_visible_to(request.user).filter(repeat_of=None), task=dataset.task)
        form = RunForm(dataset, trained, request.POST or None, preset=preset_values(spec, preset))
        if request.method == "POST" and form.is_valid():
            run = self._create(request, dataset, form)
            if run is not None:
                return HttpResponseRedirect(admin_url(run))
        return self._show_run_form(request, form, dataset=dataset, presets=preset_choices(spec, preset))

    def save_model(self, request: HttpRequest, obj: Run, form: Any, change: bool) -> None:
        """Rename by the service."""
        update_run(obj, name=obj.name)

    def delete_row(self, row: Run, by: User) -> None:
        """Delete a run that has ended."""
        delete_run(row, by=by)

    def row_actions_for(self, row: Run) -> Iterable[str]:
        """Offer to end what has not ended; to reproduce always; to repeat what was completed."""
        return ("reproduce", *self.repeat_actions_for(row)) if row.is_finished else self.row_actions

    def row_links(self, row: Run) -> list[tuple[str, str]]:
        """Lead to the live page, to the job, and to its log lines and figures in their own lists."""
        of_run = f"?run__id__exact={row.pk}"
        return [
            (reverse("pages:run", args=[row.pk]), gettext("Follow it live")),
            (admin_url(row.job), gettext("Job and attempts")),
            (list_url(Log) + of_run, gettext("Log lines")),
            (list_url(Metric) + of_run, gettext("Metric points")),
            *self.repeat_links(row),
        ]

    @admin.action(description=_("Cancel"), permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Cancel the chosen runs."""
        self.perform(request, queryset, act=cancel_run, history=gettext("Canceled."))

    @admin.action(description=_("Finish now, keep the best so far"), permissions=["change"])
    def finish(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Let the chosen runs end early with their best checkpoint."""
        self.perform(request, queryset, act=finish_run, history=gettext("Asked to finish early."))

    @admin.action(description=_("Reproduce"), permissions=["add"])
    def reproduce(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        """Queue the chosen runs once more, exactly as they were."""
        runs = queryset.select_related("dataset")
        reproduce = partial(reproduce_run, owner=signed_in(request))
        self.perform(request, runs, act=reproduce, history=gettext("Reproduced."))

    @admin.display(description=_("status"), ordering="status")
    def status_badge(self, run: Run) -> SafeString:
        """Return the state in its colour."""
        return run_badge(run)

    @admin.display(description=_("computer"), ordering="job__worker__name")
    def worker(self, run: Run) -> str:
        """Return who trains or trained it."""
        return run.job.worker.name if run.job.worker else "-"

    @admin.display(description=_("page"))
    def live(self, run: Run) -> SafeString:
        """Lead to the page where it is followed."""
        return link(reverse("pages:run", args=[run.pk]), gettext("open"))

    @admin.display(description=_("reason"))
    def why(self, run: Run) -> SafeString | str:
        """Return why it ended badly, with advice and the worker's own words."""
        if not run.error_code:
            return "-"
        words = explain(run.error_code)
        advice = format_html("{} {}", words.sentence, words.advice)
        return format_html('{}<p class="own-words">{}</p>', advice, run.error_message) if run.error_message else advice

    @admin.display(description=_("dataset"))
    def dataset_link(self, run: Run) -> SafeString:
        """Lead to the dataset."""
        return link(admin_url(run.dataset), run.dataset.name)

    @admin.display(description=_("reproduces"))
    def reproduced_link(self, run: Run) -> SafeString | str:
        """Lead to the run that it repeats."""
        return link(admin_url(run.reproduced_from), run.reproduced_from.name) if run.reproduced_from else "-"

    @admin.display(description=_("begins from"))
    def initial_link(self, run: Run) -> SafeString | str:
        """Lead to the run whose model it begins from."""
        return link(admin_url(run.initial_run), run.initial_run.name) if run.initial_run else "-"

    @admin.display(description=_("hyperparameters"))
    def shown_hyperparameters(self, run: Run) -> SafeString:
        """Return all hyperparameters by the names that forms use."""
        spec = TASKS.get(run.task)  # one that was taken out of the program has no labels any more
        declared = spec.hyperparameters.model_fields if spec else {}
        labels = {name: gettext(field.title) for name, field in declared.items() if field.title}
        return facts_table(run.hyperparameters, labels=labels)

    @admin.display(description=_("result"))
    def shown_result(self, run: Run) -> SafeString | str:
        """Return the figures of the test split."""
        if not run.result:
            return "-"
        spec = TASKS.get(run.task)
        labels = {metric.name: gettext(metric.label) for metric in spec.metrics} if spec else {}
        return facts_table(run.result.get("metrics", {}), labels=labels)

    @admin.display(description=_("verdict"))
    def shown_verdict(self, run: Run) -> SafeString | str:
        """Return whether the model may be used and why, what it gains, and its alerts."""
        stored = RunProof.objects.select_related("run").filter(run=run).first()
        found = proof_summary(stored) if stored else None
        if found is None:
            return str(PROOF_STATUS_LABELS[stored.status]) if stored else "-"
        lines = [found["verdict"]["sentence"], found["gain_sentence"], *(each["sentence"] for each in found["alerts"])]
        return format_html_join("", "<p>{}</p>", ((line,) for line in lines))

    @admin.display(description=_("reproducibility"))
    def shown_reproducibility(self, run: Run) -> SafeString:
        """Return commit, environment and device of the machine that trained."""
        packages = run.reproducibility.get("packages", {})
        return facts_table({**run.reproducibility, "packages": len(packages) or None})

    @admin.display(description=_("reproduction"))
    def shown_reproduction(self, run: Run) -> SafeString | str:
        """Return the verdict on a reproduction, with what the two runs differ in."""
        if run.reproduced_from is None:
            return "-"
        comparison = compare(run.reproduced_from, run)
        causes = [
            f"{cause_label(each)}: {value_text(each, each.first)} → {value_text(each, each.second)}"
            for each in comparison.differences
        ]
        return facts_table(
            {
                verdict_label(comparison.verdict): sentences_of(comparison, run),
                gettext("differences"): causes[:SHOWN_CAUSES],
            }
        )

    def _create(self, request: HttpRequest, dataset: Dataset, form: RunForm) -> Run | None:
        try:
            run = create_run(
                RunRequest(
                    owner=signed_in(request),
                    dataset=dataset,
                    base_model=form.cleaned_data["base_model"],
                    hyperparameters=form.hyperparameters(),
                    name=form.cleaned_data["name"],
                    priority=form.cleaned_data["priority"],
                    simulate=form.cleaned_data["simulate"],
                    initial_run=form.cleaned_data["initial_run"],
                )
            )
        except InvalidRun as refusal:
            form.add_problems(refusal.errors)
            return None
        except ServiceError as refusal:
            form.add_error(None, refusal.message)
            return None
        self.log_addition(request, run, gettext("Created."))
        live = reverse("pages:run", args=[run.pk])
        messages.success(
            request,
            format_html('{} <a href="{}">{}</a>', gettext("The run is in the queue."), live, gettext("Follow it live")),
        )
        return run

    def _show_dataset_form(self, request: HttpRequest, form: DatasetForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Create a run: which data?"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "is_get": True,
            "submit_label": gettext("Continue"),
            "note": gettext("Only datasets that passed their check are offered."),
        }
        return TemplateResponse(request, "admin/bert_training/form.html", context)

    def _show_run_form(
        self, request: HttpRequest, form: RunForm, *, dataset: Dataset, presets: list[PresetChoice]
    ) -> HttpResponse:
        task = gettext(TASKS[dataset.task].label)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Create a run on %(dataset)s") % {"dataset": dataset.name},
            "opts": self.opts,
            "form": form,
            "dataset": dataset,
            "presets": presets,
            "groups": form.groups(),
            "base_models": [_described(entry) for entry in form.offered],
            "submit_label": gettext("Put into the queue"),
            "note": gettext("%(task)s, %(rows)d rows.") % {"task": task, "rows": dataset.rows},
        }
        return TemplateResponse(request, "admin/bert_training/run_form.html", context)


def _described(entry: BaseModel) -> dict[str, str]:
    facts = (gettext(entry.language), shown_size(entry.size_bytes), entry.licence)
    advice = gettext(entry.advice) if entry.advice else ""
    return {"label": entry.label, "name": entry.name, "advice": advice, "facts": ", ".join(filter(None, facts))}
