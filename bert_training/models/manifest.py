"""A split that the user wrote themselves: which row of a dataset shall go where in every run made afterwards."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.models.dataset import Dataset


class DatasetManifest(models.Model):
    """An uploaded manifest, as the letters of a SplitManifest; a table of its own, for lists do not read it."""

    dataset = models.OneToOneField(Dataset, on_delete=models.CASCADE, primary_key=True, related_name="manifest")
    letters = models.BinaryField()
    original_name = models.CharField(_("file name"), max_length=255)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "bert_dataset_manifests"
        verbose_name = _("manifest")
        verbose_name_plural = _("manifests")
