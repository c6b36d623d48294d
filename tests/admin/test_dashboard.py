"""The admin's first page: queue, workers, last runs and late failures at a glance."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bert_training.admin.dashboard import Dashboard
from bert_training.models import Job, Run, Worker
from tests.admin.rows import CANARY, fill_tables
from tests.personas import claim


def dashboard_of(staff: Client) -> Dashboard:
    dashboard: Dashboard = staff.get("/admin/").context["dashboard"]
    return dashboard


def figures(staff: Client) -> dict[str, int | str]:
    return {figure.label: figure.value for figure in dashboard_of(staff).figures}


def test_the_queue_is_counted(staff: Client, running_job: Job) -> None:
    assert figures(staff) == {"Waiting": 0, "Running": 1, "Silent": 0, "Computers online": 1}


def test_a_waiting_run_says_how_long_the_oldest_has_waited(staff: Client, run: Run) -> None:
    Job.objects.filter(run=run).update(queued_at=timezone.now() - timedelta(hours=3))
    waiting = dashboard_of(staff).figures[0]
    assert (waiting.value, waiting.note) == (1, "oldest: 3\xa0hours")


def test_a_running_job_of_a_silent_worker_is_counted_as_silent(staff: Client, running_job: Job) -> None:
    Job.objects.filter(pk=running_job.pk).update(lease_until=timezone.now() - timedelta(minutes=5))
    assert figures(staff)["Silent"] == 1


def test_a_worker_shows_its_state_and_what_it_trains(staff: Client, running_job: Job, other_worker: Worker) -> None:
    lines = {line.name: (str(line.badge), line.detail) for line in dashboard_of(staff).workers}
    assert lines["gpu-1"][1] == f"trains {running_job.run.name}"
    assert "never connected" in lines["gpu-2"][0]


def test_a_worker_that_is_not_heard_of_is_silent(staff: Client, worker: Worker) -> None:
    Worker.objects.filter(pk=worker.pk).update(last_seen_at=timezone.now() - timedelta(hours=1))
    assert "silent" in str(dashboard_of(staff).workers[0].badge)


def test_a_late_failure_comes_with_advice_and_an_old_one_is_gone(staff: Client, ana: User) -> None:
    late, old = fill_tables(ana, 2)
    Run.objects.filter(pk=late.pk).update(error_code="gpu_out_of_memory")
    Run.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=8))
    (failure,) = dashboard_of(staff).failures
    assert failure.name == late.name
    assert "batch size" in str(failure.advice)


def test_a_canceling_run_says_so(staff: Client, running_job: Job) -> None:
    Job.objects.filter(pk=running_job.pk).update(cancel_requested_at=timezone.now())
    assert "canceling" in str(dashboard_of(staff).runs[0].badge)


def test_the_page_costs_the_same_with_more_rows(staff: Client, ana: User) -> None:
    counts = []
    for rows in (1, 5):
        fill_tables(ana, rows)
        staff.get("/admin/")
        with CaptureQueriesContext(connection) as captured:
            staff.get("/admin/")
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 26


def test_names_from_outside_are_shown_as_text(staff: Client, ana: User) -> None:
    fill_tables(ana, 1, text=CANARY)
    assert CANARY not in staff.get("/admin/").content.decode()


def test_the_page_leads_to_the_pages_of_the_portal(staff: Client) -> None:
    assert '<a href="/">' in staff.get("/admin/").content.decode()


def test_a_worker_with_a_job_stands_on_the_worker_list(staff: Client, running_job: Job, worker: Worker) -> None:
    claim(worker)
    assert running_job.run.name in staff.get("/admin/bert_training/worker/").content.decode()
