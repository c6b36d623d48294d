"""Deleting through a service: one page that says what goes, then the service, which may refuse.

Django's own page lists every dependent row first: with a million log lines that is a million objects in memory.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bert_training.admin.base import PortalModelAdmin, Row, admin_url, chosen_rows, list_url, signed_in
from bert_training.admin.confirming import CONFIRMED, Question, ask
from bert_training.models.choices import Label
from bert_training.services.errors import ServiceError


class ServiceDeletion(PortalModelAdmin[Row]):
    """A model admin whose rows are deleted by `delete_row`, one or several at a time."""

    actions: Sequence[Any] | None = ("delete_chosen",)
    deletion_warning: Label = ""

    def delete_row(self, row: Row, by: User) -> None:
        """Delete one row by its service, in somebody's name; raises ServiceError when it is in use."""
        raise NotImplementedError

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out Django's own bulk deletion, which passes the services by."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, then delete one row."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, [row], action="")
        deleted = self._delete(request, [row])
        return HttpResponseRedirect(list_url(self.model) if deleted else admin_url(row))

    @admin.action(description=gettext_lazy("Delete"), permissions=["delete"])
    def delete_chosen(self, request: HttpRequest, queryset: QuerySet[Row]) -> HttpResponseBase | None:
        """Ask, then delete the chosen rows."""
        rows = chosen_rows(request, queryset)
        if not rows:
            return None
        if CONFIRMED not in request.POST:
            return self._ask(request, rows, action="delete_chosen")
        self._delete(request, rows)
        return None

    def _delete(self, request: HttpRequest, rows: Sequence[Row]) -> int:
        deleted = 0
        for row in rows:
            remembered = copy(row)  # a deleted instance has lost its key, which the history needs
            try:
                self.delete_row(row, signed_in(request))
            except ServiceError as refusal:
                messages.error(request, f"{row}: {refusal.message}")
                continue
            LogEntry.objects.log_actions(signed_in(request).pk, [remembered], DELETION)
            deleted += 1
        if deleted:
            words = ngettext("%(count)d entry was deleted.", "%(count)d entries were deleted.", deleted)
            messages.success(request, words % {"count": deleted})
        return deleted

    def _ask(self, request: HttpRequest, rows: Sequence[Model], *, action: str) -> HttpResponse:
        name = self.opts.verbose_name_plural if action else self.opts.verbose_name
        question = Question(
            title=_("Delete %(name)s?") % {"name": name},
            warning=self.deletion_warning,
            verb=_("Yes, delete"),
            back=list_url(self.model) if action else admin_url(rows[0]),
            action=action,
        )
        return ask(request, self.admin_site, question, rows=rows)
