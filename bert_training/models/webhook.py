"""Where the portal tells other programs what happens; made by staff, for hosts of WEBHOOK_HOSTS alone."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.models.team import Team


class Webhook(models.Model):
    """An address that is called when something of the chosen kinds happens.

    team: only runs that are shared with it. failures: calls in vain in a row, after 20 it is switched off.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.CharField(
        _("address"), max_length=500, help_text=_("https://..., on a host that WEBHOOK_HOSTS lists.")
    )
    secret = models.TextField(editable=False)  # sealed (services.sealing); calls are signed with it
    kinds = models.JSONField(_("events"), default=list)  # contract.enums.NoticeKind
    team = models.ForeignKey(
        Team,
        null=True,
        blank=True,
        on_delete=models.CASCADE,  # not SET_NULL: it would hear of every run then
        related_name="+",
        verbose_name=_("team"),
        help_text=_("Only runs that are shared with this team; empty: everybody's."),
    )
    with_picture = models.BooleanField(
        _("with the curves"), default=True, help_text=_("The picture of the training comes along, some 100 KB.")
    )
    active = models.BooleanField(_("active"), default=True)
    failures = models.IntegerField(_("failures in a row"), default=0)
    switched_off_at = models.DateTimeField(_("switched off"), null=True, blank=True)  # by failures, not by staff
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("created by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "bert_webhooks"
        ordering = ("name",)
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name
