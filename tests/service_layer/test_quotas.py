"""Row 47 of the bad inputs: what one person may keep, by number and by bytes."""

from functools import cache
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from pytest_django import Settings

from bert_training.contract.enums import Split
from bert_training.models import Dataset
from bert_training.services import datasets
from bert_training.services.datasets import Registered, register_upload
from bert_training.services.errors import QuotaExceeded
from bert_training.tasks.intake import CheckRequest, Report, check_files
from tests.personas import make_user
from tests.workbooks import workbook_bytes

pytestmark = pytest.mark.usefixtures("checked_here")


@cache
def content_of(salt: str) -> bytes:
    """The same bytes each time: a workbook holds the second in which it was written."""
    return workbook_bytes("text-classification", salt=salt)


def register(owner: User, salt: str, **more: bytes) -> Registered:
    files = {Split.TRAIN: content_of(salt)}
    files |= {Split(part): content for part, content in more.items()}
    uploads = {part: SimpleUploadedFile("dados.xlsx", content) for part, content in files.items()}
    return register_upload(owner=owner, uploads=uploads, request=CheckRequest("text-classification"))


def test_the_number_of_datasets_of_one_person_is_limited(ana: User, carla: User, settings: Settings) -> None:
    settings.DATASETS_PER_USER = 2
    first = register(ana, "a").dataset
    register(ana, "b")
    with pytest.raises(QuotaExceeded, match="2") as refusal:
        register(ana, "c")
    assert (refusal.value.http_status, refusal.value.code) == (429, "quota_exceeded")
    assert refusal.value.extra == {"quota": "datasets", "team": None, "limit": 2, "used": 2, "wanted": 1}
    assert not register(ana, "a").created  # what is there already needs no room
    assert register(carla, "c").created
    datasets.delete_dataset(first)
    assert register(ana, "c").created


def test_the_bytes_of_one_person_are_limited(ana: User, settings: Settings) -> None:
    first = register(ana, "a", test=content_of("test")).dataset
    stored = first.upload_bytes + first.table_bytes
    assert first.upload_bytes > first.bytes
    settings.DATASET_BYTES_PER_USER = stored + len(content_of("b"))  # not with its table
    with pytest.raises(QuotaExceeded) as refusal:
        register(ana, "b")
    assert (refusal.value.extra["quota"], refusal.value.extra["used"]) == ("storage_bytes", stored)
    settings.DATASET_BYTES_PER_USER = 2 * stored
    assert register(ana, "b").created


def test_staff_are_not_exempt(root: User, settings: Settings) -> None:
    settings.DATASETS_PER_USER = 1
    register(root, "a")
    with pytest.raises(QuotaExceeded):
        register(root, "b")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_parallel_uploads_do_not_pass_the_limit_together(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = make_user("ana")
    settings.DATASETS_PER_USER = 1
    both_checked = Barrier(2, timeout=20)
    outcomes: list[str] = []

    def check_together(*files: Any, **wanted: Any) -> Report:
        report = check_files(*files, **wanted)
        both_checked.wait()
        return report

    def upload(salt: str) -> None:
        try:
            outcomes.append("created" if register(owner, salt).created else "known")
        except QuotaExceeded:
            outcomes.append("refused")
        finally:
            connection.close()

    monkeypatch.setattr(datasets, "check_in_sandbox", check_together)
    threads = [Thread(target=upload, args=(salt,)) for salt in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["created", "refused"]
    assert Dataset.objects.count() == 1
