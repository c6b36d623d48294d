"""What was deleted for good, and which computers had a copy: the answer to "is it really gone everywhere?".

Numbers, digests and one name, which only its owner, who deleted it, and staff see; never a text. The rows that it is
about are gone, so they are named by plain values.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import CopyState, ErasureKind, Feature
from bert_training.models.choices import COPY_STATE_LABELS, erasure_kind_choices
from bert_training.models.worker import Worker


class Erasure(models.Model):
    """One deletion of a dataset, or of a run with its repeats."""

    kind = models.CharField(_("what"), max_length=20, choices=erasure_kind_choices)
    name = models.CharField(_("name"), max_length=200)
    # Of the dataset, or of the one that the run learned from: by these a computer knows what is meant.
    dataset_number = models.BigIntegerField(_("number of the dataset"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    table_sha256 = models.CharField(_("SHA-256 of the table"), max_length=64, blank=True)
    run_numbers = models.JSONField(_("numbers of the runs"), default=list)  # the run and its repeats; [] of a dataset
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("owner"),
    )
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("deleted by"),
    )
    created_at = models.DateTimeField(_("deleted"), auto_now_add=True)
    # Places in the store that are not known to be empty yet (services.stored_files.is_cleared); [] = nothing is left.
    stored = models.JSONField(_("left in the store"), default=list)

    class Meta:
        db_table = "bert_erasures"
        ordering = ("-id",)
        verbose_name = _("deletion")
        verbose_name_plural = _("deletions")
        indexes = [models.Index(fields=["dataset_number"], name="ix_bert_erasures_dataset")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"

    @property
    def is_of_dataset(self) -> bool:
        """Tell whether a dataset was deleted, not a run."""
        return self.kind == ErasureKind.DATASET

    @property
    def waiting_copies(self) -> int:
        """Count the computers of which nobody has said that nothing is left; with prefetched copies no query."""
        return sum(not copy.is_gone for copy in self.copies.all())

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is left, in the store or on a computer."""
        return not self.stored and not self.waiting_copies


class ErasureCopyQuerySet(models.QuerySet["ErasureCopy"]):
    """Copies on computers."""

    def open(self) -> "ErasureCopyQuerySet":
        """Return those of which nobody has said that they are gone."""
        return self.filter(confirmed_at__isnull=True, settled_at__isnull=True)


class ErasureCopy(models.Model):
    """One computer that worked with what was deleted, until it confirms that its copies are gone.

    machine: a worker that was set up anew is another computer, which knows nothing of the copies of the first.
    """

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="copies", verbose_name=_("deletion"))
    worker = models.ForeignKey(
        Worker, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("computer")
    )
    worker_name = models.CharField(_("computer"), max_length=100)  # stays when the worker is deleted
    machine = models.CharField(max_length=200, blank=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    # Staff said that the computer was cleaned or destroyed.
    settled_at = models.DateTimeField(_("settled by hand"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("settled by"),
    )
    settled_reason = models.CharField(_("reason"), max_length=500, blank=True)

    objects = ErasureCopyQuerySet.as_manager()

    class Meta:
        db_table = "bert_erasure_copies"
        ordering = ("worker_name", "id")
        verbose_name = _("copy on a computer")
        verbose_name_plural = _("copies on computers")
        indexes = [
            # What a heartbeat asks for.
            models.Index(
                fields=["worker", "id"],
                condition=models.Q(confirmed_at__isnull=True, settled_at__isnull=True),
                name="ix_bert_erasure_copies_open",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["erasure", "worker", "machine"], name="uq_bert_erasure_copies_machine"),
            models.CheckConstraint(
                condition=models.Q(settled_at__isnull=True) | ~models.Q(settled_reason=""),
                name="ck_bert_erasure_copies_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.worker_name

    @property
    def is_gone(self) -> bool:
        """Tell whether somebody has said that nothing is left there."""
        return self.confirmed_at is not None or self.settled_at is not None

    @property
    def state(self) -> CopyState:
        """Tell how far the computer is, or why it is no further."""
        if self.is_gone:
            return CopyState.CONFIRMED if self.confirmed_at is not None else CopyState.SETTLED
        if self.worker is None:
            return CopyState.REMOVED
        if self.machine and self.machine != self.worker.machine:
            return CopyState.REPLACED
        if not self.worker.active:
            return CopyState.SWITCHED_OFF
        if not self.worker.can(Feature.FORGET):
            return CopyState.TOO_OLD
        return CopyState.ASKED if self.worker.is_online else CopyState.SILENT

    @property
    def state_words(self) -> str:
        """Say the same to people."""
        return str(COPY_STATE_LABELS[self.state])
