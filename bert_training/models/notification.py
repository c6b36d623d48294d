"""What happened that people may be told about, whom the page tells, and what goes out by e-mail or webhook.

No row holds a text, a name that somebody gave, or an address: codes, numbers, and what they are about.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import DispatchState
from bert_training.models.choices import dispatch_state_choices, notice_choices
from bert_training.models.dataset import Dataset
from bert_training.models.run import Run
from bert_training.models.webhook import Webhook
from bert_training.models.worker import Worker


class Occurrence(models.Model):
    """One thing that happened, written with the change itself and announced in the background.

    key: names it, so that it is told once however often it is noted. number: of the row that it is about where that is
    none of the others. facts: codes and figures (services.notifying.facts).
    """

    kind = models.CharField(_("event"), max_length=30, choices=notice_choices)
    key = models.CharField(max_length=100, unique=True)
    run = models.ForeignKey(Run, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("run"))
    dataset = models.ForeignKey(
        Dataset, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("dataset")
    )
    worker = models.ForeignKey(Worker, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("worker"))
    number = models.BigIntegerField(null=True)
    facts = models.JSONField(_("facts"), default=dict)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)
    announced_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)

    class Meta:
        db_table = "bert_occurrences"
        default_permissions = ()
        ordering = ("-id",)
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["created_at"], name="ix_bert_occurrences_created"),
            models.Index(fields=["id"], condition=Q(announced_at__isnull=True), name="ix_bert_occurrences_open"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class Notification(models.Model):
    """An occurrence as one person finds it in the page."""

    occurrence = models.ForeignKey(Occurrence, on_delete=models.CASCADE, related_name="notifications")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bert_notifications"
        default_permissions = ()
        ordering = ("-id",)
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            models.Index(fields=["user", "id"], name="ix_bert_notifications_user"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="ix_bert_notifications_new"),
        ]
        constraints = [models.UniqueConstraint(fields=["occurrence", "user"], name="uq_bert_notifications")]

    def __str__(self) -> str:
        return f"{self.occurrence_id}/{self.user_id}"


class NotificationChoice(models.Model):
    """What a person has chosen; who has no row is told everything in the page and nothing by e-mail.

    language: of the e-mails, the one in which the person chose.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="notification_choice"
    )
    hidden = models.JSONField(default=list)  # kinds that the page does not tell: a new kind is told
    mailed = models.JSONField(default=list)  # kinds that come by e-mail too
    language = models.CharField(max_length=10)

    class Meta:
        db_table = "bert_notification_choices"
        default_permissions = ()
        verbose_name = _("choice of notifications")
        verbose_name_plural = _("choices of notifications")

    def __str__(self) -> str:
        return str(self.user_id)


class Dispatch(models.Model):
    """One e-mail to a person or one call of a webhook, with its attempts: it is sent once, and tried again if in vain.

    next_at: not before then; whoever begins an attempt moves it on, so that nobody else begins one meanwhile.
    tries: [{"at", "status", "ms", "failure"}], the last at the end.
    """

    occurrence = models.ForeignKey(
        Occurrence, on_delete=models.CASCADE, related_name="dispatches", verbose_name=_("event")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    webhook = models.ForeignKey(
        Webhook, null=True, on_delete=models.CASCADE, related_name="dispatches", verbose_name=_("webhook")
    )
    state = models.CharField(
        _("state"), max_length=20, choices=dispatch_state_choices, default=DispatchState.PENDING.value
    )
    attempts = models.IntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"))
    tries = models.JSONField(_("attempts"), default=list)
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        db_table = "bert_dispatches"
        default_permissions = ("view",)
        ordering = ("-id",)
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(fields=["created_at"], name="ix_bert_dispatches_created"),
            models.Index(fields=["next_at"], condition=Q(state="pending"), name="ix_bert_dispatches_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, webhook__isnull=True) | Q(user__isnull=True, webhook__isnull=False),
                name="ck_bert_dispatches_one_target",
            ),
            models.UniqueConstraint(
                fields=["occurrence", "user"], condition=Q(user__isnull=False), name="uq_bert_dispatches_user"
            ),
            models.UniqueConstraint(
                fields=["occurrence", "webhook"], condition=Q(webhook__isnull=False), name="uq_bert_dispatches_webhook"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.occurrence} #{self.pk}"
