"""Creating runs: everything is checked before anything is stored, and everything that reproduces them is kept."""

import zlib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.utils import translation
from pytest_django import DjangoCaptureOnCommitCallbacks

from bert_training.access import datasets_visible_to
from bert_training.contract.enums import ErrorCode
from bert_training.data.splitting.manifest import split_digest
from bert_training.data.splitting.split import Shares, split_rows
from bert_training.data.table import ROW
from bert_training.models import BaseModel, Dataset, Job, Run
from bert_training.services.datasets import delete_dataset
from bert_training.services.errors import DatasetGone, DatasetNotReady, InUse, InvalidRun
from bert_training.services.jobs import cancel_job
from bert_training.services.runs import RunRequest, create_run, delete_run, prepare_run, reproduce_run, store_run
from bert_training.services.stored_files import read_table
from tests.personas import BASE_MODEL, make_run

WRONG = [
    ("learning_rate", 0),
    ("learning_rate", 1),
    ("learning_rate", "abc"),
    ("learning_rate", 1e-300),
    ("learning_rate", float("nan")),
    ("batch_size", 0),
    ("batch_size", 1.5),
    ("batch_size", 10**6),
    ("epochs", 0),
    ("epochs", -3),
    ("epochs", 10**9),
    ("epochs", True),
    ("max_length", 0),
    ("max_length", 513),
    ("max_length", 10**9),
    ("train_split", 0),
    ("train_split", 1),
    ("train_split", 1.2),
    ("warmup_steps", 10**5),
    ("weight_decay", -1),
    ("weight_decay", 2),
    ("early_stopping_patience", -1),
    ("early_stopping_patience", 1.5),
    ("seed", -1),
    ("seed", 2**64),
    ("seed", 1.0),
    ("truncation_side", "up"),
    ("use_class_weights", "yes"),
    ("max_steps", 0),
    ("nonsense", 1),
    ("epochs", {"nested": 1}),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}={value}" for name, value in WRONG])
def test_a_wrong_hyperparameter_is_named_and_nothing_is_stored(
    ana: User, dataset: Dataset, name: str, value: Any
) -> None:
    with pytest.raises(InvalidRun) as refusal:
        make_run(ana, dataset, hyperparameters={name: value})
    assert [error["path"] for error in refusal.value.errors] == [f"hyperparameters.{name}"]
    assert name in refusal.value.errors[0]["message"]
    assert not Run.objects.exists()
    assert not Job.objects.exists()


def test_windows_that_hardly_advance_are_refused_with_the_most_that_is_possible(ana: User, dataset: Dataset) -> None:
    windows = {"truncation_side": "none", "max_length": 128, "window_overlap": 65}
    with translation.override("en"), pytest.raises(InvalidRun) as refusal:
        make_run(ana, dataset, hyperparameters=windows)
    (error,) = refusal.value.errors
    assert error["path"] == "hyperparameters.window_overlap"
    assert "at most 64" in error["message"]
    assert make_run(ana, dataset, hyperparameters=windows | {"window_overlap": 64}).pk
    assert make_run(ana, dataset, hyperparameters=windows | {"truncation_side": "right"}).pk


@pytest.mark.parametrize(
    "name",
    ["../../etc", "/etc/passwd", "C:\\x", "file:///x", "http://169.254.169.254/", "a/b/c", "a b/c", "x" * 300, ""],
)
def test_only_models_of_the_catalogue_are_trained(ana: User, dataset: Dataset, name: str) -> None:
    with pytest.raises(InvalidRun) as refusal:
        create_run(RunRequest(owner=ana, dataset=dataset, base_model=name, hyperparameters={}))
    assert refusal.value.code == ErrorCode.MODEL_NOT_ALLOWED
    assert BASE_MODEL in refusal.value.message


def test_a_model_that_does_not_serve_the_task_is_refused(ana: User, dataset: Dataset) -> None:
    BaseModel.objects.filter(name=BASE_MODEL).update(tasks=["token-classification"])
    with pytest.raises(InvalidRun):
        make_run(ana, dataset)


def test_defaults_are_filled_in(run: Run) -> None:
    expected = {"epochs": 2, "batch_size": 16, "learning_rate": 5e-5, "train_split": 0.7, "seed": 42, "max_steps": None}
    assert expected.items() <= run.hyperparameters.items()


def test_the_manifest_is_the_split_that_a_worker_will_compute(run: Run, dataset: Dataset) -> None:
    table = read_table(dataset)
    splits = split_rows(list(table["label"]), Shares(0.7, 0.15, 0.15), seed=42)
    letters = zlib.decompress(run.split_manifest.letters).decode()
    assert letters == "".join({"train": "t", "validation": "v", "test": "e"}[split] for split in splits)
    assert run.split_digest == split_digest(table[ROW], splits)


def test_a_dataset_that_is_being_checked_cannot_be_trained_on(ana: User, dataset: Dataset) -> None:
    dataset.status = "checking"
    with pytest.raises(DatasetNotReady):
        make_run(ana, dataset)


def test_reproduce_takes_everything_over_and_links_back(run: Run, ana: User) -> None:
    Run.objects.filter(pk=run.pk).update(reproducibility={"base_model_revision": "trained-commit"})
    run.refresh_from_db()
    again = reproduce_run(run, owner=ana)
    assert again.reproduced_from == run
    assert (again.hyperparameters, again.split_digest) == (run.hyperparameters, run.split_digest)
    assert again.base_model_revision == "trained-commit"
    assert bytes(again.split_manifest.letters) == bytes(run.split_manifest.letters)
    assert again.job.status == "queued"


def test_a_run_is_deleted_only_after_its_end(run: Run) -> None:
    with pytest.raises(InUse):
        delete_run(run)
    cancel_job(run.job.pk)
    delete_run(run)
    assert not Run.objects.exists()


def test_a_dataset_that_a_run_needs_is_not_deleted(run: Run, dataset: Dataset) -> None:
    with pytest.raises(InUse):
        delete_dataset(dataset)
    assert datasets_visible_to(run.owner).filter(pk=dataset.pk).exists()


def test_a_dataset_goes_when_its_runs_have_ended_and_they_keep_its_digest(
    run: Run, dataset: Dataset, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    cancel_job(run.job.pk)
    with django_capture_on_commit_callbacks(execute=True):
        delete_dataset(dataset)
    kept = Run.objects.select_related("dataset").get(pk=run.pk).dataset
    assert not datasets_visible_to(run.owner).exists()
    assert not default_storage.exists(dataset.original_key)
    assert not default_storage.exists(dataset.table_key)
    assert (kept.sha256, kept.summary, kept.report) == (dataset.sha256, {}, {})
    assert not kept.is_ready


def test_what_was_deleted_is_not_reproduced(run: Run, dataset: Dataset, ana: User) -> None:
    cancel_job(run.job.pk)
    delete_dataset(dataset)
    run.dataset.refresh_from_db()
    with pytest.raises(DatasetGone):
        reproduce_run(run, owner=ana)


def test_a_run_whose_table_is_lost_is_not_reproduced(run: Run, dataset: Dataset, ana: User) -> None:
    default_storage.delete(dataset.table_key)
    with pytest.raises(DatasetGone):
        reproduce_run(run, owner=ana)


def test_a_base_model_that_is_not_offered_any_more_is_not_reproduced(run: Run, ana: User) -> None:
    BaseModel.objects.update(active=False)
    with pytest.raises(InvalidRun):
        reproduce_run(run, owner=ana)


def test_a_run_is_not_stored_on_data_that_went_meanwhile(ana: User, dataset: Dataset) -> None:
    prepared = prepare_run(RunRequest(owner=ana, dataset=dataset, base_model=BASE_MODEL, hyperparameters={}))
    Dataset.objects.all().delete()
    with pytest.raises(DatasetGone):
        store_run(prepared)
    assert not Run.objects.exists()
