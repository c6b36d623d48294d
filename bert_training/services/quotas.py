"""How much one person may keep: a number of datasets, and the bytes of their uploaded files. Nobody is exempt."""

from typing import Never

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.models import Dataset
from bert_training.services.errors import QuotaExceeded


def require_room(dataset: Dataset) -> None:
    """Raise QuotaExceeded when its owner may not keep this new dataset beside those that are there."""
    kept = Dataset.objects.filter(owner=dataset.owner, deleted_at__isnull=True)
    if kept.count() >= settings.DATASETS_PER_USER:
        message = _("You have reached the limit of %(limit)d datasets. Delete some that you do not need.")
        _refuse(message % {"limit": settings.DATASETS_PER_USER}, settings.DATASETS_PER_USER)
    first_files: int = kept.aggregate(total=Sum("bytes"))["total"] or 0
    others = kept.exclude(extra_files={}).values_list("extra_files", flat=True)
    used = first_files + sum(file["bytes"] for files in others for file in files.values())
    if used + dataset.upload_bytes > settings.DATASET_BYTES_PER_USER:
        message = _("With this file your datasets would take more than %(limit)s. Delete some that you do not need.")
        _refuse(message % {"limit": filesizeformat(settings.DATASET_BYTES_PER_USER)}, settings.DATASET_BYTES_PER_USER)


def queue_at_quota(owner: User) -> None:
    """Let one upload of a person after the other pass, inside a transaction: parallel ones would all find room."""
    User.objects.select_for_update().get(pk=owner.pk)


def _refuse(message: str, limit: int) -> Never:
    raise QuotaExceeded(ErrorCode.QUOTA_EXCEEDED, message, limit=limit)
