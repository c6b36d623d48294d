"""Workers are registered, switched and given new tokens in the admin; a token is shown once and kept nowhere."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from bert_training.contract.enums import JobStatus
from bert_training.contract.tokens import shown_prefix
from bert_training.models import AccessToken, Job, Worker
from bert_training.services.errors import TokenUnknown
from bert_training.services.tokens import find_token
from tests.admin.rows import CANARY, Page, list_of, page_of, run_action
from tests.personas import token_of

ADD = f"{list_of('worker')}add/"
TOKEN = re.compile(r"bert[wu]_[0-9A-Za-z]{49}")


def token_on(response: Page) -> str:
    found = TOKEN.search(response.content.decode())
    assert found
    return found[0]


def register(staff: Client, name: str = "gpu-1") -> Page:
    return staff.post(ADD, {"name": name, "description": "sala 12"})


def test_a_registered_worker_is_shown_its_token_with_the_commands_to_start_it(staff: Client) -> None:
    response = register(staff)
    worker = Worker.objects.get()
    assert (worker.name, worker.description) == ("gpu-1", "sala 12")
    assert find_token(token_on(response)).worker == worker
    page = response.content.decode()
    assert page.count("python -m bert_training.worker --api-url http://testserver --token-file") == 2


def test_the_token_page_is_never_stored_by_a_browser_or_proxy(staff: Client) -> None:
    assert "no-store" in register(staff).headers["Cache-Control"]


def test_the_token_is_kept_in_no_session_cookie_history_or_later_page(staff: Client) -> None:
    response = register(staff)
    token = token_on(response)
    sessions = [str(session.get_decoded()) for session in Session.objects.all()]
    history = [f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all()]
    assert token not in "".join([*sessions, *history, str(response.cookies), str(staff.cookies)])
    worker = Worker.objects.get()
    for url in (list_of("worker"), page_of("worker", worker.pk), list_of("accesstoken"), "/admin/"):
        assert token not in staff.get(url).content.decode()
    assert shown_prefix(token) in staff.get(page_of("worker", worker.pk)).content.decode()


@pytest.mark.parametrize("name", ["", " ", "x" * 300])
def test_a_name_that_cannot_be_is_refused(staff: Client, name: str) -> None:
    response = register(staff, name)
    assert response.context["form"].errors["name"]
    assert not Worker.objects.exists()


def test_a_name_that_is_taken_is_refused(staff: Client, worker: Worker) -> None:
    response = register(staff, worker.name)
    assert "There is a worker called gpu-1 already." in response.content.decode()
    assert Worker.objects.count() == 1


def test_markup_in_a_name_is_shown_as_text(staff: Client) -> None:
    assert CANARY not in register(staff, CANARY).content.decode()


def test_a_new_token_makes_the_old_one_useless_and_is_shown_once(staff: Client, worker: Worker) -> None:
    old = token_of(worker)
    url = f"{list_of('worker')}{worker.pk}/rotate-token/"
    assert not TOKEN.search(staff.get(url).content.decode())
    assert find_token(old)
    response = staff.post(url, {"overlap": "0"})
    assert find_token(token_on(response)).worker == worker
    assert "no-store" in response.headers["Cache-Control"]
    with pytest.raises(TokenUnknown):
        find_token(old)


def test_during_an_overlap_both_tokens_of_a_worker_are_good(staff: Client, worker: Worker) -> None:
    old = token_of(worker)
    response = staff.post(f"{list_of('worker')}{worker.pk}/rotate-token/", {"overlap": "24", "days": "30"})
    assert find_token(old).worker == find_token(token_on(response)).worker == worker


@pytest.mark.parametrize("form", [{"days": "5"}, {"overlap": "9999"}, {"overlap": "0", "days": "0"}])
def test_a_wrong_rotation_changes_nothing(staff: Client, worker: Worker, form: dict[str, str]) -> None:
    old = token_of(worker)
    assert staff.post(f"{list_of('worker')}{worker.pk}/rotate-token/", form).context["form"].errors
    assert find_token(old)
    assert AccessToken.objects.count() == 1


def test_a_worker_is_registered_with_a_token_that_ends(staff: Client) -> None:
    staff.post(ADD, {"name": "gpu-1", "days": "30"})
    token = AccessToken.objects.get()
    assert token.expires_at is not None
    page = staff.get(page_of("worker", Worker.objects.get().pk)).content.decode()
    assert date_format(timezone.localtime(token.expires_at), "DATE_FORMAT") in page


def test_the_action_leads_to_the_page_that_asks_before_it_rotates(staff: Client, worker: Worker) -> None:
    old = token_of(worker)
    assert "Make a new token" in run_action(staff, "worker", "rotate_token", worker.pk)
    assert find_token(old)


def test_tokens_are_rotated_one_worker_at_a_time(staff: Client, worker: Worker, other_worker: Worker) -> None:
    assert "Choose one computer" in run_action(staff, "worker", "rotate_token", worker.pk, other_worker.pk)


def test_a_token_page_needs_staff(person: Client, worker: Worker) -> None:
    response = person.post(f"{list_of('worker')}{worker.pk}/rotate-token/")
    assert response.status_code == 302
    assert not AccessToken.objects.exists()


def test_a_deactivated_worker_loses_its_job_to_the_queue(staff: Client, running_job: Job, worker: Worker) -> None:
    run_action(staff, "worker", "deactivate", worker.pk)
    worker.refresh_from_db()
    running_job.refresh_from_db()
    assert (worker.active, running_job.status) == (False, JobStatus.QUEUED)
    run_action(staff, "worker", "activate", worker.pk)
    worker.refresh_from_db()
    assert worker.active


def test_a_worker_is_drained_and_let_in_again(staff: Client, worker: Worker) -> None:
    run_action(staff, "worker", "drain", worker.pk)
    assert Worker.objects.get().draining
    run_action(staff, "worker", "stop_draining", worker.pk)
    assert not Worker.objects.get().draining


def test_a_renamed_worker_keeps_what_it_reported(staff: Client, worker: Worker) -> None:
    form = {"name": "gpu-9", "description": "", "active": "", "tokens-TOTAL_FORMS": "0", "tokens-INITIAL_FORMS": "0"}
    staff.post(page_of("worker", worker.pk), form)
    worker.refresh_from_db()
    assert (worker.name, worker.active) == ("gpu-9", True)


def test_a_worker_is_not_deleted(staff: Client, worker: Worker) -> None:
    assert staff.post(page_of("worker", worker.pk).replace("change", "delete")).status_code == 403


def test_staff_pause_a_worker_and_change_its_hours(staff: Client, worker: Worker) -> None:
    run_action(staff, "worker", "pause", worker.pk)
    assert Worker.objects.filter(paused_at__isnull=False, draining=True).exists()
    run_action(staff, "worker", "stop_draining", worker.pk)
    assert Worker.objects.filter(paused_at=None, draining=False).exists()
    assert "Leave everything empty" in run_action(staff, "worker", "change_hours", worker.pk)
    url = f"{list_of('worker')}{worker.pk}/hours/"
    assert staff.post(url, {"days_1": ["0"]}).context["form"].errors
    staff.post(url, {"days_1": ["0", "6"], "begin_1": "19:00", "end_1": "07:00"})
    assert "Mon, Sun, 19:00 to 07:00" in staff.get(page_of("worker", worker.pk)).content.decode()
    assert LogEntry.objects.latest("pk").get_change_message() == "Hours changed."


def test_hours_need_staff(person: Client, worker: Worker) -> None:
    assert person.post(f"{list_of('worker')}{worker.pk}/hours/", {}).status_code in (302, 403)
    assert not Worker.objects.get().hours
