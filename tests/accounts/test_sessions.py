"""How long a session lives, where somebody is signed in, and what ends it."""

import re
import time
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bert_training.accounts.browsers import describe_browser
from bert_training.live.viewers import Viewer, find_person
from bert_training.services.sessions import forget_ended_sessions
from tests.accounts.conftest import browser, sign_in, signed_in
from tests.personas import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "four-plain-words-together"
WRITES = ("INSERT", "UPDATE", "DELETE")


def hours_left(client: Client) -> float:
    """Return in how many hours a session ends."""
    session = Session.objects.get(pk=client.session.session_key)
    return (session.expire_date - timezone.now()) / timedelta(hours=1)


def use(client: Client, monkeypatch: pytest.MonkeyPatch, *, after_seconds: float, mode: str = "navigate") -> None:
    """Open a page some time after the sign-in."""
    later = time.time() + after_seconds
    monkeypatch.setattr("time.time", lambda: later)
    assert client.get("/runs", headers={"sec-fetch-mode": mode}).status_code == 200


def test_a_session_ends_12_hours_after_its_last_use_and_30_days_after_the_sign_in(ana: User) -> None:
    client = signed_in("ana")
    assert 11.9 < hours_left(client) <= 12
    session = client.session
    session["signed_in_at"] = time.time() - 30 * 24 * 3600 + 3600
    session.save()
    assert 0.9 < hours_left(client) <= 1
    session["signed_in_at"] -= 3601
    session.save()
    assert client.get("/runs").status_code == 302


def test_use_is_noted_every_five_minutes_and_not_with_each_page(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in("ana")
    client.get("/runs")
    with CaptureQueriesContext(connection) as captured:
        use(client, monkeypatch, after_seconds=290)
    assert [query["sql"] for query in captured if query["sql"].startswith(WRITES)] == []
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))
    use(client, monkeypatch, after_seconds=310)
    assert hours_left(client) > 11.9


def test_what_an_open_page_asks_by_itself_is_no_use(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in("ana")
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=1))
    use(client, monkeypatch, after_seconds=310, mode="cors")
    assert hours_left(client) < 1.1


def test_somebody_sees_where_they_are_signed_in_and_ends_one(ana: User, bruno: User) -> None:
    here, there = signed_in("ana", **{"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"}), signed_in("ana")
    bystander = signed_in("bruno")
    page = here.get("/account/sessions").content.decode()
    assert ("Firefox, Windows" in page, page.count(">Sign out there<")) == (True, 1)
    number = re.findall(r'name="end" value="(\d+)"', page)[0]
    assert bystander.post("/account/sessions", {"end": number}).status_code == 302
    assert there.get("/runs").status_code == 200
    here.post("/account/sessions", {"end": number})
    assert [client.get("/runs").status_code for client in (here, there, bystander)] == [200, 302, 200]


def test_signing_out_everywhere_else_leaves_this_session(ana: User) -> None:
    here, *others = [signed_in("ana") for _ in range(3)]
    assert here.post("/account/sessions", {"end": "others"}).status_code == 302
    assert [client.get("/runs").status_code for client in (here, *others)] == [200, 302, 302]


def test_the_daily_sweep_forgets_sessions_that_have_run_out(ana: User, bruno: User) -> None:
    gone, here = signed_in("ana"), signed_in("bruno")
    Session.objects.filter(pk=gone.session.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert forget_ended_sessions() == 1
    assert [row.user for row in UserSession.objects.all()] == [bruno]
    assert here.get("/runs").status_code == 200


def test_looking_at_the_sessions_writes_nothing(ana: User) -> None:
    here, gone = signed_in("ana"), signed_in("ana")
    gone.post("/sign-out")
    with CaptureQueriesContext(connection) as captured:
        page = here.get("/account/sessions").content.decode()
    assert [query["sql"] for query in captured if query["sql"].startswith(WRITES)] == []
    assert ">Sign out there<" not in page


@pytest.mark.parametrize("end", ["x", "0", "9" * 30, "", "-1", "\0"])
def test_a_number_that_is_no_session_ends_none(ana: User, end: str) -> None:
    client = signed_in("ana")
    assert client.post("/account/sessions", {"end": end}).status_code == 302
    assert client.get("/runs").status_code == 200


def test_a_new_password_ends_the_other_sessions_and_their_sockets(ana: User) -> None:
    here, there = signed_in("ana"), signed_in("ana")
    watching = Viewer(ana.pk, session_key=there.session.session_key)
    assert find_person(watching) == ana
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/account/password", form).headers["Location"] == "/account"
    assert find_person(watching) is None
    assert [client.get("/runs").status_code for client in (here, there)] == [200, 302]
    assert sign_in(browser(), "ana").status_code == 200
    assert sign_in(browser(), "ana", password=NEW).status_code == 302


@pytest.mark.parametrize("new", ["elevenchars", "1qaz2wsx3edc", "ana@example.com"])
def test_a_password_that_is_easy_to_guess_is_refused(ana: User, new: str) -> None:
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert signed_in("ana").post("/account/password", form).status_code == 200
    assert sign_in(browser(), "ana").status_code == 302


def test_the_staffs_change_of_a_password_ends_all_sessions(ana: User) -> None:
    client = signed_in("ana")
    ana.set_password(NEW)
    ana.save()
    assert client.get("/runs").status_code == 302


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Chrome, Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("<script>alert(1)</script>", "Navegador desconhecido"),
    ],
)
def test_a_browser_is_called_by_its_name(told: str, name: str) -> None:
    assert describe_browser(told) in {name, "Unknown browser"}
