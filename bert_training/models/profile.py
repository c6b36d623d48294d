"""What was found in a dataset after its check: its profile, groups of near-duplicates, lengths in tokens."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import ProfileStatus
from bert_training.models.choices import profile_status_choices
from bert_training.models.dataset import Dataset


class DatasetProfile(models.Model):
    """Made in the background by a child process with limits; a dataset is usable without one.

    content: what data.profiling.profile found, JSON.  clusters: rows whose texts are nearly the same, packed by
    data.profiling.duplicates.  corrected: rows with another answer than in the dataset that this one continues, or than
    in those which that one continues, packed by services.continuations.
    """

    dataset = models.OneToOneField(Dataset, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    status = models.CharField(
        _("status"), max_length=20, choices=profile_status_choices, default=ProfileStatus.PENDING.value
    )
    attempts = models.IntegerField(default=0, editable=False)  # own guard: django-q2 retries for ever
    content = models.JSONField(_("profile"), default=dict)
    clusters = models.BinaryField(null=True)  # null: not looked for, or not found out
    corrected = models.BinaryField(null=True)  # null: continues none, or not compared
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        db_table = "bert_dataset_profiles"
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")


class TokenLengths(models.Model):
    """How long a dataset's texts are in the tokens of one base model, as a worker has counted them."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="token_lengths")
    base_model = models.CharField(_("base model"), max_length=200)
    content = models.JSONField(_("lengths"), default=dict)
    counted_at = models.DateTimeField(_("counted"), auto_now=True)

    class Meta:
        db_table = "bert_token_lengths"
        verbose_name = _("lengths in tokens")
        verbose_name_plural = _("lengths in tokens")
        constraints = [models.UniqueConstraint(fields=["dataset", "base_model"], name="uq_bert_token_lengths")]
