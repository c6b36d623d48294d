"""Help for who cannot sign in: a link to a new password, shown once, and taking away a second factor that was lost.

Only for people whose account one may change, and never for oneself: a session left open must not become a new password.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from bert_training.admin.base import PortalModelAdmin, admin_url, signed_in
from bert_training.admin.link_page import NewLink, show_link_once
from bert_training.services.password_links import mail_password_link, make_password_link
from bert_training.services.second_factors import reset_second_factor

HELP_ACTIONS = ("new_password", "no_second_factor")

if TYPE_CHECKING:
    Base = PortalModelAdmin[User]
else:
    Base = object


class PersonHelp(Base):
    """Two pages of a person that ask first; each begins with a button on the person's page."""

    def get_urls(self) -> list[URLPattern]:
        """Add the two pages."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/new-password/", wrap(self.new_password_view), name="auth_user_new_password"),
            path("<int:pk>/no-second-factor/", wrap(self.no_second_factor_view), name="auth_user_no_second_factor"),
            *super().get_urls(),
        ]

    @sensitive_variables("url", "link")
    def new_password_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then make the link and show it."""
        person = self._helped(request, pk)
        title = gettext("Make %(person)s a link to a new password?") % {"person": person}
        if request.method != "POST":
            note = gettext("It works once, for 24 hours, and ends all sessions. The second factor stays as it is.")
            return self._ask_first(request, title=title, note=note, submit_label=gettext("Make the link"))
        url = make_password_link(person)
        link = NewLink(url, email=person.email, delivery=mail_password_link(person, url), back=admin_url(person))
        self.log_change(request, person, gettext("Link to a new password made."))
        title = gettext("New password for %(person)s") % {"person": person}
        return show_link_once(request, self.admin_site, link=link, title=title)

    def no_second_factor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then take the second factor away."""
        person = self._helped(request, pk)
        if request.method != "POST":
            title = gettext("Take away the second factor of %(person)s?") % {"person": person}
            note = gettext("Only for who lost the telephone and the recovery codes: be sure who is asking you.")
            return self._ask_first(request, title=title, note=note, submit_label=gettext("Take it away"))
        if reset_second_factor(person):
            self.log_change(request, person, gettext("Second factor taken away."))
            messages.success(request, gettext("The password alone opens the account now."))
        else:
            messages.warning(request, gettext("There was no second factor."))
        return HttpResponseRedirect(admin_url(person))

    @admin.action(description=_("New password"), permissions=["change"])
    def new_password(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Lead to the page that asks first."""
        return self._lead(request, queryset, "admin:auth_user_new_password")

    @admin.action(description=_("Take away the second factor"), permissions=["change"])
    def no_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Lead to the page that asks first."""
        return self._lead(request, queryset, "admin:auth_user_no_second_factor")

    def _helped(self, request: HttpRequest, pk: int) -> User:
        person = self.get_queryset(request).filter(pk=pk).first()
        if person is None:
            raise Http404
        if not self.has_change_permission(request, person) or person == signed_in(request) or not person.is_active:
            raise PermissionDenied
        return person

    def _lead(self, request: HttpRequest, queryset: QuerySet[User], name: str) -> HttpResponse | None:
        people = list(queryset[:2])
        if len(people) != 1:
            messages.error(request, gettext("Choose one person."))
            return None
        if people[0] == signed_in(request):
            messages.error(request, gettext("Change your own on your account's page."))
            return None
        return HttpResponseRedirect(reverse(name, args=[people[0].pk]))

    def _ask_first(self, request: HttpRequest, **words: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": forms.Form(), **words}
        return TemplateResponse(request, "admin/bert_training/form.html", context)
