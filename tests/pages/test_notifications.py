"""The bell, the list behind it, and what one chooses to be told."""

import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import NoticeKind
from bert_training.models import Notification, NotificationChoice, Occurrence, Run, Worker
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.pages.training import fail
from tests.personas import make_run, make_user
from tests.telling import announce_all

CANARY = "<img src=x onerror=alert('canary')>"


def add_notifications(user: User, run: Run, count: int, *, kind: NoticeKind = NoticeKind.RUN_FAILED) -> None:
    """Tell somebody of so many things."""
    first = Occurrence.objects.count()
    occurrences = Occurrence.objects.bulk_create(
        Occurrence(kind=kind, key=f"k{first + n}", run=run, facts={"reason": "crashed"}) for n in range(count)
    )
    Notification.objects.bulk_create(Notification(occurrence=one, user=user) for one in occurrences)


def bell_of(client: Client) -> str:
    """Return what the bell says on another page."""
    found = re.search(r'class="bell"[^>]*aria-label="([^"]*)"', client.get("/account").content.decode())
    assert found is not None
    return found[1]


def test_a_failed_run_rings_the_bell_until_it_is_opened(
    ana: User, as_ana: Client, as_carla: Client, worker: Worker
) -> None:
    assert bell_of(as_ana) == "Notifications"
    run = fail(worker, make_run(ana, name=f"{CANARY} v1"), "gpu_out_of_memory")
    announce_all()
    assert (bell_of(as_ana), bell_of(as_carla)) == ("Notifications: 1 new", "Notifications")
    page = as_ana.get("/notifications").content.decode()
    assert all(words in page for words in ("v1 failed", "The GPU ran out of memory.", "Halve the batch size"))
    assert ("<img src=x" in page, "CUDA" in page, "notification-new" in page) == (False, False, True)
    pk = Notification.objects.get().pk
    assert as_carla.post(f"/notifications/{pk}/open").status_code == 404
    assert bell_of(as_ana) == "Notifications: 1 new"
    assert as_ana.post(f"/notifications/{pk}/open").headers["Location"] == f"/runs/{run.pk}"
    assert as_ana.post(f"/notifications/{pk}/open").status_code == 302
    assert bell_of(as_ana) == "Notifications"
    assert "notification-new" not in as_ana.get("/notifications").content.decode()


def test_what_came_while_the_page_was_open_stays_new(ana: User, as_ana: Client, as_carla: Client, run: Run) -> None:
    add_notifications(ana, run, 3)
    newest = re.search(r'name="newest" value="(\d+)"', as_ana.get("/notifications").content.decode())
    assert newest is not None
    add_notifications(ana, run, 1)
    as_carla.post("/notifications/read", {"newest": newest[1]})
    assert bell_of(as_ana) == "Notifications: 4 new"
    for _twice in range(2):
        assert as_ana.post("/notifications/read", {"newest": newest[1]}).status_code == 302
        assert bell_of(as_ana) == "Notifications: 1 new"
    for wrong in ("", "x", "-1", "²", "9" * 5000):
        assert as_ana.post("/notifications/read", {"newest": wrong}).status_code == 302


def test_the_list_has_pages_and_costs_the_same_with_many(ana: User, as_ana: Client, run: Run) -> None:
    add_notifications(ana, run, 2)
    few = len(queries_of(as_ana, "/notifications"))
    add_notifications(ana, run, 118)
    assert len(queries_of(as_ana, "/notifications")) == few
    assert bell_of(as_ana) == "Notifications: 99+ new"
    page = as_ana.get("/notifications?page=2").content.decode()
    assert ("page 2 of 5" in page, "Mark all as read" in page) == (True, False)


def test_the_bell_costs_one_query_a_page(ana: User, as_ana: Client, run: Run) -> None:
    add_notifications(ana, run, 5)
    counting = [sql for sql in queries_of(as_ana, "/runs") if "bert_notifications" in sql]
    assert len(counting) == 1


def test_an_empty_list_says_what_will_stand_there(as_ana: Client) -> None:
    assert "Nothing to tell you" in as_ana.get("/notifications").content.decode()


def test_one_chooses_what_the_page_tells_and_without_a_mail_server_nothing_else(
    ana: User, as_ana: Client, worker: Worker, settings: Any
) -> None:
    settings.HAS_EMAIL = False
    page = as_ana.get("/account/notifications").content.decode()
    assert ("By e-mail" in page, "computer silent" in page) == (False, False)
    assert page.count(" checked") == page.count('type="checkbox"') == 8
    response = as_ana.post("/account/notifications", {"page": ["run_completed"], "email": ["run_failed"]}, follow=True)
    assert "Your choice is kept." in response.content.decode()
    choice = NotificationChoice.objects.get(user=ana)
    assert ("run_failed" in choice.hidden, "run_completed" in choice.hidden, choice.mailed) == (True, False, [])
    fail(worker, make_run(ana), "crashed")
    announce_all()
    assert bell_of(as_ana) == "Notifications"


def test_with_a_mail_server_one_chooses_e_mails_too(ana: User, otto: User, settings: Any) -> None:
    settings.HAS_EMAIL = True
    NotificationChoice.objects.create(user=otto, mailed=["run_failed"], hidden=["run_failed"], language="pt-br")
    client = client_of(otto)
    page = client.get("/account/notifications").content.decode()
    assert ("By e-mail" in page, "computer silent" in page) == (True, True)
    assert "run failed" not in page
    form = {"page": ["worker_silent", "run_completed", "nonsense"], "email": ["worker_silent", "erasure_waiting"]}
    client.post("/account/notifications", form)
    choice = NotificationChoice.objects.get(user=otto)
    # What was not offered stays as it was; what is not on offer is not taken.
    assert choice.mailed == ["run_failed", "worker_silent"]
    assert ("run_failed" in choice.hidden, "worker_silent" in choice.hidden, "disk_full" in choice.hidden) == (
        True, False, True,
    )  # fmt: skip
    assert choice.language == "en"


def test_somebody_without_an_address_is_told_so(settings: Any, db: None) -> None:
    settings.HAS_EMAIL = True
    user = make_user("zoe")
    User.objects.filter(pk=user.pk).update(email="")
    assert "has no e-mail address" in client_of(user).get("/account/notifications").content.decode()


def test_every_kind_is_told_in_words_and_leads_somewhere(root: User, run: Run, worker: Worker) -> None:
    about = {"run": run, "dataset": run.dataset, "worker": worker, "number": 1}
    kinds = [kind for kind in NoticeKind if kind is not NoticeKind.TEST]
    occurrences = [Occurrence.objects.create(kind=kind, key=f"k-{kind}", **about) for kind in kinds]
    told = [Notification.objects.create(occurrence=one, user=root) for one in occurrences]
    client = client_of(root)
    page = client.get("/notifications").content.decode()
    titles = re.findall(r'notification-title">.*<span>([^<]{10,})</span>', page)
    assert len(set(titles)) == len(kinds)
    for one in told:
        assert client.post(f"/notifications/{one.pk}/open").headers["Location"].startswith("/")
