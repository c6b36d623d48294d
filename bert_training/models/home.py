"""What the first page remembers of each person: when they were here before, and what they have put aside."""

from enum import StrEnum

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DecisionKind(StrEnum):
    """What the first page asks somebody to decide. Stored: never renamed."""

    RUN_FAILED = "run_failed"
    RUN_TO_JUDGE = "run_to_judge"  # its model needs review, or labels are doubted
    REPEATS_ENDED = "repeats_ended"
    DATASET_REFUSED = "dataset_refused"
    ERASURE_OPEN = "erasure_open"
    WORKER_SILENT = "worker_silent"
    TOKEN_ENDS = "token_ends"  # noqa: S105 - a kind, not a secret
    INVITATION_OPEN = "invitation_open"


class HomeVisit(models.Model):
    """opened_at: when the page was last open.  since: the end of the visit before this one; null = the first visit."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+", verbose_name=_("person")
    )
    opened_at = models.DateTimeField()
    since = models.DateTimeField(null=True)

    class Meta:
        db_table = "bert_home_visits"
        verbose_name = _("visit")
        verbose_name_plural = _("visits")


class PutAside(models.Model):
    """Something that needs a decision, which a person does not want to be reminded of until it happens anew.

    number: of the row that it is about, by its kind: a run, a dataset, a worker ...
    put_at: what happened since is new.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30)  # a DecisionKind
    number = models.BigIntegerField()
    put_at = models.DateTimeField()

    class Meta:
        db_table = "bert_put_aside"
        verbose_name = _("reminder put aside")
        verbose_name_plural = _("reminders put aside")
        constraints = [models.UniqueConstraint(fields=["user", "kind", "number"], name="uq_bert_put_aside")]
