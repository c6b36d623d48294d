"""The manifest of a job arrives as the portal states it; an older portal has none, and the worker divides by itself."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from bert_training.worker.client import Refused
from bert_training.worker.dataset_cache import TRIES, DatasetCorrupt, DatasetGone
from bert_training.worker.manifest_cache import ManifestCache
from bert_training.worker.retry import GaveUp
from tests.worker.fake_portal import Answer, FakePortal, error
from tests.worker.supervisors import LocalSupervisor

MANIFEST = b"2\ttrain\n3\tvalidation\n4\ttest\n"
DIGEST = sha256(MANIFEST).hexdigest()
Fetch = Callable[..., Path | None]


@pytest.fixture
def fetch(portal: FakePortal, tmp_path: Path) -> Fetch:
    """Fetch the manifest of job 1, which the portal has."""
    context = LocalSupervisor(portal, tmp_path / "models").context
    cache = ManifestCache(tmp_path / "models" / "datasets", context.client, context.retrier)
    job = portal.enqueue(split_digest=DIGEST)
    portal.manifests[job.job_id] = MANIFEST

    def fetch(*, split_digest: str = DIGEST, give_up: Callable[[], bool] = lambda: False) -> Path | None:
        return cache.fetch(job.model_copy(update={"split_digest": split_digest}), give_up=give_up)

    return fetch


def test_a_manifest_is_fetched_once(portal: FakePortal, fetch: Fetch) -> None:
    path = fetch()
    assert path is not None
    assert path == fetch()
    assert (path.name, path.read_bytes()) == (f"{DIGEST}.manifest", MANIFEST)
    assert len(portal.sent_to("/manifest")) == 1


def test_one_that_was_changed_on_the_disk_is_fetched_again(portal: FakePortal, fetch: Fetch) -> None:
    path = fetch()
    assert path is not None
    path.write_bytes(b"2\ttrain\n")
    assert fetch() == path
    assert path.read_bytes() == MANIFEST
    assert len(portal.sent_to("/manifest")) == 2


def test_an_older_portal_has_no_manifest(portal: FakePortal, fetch: Fetch) -> None:
    portal.manifests.clear()
    assert fetch() is None
    assert fetch(split_digest="") is None
    assert len(portal.sent_to("/manifest")) == 1


def test_an_outage_is_waited_for(portal: FakePortal, fetch: Fetch) -> None:
    portal.inject("/manifest", error(503, "unavailable"), times=2)
    portal.inject("/manifest", Answer(200, MANIFEST[:9]))
    assert fetch() is not None


def test_what_stays_damaged_is_not_trained_on(portal: FakePortal, fetch: Fetch) -> None:
    portal.inject("/manifest", Answer(200, MANIFEST * 1000), times=99)
    with pytest.raises(DatasetCorrupt, match="arrived damaged"):
        fetch()
    assert len(portal.sent_to("/manifest")) == TRIES


def test_data_that_are_gone_end_the_run(portal: FakePortal, fetch: Fetch) -> None:
    portal.inject("/manifest", error(404, "dataset_gone"))
    with pytest.raises(DatasetGone):
        fetch()


def test_another_refusal_is_passed_on(portal: FakePortal, fetch: Fetch) -> None:
    portal.inject("/manifest", error(403, "worker_inactive"))
    with pytest.raises(Refused):
        fetch()


def test_a_stop_ends_the_download(fetch: Fetch) -> None:
    stop = iter([False, True])
    with pytest.raises(GaveUp):
        fetch(give_up=lambda: next(stop))
