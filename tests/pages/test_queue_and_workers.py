"""The queue and the computers: everybody sees how busy the house is, names only as access allows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.timezone import localtime

from bert_training.contract.enums import Directive, Outcome, Phase, Reason, WorkerState
from bert_training.contract.limits import API_PREFIX
from bert_training.contract.messages import CompleteRequest, FailureReport, Gpu, HeartbeatRequest, ProgressRequest
from bert_training.models import Dataset, Job, Run, Worker
from bert_training.services.jobs import complete_job, report_progress, requeue
from bert_training.services.runs import cancel_run
from bert_training.services.workers import record_heartbeat
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.pages.training import start, train
from tests.personas import make_run, make_worker

HANDED_BACK = CompleteRequest(
    attempt=1, outcome=Outcome.RELEASED, log_seq=0, metric_seq=0, error=FailureReport(code=Reason.PAUSED)
)


def training(step: int) -> ProgressRequest:
    """A worker's progress with a checkpoint at its step."""
    return ProgressRequest(attempt=1, phase=Phase.TRAINING, step=step, total_steps=40, checkpoint_step=step)


def beat(worker: Worker, state: WorkerState = WorkerState.IDLE, *, free: int = 2**40) -> None:
    """Let a worker be heard of; free: bytes on its disk."""
    gpu = Gpu(name="RTX <b>4080</b>", memory_bytes=2**31 - 1)
    now = datetime.now(UTC)
    body = HeartbeatRequest(instance="m:1", state=state, sent_at=now, gpu=[gpu], disk_free=free)
    record_heartbeat(worker, body)


def lose_lease(job: Job) -> None:
    """Let the lease lapse as the tick would."""
    job.refresh_from_db()
    requeue(job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)


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


def test_a_run_that_is_being_canceled_says_so_in_the_queue(as_ana: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    assert "being canceled" not in as_ana.get("/queue").content.decode()
    cancel_run(run)
    assert "being canceled" in as_ana.get("/queue").content.decode()


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
    assert len(queries_of(as_root, "/queue")) == len(few) <= 14


def test_an_empty_house_says_so(as_ana: Client) -> None:
    content = as_ana.get("/queue").content.decode()
    assert "Nobody is waiting." in content
    assert "No computer has asked for work yet" in content


def test_the_queue_says_since_when_no_computer_has_asked_for_work(as_ana: Client, run: Run) -> None:
    """F-59: nobody has come for a day; the page says since when, and monitoring can read how long the oldest waits."""
    yesterday = timezone.now() - timedelta(days=1)
    make_worker(last_seen_at=yesterday)
    Job.objects.update(queued_at=yesterday)
    content = as_ana.get("/queue").content.decode()
    told = as_ana.get(f"{API_PREFIX}/queue/status").json()
    assert f"No computer has asked for work since {localtime(yesterday):%m/%d/%Y}" in content
    assert "1\xa0day" in content
    assert told["oldest_queued_seconds"] >= 86400
    assert told["workers"]["last_seen_at"] == yesterday.isoformat().replace("+00:00", "Z")


def test_a_run_that_waits_for_the_computer_with_its_checkpoint_says_so(
    as_ana: Client, run: Run, worker: Worker
) -> None:
    job = start(worker, run)
    report_progress(worker, job.pk, ProgressRequest(attempt=1, phase=Phase.TRAINING, step=20, checkpoint_step=20))
    lose_lease(job)
    until = localtime(Job.objects.get().hold_until)
    sentence = f"Waits until {until:%H:%M} for {worker.name}, which has its checkpoint at step 20; another computer"
    for address in ("/queue", f"/runs/{run.pk}"):
        assert sentence in as_ana.get(address).content.decode(), address
    Job.objects.update(hold_until=timezone.now() - timedelta(seconds=1))
    assert sentence not in as_ana.get("/queue").content.decode()


def test_nobody_learns_for_whom_a_strangers_run_waits(as_carla: Client, run: Run, worker: Worker) -> None:
    Job.objects.update(checkpoint_step=20, hold_worker=worker, hold_until=timezone.now() + timedelta(minutes=10))
    assert worker.name not in as_carla.get("/queue").content.decode()


def test_a_computer_that_falls_silent_is_called_so_before_its_lease_ends(
    as_root: Client, run: Run, worker: Worker
) -> None:
    """F-02: with the real defaults the pages say it 50 to 55 s after the last sign of life, the lease ends at 60."""
    start(worker, run)
    heard_at = timezone.now() - 0.9 * timedelta(seconds=settings.LEASE_SECONDS)
    Worker.objects.update(last_seen_at=heard_at)
    Job.objects.update(lease_until=heard_at + timedelta(seconds=settings.LEASE_SECONDS))
    sentence = f"no sign of life since {localtime(heard_at):%H:%M:%S}"
    told = as_root.get(f"{API_PREFIX}/runs/{run.pk}").json()
    assert (told["silent"], told["silent_label"]) == (True, sentence)
    for address in ("/queue", f"/runs/{run.pk}"):
        assert sentence in as_root.get(address).content.decode(), address
    assert f"no sign of life since {localtime(heard_at):%m/%d/%Y}" in as_root.get("/workers").content.decode()
    assert as_root.get(f"{API_PREFIX}/queue/status").json()["silent"] == 1


@pytest.mark.parametrize(("ahead", "words"), [(90, "1 min 30 s ahead"), (-86400, "24 h 0 min behind"), (20, "")])
def test_a_wrong_clock_of_a_computer_is_a_warning(as_root: Client, worker: Worker, ahead: int, words: str) -> None:
    """F-45: beyond 30 s the page of the computers says it."""
    now = datetime.now(UTC) + timedelta(seconds=ahead)
    record_heartbeat(worker, HeartbeatRequest(instance="m:1", state=WorkerState.IDLE, sent_at=now))
    content = as_root.get("/workers").content.decode().replace("\u00a0", " ")
    assert ("Its clock is" in content, words in content) == (bool(words), True)


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
    for word in ("switched off", "no sign of life since", "waiting for work"):
        assert word in content, word


def test_a_computer_that_was_stopped_is_not_counted_as_online(as_root: Client, worker: Worker) -> None:
    beat(worker)
    beat(worker, WorkerState.STOPPED)
    content = as_root.get("/workers").content.decode()
    assert '<span class="badge">stopped</span>' in content
    assert "1 computer is online" not in content
    beat(worker)
    assert "1 computer is online" in as_root.get("/workers").content.decode()


def test_a_disk_too_full_for_a_run_is_said(as_root: Client, worker: Worker) -> None:
    beat(worker)
    assert "too little" not in as_root.get("/workers").content.decode()
    beat(worker, free=5_000_000)
    assert "4.8\xa0MB: too little to take a run" in as_root.get("/workers").content.decode()


def test_the_computers_cost_the_same_queries_with_many_rows(as_root: Client, worker: Worker) -> None:
    few = queries_of(as_root, "/workers")
    for number in range(4):
        make_worker(f"pc-{number}")
    assert len(queries_of(as_root, "/workers")) == len(few) <= 9


# --- one computer, its hours and its pause


@pytest.fixture
def as_otto(otto: User) -> Client:
    """The operator."""
    return client_of(otto)


def test_the_queue_says_when_a_run_starts_and_why_it_stands_there(as_ana: Client, run: Run, worker: Worker) -> None:
    assert "unknown: no computer that can take it is there now" in as_ana.get("/queue").content.decode()
    beat(worker)
    Worker.objects.update(tasks=[run.task])
    content = as_ana.get("/queue").content.decode()
    assert "at any moment" in content
    assert "Your first run in line: everybody&#x27;s first goes before anybody&#x27;s second." in content


def test_a_strangers_name_stands_in_no_sentence_about_turns(as_carla: Client, run: Run, ana: User) -> None:
    content = as_carla.get("/queue").content.decode()
    assert "The first run of that person in line" in content
    assert ana.username not in content


def test_an_operator_sees_what_a_computer_has_does_and_did(
    as_otto: Client, worker: Worker, finished_run: Run, ana: User
) -> None:
    gpu = Gpu(name="RTX", memory_bytes=2**30, memory_used_bytes=2**29, utilisation=0.5, temperature_celsius=61.4)
    body = HeartbeatRequest(
        instance="machine-1:1",
        sent_at=datetime.now(UTC),
        state=WorkerState.BUSY,
        gpu=[gpu],
        disk_free=2**39,
        disk_bytes=2**40,
        cpu=0.25,
        memory_bytes=2**34,
        memory_used_bytes=2**33,
    )
    record_heartbeat(worker, body)
    start(worker, make_run(ana, name="Agora <b>esta</b>"))
    for address in ("/workers", f"/workers/{worker.pk}"):
        content = as_otto.get(address).content.decode().replace("\xa0", " ")
        for words in ("8.0 GB of 16.0 GB", 'value="0.250"', "50.0% · 61 °C", "Agora &lt;b&gt;esta", "step 20 of 40"):
            assert words in content, (address, words)
    assert finished_run.name in content  # among its attempts and the models that it keeps
    assert "Models that lie here" in content


def test_one_computer_costs_the_same_queries_with_many_attempts(as_otto: Client, worker: Worker, ana: User) -> None:
    train(worker, make_run(ana))
    few = queries_of(as_otto, f"/workers/{worker.pk}")
    for _ in range(3):
        train(worker, make_run(ana))
    assert len(queries_of(as_otto, f"/workers/{worker.pk}")) == len(few) <= 13


def test_an_operator_pauses_a_computer_and_lets_it_go_on(as_otto: Client, worker: Worker, run: Run) -> None:
    job = start(worker, run)
    page = f"/workers/{worker.pk}"
    assert "too old to stop in the middle" in as_otto.get(f"{page}/pause").content.decode()
    Worker.objects.update(features=["pause"])
    assert "nothing is lost" in as_otto.get(f"{page}/pause").content.decode()
    for _ in range(2):  # twice is once
        assert "is being paused" in as_otto.post(f"{page}/pause", follow=True).content.decode()
    assert report_progress(worker, job.pk, training(20)).directive == Directive.PAUSE
    assert "It hands its run back at the next checkpoint." in as_otto.get(page).content.decode()
    complete_job(worker, job.pk, HANDED_BACK)
    content = as_otto.get(page).content.decode()
    assert f"{run.name}, checkpoint at step 20" in content
    assert "paused since" in content
    assert f"Waits for {worker.name}, which is paused and has its checkpoint" in as_otto.get("/queue").content.decode()
    as_otto.post(f"{page}/offer")
    assert Job.objects.get().hold_worker is None
    as_otto.post(f"{page}/resume")
    assert Worker.objects.filter(paused_at=None, draining=False).exists()


def test_an_operator_says_in_which_hours_a_computer_takes_runs(as_otto: Client, worker: Worker) -> None:
    page = f"/workers/{worker.pk}"
    assert "at any time" in as_otto.get(page).content.decode()
    assert 'value="19:00"' in as_otto.get(f"{page}/hours?fill=nights").content.decode()
    assert not Worker.objects.get().hours  # filled in, not kept
    night = {"days_1": ["0", "1", "2", "3", "4"], "begin_1": "19:00", "end_1": "07:00"}
    content = as_otto.post(f"{page}/hours", night, follow=True).content.decode()
    assert "Takes runs: Mon to Fri, 19:00 to 07:00." in content
    assert 'value="07:00"' in as_otto.get(f"{page}/hours").content.decode()
    as_otto.post(f"{page}/hours", {})
    assert "at any time" in as_otto.get(page).content.decode()


@pytest.mark.parametrize(
    "form",
    [{"days_1": ["0"]}, {"begin_2": "19:00", "end_2": "07:00"}, {"days_1": ["9"], "begin_1": "x", "end_1": "07:00"}],
)
def test_a_window_that_is_half_filled_in_is_refused(as_otto: Client, worker: Worker, form: dict[str, str]) -> None:
    response = as_otto.post(f"/workers/{worker.pk}/hours", form)
    assert response.status_code == 422
    assert 'class="errorlist"' in response.content.decode()
    assert not Worker.objects.get().hours


def test_a_run_bound_to_a_computer_outside_its_hours_says_until_when(as_ana: Client, run: Run, worker: Worker) -> None:
    beat(worker)
    opening = localtime() + timedelta(hours=2)
    window = {"days": [opening.weekday()], "begin": f"{opening:%H:%M}", "end": f"{opening:%H:%M}"}
    Worker.objects.update(hours=[window], features=["initial_weights"])
    Job.objects.update(bound_to=worker)
    content = as_ana.get("/queue").content.decode()
    assert "which keeps the model that it begins from and is outside its hours until" in content


def test_nobody_else_sees_or_changes_a_computer(as_ana: Client, worker: Worker) -> None:
    assert as_ana.get(f"/workers/{worker.pk}").status_code == 403
    assert as_ana.post(f"/workers/{worker.pk}/pause").status_code == 403
    assert as_ana.post(f"/workers/{worker.pk}/hours", {}).status_code == 403
    assert Worker.objects.get().paused_at is None
