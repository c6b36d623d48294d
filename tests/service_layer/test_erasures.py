"""A deletion reaches the store, the database and every computer, and says how far it has come."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from bert_training import background
from bert_training.contract.enums import JobStatus, Split, WorkbookKind, WorkerState
from bert_training.contract.messages import Forget, HeartbeatRequest, TokenLengths
from bert_training.models import AuditEvent, Dataset, DatasetProfile, Erasure, ErasureCopy, Job, Run, RunProof, Worker
from bert_training.models import TokenLengths as KeptLengths
from bert_training.services import datasets, erasures, stored_files, stored_workbooks
from bert_training.services.datasets import Registered, delete_dataset, register_upload
from bert_training.services.doubting.doubt_workbooks import name_of_doubts
from bert_training.services.errors import DatasetGone, ServiceError
from bert_training.services.profiles import note_token_lengths
from bert_training.services.runs import delete_run
from bert_training.services.workers import record_heartbeat
from bert_training.tasks.intake import CheckRequest
from tests.canaries import holds_in_store, stored_keys, tables_with
from tests.personas import claim, make_run, ready_dataset
from tests.predicting import complete_with, label_predictions, names_of
from tests.workbooks import workbook_bytes

CANARY = "canario7391"


def beat(worker: Worker, *, machine: str = "machine-1", forgotten: list[int] | None = None) -> list[Forget]:
    """Send a heartbeat; returns what the computer shall delete."""
    body = HeartbeatRequest(
        instance=f"{machine}:1", state=WorkerState.IDLE, sent_at=datetime.now(UTC), forgotten=forgotten or []
    )
    return record_heartbeat(worker, body).forget


def end(run: Run) -> None:
    """End a run without a word from its worker."""
    Job.objects.get(run=run).transition(JobStatus.CANCELED, lease_until=None)


def run_background_work() -> None:
    """Do what waits for django-q2, once each."""
    waiting = list(OrmQ.objects.all())
    OrmQ.objects.all().delete()
    for task in waiting:
        name = task.task["func"].rpartition(".")[2]
        getattr(background, name)(*task.task["args"])


@pytest.fixture
def stored_before() -> set[str]:
    """The files of other tests."""
    return stored_keys()


@pytest.fixture
def everything(
    stored_before: set[str], ana: User, worker: Worker, settings: Settings, checked_here: None, proved_here: None
) -> Run:
    """A run that was completed on a dataset whose every row holds the canary, with all that is ever made of one."""
    settings.BACKGROUND_CHECK_BYTES = 1  # workbooks are kept in the store
    content = workbook_bytes("text-classification", rows=30, salt=CANARY)
    file = SimpleUploadedFile("pedidos.xlsx", content)
    uploads = {Split.TRAIN: file}
    dataset = register_upload(
        owner=ana, uploads=uploads, request=CheckRequest(task="text-classification"), description=CANARY
    ).dataset
    run_background_work()
    run_background_work()  # the profile, asked for by the check
    dataset.refresh_from_db()
    assert dataset.is_ready
    run = make_run(ana, dataset)
    job = Job.objects.get(pk=claim(worker).job_id)
    note_token_lengths(run, TokenLengths(max_length=32, edges=[0, 8], counts=[30]))
    complete_with(worker, job, [label_predictions(range(2, 20), classes=len(names_of(job)))])
    run_background_work()
    for kind in WorkbookKind:
        stored_workbooks.make_stored_workbook(dataset.pk, kind.value, "en")
    stored_workbooks.make_stored_workbook(dataset.pk, name_of_doubts(run, Split.TRAIN, "linear"), "en")
    return Run.objects.select_related("dataset", "job").get(pk=run.pk)


def test_no_text_is_left_in_database_or_store(
    stored_before: set[str],
    everything: Run,
    ana: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    own = stored_keys() - stored_before
    assert len(own) >= 6  # original, table, predictions, workbooks
    assert len(holds_in_store(CANARY, own)) >= 3
    assert "bert_datasets" in tables_with(CANARY)
    with django_capture_on_commit_callbacks(execute=True):
        erasure = delete_dataset(everything.dataset, by=ana)
    assert not own & stored_keys()
    assert not stored_keys() - stored_before
    assert tables_with(CANARY) == []
    assert Erasure.objects.get(pk=erasure.pk).stored == []
    assert not DatasetProfile.objects.exists()
    assert not KeptLengths.objects.exists()
    assert RunProof.objects.get().content  # the figures stay
    assert Dataset.objects.get().name == everything.dataset.name


def test_a_run_takes_the_workbooks_of_its_repeats_along(
    run: Run, running_job: Job, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    repeat = make_run(run.owner, run.dataset)
    other = make_run(run.owner, run.dataset)
    Run.objects.filter(pk=repeat.pk).update(repeat_of=run, repeat_kind="seed", repeat_number=1)
    keys = [run.dataset.workbook_key(name_of_doubts(each, Split.TRAIN, "linear"), "en") for each in (repeat, other)]
    for key in keys:
        default_storage.save(key, ContentFile(CANARY.encode()))
    end(run)
    end(repeat)
    with django_capture_on_commit_callbacks(execute=True):
        delete_run(run)
    assert list(map(default_storage.exists, keys)) == [False, True]


def test_the_last_run_of_a_deleted_dataset_takes_its_row_along(run: Run, running_job: Job) -> None:
    end(run)
    delete_dataset(run.dataset)
    assert Dataset.objects.get().deleted_at
    delete_run(Run.objects.get(pk=run.pk))
    assert not Dataset.objects.exists()
    assert [erasure.kind for erasure in Erasure.objects.order_by("id")] == ["dataset", "run"]


def test_the_same_bytes_sent_during_the_deletion_make_a_dataset_of_their_own(
    ana: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def upload() -> Registered:
        file = SimpleUploadedFile("pedidos.xlsx", content)
        request = CheckRequest(task="text-classification")
        return register_upload(owner=ana, uploads={Split.TRAIN: file}, request=request)

    def delete_then_look(key: str, sha256: str) -> bool:
        if Dataset.objects.filter(pk=first.pk).exists():
            with django_capture_on_commit_callbacks(execute=True):
                delete_dataset(first)
        return stored_files.is_whole(key, sha256)

    content = workbook_bytes("text-classification", rows=30, salt=CANARY)
    first = upload().dataset
    folder = first.folder
    monkeypatch.setattr(datasets, "is_whole", delete_then_look)
    again = upload()
    assert again.created
    assert default_storage.exists(again.dataset.original_key)
    assert not [key for key in stored_keys() if key.startswith(folder)]


def test_who_deletes_a_second_time_is_told_so(run: Run, running_job: Job) -> None:
    end(run)
    seen, seen_run = Dataset.objects.get(pk=run.dataset_id), Run.objects.get(pk=run.pk)
    delete_dataset(run.dataset)
    with pytest.raises(DatasetGone):
        delete_dataset(seen)
    delete_run(run)  # read before its dataset was deleted
    assert not Dataset.objects.exists()
    with pytest.raises(ServiceError):
        delete_run(seen_run)
    with pytest.raises(DatasetGone):
        delete_dataset(seen)
    assert [event.kind for event in AuditEvent.objects.filter(kind__endswith="_deleted").order_by("pk")] == [
        "dataset_deleted",
        "run_deleted",
    ]
    assert Erasure.objects.count() == 2


def test_nothing_is_written_onto_what_was_deleted(run: Run, running_job: Job) -> None:
    end(run)
    seen = Dataset.objects.get(pk=run.dataset_id)
    delete_dataset(run.dataset)
    with pytest.raises(DatasetGone):
        datasets.update_dataset(seen, description=CANARY)
    assert tables_with(CANARY) == []


def test_a_store_that_is_away_is_cleared_another_day(
    dataset: Dataset,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: Any) -> None:
        raise OSError("away")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "delete", refuse)
        with django_capture_on_commit_callbacks(execute=True):
            delete_dataset(dataset)
        assert erasures.clear_stores() == 1
    assert Erasure.objects.get().stored == [f"{dataset.folder}/*"]
    assert erasures.clear_stores() == 0
    assert not default_storage.exists(dataset.original_key)
    assert stored_files.is_cleared("datasets/of-nobody/*")


@pytest.mark.embedded
def test_a_computer_is_told_until_it_confirms(run: Run, running_job: Job, worker: Worker) -> None:
    end(run)
    delete_dataset(run.dataset)
    (order,) = beat(worker)
    assert (order.dataset_id, order.sha256, order.runs) == (run.dataset_id, run.dataset.sha256, [])
    assert beat(worker) == [order]
    assert beat(worker, forgotten=[order.id]) == []
    copy = ErasureCopy.objects.get()
    assert copy.is_gone
    assert beat(worker, forgotten=[order.id]) == []
    assert ErasureCopy.objects.get().confirmed_at == copy.confirmed_at
    assert AuditEvent.objects.filter(kind="copies_forgotten").count() == 1


def test_nobody_confirms_for_another(run: Run, running_job: Job, worker: Worker, other_worker: Worker) -> None:
    end(run)
    delete_dataset(run.dataset)
    (order,) = beat(worker)
    assert beat(other_worker, forgotten=[order.id]) == []
    assert beat(worker, machine="set-up-anew", forgotten=[order.id]) == []
    assert not ErasureCopy.objects.get().is_gone
    assert beat(worker) == [order]


def test_a_computer_counts_also_when_the_run_was_deleted_before(
    run: Run, running_job: Job, worker: Worker, other_worker: Worker
) -> None:
    again = make_run(run.owner, run.dataset)
    claim(other_worker, instance="machine-2:4")
    for each in (run, again):
        end(each)
    number = run.pk
    delete_run(run)
    assert [order.runs for order in beat(worker)] == [[number]]
    delete_dataset(again.dataset)
    of_dataset = Erasure.objects.get(kind="dataset")
    assert sorted(of_dataset.copies.values_list("worker_name", "machine")) == [
        ("gpu-1", "machine-1"),
        ("gpu-2", "machine-2"),
    ]
    assert [order.runs for order in beat(worker)] == [[number], []]


def test_a_worker_that_was_renamed_is_one_computer(run: Run, running_job: Job, worker: Worker) -> None:
    end(run)
    delete_run(run)
    again = make_run(run.owner, run.dataset)
    claim(worker)
    end(again)
    Worker.objects.filter(pk=worker.pk).update(name="gpu-one")
    delete_dataset(again.dataset)
    assert [copy.worker_name for copy in Erasure.objects.get(kind="dataset").copies.all()] == ["gpu-one"]


def test_a_deleted_worker_stays_on_the_list(run: Run, running_job: Job, worker: Worker) -> None:
    end(run)
    delete_run(run)
    worker.delete()
    copy = ErasureCopy.objects.get()
    assert (copy.worker, copy.worker_name, copy.is_gone) == (None, "gpu-1", False)


def test_staff_settle_by_hand_with_a_reason(run: Run, running_job: Job, worker: Worker, root: User) -> None:
    end(run)
    delete_dataset(run.dataset)
    copy = ErasureCopy.objects.get()
    with pytest.raises(ServiceError):
        erasures.settle_by_hand(copy, by=root, reason=" \x00 ")
    erasures.settle_by_hand(copy, by=root, reason="The disk was destroyed.")
    erasures.settle_by_hand(copy, by=root, reason="Another word.")
    copy.refresh_from_db()
    assert (copy.settled_by, copy.settled_reason, copy.is_gone) == (root, "The disk was destroyed.", True)
    event = AuditEvent.objects.get(kind="copies_forgotten")
    assert (event.actor_id, event.facts) == (root.pk, {"by_hand": True})
    assert beat(worker) == []


def test_what_no_computer_had_needs_no_confirmation(ana: User) -> None:
    erasure = delete_dataset(ready_dataset(ana), by=ana)
    assert not erasure.copies.exists()
    assert (erasure.owner, erasure.deleted_by) == (ana, ana)
