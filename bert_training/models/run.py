"""The experiment that a user asked for: what to train on what, and what came of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import TERMINAL_STATUSES, JobStatus
from bert_training.models.choices import repeat_choices, status_choices, task_choices
from bert_training.models.dataset import Dataset

NOTES_CHARACTERS = 2000
# Of a run without a figure, so that each run has a place in a list: below every figure.
NO_RANK = -1e9


class Run(models.Model):
    """Its status mirrors that of its job, written in the same transaction."""

    name = models.CharField(_("name"), max_length=200)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="runs", verbose_name=_("owner")
    )
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="runs", verbose_name=_("dataset"))
    task = models.CharField(_("task"), max_length=50, choices=task_choices)
    base_model = models.CharField(_("base model"), max_length=200)
    base_model_revision = models.CharField(_("revision of the base model"), max_length=100, blank=True)
    hyperparameters = models.JSONField(_("hyperparameters"))
    simulate = models.BooleanField(_("simulation"), default=False)
    status = models.CharField(_("status"), max_length=20, choices=status_choices, default=JobStatus.QUEUED.value)
    split_digest = models.CharField(_("digest of the split"), max_length=64, blank=True)
    reproduced_from = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="reproductions",
        verbose_name=_("reproduces"),
    )
    # A trained model to begin from instead of the base model's own weights; its fingerprint outlives its run.
    initial_run = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="continuations",
        verbose_name=_("begins from"),
    )
    initial_fingerprint = models.CharField(
        _("fingerprint of the model it begins from"), max_length=64, blank=True, default="", db_default=""
    )
    # The run that this one repeats, to see how much of its result is chance; it goes with that run.
    repeat_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="repeats", verbose_name=_("repeats")
    )
    repeat_kind = models.CharField(
        _("kind of repeat"), max_length=20, choices=repeat_choices, blank=True, default="", db_default=""
    )
    repeat_number = models.IntegerField(_("number of the repeat"), default=0, db_default=0)  # from 1; 0 = no repeat
    # The portal's own example: everybody who reads may see it, lists leave it out (access.py).
    is_example = models.BooleanField(_("example"), default=False, db_default=False, editable=False)
    # contract.messages.Reproducibility, as measured on the machine that trained
    reproducibility = models.JSONField(_("reproducibility"), default=dict, blank=True)
    result = models.JSONField(_("result"), null=True, blank=True)
    # What lists show and sort by, written beside result and proof (services.proving.listed_results).
    headline_metric = models.CharField(_("deciding figure"), max_length=100, blank=True, default="", db_default="")
    headline_value = models.FloatField(_("value of the deciding figure"), null=True, blank=True)
    headline_rank = models.FloatField(default=NO_RANK, db_default=NO_RANK, editable=False)  # the better the higher
    verdict = models.CharField(_("verdict"), max_length=20, blank=True, default="", db_default="")
    duration_seconds = models.IntegerField(_("duration (s)"), default=0, db_default=0)  # 0 until it has ended
    notes = models.TextField(_("notes"), blank=True, default="", db_default="", max_length=NOTES_CHARACTERS)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    model_fingerprint = models.CharField(_("fingerprint of the model"), max_length=64, blank=True)
    error_code = models.CharField(_("reason"), max_length=50, blank=True)
    error_message = models.TextField(_("message"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        db_table = "bert_runs"
        ordering = ("-id",)
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [
            models.Index(fields=["status"], name="ix_bert_runs_status"),
            # The orders of the list; each is read from both ends.
            models.Index(fields=["name", "id"], name="ix_bert_runs_name"),
            models.Index(fields=["headline_rank", "id"], name="ix_bert_runs_headline"),
            models.Index(fields=["duration_seconds", "id"], name="ix_bert_runs_duration"),
            models.Index(fields=["finished_at"], name="ix_bert_runs_finished"),
            models.Index(fields=["created_at"], name="ix_bert_runs_created"),
            models.Index(fields=["id"], condition=models.Q(archived_at__isnull=False), name="ix_bert_runs_archive"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(TERMINAL_STATUSES), finished_at__isnull=False)
                | (~models.Q(status__in=sorted(TERMINAL_STATUSES)) & models.Q(finished_at__isnull=True)),
                name="ck_bert_runs_finished",
            ),
            models.UniqueConstraint(
                fields=["repeat_of", "repeat_kind", "repeat_number"],
                condition=models.Q(repeat_of__isnull=False),
                name="uq_bert_runs_repeat",
            ),
            models.UniqueConstraint(
                fields=["is_example"], condition=models.Q(is_example=True), name="uq_bert_runs_example"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing more will happen to it."""
        return self.status in TERMINAL_STATUSES


class SplitManifest(models.Model):
    """Which row of the dataset went where, a letter a row in table order: t(rain), v(alidation), e (test), - (none)."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="split_manifest")
    letters = models.BinaryField()  # zlib-compressed ASCII: 132,373 rows take about 26 kB
    # What services.divisions.Division says of it; empty for runs that are older than these facts.
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        db_table = "bert_split_manifests"
        verbose_name = _("split manifest")
        verbose_name_plural = _("split manifests")


class IdempotentRequest(models.Model):
    """A POST with an Idempotency-Key: for 24 hours the same key answers with the same run."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "bert_idempotent_requests"
        verbose_name = _("repeated request")
        verbose_name_plural = _("repeated requests")
        constraints = [models.UniqueConstraint(fields=["user", "path", "key"], name="uq_bert_idempotent_requests")]
