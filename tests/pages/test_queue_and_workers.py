"""The queue and the computers: everybody sees how busy the house is, names only as access allows."""

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import WorkerState
from bert_training.contract.messages import Gpu, HeartbeatRequest
from bert_training.models import Dataset, Run, Worker
from bert_training.services.workers import record_heartbeat
from tests.pages.queries import queries_of
from tests.pages.training import start
from tests.personas import make_run, make_worker


def beat(worker: Worker) -> None:
    """Let a worker be heard of."""
    gpu = Gpu(name="RTX <b>4080</b>", memory_bytes=2**31 - 1)
    now = datetime.now(UTC)
    record_heartbeat(worker, HeartbeatRequest(instance="m:1", state=WorkerState.IDLE, sent_at=now, gpu=[gpu]))


def test_everybody_sees_the_order_but_names_only_of_their_own(as_carla: Client, carla: User, run: Run) -> None:
    mine = make_run(carla, name="Minha")
    entries = as_carla.get("/queue").context["page"].object_list
    content = as_carla.get("/queue").content.decode()
    assert {entry.position: entry.run for entry in entries} == {1: None, 2: mine}
    assert "another person&#x27;s run" in content or "another person's run" in content
    assert run.name not in content


def test_staff_see_every_name_and_owner(as_root: Client, run: Run) -> None:
    content = as_root.get("/queue").content.decode()
    assert run.name in content
    assert "ana" in content


def test_what_runs_now_stands_apart_with_its_progress(as_ana: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    response = as_ana.get("/queue")
    assert [entry.run for entry in response.context["running"]] == [run]
    assert '<progress max="40" value="20"' in response.content.decode()


def test_a_later_page_of_the_queue_goes_on_counting(as_root: Client, ana: User, dataset: Dataset) -> None:
    for _ in range(26):
        make_run(ana, dataset)
    entries = as_root.get("/queue?page=2").context["page"].object_list
    assert [entry.position for entry in entries] == [26]


def test_the_queue_costs_the_same_queries_with_many_rows(as_root: Client, ana: User, dataset: Dataset) -> None:
    make_run(ana, dataset)
    few = queries_of(as_root, "/queue")
    for _ in range(4):
        make_run(ana, dataset)
    assert len(queries_of(as_root, "/queue")) == len(few) <= 9


def test_an_empty_house_says_so(as_ana: Client) -> None:
    content = as_ana.get("/queue").content.decode()
    assert "Nobody is waiting." in content
    assert "No computer is connected now" in content


def test_people_learn_how_many_computers_are_online_and_no_more(as_ana: Client, worker: Worker) -> None:
    beat(worker)
    content = as_ana.get("/workers").content.decode()
    assert "1 computer is online" in content
    assert worker.name not in content


def test_staff_see_each_computer_with_its_hardware_and_work(as_root: Client, worker: Worker, run: Run) -> None:
    beat(worker)
    start(worker, run)
    content = as_root.get("/workers").content.decode()
    assert worker.name in content
    assert "RTX &lt;b&gt;4080&lt;/b&gt;" in content
    assert run.name in content


def test_each_state_of_a_computer_has_its_word(as_root: Client, worker: Worker) -> None:
    make_worker("desligado", active=False)
    make_worker("calado", last_seen_at=datetime(2026, 1, 1, tzinfo=UTC))
    beat(worker)
    content = as_root.get("/workers").content.decode()
    for word in ("switched off", "silent", "waiting for work"):
        assert word in content, word


def test_the_computers_cost_the_same_queries_with_many_rows(as_root: Client, worker: Worker) -> None:
    few = queries_of(as_root, "/workers")
    for number in range(4):
        make_worker(f"pc-{number}")
    assert len(queries_of(as_root, "/workers")) == len(few) <= 9
