"""An uploaded spreadsheet: the original bytes, the canonical table made of it, and what the check found."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import DatasetStatus, Split, WorkbookKind
from bert_training.models.choices import dataset_status_choices, task_choices

PRIVACY_FULL = "full"
# Behind the key of a workbook: that it is being made, and why there is none.
PENDING_ENDING, REASON_ENDING = ".pending", ".reason"


class Dataset(models.Model):
    """One record per owner for the same bytes, task, sheet, columns and privacy."""

    # Names the stored files. Never the digest: two owners may store the same bytes and delete them apart.
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="datasets", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    task = models.CharField(_("task"), max_length=50, choices=task_choices)
    status = models.CharField(
        _("status"), max_length=20, choices=dataset_status_choices, default=DatasetStatus.CHECKING.value
    )
    original_name = models.CharField(_("file name"), max_length=255)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    bytes = models.BigIntegerField(_("size (bytes)"))
    sheet = models.CharField(_("sheet"), max_length=100, blank=True)
    columns = models.JSONField(_("columns"), default=dict)
    # Files sent beside the first: "validation" or "test" -> {"name", "sha256", "bytes"}.
    extra_files = models.JSONField(_("validation and test files"), default=dict)
    # How the file was asked to be read, {"sheet", "columns", "recipe"}; `sheet` and `columns` say what was found.
    request = models.JSONField(default=dict, editable=False)
    # Digest of task, wanted sheet and columns and privacy: with owner and sha256 the identity of a dataset.
    request_digest = models.CharField(max_length=64, editable=False)
    # The dataset whose stored files this one was made of, with more repairs.
    derived_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("made from")
    )
    privacy = models.CharField(_("privacy"), max_length=20, default=PRIVACY_FULL)
    table_sha256 = models.CharField(_("SHA-256 of the table"), max_length=64, blank=True)
    table_bytes = models.BigIntegerField(default=0)
    rows = models.IntegerField(_("rows"), default=0)
    summary = models.JSONField(_("summary"), default=dict)
    report = models.JSONField(_("check report"), default=dict)
    progress = models.IntegerField(_("progress (percent)"), default=0)
    check_attempts = models.IntegerField(default=0, editable=False)  # own guard: django-q2 retries for ever
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # A deleted dataset on which runs stand keeps name and digest for them; files, summary and report are gone.
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    # The portal's own example: everybody who reads may see it, nobody trains on it (access.py).
    is_example = models.BooleanField(_("example"), default=False, db_default=False, editable=False)

    class Meta:
        db_table = "bert_datasets"
        ordering = ("-id",)
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")
        indexes = [models.Index(fields=["sha256"], name="ix_bert_datasets_sha256_hash")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "sha256", "request_digest"],
                condition=~models.Q(status="refused") & models.Q(deleted_at__isnull=True),
                name="uq_bert_datasets_identity",
            ),
            models.UniqueConstraint(
                fields=["is_example"],
                condition=models.Q(is_example=True, deleted_at__isnull=True),
                name="uq_bert_datasets_example",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def original_key(self) -> str:
        """Where the uploaded bytes are stored."""
        return f"datasets/{self.uuid}/original"

    def part_key(self, part: Split) -> str:
        """Where the bytes of one file of the upload are stored; the first is the training part."""
        return self.original_key if part == Split.TRAIN else f"datasets/{self.uuid}/{part.value}"

    @property
    def files(self) -> dict[str, dict[str, Any]]:
        """The files of the upload by part, each {"name", "sha256", "bytes"}; the first is the training part."""
        first = {"name": self.original_name, "sha256": self.sha256, "bytes": self.bytes}
        return {Split.TRAIN.value: first, **self.extra_files}

    @property
    def upload_bytes(self) -> int:
        """How large all files of the upload are together."""
        return sum(file["bytes"] for file in self.files.values())

    @property
    def recipe(self) -> list[str]:
        """The one-click repairs that were done on the way from file to table."""
        return list(self.request.get("recipe", []))

    @property
    def table_key(self) -> str:
        """Where the canonical Parquet table is stored."""
        return f"datasets/{self.uuid}/table.parquet"

    @property
    def folder(self) -> str:
        """Where all files of it are stored."""
        return f"datasets/{self.uuid}"

    def workbook_key(self, name: str, language: str) -> str:
        """Where a workbook is stored, of datasets so large that it is made in the background.

        name: a WorkbookKind, or that of a run's doubts (services.doubt_workbooks).
        """
        return f"{self.folder}/{name}.{language}.xlsx"

    @property
    def workbook_keys(self) -> list[str]:
        """Name all files that may be stored for the workbooks of a large dataset."""
        keys = [self.workbook_key(kind, language) for kind in WorkbookKind for language, _name in settings.LANGUAGES]
        return [key + ending for key in keys for ending in ("", PENDING_ENDING, REASON_ENDING)]

    @property
    def is_large(self) -> bool:
        """Tell whether it is checked, and workbooks of it are made, in the background."""
        return self.upload_bytes > settings.BACKGROUND_CHECK_BYTES

    @property
    def is_ready(self) -> bool:
        """Tell whether runs may be created on it."""
        return self.status == DatasetStatus.READY and self.deleted_at is None
