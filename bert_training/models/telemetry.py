"""Log lines and metric points: numbered 1..n within an attempt, only ever appended, read by cursor (the row id)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.models.choices import split_choices
from bert_training.models.job import JobAttempt
from bert_training.models.run import Run


class Log(models.Model):
    """One line. Inserts of a run are serialised by its job's lock, so the id is a safe cursor within a run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="logs", db_index=False)
    attempt = models.ForeignKey(JobAttempt, on_delete=models.CASCADE, related_name="logs", db_index=False)
    seq = models.IntegerField()
    timestamp = models.DateTimeField(_("time"))
    level = models.CharField(_("level"), max_length=10)
    message = models.TextField(_("message"))

    class Meta:
        db_table = "bert_logs"
        ordering = ("id",)
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        indexes = [
            models.Index(fields=["timestamp"], name="ix_bert_logs_timestamp"),
            models.Index(fields=["run", "id"], name="ix_bert_logs_cursor"),
        ]
        constraints = [models.UniqueConstraint(fields=["attempt", "seq"], name="uq_bert_logs_seq")]

    def __str__(self) -> str:
        return self.message[:80]


class Metric(models.Model):
    """The figures of one split at one step; `values` maps names to numbers, null where a figure was not finite."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="metrics", db_index=False)
    attempt = models.ForeignKey(JobAttempt, on_delete=models.CASCADE, related_name="metrics", db_index=False)
    seq = models.IntegerField()
    epoch = models.IntegerField(_("epoch"))
    step = models.IntegerField(_("step"))
    split = models.CharField(_("split"), max_length=20, choices=split_choices)
    values = models.JSONField(_("values"))
    received_at = models.DateTimeField(_("received"), auto_now_add=True)

    class Meta:
        db_table = "bert_metrics"
        ordering = ("id",)
        verbose_name = _("metric point")
        verbose_name_plural = _("metric points")
        indexes = [models.Index(fields=["run", "id"], name="ix_bert_metrics_run_id")]
        constraints = [models.UniqueConstraint(fields=["attempt", "seq"], name="uq_bert_metrics_seq")]

    def __str__(self) -> str:
        return f"{self.split} {self.step}"
