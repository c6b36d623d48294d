"""The portal's admin site: its name, the models that it shows, and an index with queue, workers and last runs."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _

from bert_training.accounts.views import AdminSignIn, SignOut
from bert_training.admin.attempts import JobAttemptAdmin
from bert_training.admin.audit import AuditEventAdmin
from bert_training.admin.base_models import BaseModelAdmin
from bert_training.admin.dashboard import dashboard
from bert_training.admin.dashboard_charts import dashboard_charts, send_dashboard_chart
from bert_training.admin.datasets import DatasetAdmin
from bert_training.admin.grades import GradeScaleAdmin
from bert_training.admin.groups import grouped
from bert_training.admin.invitations import InvitationAdmin
from bert_training.admin.jobs import JobAdmin
from bert_training.admin.people import PersonAdmin
from bert_training.admin.quotas import QuotaAdmin
from bert_training.admin.runs import RunAdmin
from bert_training.admin.teams import RoleAdmin, TeamAdmin
from bert_training.admin.telemetry import LogAdmin, MetricAdmin
from bert_training.admin.tokens import AccessTokenAdmin
from bert_training.admin.webhooks import DispatchAdmin, WebhookAdmin
from bert_training.admin.workers import WorkerAdmin
from bert_training.charts.saving import ChartForm
from bert_training.models import (
    AccessToken,
    AuditEvent,
    BaseModel,
    Dataset,
    Dispatch,
    GradeScale,
    Invitation,
    Job,
    JobAttempt,
    Log,
    Metric,
    Quota,
    Run,
    Team,
    Webhook,
    Worker,
)

# Registered by the site itself: Django makes the site while it imports this package, and what decorators had
# registered until then would be lost with the site that they made.
MODEL_ADMINS: dict[type[Model], Any] = {
    Dataset: DatasetAdmin,
    Run: RunAdmin,
    Job: JobAdmin,
    JobAttempt: JobAttemptAdmin,
    Metric: MetricAdmin,
    Log: LogAdmin,
    Worker: WorkerAdmin,
    AccessToken: AccessTokenAdmin,
    BaseModel: BaseModelAdmin,
    GradeScale: GradeScaleAdmin,
    Quota: QuotaAdmin,
    Webhook: WebhookAdmin,
    Dispatch: DispatchAdmin,
    AuditEvent: AuditEventAdmin,
    Invitation: InvitationAdmin,
    Team: TeamAdmin,
    User: PersonAdmin,
    Group: RoleAdmin,
}

BACKGROUND = "django_q"


class BackgroundPages:
    """Stands before django-q2's own model admins: a schedule names any function of Python, and it would be called."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The portal plans its own work."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """To be read; a task that failed can still be sent again, or deleted."""
        return False


class PortalAdminSite(admin.AdminSite):
    """Django's admin under the portal's name."""

    site_header = _("BERT Training Portal")
    site_title = _("BERT Training Portal")
    index_title = _("Administration")
    index_template = "admin/dashboard.html"
    enable_nav_sidebar = True

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        for model, model_admin in MODEL_ADMINS.items():
            self.register(model, model_admin)

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[admin.ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Take the portal's own pages and those of background work, and leave out what other libraries register.

        Those of Django for people would pass the rules of this package by; those of django-allauth show second factors.
        """
        wanted = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        taken = [model for model in wanted if model in MODEL_ADMINS or model._meta.app_label == BACKGROUND]
        if admin_class is not None and all(model._meta.app_label == BACKGROUND for model in taken):
            admin_class = type(admin_class.__name__, (BackgroundPages, admin_class), {})
        super().register([model for model in taken if not self.is_registered(model)], admin_class, **options)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the dashboard above the list of models."""
        own = {"dashboard": dashboard(request.user), "charts": dashboard_charts()}
        return super().index(request, {**(extra_context or {}), **own})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Group the lists by what staff do with them."""
        apps = super().get_app_list(request, app_label)
        return apps if app_label else grouped(apps)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add where the charts of the dashboard are saved from."""
        view = self.admin_view(send_dashboard_chart)
        charts = [
            path(f"charts/<slug:chart>.{form.value}", view, {"form": form}, name=f"chart-{form.value}")
            for form in ChartForm
        ]
        return [*charts, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask for name and password as the portal's own page does: through the same limits and second factor."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        context = {**self.each_context(request), "title": _("Sign in"), "app_path": request.get_full_path()}
        response: HttpResponse = AdminSignIn.as_view(extra_context={**context, **(extra_context or {})})(request)
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Sign out as the portal's own button does."""
        response: HttpResponse = SignOut.as_view()(request)
        return response

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change the password on the page of one's account: Django's would let it be guessed without a limit."""
        return redirect("account_change_password")
