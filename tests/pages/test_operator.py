"""What operators do on pages: order the queue and switch computers. They see names and owners, no run and no text."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import JobStatus, Role
from bert_training.models import Dataset, Job, Run, Worker
from bert_training.services.queue_order import Move, move_job
from tests.pages.conftest import client_of
from tests.pages.training import start
from tests.personas import make_run, make_user


@pytest.fixture
def as_otto(otto: User) -> Client:
    """The operator."""
    return client_of(otto)


def order() -> list[int]:
    """Return the entries of the queue as they would be handed out."""
    return [job.pk for job in Job.objects.in_queue_order()]


@pytest.fixture
def waiting(ana: User, dataset: Dataset) -> list[int]:
    """Four entries, the first by its priority, two of the others with the same turn."""
    for priority, turn in ((5, 0), (0, 3), (0, 3), (0, 4)):
        job = make_run(ana, dataset).job
        Job.objects.filter(pk=job.pk).update(priority=priority, turn=turn)
    return order()


@pytest.mark.parametrize(
    ("moved", "move", "expected"),
    [
        (3, Move.FIRST, [3, 0, 1, 2]),
        (2, Move.UP, [0, 2, 1, 3]),  # past one of the same turn
        (1, Move.UP, [1, 0, 2, 3]),  # past one of a higher priority
        (3, Move.UP, [0, 1, 3, 2]),
        (0, Move.DOWN, [1, 0, 2, 3]),  # into a lower priority, between two of the same turn
        (1, Move.DOWN, [0, 2, 1, 3]),
        (0, Move.LAST, [1, 2, 3, 0]),
        (0, Move.UP, [0, 1, 2, 3]),
        (3, Move.DOWN, [0, 1, 2, 3]),
    ],
)
def test_an_entry_goes_where_it_is_sent_and_no_other_changes_places(
    waiting: list[int], moved: int, move: Move, expected: list[int]
) -> None:
    move_job(waiting[moved], move)
    assert order() == [waiting[place] for place in expected]


def test_an_operator_reads_names_and_owners_and_opens_nothing(as_otto: Client, run: Run, worker: Worker) -> None:
    content = as_otto.get("/queue").content.decode()
    assert run.name in content
    assert "ana" in content
    start(worker, run)
    for address in ("/queue", "/workers"):
        content = as_otto.get(address).content.decode()
        assert run.name in content, address
        assert f"/runs/{run.pk}" not in content, address


def test_an_operator_moves_an_entry_and_says_how_urgent_it_is(as_otto: Client, waiting: list[int]) -> None:
    first, *_others, last = waiting
    as_otto.post(f"/queue/{last}/move", {"move": "first"})
    assert order()[0] == last
    as_otto.post(f"/queue/{first}/priority", {"priority": "9"})
    assert order()[0] == first
    assert as_otto.post(f"/queue/{first}/priority", {"priority": "1001"}).status_code == 422
    assert as_otto.post(f"/queue/{first}/move", {"move": "away"}).status_code == 404


def test_an_entry_that_a_computer_took_meanwhile_stays_as_it_is(as_otto: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    job = Job.objects.get()
    for address, form in ((f"/queue/{job.pk}/move", {"move": "last"}), (f"/queue/{job.pk}/priority", {"priority": 3})):
        assert "does not wait any more" in as_otto.post(address, form, follow=True).content.decode(), address
    job.refresh_from_db()
    assert (job.status, job.priority) == (JobStatus.RUNNING, 0)


def test_an_operator_switches_a_computer_after_a_question(as_otto: Client, worker: Worker) -> None:
    expected = {"drain": (True, True), "resume": (True, False), "off": (False, False), "on": (True, False)}
    for to, state in expected.items():
        address = f"/workers/{worker.pk}/{to}"
        before = Worker.objects.values_list("active", "draining").get()
        assert as_otto.get(address).status_code == 200
        assert Worker.objects.values_list("active", "draining").get() == before
        assert worker.name in as_otto.post(address, follow=True).content.decode()
        assert Worker.objects.values_list("active", "draining").get() == state, to
    assert as_otto.post(f"/workers/{worker.pk}/explode").status_code == 404


@pytest.mark.parametrize("roles", [[], [Role.READ, Role.TRAIN]])
def test_nobody_else_orders_the_queue_or_switches_a_computer(roles: list[Role], run: Run, worker: Worker) -> None:
    client = client_of(make_user("dora", roles=roles))
    job = run.job.pk
    for address in (f"/queue/{job}/move", f"/queue/{job}/priority", f"/workers/{worker.pk}/off"):
        assert client.post(address, {"move": "first", "priority": "5"}).status_code == 403, address
    assert Worker.objects.get().active
    assert Job.objects.get().priority == 0
