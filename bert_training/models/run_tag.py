"""Words that people put on a run to find it again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.models.run import Run

TAGS_OF_A_RUN = 10
TAG_CHARACTERS = 40


class RunTag(models.Model):
    """One tag of a run; its name is as services.run_marks.tag_name writes it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tags", db_index=False, verbose_name=_("run"))
    name = models.CharField(_("tag"), max_length=TAG_CHARACTERS)

    class Meta:
        db_table = "bert_run_tags"
        ordering = ("name",)
        verbose_name = _("tag of a run")
        verbose_name_plural = _("tags of runs")
        indexes = [models.Index(fields=["name", "run"], name="ix_bert_run_tags_name")]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="uq_bert_run_tags")]

    def __str__(self) -> str:
        return self.name
