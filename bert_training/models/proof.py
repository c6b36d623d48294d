"""What a run's figures rest on: the prediction of each row, the proof computed from them, and the words for grades."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import ProofStatus
from bert_training.models.choices import proof_status_choices
from bert_training.models.job import JobAttempt
from bert_training.models.run import Run


class Prediction(models.Model):
    """One record of the stream of predictions, until they stand together in the run's file. Never a text.

    content: contract.streams.PredictionRow.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+", db_index=False)
    attempt = models.ForeignKey(JobAttempt, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.IntegerField()
    content = models.JSONField()

    class Meta:
        db_table = "bert_predictions"
        ordering = ("id",)
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        indexes = [models.Index(fields=["run", "id"], name="ix_bert_predictions_run_id")]
        constraints = [models.UniqueConstraint(fields=["attempt", "seq"], name="uq_bert_predictions_seq")]


class RunProof(models.Model):
    """Made in the background from all predictions of a completed run; a run without predictions has none.

    key, sha256, bytes: the Parquet file of the predictions; empty until it is stored.  content: what
    data.proof.prove found, JSON.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="proof")
    status = models.CharField(
        _("status"), max_length=20, choices=proof_status_choices, default=ProofStatus.PENDING.value
    )
    attempts = models.IntegerField(default=0, editable=False)  # own guard: django-q2 retries for ever
    key = models.CharField(max_length=200, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    bytes = models.BigIntegerField(_("bytes"), default=0)
    rows = models.IntegerField(_("rows"), default=0)
    content = models.JSONField(_("proof"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        db_table = "bert_run_proofs"
        verbose_name = _("proof")
        verbose_name_plural = _("proofs")


class GradeScale(models.Model):
    """From which value on a figure is called excellent, good or fair; below fair it is low. Staff edit it."""

    metric = models.CharField(_("figure"), max_length=100, unique=True)
    excellent = models.FloatField(_("excellent from"), validators=[MinValueValidator(0), MaxValueValidator(1)])
    good = models.FloatField(_("good from"), validators=[MinValueValidator(0), MaxValueValidator(1)])
    fair = models.FloatField(_("fair from"), validators=[MinValueValidator(0), MaxValueValidator(1)])

    class Meta:
        db_table = "bert_grade_scales"
        ordering = ("metric",)
        verbose_name = _("scale of grades")
        verbose_name_plural = _("scales of grades")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(excellent__gte=models.F("good")) & models.Q(good__gte=models.F("fair")),
                name="ck_bert_grade_scales_order",
            )
        ]

    def __str__(self) -> str:
        return self.metric
