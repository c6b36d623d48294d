"""How much a person or a team may keep and use, where that differs from what everybody may."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import QuotaKind
from bert_training.models.team import Team


class Quota(models.Model):
    """Exceptions of one person or the limits of one team. Empty: what the settings say for a person, none for a team.

    A team's use is that of its members together. 0 allows nothing.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="quota",
        verbose_name=_("user"),
    )
    team = models.OneToOneField(
        Team, null=True, blank=True, on_delete=models.CASCADE, related_name="quota", verbose_name=_("team")
    )
    datasets = models.PositiveBigIntegerField(_("datasets"), null=True, blank=True)
    storage_bytes = models.PositiveBigIntegerField(
        _("bytes stored"), null=True, blank=True, help_text=_("Files as they were sent, and the tables made of them.")
    )
    queued_runs = models.PositiveBigIntegerField(_("runs in the queue"), null=True, blank=True)
    gpu_minutes = models.PositiveBigIntegerField(
        _("GPU minutes a month"),
        null=True,
        blank=True,
        help_text=_("From the first of the month; simulations are not counted."),
    )

    class Meta:
        db_table = "bert_quotas"
        verbose_name = _("quota")
        verbose_name_plural = _("quotas")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
                name="ck_bert_quotas_one_holder",
                violation_error_message=_("Choose a user or a team, not both."),
            )
        ]

    def __str__(self) -> str:
        return str(self.user if self.user_id else self.team)

    def limit(self, kind: QuotaKind) -> int | None:
        """Return what this row says of one quota, None for nothing."""
        value: int | None = getattr(self, kind.value)
        return value


class DeletedGpuTime(models.Model):
    """How long the runs that a person has deleted kept a GPU busy in one month: deleting them gives no minutes back."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    month = models.DateTimeField()  # when it began, in TIME_ZONE
    seconds = models.FloatField()

    class Meta:
        db_table = "bert_deleted_gpu_time"
        default_permissions = ()
        verbose_name = _("GPU time of deleted runs")
        verbose_name_plural = _("GPU time of deleted runs")

    def __str__(self) -> str:
        return f"{self.owner_id} {self.month}"
