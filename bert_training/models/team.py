"""Teams of people, and what is shared with them: nobody but its owner and staff sees a row that was not shared.

Sharing a run shares its settings, log, figures and row numbers, never its texts: those come with the dataset alone.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.models.choices import share_level_choices
from bert_training.models.dataset import Dataset
from bert_training.models.run import Run


class Team(models.Model):
    """Some people of the organisation; staff say who belongs to it. What somebody may do at all is a role's matter."""

    name = models.CharField(_("name"), max_length=150, unique=True)
    description = models.TextField(_("description"), blank=True, max_length=1000)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="teams",
        verbose_name=_("members"),
        db_table="bert_team_members",
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        db_table = "bert_teams"
        ordering = ("name",)
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        # What roles grant (contract.enums.Role, codename by codename); a migration makes a group for each role.
        permissions = (
            ("read", "Read what is one's own or shared"),
            ("train", "Upload spreadsheets and start runs"),
            ("operate", "Order the queue and mind the workers"),
        )

    def __str__(self) -> str:
        return self.name


class Share(models.Model):
    """One row given to one team, at one level."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", verbose_name=_("team"))
    level = models.CharField(_("level"), max_length=20, choices=share_level_choices)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.team}: {self.get_level_display()}"


class DatasetShare(Share):
    """A dataset given to a team: with it come its texts."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="shares", verbose_name=_("dataset"))

    class Meta:
        db_table = "bert_dataset_shares"
        verbose_name = _("shared dataset")
        verbose_name_plural = _("shared datasets")
        constraints = [models.UniqueConstraint(fields=["team", "dataset"], name="uq_bert_dataset_shares")]


class RunShare(Share):
    """A run given to a team, without its texts; the repeats of the run come along."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="shares", verbose_name=_("run"))

    class Meta:
        db_table = "bert_run_shares"
        verbose_name = _("shared run")
        verbose_name_plural = _("shared runs")
        constraints = [models.UniqueConstraint(fields=["team", "run"], name="uq_bert_run_shares")]
