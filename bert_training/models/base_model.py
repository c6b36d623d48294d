"""The catalogue of base models: what may be fine-tuned, for which tasks, with size, licence and advice."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BaseModelQuerySet(models.QuerySet["BaseModel"]):
    def offered_for(self, task: str) -> "list[BaseModel]":
        """List active entries that serve a task, recommended first. The catalogue is short: filtered in Python."""
        return [entry for entry in self.filter(active=True) if task in entry.tasks]


class BaseModel(models.Model):
    """One entry; only names in this table can be trained on."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    label = models.CharField(_("label"), max_length=200)
    tasks = models.JSONField(_("tasks"), default=list, help_text=_("Names of the tasks that it serves."))
    language = models.CharField(_("language"), max_length=100, blank=True)
    size_bytes = models.BigIntegerField(_("download size (bytes)"))
    parameters = models.BigIntegerField(_("parameters"), default=0)
    max_length = models.IntegerField(_("longest text (tokens)"), default=512)
    licence = models.CharField(_("licence"), max_length=100)
    revision = models.CharField(
        _("revision"),
        max_length=100,
        blank=True,
        help_text=_("Commit of the model hub; empty = the worker resolves it."),
    )
    weights_sha256 = models.CharField(_("SHA-256 of the weights"), max_length=64, blank=True)
    advice = models.TextField(_("advice"), blank=True, help_text=_("When to choose it, in one or two sentences."))
    recommended = models.BooleanField(_("recommended"), default=False)
    active = models.BooleanField(_("active"), default=True)

    objects = BaseModelQuerySet.as_manager()

    class Meta:
        db_table = "bert_base_models"
        ordering = ("-recommended", "name")
        verbose_name = _("base model")
        verbose_name_plural = _("base models")

    def __str__(self) -> str:
        return self.name
