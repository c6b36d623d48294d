"""Staff do what their permissions say: who may only look gets no buttons, and no action of theirs is run."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from bert_training.models import Run, Worker
from tests.admin.rows import list_of, page_of, run_action


@pytest.fixture
def reader(bruno: User) -> Client:
    """The browser of a member of staff who may view everything and change nothing."""
    bruno.is_staff = True
    bruno.save()
    bruno.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(bruno)
    return client


def test_who_may_only_look_sees_rows_without_buttons(reader: Client, run: Run) -> None:
    page = reader.get(page_of("run", run.pk)).content.decode()
    assert run.name in page
    assert 'value="cancel"' not in page
    assert "Follow it live" in page


@pytest.mark.parametrize("action", ["cancel", "finish", "reproduce", "delete_chosen"])
def test_an_action_sent_by_who_may_only_look_is_not_run(reader: Client, run: Run, action: str) -> None:
    run_action(reader, "run", action, run.pk, confirmed="yes")
    assert [(row.pk, row.status) for row in Run.objects.all()] == [(run.pk, "queued")]


@pytest.mark.parametrize("path", ["dataset/add/", "run/add/", "worker/add/", "accesstoken/add/"])
def test_who_may_only_look_adds_nothing(reader: Client, path: str) -> None:
    assert reader.post(f"/admin/bert_training/{path}", {"name": "x"}).status_code == 403


def test_who_may_only_look_deletes_and_rotates_nothing(reader: Client, run: Run, worker: Worker) -> None:
    for url in (page_of("run", run.pk).replace("change", "delete"), f"{list_of('worker')}{worker.pk}/rotate-token/"):
        assert reader.post(url).status_code == 403


def test_a_row_that_does_not_exist_is_not_found(staff: Client) -> None:
    assert staff.get(f"{list_of('run')}999/delete/").status_code == 404
    assert staff.get(f"{list_of('worker')}999/rotate-token/").status_code == 404


def test_the_history_of_a_row_tells_who_did_what(staff: Client, root: User, run: Run) -> None:
    run_action(staff, "run", "cancel", run.pk)
    entry = LogEntry.objects.get(object_id=str(run.pk))
    assert (entry.user, entry.change_message) == (root, "Canceled.")
    assert "Canceled." in staff.get(page_of("run", run.pk).replace("change", "history")).content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"active": False}, "deactivated"),
        ({"last_seen_at": None}, "never connected"),
        ({"state": "idle"}, "waiting for work"),
        ({"state": "busy"}, "working"),
        ({"state": "draining"}, "finishing its last job"),
        ({"state": "stopped"}, "stopped"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_the_state_of_a_worker_is_a_word(staff: Client, fields: dict[str, object], words: str) -> None:
    Worker.objects.update(**fields)
    assert f">{words}</span>" in staff.get(list_of("worker")).content.decode()
