"""A new password for who forgot theirs: by a mailed link, the same answer for everybody, once, ending all sessions."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.test import Client
from pytest_django import Settings

from bert_training import background
from bert_training.models import AuditEvent
from bert_training.services import password_links
from bert_training.services.origin import SYSTEM, calling_from
from bert_training.services.password_links import make_password_link
from tests.pages.conftest import client_of
from tests.personas import PASSWORD, make_user

ASK = "/password-reset"
NEW = "another-long-password"
LINK = re.compile(r"https?://[^/\s]+(/password-reset/[\w-]+/[\w-]+)")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Do in the request what is done in the background."""
    settings.HAS_EMAIL = True

    def work(_name: str, *args: Any) -> None:
        with calling_from(SYSTEM):
            background.mail_password_links(*args)

    monkeypatch.setattr(password_links, "async_task", work)


@pytest.fixture
def guest(db: None) -> Client:
    """A browser, in English."""
    return Client(headers={"accept-language": "en"})


def path_for(person: User) -> str:
    """Make a link as staff do; returns its path."""
    found = LINK.fullmatch(make_password_link(person))
    assert found
    return found[1]


def use(guest: Client, path: str, password: str = NEW) -> Any:
    """Open a link and choose a password."""
    form = guest.get(path).headers.get("Location", path)
    return guest.post(form, {"new_password1": password, "new_password2": password})


def test_who_forgot_the_password_gets_a_link_by_mail_and_chooses_another(guest: Client, ana: User) -> None:
    elsewhere = client_of(ana)
    asked = guest.post(ASK, {"email": "ANA@example.com"}, REMOTE_ADDR="192.0.2.9")
    (sent,) = mail.outbox
    found = LINK.search(str(sent.body))
    assert (found is not None, sent.to) == (True, ["ana@example.com"])
    assert found
    assert use(guest, found[1]).headers["Location"] == "/sign-in"
    assert elsewhere.get("/runs").status_code == 302
    assert guest.get("/runs").status_code == 302  # the second factor, where there is one, is still asked for
    assert guest.login(username="ana", password=NEW)
    kinds = AuditEvent.objects.filter(kind__in=["reset_link_made", "password_reset"]).order_by("id")
    assert [(event.kind, event.target_id) for event in kinds] == [
        ("reset_link_made", ana.pk),
        ("password_reset", ana.pk),
    ]
    assert (kinds[0].address, kinds[0].request_id) == ("192.0.2.9", asked.headers["X-Request-ID"])


def test_an_unknown_address_is_answered_as_a_known_one(guest: Client, ana: User) -> None:
    make_user("eva", is_active=False)
    known, *others = (guest.post(ASK, {"email": f"{name}@example.com"}) for name in ("ana", "nobody", "eva"))
    pages = {re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", answer.content) for answer in (known, *others)}
    assert (known.status_code, len(pages)) == (200, 1)
    assert [message.to for message in mail.outbox] == [["ana@example.com"]]


def test_who_signs_in_elsewhere_alone_gets_no_link(guest: Client, ana: User) -> None:
    ana.set_unusable_password()
    ana.save()
    guest.post(ASK, {"email": "ana@example.com"})
    assert mail.outbox == []


@pytest.mark.parametrize("email", ["", "ana", "a" * 300 + "@example.com", "ana@example.com\0", "<script>@example.com"])
def test_a_wrong_address_is_named(guest: Client, email: str) -> None:
    page = guest.post(ASK, {"email": email}).content.decode()
    assert ('role="alert"' in page, "<script>@" in page) == (True, False)


def test_nobody_fills_the_mail_box_of_another(guest: Client, ana: User) -> None:
    answers = [guest.post(ASK, {"email": "ana@example.com"}) for _ in range(5)]
    assert ({answer.status_code for answer in answers}, len(mail.outbox)) == ({200}, 3)


def test_an_address_that_asks_too_often_is_slowed_down(guest: Client) -> None:
    answers = [guest.post(ASK, {"email": f"a{number}@example.com"}) for number in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_without_a_mail_server_the_page_says_whom_to_ask(guest: Client, settings: Settings) -> None:
    assert ASK in guest.get("/sign-in").content.decode()
    settings.HAS_EMAIL = False
    page = guest.get("/sign-in").content.decode()
    assert (ASK in page, "Ask whoever administers the portal for a link" in page) == (False, True)
    assert guest.get(ASK).status_code == 404


def test_a_link_is_used_once(guest: Client, ana: User) -> None:
    path = path_for(ana)
    use(guest, path)
    answer = Client().get(path)
    assert answer.status_code == 410
    assert use(Client(), path, "a-third-long-password").status_code == 410
    assert guest.login(username="ana", password=NEW)


def test_a_link_ends_when_the_password_changes_the_person_signs_in_or_a_day_has_passed(
    guest: Client, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_for(ana)
    ana.set_password("a-third-long-password")
    ana.save()
    assert guest.get(path).status_code == 410
    path = path_for(ana)
    client_of(ana)
    assert guest.get(path).status_code == 410
    ana.refresh_from_db()
    path = path_for(ana)
    now = PasswordResetTokenGenerator()._now()
    for hours, status in ((23, 302), (25, 410)):
        monkeypatch.setattr(
            PasswordResetTokenGenerator, "_now", lambda _self, later=hours: now + timedelta(hours=later)
        )
        assert Client().get(path).status_code == status


def test_the_link_of_a_deactivated_person_opens_nothing(guest: Client, ana: User) -> None:
    path = path_for(ana)
    User.objects.update(is_active=False)
    assert guest.get(path).status_code == 410


@pytest.mark.parametrize("path", ["x/y", "MQ/set-password", "999/abc-def", "\N{LATIN SMALL LETTER E WITH ACUTE}/%00"])
def test_a_link_that_nobody_made_opens_nothing(guest: Client, path: str) -> None:
    assert guest.get(f"/password-reset/{path}").status_code == 410


@pytest.mark.parametrize("password", ["short", "ana@example.com", "password1234", ""])
def test_the_rules_for_passwords_hold(guest: Client, ana: User, password: str) -> None:
    page = use(guest, path_for(ana), password).content.decode()
    assert 'role="alert"' in page
    assert guest.login(username="ana", password=PASSWORD)
