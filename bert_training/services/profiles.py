"""Makes the profile of a dataset in the background, and hands out its groups of near-duplicates.

A dataset is usable without a profile: whatever goes wrong here ends as `failed`, never as a dataset that waits.
"""

import logging
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.tasks import async_task, schedule

from bert_training.contract.enums import ErrorCode, ProfileStatus
from bert_training.contract.messages import TokenLengths as TokenLengthsMessage
from bert_training.data.checks import DatasetRefused
from bert_training.data.profiling.duplicates import can_compare, near_groups, pack_groups, unpack_groups
from bert_training.data.sandbox import SandboxFailed
from bert_training.models import Dataset, DatasetProfile, Run, TokenLengths
from bert_training.services.continuations import continuation_of, pack_positions
from bert_training.services.errors import DatasetNotReady
from bert_training.services.stored_files import read_table, stored_copy
from bert_training.services.transactions import hold_dataset
from bert_training.tasks import TASKS
from bert_training.tasks.profiling import groups_in_sandbox, profile_in_sandbox

logger = logging.getLogger(__name__)

PROFILE_FUNCTION = "bert_training.background.make_profile"

# django-q2 starts a task again for ever when its process dies in it (its issue 327).
PROFILE_ATTEMPTS = 3
AWAY_SECONDS = 60
# Whoever divides a dataset whose profile is not there yet: near-duplicates are looked for at once up to so many rows,
# for more they wait; after ten minutes something is wrong with the background work and nobody waits any more.
ROWS_GROUPED_AT_ONCE = 20_000
PATIENCE = timedelta(minutes=10)
CHARACTERS_GROUPED_HERE = 1_000_000  # some 0.1 s and 50 MB; more is a child's work


def start_profile(dataset: Dataset) -> None:
    """Have the profile made, or made again, in the background; to be called in the transaction that makes it needed."""
    fresh = {
        "status": ProfileStatus.PENDING.value,
        "attempts": 0,
        "content": {},
        "clusters": None,
        "created_at": timezone.now(),
        "finished_at": None,
    }
    DatasetProfile.objects.update_or_create(dataset=dataset, defaults=fresh)
    async_task(PROFILE_FUNCTION, dataset.pk)


def restart_profile(dataset: Dataset) -> None:
    """Make the profile of a dataset again, as somebody asks for it; one that is under way is left alone."""
    if not dataset.is_ready:
        raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, _("Only a dataset that is ready has a profile."))
    with transaction.atomic():
        hold_dataset(dataset.pk)
        profile = DatasetProfile.objects.filter(dataset=dataset).first()
        if profile is None or not _is_under_way(profile):
            start_profile(dataset)


def make_profile(pk: int) -> None:
    """Make the profile of a dataset; does nothing when that is settled already. Raises StorageAway, DatasetGone."""
    pending = _pending(pk)
    pending.update(attempts=F("attempts") + 1)
    profile = pending.select_related("dataset").first()
    if profile is None:
        return
    if profile.attempts > PROFILE_ATTEMPTS:
        logger.error("profile given up", extra={"dataset": pk})
        fail_profile(pk)
        return
    try:
        found = _describe(profile.dataset)
    except (DatasetRefused, SandboxFailed) as error:
        logger.exception("profile not made", extra={"dataset": pk, "error": type(error).__name__})
        fail_profile(pk)
        return
    now = timezone.now()
    pending.update(status=ProfileStatus.READY.value, finished_at=now, **found)
    logger.info("profile made", extra={"dataset": pk})


def make_profile_later(pk: int) -> None:
    """Try again in a while: the store was away, which says nothing about the dataset and is no attempt."""
    _pending(pk).update(attempts=F("attempts") - 1)
    schedule(PROFILE_FUNCTION, pk, next_run=timezone.now() + timedelta(seconds=AWAY_SECONDS))
    logger.warning("profile waits for the store", extra={"dataset": pk})


def fail_profile(pk: int) -> None:
    """Note that the profile could not be made."""
    _pending(pk).update(status=ProfileStatus.FAILED.value, finished_at=timezone.now())


def clusters_of(dataset: Dataset) -> list[int] | None:
    """Return for each row of the table the index of the first of its near-duplicates; None when that is not known.

    Raises DatasetNotReady while a large dataset is still being compared, DatasetGone, StorageAway.
    """
    profile = DatasetProfile.objects.defer("content").filter(dataset=dataset).first()
    if profile is not None and profile.clusters is not None:
        return unpack_groups(bytes(profile.clusters), dataset.rows)
    if profile is not None and profile.status != ProfileStatus.PENDING:
        return None
    if dataset.rows <= ROWS_GROUPED_AT_ONCE:
        return _group_at_once(dataset)
    if profile is None:  # stored before there were profiles
        restart_profile(dataset)
    elif not _is_under_way(profile):
        return None
    message = _("The portal is still looking for texts that are nearly the same. Try again in a minute.")
    raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, message, retry_after=60)


def note_token_lengths(run: Run, lengths: TokenLengthsMessage) -> None:
    """Keep what a worker has counted; the newest count of a dataset in the tokens of a base model stays."""
    counted = TokenLengths(dataset_id=run.dataset_id, base_model=run.base_model, content=lengths.model_dump())
    TokenLengths.objects.bulk_create(
        [counted],
        update_conflicts=True,
        unique_fields=["dataset", "base_model"],
        update_fields=["content", "counted_at"],
    )


def _pending(pk: int) -> QuerySet[DatasetProfile]:
    return DatasetProfile.objects.filter(pk=pk, status=ProfileStatus.PENDING, dataset__deleted_at__isnull=True)


def _is_under_way(profile: DatasetProfile) -> bool:
    return profile.status == ProfileStatus.PENDING and timezone.now() - profile.created_at < PATIENCE


def _describe(dataset: Dataset) -> dict[str, Any]:
    """Read the canonical table in a child; returns fields of the profile."""
    with (
        stored_copy(dataset.table_key, dataset.table_sha256) as table,
        tempfile.TemporaryDirectory(prefix="bert-profile-") as folder,
    ):
        groups_path = Path(folder) / "groups"
        content = profile_in_sandbox(table, task=dataset.task, groups_path=groups_path)
        found = {"content": content, "clusters": groups_path.read_bytes() if groups_path.exists() else None}
        if continued := continuation_of(dataset, table):
            content["continues"] = continued.counts
            found["corrected"] = pack_positions(continued.corrected)
        return found


def _group_at_once(dataset: Dataset) -> list[int] | None:
    """Find the near-duplicates while somebody waits, and keep them for the next who asks."""
    texts = TASKS[dataset.task].texts(read_table(dataset))
    if not can_compare(texts):
        return None
    if sum(map(len, texts)) <= CHARACTERS_GROUPED_HERE:
        groups = near_groups(texts)
    else:
        try:
            with tempfile.TemporaryDirectory(prefix="bert-groups-") as folder:
                groups = groups_in_sandbox(texts, Path(folder))
        except (DatasetRefused, SandboxFailed) as error:
            logger.error("near-duplicates not found", extra={"dataset": dataset.pk, "error": type(error).__name__})
            return None
    _pending(dataset.pk).update(clusters=pack_groups(groups))
    return groups
