"""The table of a job arrives once, whole and exactly as stated, or the job fails with a reason."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from bert_training.contract.messages import DatasetReference
from bert_training.worker import dataset_cache
from bert_training.worker.client import Refused
from bert_training.worker.dataset_cache import DatasetCache, DatasetCorrupt, DatasetGone, DiskFull
from bert_training.worker.retry import GaveUp
from tests.worker.fake_portal import Answer, FakePortal, error
from tests.worker.supervisors import LocalSupervisor

TABLE = bytes(range(256)) * 4096  # 1 MiB
DIGEST = sha256(TABLE).hexdigest()
Fetch = Callable[[], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "datasets"


@pytest.fixture
def fetch(portal: FakePortal, tmp_path: Path, folder: Path) -> Fetch:
    """Fetch the table; the portal has it as dataset 1."""
    context = LocalSupervisor(portal, tmp_path / "models").context
    cache = DatasetCache(folder, context.client, context.retrier)
    portal.tables[1] = TABLE
    reference = DatasetReference(id=1, sha256="0" * 64, bytes=1, table_sha256=DIGEST, table_bytes=len(TABLE), rows=1)
    return lambda: cache.fetch(reference, give_up=lambda: False)


def test_a_table_is_fetched_once(portal: FakePortal, fetch: Fetch) -> None:
    assert fetch().read_bytes() == TABLE
    assert fetch().name == f"{DIGEST}.parquet"
    assert len(portal.sent_to("/download")) == 1


def test_a_folder_that_somebody_removed_is_made_again(fetch: Fetch, folder: Path) -> None:
    folder.rmdir()
    assert fetch().read_bytes() == TABLE


def test_a_part_is_continued_where_it_ended(portal: FakePortal, fetch: Fetch, folder: Path) -> None:
    (folder / f"{DIGEST}.part").write_bytes(TABLE[:1000])
    assert fetch().read_bytes() == TABLE
    request = portal.sent_to("/download")[0]
    assert (request.headers["range"], request.headers["if-range"]) == ("bytes=1000-", f'"{DIGEST}"')


def test_a_cut_download_goes_on_by_range(portal: FakePortal, fetch: Fetch) -> None:
    portal.inject("/download", Answer(200, TABLE[:300_000]))
    assert fetch().read_bytes() == TABLE
    assert portal.sent_to("/download")[1].headers["range"] == "bytes=300000-"


def test_what_arrived_before_the_line_broke_is_kept(portal: FakePortal, fetch: Fetch) -> None:
    """F-40: also on a line that never carries much at once."""
    whole = {"Content-Length": str(len(TABLE)), "Connection": "close"}
    portal.inject("/download", Answer(200, TABLE[:100_000], whole))
    assert fetch().read_bytes() == TABLE
    assert portal.sent_to("/download")[1].headers["range"] == "bytes=100000-"


def test_a_portal_without_ranges_starts_over(portal: FakePortal, fetch: Fetch, folder: Path) -> None:
    (folder / f"{DIGEST}.part").write_bytes(b"old bytes")
    portal.inject("/download", Answer(200, TABLE))
    assert fetch().read_bytes() == TABLE


@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * len(TABLE), b"x" * (len(TABLE) + 5)])
def test_a_part_of_something_else_is_thrown_away(fetch: Fetch, folder: Path, part: bytes) -> None:
    (folder / f"{DIGEST}.part").write_bytes(part)
    assert fetch().read_bytes() == TABLE


def test_a_damaged_table_in_the_cache_is_fetched_again(fetch: Fetch, folder: Path) -> None:
    (folder / f"{DIGEST}.parquet").write_bytes(TABLE[:-1] + b"x")
    assert fetch().read_bytes() == TABLE


def test_a_table_that_stays_damaged_is_refused_after_three_fresh_tries(portal: FakePortal, fetch: Fetch) -> None:
    portal.tables[1] = TABLE[:-1] + b"x"
    with pytest.raises(DatasetCorrupt, match="SHA-256"):
        fetch()
    assert len(portal.sent_to("/download")) == dataset_cache.TRIES + 1


def test_never_more_is_taken_than_was_stated(portal: FakePortal, fetch: Fetch, folder: Path) -> None:
    portal.tables[1] = TABLE * 8
    assert fetch().read_bytes() == TABLE
    assert [path.stat().st_size for path in folder.iterdir()] == [len(TABLE)]


def test_a_shorter_table_than_stated_ends_as_damaged(portal: FakePortal, fetch: Fetch) -> None:
    portal.tables[1] = TABLE[:1000]
    with pytest.raises(DatasetCorrupt):
        fetch()


def test_a_deleted_file_is_named(portal: FakePortal, fetch: Fetch) -> None:
    del portal.tables[1]
    with pytest.raises(DatasetGone):
        fetch()


def test_a_refusal_goes_to_the_caller(portal: FakePortal, fetch: Fetch) -> None:
    portal.inject("/download", error(404, "not_found"))
    with pytest.raises(Refused):
        fetch()


def test_an_outage_is_waited_for(portal: FakePortal, fetch: Fetch) -> None:
    portal.inject("/download", Answer(503, "<html>"), times=3)
    assert fetch().read_bytes() == TABLE


def test_a_full_disk_is_named_before_anything_is_asked(
    portal: FakePortal, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_cache, "SPARE_BYTES", 2**60)
    with pytest.raises(DiskFull, match="--models-dir"):
        fetch()
    assert portal.requests == []


def test_a_stopped_job_ends_the_download(portal: FakePortal, tmp_path: Path, folder: Path) -> None:
    portal.tables[1] = TABLE
    context = LocalSupervisor(portal, tmp_path / "models").context
    reference = DatasetReference(id=1, sha256="0" * 64, bytes=1, table_sha256=DIGEST, table_bytes=len(TABLE), rows=1)
    stop = iter([False, True, True, True])
    with pytest.raises(GaveUp):
        DatasetCache(folder, context.client, context.retrier).fetch(reference, give_up=lambda: next(stop))
    assert 0 < (folder / f"{DIGEST}.part").stat().st_size < len(TABLE)
