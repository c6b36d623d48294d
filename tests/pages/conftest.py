"""People with a browser: clients that are signed in, reading English so that tests can name what they see."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.models import Run, Worker
from tests.checking import judge_manifests_here
from tests.pages.training import train
from tests.personas import make_run


@pytest.fixture(autouse=True)
def _check_here(monkeypatch: pytest.MonkeyPatch, checked_here: None) -> None:
    """Spare what these tests are not about: the child processes around the same checks."""
    judge_manifests_here(monkeypatch)


def client_of(user: User, language: str = "en") -> Client:
    """Sign somebody in."""
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


@pytest.fixture
def as_ana(ana: User) -> Client:
    """The owner of what tests look at."""
    return client_of(ana)


@pytest.fixture
def as_carla(carla: User) -> Client:
    """Somebody who may see nothing of ana's."""
    return client_of(carla)


@pytest.fixture
def as_root(root: User) -> Client:
    """Staff."""
    return client_of(root)


@pytest.fixture
def finished_run(ana: User, worker: Worker) -> Run:
    """A completed run with log, curves and a result."""
    return train(worker, make_run(ana, name="Assunto v1"))
