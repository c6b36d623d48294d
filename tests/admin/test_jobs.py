"""Staff order the queue; what a worker wrote about a job is not theirs to change."""

from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import JobStatus
from bert_training.models import Job, Run
from tests.admin.rows import fill_tables, page_of, run_action


def test_a_waiting_job_is_moved_in_the_queue(staff: Client, run: Run) -> None:
    staff.post(page_of("job", run.job.pk), {"priority": "5", "turn": "2", **_no_attempts()})
    job = Job.objects.get()
    assert (job.priority, job.turn, job.status) == (5, 2, JobStatus.QUEUED)


def test_a_running_job_keeps_its_place(staff: Client, running_job: Job) -> None:
    staff.post(page_of("job", running_job.pk), {"priority": "5", "turn": "2", **_no_attempts()})
    assert Job.objects.get().priority == 0


def test_facts_of_a_job_are_not_taken_from_the_form(staff: Client, run: Run) -> None:
    staff.post(page_of("job", run.job.pk), {"priority": "1", "turn": "0", "status": "completed", **_no_attempts()})
    job = Job.objects.get()
    assert (job.status, job.priority) == (JobStatus.QUEUED, 1)


def test_jobs_are_canceled_with_their_runs(staff: Client, running_job: Job, ana: User) -> None:
    ended = fill_tables(ana, 1)[0]
    page = run_action(staff, "job", "cancel", running_job.pk, ended.job.pk)
    running_job.refresh_from_db()
    assert running_job.is_canceling
    assert "Done for 1 entry." in page


def test_a_job_is_asked_to_finish(staff: Client, running_job: Job) -> None:
    run_action(staff, "job", "finish", running_job.pk)
    assert Job.objects.get().finish_requested_at is not None


def test_the_page_of_a_job_shows_its_attempts_with_reasons(staff: Client, ana: User) -> None:
    run = fill_tables(ana, 1)[0]
    assert "The training program ended with an error." in staff.get(page_of("job", run.job.pk)).content.decode()


def test_an_ended_job_offers_no_buttons(staff: Client, ana: User) -> None:
    run = fill_tables(ana, 1)[0]
    assert 'value="cancel"' not in staff.get(page_of("job", run.job.pk)).content.decode()


def _no_attempts() -> dict[str, str]:
    return {"attempts-TOTAL_FORMS": "0", "attempts-INITIAL_FORMS": "0"}
