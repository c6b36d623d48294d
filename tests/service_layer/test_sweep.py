"""The daily sweep: files without a row go after a day, everything else stays."""

import re
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django_q.models import Schedule

from bert_training.background import sweep_files
from bert_training.models import Dataset
from bert_training.services import sweep

ORPHAN = "datasets/00000000-0000-4000-8000-000000000000/original"

pytestmark = pytest.mark.embedded


@pytest.fixture
def orphan(db: None) -> str:
    """A file that belongs to no dataset."""
    default_storage.save(ORPHAN, ContentFile(b"x"))
    return ORPHAN


def test_an_old_file_without_a_row_goes_and_those_with_one_stay(
    orphan: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "MINIMUM_AGE", timedelta(seconds=-5))  # everything stored so far counts as old
    monkeypatch.setattr(sweep, "_stored_folders", lambda: [orphan.split("/")[1], str(dataset.uuid)])
    monkeypatch.setattr(sweep, "_orphans_of_proofs", list)  # those of other tests
    assert sweep.sweep_files() == 1
    assert not default_storage.exists(orphan)
    assert default_storage.exists(dataset.original_key)
    assert default_storage.exists(dataset.table_key)


def test_a_file_of_today_may_still_get_its_row(orphan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_stored_folders", lambda: [orphan.split("/")[1]])  # not those of all other tests
    sweep_files()
    assert default_storage.exists(orphan)


def test_one_part_that_fails_keeps_no_other_from_its_work(
    orphan: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OSError("away")

    left = tmp_path / "bert-check-killed"
    left.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sweep, "MINIMUM_AGE", timedelta(seconds=-5))
    monkeypatch.setattr(sweep, "_stored_folders", fail)
    sweep_files()
    assert not left.exists()


def test_the_sweep_is_scheduled_once_a_day(db: None) -> None:
    schedule = Schedule.objects.get(func="bert_training.background.sweep_files")
    assert schedule.schedule_type == Schedule.DAILY


def test_the_folder_of_a_check_that_was_killed_goes_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = [f"{prefix}killed" for prefix in working_prefixes()]
    for name in [*names, "bert-demo", "of-somebody"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("um texto")
    with TemporaryUploadedFile("pedidos.xlsx", "", 0, None) as upload:
        upload_left = tmp_path / Path(upload.temporary_file_path()).name
    upload_left.write_text("um texto")
    assert sweep.sweep_working_folders() == 0  # of today: it may still be at work
    monkeypatch.setattr(sweep, "MINIMUM_AGE", timedelta(seconds=-5))
    assert sweep.sweep_working_folders() == len(names) + 1 >= 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bert-demo", "of-somebody"]


def working_prefixes() -> set[str]:
    """Find how the program calls its working folders."""
    files = Path(sweep.__file__).parents[1].rglob("*.py")
    return {found for path in files for found in re.findall(r'TemporaryDirectory\(prefix="([^"]+)"', path.read_text())}
