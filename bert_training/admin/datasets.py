"""Datasets: upload with the checks, rename, delete. What a check found and what is stored are facts."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bert_training.access import datasets_visible_to
from bert_training.admin.badges import badge, state_badge
from bert_training.admin.base import admin_url, signed_in
from bert_training.admin.deletion import ServiceDeletion
from bert_training.admin.facts import facts_table, shown_size
from bert_training.models import Dataset, DatasetProfile
from bert_training.services.datasets import (
    DatasetInvalid,
    Registered,
    delete_dataset,
    register_upload,
    update_dataset,
)
from bert_training.services.errors import ServiceError, StorageAway
from bert_training.services.fix_words import fix_label
from bert_training.services.problem_words import shown_groups, shown_problems
from bert_training.services.profiles import restart_profile
from bert_training.services.stored_files import damage_of
from bert_training.tasks import TASKS
from bert_training.tasks.intake import Report
from bert_training.upload_form import UploadForm

WORDS = ("name", "description")
FACTS = (
    "owner",
    "task",
    "status_badge",
    "problems_list",
    "profile_badge",
    "rows",
    "shown_summary",
    "original_name",
    "size",
    "sheet",
    "shown_columns",
    "shown_recipe",
    "derived_from",
    "sha256",
    "table_sha256",
    "stored_files",
    "created_at",
)


class DatasetAdmin(ServiceDeletion[Dataset]):
    """Staff see everybody's datasets."""

    add_label = _("Upload a spreadsheet")
    list_display = ("name", "status_badge", "task", "owner", "rows", "size", "created")
    list_filter = ("status", "task")
    list_select_related = ("owner",)
    search_fields = ("name", "original_name", "sha256", "owner__username")
    show_facets = admin.ShowFacets.ALWAYS
    date_hierarchy = "created_at"
    fields = (*WORDS, *FACTS)
    readonly_fields = FACTS
    actions = ("make_profile", "delete_chosen")
    row_actions = ("make_profile",)
    deletion_warning = _("The row, the stored spreadsheet and the table made of it go for good.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        """Ask access.py."""
        return datasets_visible_to(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Dataset], search_term: str
    ) -> tuple[QuerySet[Dataset], bool]:
        """Offer only datasets that are ready where a run chooses one."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if request.GET.get("model_name") == "run":
            found = found.filter(status="ready")
        return found, may_repeat

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Upload: the checks come first, and nothing is kept while they find errors."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        task = TASKS.get(request.GET.get("task", ""), next(iter(TASKS.values())))
        form = UploadForm(task, request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            return self._upload(request, form)
        return self._show_form(request, form)

    def save_model(self, request: HttpRequest, obj: Dataset, form: Any, change: bool) -> None:
        """Rename by the service."""
        update_dataset(obj, name=obj.name, description=obj.description)

    def delete_row(self, row: Dataset, by: User) -> None:
        """Delete row and files; refused while runs stand on it."""
        delete_dataset(row, by=by)

    def row_links(self, row: Dataset) -> list[tuple[str, str]]:
        """Lead to the pages and to a new run on it."""
        links = [
            (reverse("pages:dataset", args=[row.pk]), gettext("Open its page")),
            (reverse("pages:dataset-download", args=[row.pk]), gettext("Download the spreadsheet")),
        ]
        new_run = (f"{reverse('admin:bert_training_run_add')}?dataset={row.pk}", gettext("Create a run"))
        return [new_run, *links] if row.is_ready else links

    def row_actions_for(self, row: Dataset) -> Iterable[str]:
        """Offer a new profile where there can be one."""
        return self.row_actions if row.is_ready else ()

    @admin.action(description=_("Make the profile again"), permissions=["change"])
    def make_profile(self, request: HttpRequest, queryset: QuerySet[Dataset]) -> None:
        """Have the profiles of the chosen datasets made again in the background."""
        self.perform(request, queryset, act=restart_profile, history=gettext("Profile asked for again."))

    @admin.display(description=_("profile"))
    def profile_badge(self, dataset: Dataset) -> SafeString | str:
        """Return whether the profile is made, in its colour."""
        profile = DatasetProfile.objects.defer("content", "clusters").filter(dataset=dataset).first()
        return "-" if profile is None else state_badge(profile.status, profile.get_status_display())

    @admin.display(description=_("status"), ordering="status")
    def status_badge(self, dataset: Dataset) -> SafeString:
        """Return the state in its colour."""
        return state_badge(dataset.status, dataset.get_status_display())

    @admin.display(description=_("size"), ordering="bytes")
    def size(self, dataset: Dataset) -> str:
        """Return the size of the spreadsheet with its unit."""
        return shown_size(dataset.bytes)

    @admin.display(description=_("summary"))
    def shown_summary(self, dataset: Dataset) -> SafeString:
        """Return counts and lengths; the warnings stand with the problems, the histogram on the dataset's page."""
        lengths = {name: value for name, value in dataset.summary.get("lengths", {}).items() if name != "histogram"}
        return facts_table({"labels": dataset.summary.get("labels", {}), "lengths": lengths})

    @admin.display(description=_("columns"))
    def shown_columns(self, dataset: Dataset) -> SafeString:
        """Return which column of the file was read as which."""
        return facts_table(dataset.columns)

    @admin.display(description=_("repairs"))
    def shown_recipe(self, dataset: Dataset) -> str:
        """Return the one-click repairs that were done on the way from file to table."""
        return "; ".join(map(fix_label, dataset.recipe)) or "-"

    @admin.display(description=_("stored files"))
    def stored_files(self, dataset: Dataset) -> SafeString:
        """Return whether the stored files are there and unchanged: a run on others would end as `dataset_gone`."""
        try:
            damage = damage_of(dataset)
        except StorageAway as away:
            return badge("warning", away.message)
        if not damage:
            return badge("success", gettext("there and unchanged"))
        words = gettext("missing or changed: %(files)s. Upload the same spreadsheet again to put it back.")
        return badge("danger", words % {"files": ", ".join(damage)})

    @admin.display(description=_("problems found"))
    def problems_list(self, dataset: Dataset) -> SafeString | str:
        """Return what the check found, errors first."""
        found = [*dataset.report.get("errors", []), *dataset.summary.get("warnings", [])]
        problems = shown_problems(found)
        lines = ((problem.place, problem.sentence, problem.repair) for problem in problems)
        return format_html_join("", "<p><strong>{}</strong> {} {}</p>", lines) or "-"

    def _upload(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        try:
            registered = register_upload(
                owner=signed_in(request),
                uploads=form.uploads(),
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                request=form.check_request(),
                visible=datasets_visible_to(request.user),
            )
        except DatasetInvalid as refusal:
            return self._show_form(request, form, report=refusal.report)
        except ServiceError as refusal:
            form.add_error("file", refusal.message)
            return self._show_form(request, form)
        if registered.created:
            self.log_addition(request, registered.dataset, gettext("Uploaded."))
        messages.success(request, _upload_message(registered))
        return HttpResponseRedirect(admin_url(registered.dataset))

    def _show_form(self, request: HttpRequest, form: UploadForm, *, report: Report | None = None) -> HttpResponse:
        if report is not None:
            form.show(report)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Upload a spreadsheet"),
            "opts": self.opts,
            "form": form,
            "report": report,
            "groups": shown_groups(group.as_dict() for group in report.groups) if report else [],
            "tasks": [(task.name, gettext(task.label), task.name == form.spec.name) for task in TASKS.values()],
            "note": gettext(form.spec.description),
            "sample_url": reverse("pages:dataset-sample", args=[form.spec.name]),
            "submit_label": gettext("Check and save"),
        }
        return TemplateResponse(request, "admin/bert_training/upload.html", context)


def _upload_message(registered: Registered) -> str:
    if not registered.created:
        return gettext("This spreadsheet was there already; nothing was stored twice.")
    if registered.dataset.is_ready:
        return gettext("The spreadsheet is in order: %(rows)d rows.") % {"rows": registered.dataset.rows}
    return gettext(
        "The spreadsheet is large and is being checked in the background. Reload this page to see the result."
    )
