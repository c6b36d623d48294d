"""Webhooks and the log of deliveries: staff make one, see its secret once, try it, read what became of each call."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from bert_training.admin.audited import AuditedAdmin, AuditKinds
from bert_training.admin.badges import badge
from bert_training.admin.base import FactsAdmin, admin_url, link, list_url, shown_moment, signed_in
from bert_training.admin.confirming import CONFIRMED, Question, ask
from bert_training.admin.deletion import ServiceDeletion
from bert_training.admin.shown_once import show_once
from bert_training.contract.enums import AuditKind, DispatchState, NoticeKind
from bert_training.models import Dispatch, Webhook
from bert_training.models.choices import DISPATCH_FAILURE_LABELS, NOTICE_LABELS, Label
from bert_training.services.errors import ServiceError
from bert_training.services.notifying.sending import send
from bert_training.services.notifying.webhooks import (
    delete_webhook,
    give_secret,
    new_test,
    require_allowed,
    secret_of,
    switch_webhook,
)

COLOURS = {DispatchState.PENDING: "info", DispatchState.SENT: "success", DispatchState.FAILED: "danger"}
WORDS = ("name", "url", "kinds", "team", "with_picture")
FACTS = ("badge", "failures", "switched_off_at", "created_by", "created_at")


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # takes parameters only in the stubs
    """Where to call, and about what."""

    kinds = forms.MultipleChoiceField(
        label=_("Events"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With a team only events of runs that are shared with it are sent."),
    )

    class Meta:
        model = Webhook
        fields = WORDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(kind, label) for kind, label in NOTICE_LABELS.items() if kind != NoticeKind.TEST]
        self.fields["kinds"].choices = offered  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        """Refuse an address that would not be called."""
        url: str = self.cleaned_data["url"].strip()
        try:
            require_allowed(url)
        except ServiceError as refusal:
            raise ValidationError(refusal.message) from refusal
        return url


class WebhookAdmin(AuditedAdmin[Webhook], ServiceDeletion[Webhook]):
    """Who is called, and whether that works."""

    audit_kinds = AuditKinds(*3 * [AuditKind.WEBHOOK_CHANGED])
    deletion_warning: Label = _("It is called no more, and the log of its deliveries goes with it.")
    add_label = _("Make a webhook")
    form = WebhookForm
    list_display = ("name", "badge", "url", "team", "failures", "created")
    list_filter = ("active", "team")
    list_select_related = ("team",)
    search_fields = ("name", "url")
    readonly_fields = FACTS
    actions = ("send_test", "switch_on", "switch_off", "new_secret", "delete_chosen")
    row_actions = ("send_test", "switch_on", "switch_off", "new_secret")

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        """Show the facts of one that is there."""
        return (*WORDS, *FACTS) if obj else WORDS

    def row_actions_for(self, row: Webhook) -> tuple[str, ...]:
        """Offer to switch it the other way."""
        return ("send_test", "switch_off" if row.active else "switch_on", "new_secret")

    def row_links(self, row: Webhook) -> list[tuple[str, str]]:
        """Lead to the log of its deliveries."""
        return [(f"{list_url(Dispatch)}?webhook__id__exact={row.pk}", gettext("Deliveries"))]

    def delete_row(self, row: Webhook, by: User) -> None:
        """Delete it by the service."""
        delete_webhook(row)

    def save_model(self, request: HttpRequest, obj: Webhook, form: "ModelForm[Webhook]", change: bool) -> None:
        """Give a new one its secret."""
        if not change:
            give_secret(obj)
            obj.created_by = signed_in(request)
        super().save_model(request, obj, form, change)

    @sensitive_variables()
    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        """Show the secret, this once."""
        return self._show_secret(request, obj, secret_of(obj))

    @admin.action(description=_("Send a test"), permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Call one now, and say what came of it."""
        webhook = self._the_one(request, queryset)
        if webhook is not None:
            test = new_test(webhook)
            say = messages.success if send(test.pk) else messages.error
            test.refresh_from_db()
            say(request, f"{webhook}: {try_words(test.tries[-1])}")
            self.log_change(request, webhook, gettext("Tested."))

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Call it again; its failures are forgotten."""
        self.perform(
            request, queryset, act=lambda row: switch_webhook(row, active=True), history=gettext("Switched on.")
        )

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        """Call it no more."""
        self.perform(
            request, queryset, act=lambda row: switch_webhook(row, active=False), history=gettext("Switched off.")
        )

    @admin.action(description=_("New secret"), permissions=["change"])
    @sensitive_variables()
    def new_secret(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> HttpResponse | None:
        """Ask, then make a new secret for one webhook and show it."""
        webhook = self._the_one(request, queryset)
        if webhook is None:
            return None
        if CONFIRMED in request.POST:
            self.log_change(request, webhook, gettext("New secret."))
            return self._show_secret(request, webhook, give_secret(webhook))
        question = Question(
            title=gettext("Make a new secret?"),
            warning=gettext("Calls are signed with the new one from now on: the receiver must know it."),
            verb=gettext("Yes, make and show it"),
            back=admin_url(webhook),
            action="new_secret",
        )
        return ask(request, self.admin_site, question, rows=[webhook])

    @admin.display(description=_("state"))
    def badge(self, webhook: Webhook) -> SafeString:
        """Return whether it is called."""
        if webhook.active:
            return badge("success", gettext("on"))
        return badge("danger", gettext("off after failures")) if webhook.switched_off_at else badge("neutral", _("off"))

    def _the_one(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> Webhook | None:
        """Return the chosen webhook; None, with a message, where several were chosen: a call may take five seconds."""
        rows = list(queryset[:2])
        if len(rows) == 1:
            return rows[0]
        messages.error(request, gettext("Choose one webhook."))
        return None

    @sensitive_variables()
    def _show_secret(self, request: HttpRequest, webhook: Webhook, secret: str) -> HttpResponse:
        title = gettext("Secret of %(webhook)s") % {"webhook": webhook}
        shown = {"secret": secret, "back": admin_url(webhook)}
        return show_once(request, self.admin_site, template="webhook_secret.html", title=title, **shown)


class DispatchAdmin(FactsAdmin[Dispatch]):
    """The log of deliveries: when, how often, what was answered and how fast; never what was said."""

    list_display = ("created", "occurrence_kind", "target", "state_badge", "attempts", "last_try")
    list_filter = ("state", "webhook")
    list_select_related = ("occurrence", "webhook", "user")
    date_hierarchy = "created_at"
    fields = ("occurrence_kind", "target", "state_badge", "created_at", "all_tries", "next_try")
    readonly_fields = fields

    @admin.display(description=_("event"))
    def occurrence_kind(self, dispatch: Dispatch) -> str:
        """Return what it tells of."""
        return str(dispatch.occurrence.get_kind_display())

    @admin.display(description=_("sent to"))
    def target(self, dispatch: Dispatch) -> SafeString | str:
        """Lead to the webhook or the person."""
        row = dispatch.webhook or dispatch.user
        return link(admin_url(row), row) if row else "-"

    @admin.display(description=_("state"))
    def state_badge(self, dispatch: Dispatch) -> SafeString:
        """Return how far it is."""
        return badge(COLOURS[DispatchState(dispatch.state)], dispatch.get_state_display())

    @admin.display(description=_("last attempt"))
    def last_try(self, dispatch: Dispatch) -> str:
        """Return what came of the last attempt."""
        return try_words(dispatch.tries[-1]) if dispatch.tries else "-"

    @admin.display(description=_("attempts"))
    def all_tries(self, dispatch: Dispatch) -> SafeString | str:
        """Return what came of each attempt."""
        lines = ((shown_moment(datetime.fromisoformat(one["at"])), try_words(one)) for one in dispatch.tries)
        return _table(lines) if dispatch.tries else "-"

    @admin.display(description=_("next attempt"))
    def next_try(self, dispatch: Dispatch) -> str:
        """Return when it is tried again."""
        is_over = dispatch.state != DispatchState.PENDING
        return "-" if is_over else shown_moment(max(dispatch.next_at, timezone.now()))


def _table(rows: Iterable[tuple[str, str]]) -> SafeString:
    lines = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows)
    return format_html('<table class="facts"><tbody>{}</tbody></table>', lines)


def try_words(made: dict[str, Any]) -> str:
    """Say what came of an attempt: "answered 200 in 34 ms"."""
    facts = {"status": made["status"], "ms": made["ms"]}
    if not made["failure"]:
        words = gettext("answered %(status)s in %(ms)s ms") if made["status"] else gettext("taken by the mail server")
        return words % facts
    why = str(DISPATCH_FAILURE_LABELS.get(made["failure"], made["failure"]))
    return gettext("%(why)s (%(status)s, %(ms)s ms)") % {"why": why, **facts} if made["status"] else why
