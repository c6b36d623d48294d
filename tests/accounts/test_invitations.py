"""Invitations: who may invite whom, what a link makes of it, and that it makes it once."""

import logging
import re
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from bert_training.models import AuditEvent, Invitation, Team
from bert_training.services.errors import ServiceError
from bert_training.services.invitations import InvitationRequest, accept_invitation, invite, withdraw_invitation
from portal.logs import JsonFormatter
from tests.personas import PASSWORD
from tests.services import IS_EMBEDDED

ADD = "/admin/bert_training/invitation/add/"
LIST = "/admin/bert_training/invitation/"
LINK = re.compile(r"https?://[^/]+(/invitation/[\w-]{43})")
CHOSEN = {"username": "davi", "password1": PASSWORD, "password2": PASSWORD}
CANARY = "<script>alert('canary')</script>"


def browser(user: User | None = None) -> Client:
    """Somebody's browser, in English."""
    client = Client(headers={"accept-language": "en"})
    if user is not None:
        client.force_login(user)
    return client


def form(**changes: Any) -> dict[str, Any]:
    """What staff fill in."""
    groups = [group.pk for group in Group.objects.filter(name__in=["trainer"])]
    return {"email": "Davi@Example.com", "full_name": "Davi Dias", "groups": groups, "days": "7", **changes}


def link_on(page: str) -> str:
    """Return the path of the link that a page shows."""
    found = LINK.search(page)
    assert found, page
    return found[1]


def invited(by: User, **changes: Any) -> tuple[Invitation, str]:
    """Invite Davi; returns the invitation and the path of its link."""
    wanted: dict[str, Any] = {"email": "davi@example.com", "full_name": "Davi Dias", **changes}
    row, secret = invite(InvitationRequest(**wanted), by=by)
    return row, f"/invitation/{secret}"


@pytest.fixture
def clerk(db: None) -> User:
    """Staff without superuser's rights."""
    user = User.objects.create_user("clerk", "clerk@example.com", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__model="invitation"))
    return user


def test_an_invited_person_chooses_name_and_password_and_is_signed_in(root: User, team: Team) -> None:
    answer = browser(root).post(ADD, form(teams=[team.pk]))
    assert "no-store" in answer.headers["Cache-Control"]
    link = link_on(answer.content.decode())
    guest = browser()
    assert "Davi Dias" in guest.get(link).content.decode()
    assert guest.post(link, CHOSEN).headers["Location"] == "/"
    davi = User.objects.get(username="davi")
    assert (davi.email, davi.get_full_name(), davi.is_staff) == ("davi@example.com", "Davi Dias", False)
    assert ([group.name for group in davi.groups.all()], [*davi.teams.all()]) == (["trainer"], [team])
    assert guest.get("/runs").status_code == 200
    assert browser().login(username="davi", password=PASSWORD)
    kinds = list(AuditEvent.objects.filter(actor_name__in=["davi", "root"]).values_list("kind", "actor_name"))
    assert sorted(kinds) == [("invitation_accepted", "davi"), ("invitation_made", "root"), ("signed_in", "davi")]


def test_no_more_than_a_digest_of_the_link_is_kept(root: User) -> None:
    page = browser(root).post(ADD, form()).content.decode()
    secret = link_on(page).rpartition("/")[2]
    row = Invitation.objects.values().get()
    assert secret not in str(row)
    assert secret not in browser(root).get(f"{LIST}{row['id']}/change/").content.decode()


def test_a_link_says_plainly_that_it_was_used_withdrawn_or_has_expired(root: User) -> None:
    used, link_of_used = invited(root)
    accept_invitation(used, username="davi", password=PASSWORD)
    withdrawn, link_of_withdrawn = invited(root, email="eva@example.com")
    withdraw_invitation(withdrawn)
    expired, link_of_expired = invited(root, email="fabio@example.com")
    Invitation.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    words = {link_of_used: "used already", link_of_withdrawn: "withdrawn", link_of_expired: "expired"}
    for link, word in words.items():
        for answer in (browser().get(link), browser().post(link, {**CHOSEN, "username": "other"})):
            page = answer.content.decode()
            assert (answer.status_code, word in page, "example.com" in page) == (410, True, False), link
    assert not User.objects.filter(username="other").exists()


@pytest.mark.parametrize("secret", ["x" * 43, "x", "\N{LATIN SMALL LETTER E WITH ACUTE}" * 43, "x" * 1000, "\0" * 43])
def test_an_unknown_link_is_not_found(db: None, secret: str) -> None:
    assert browser().get(f"/invitation/{secret}").status_code == 404


def test_a_new_link_takes_the_place_of_the_old_one(root: User) -> None:
    row, old = invited(root)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    client = browser(root)
    url = f"{LIST}{row.pk}/new-link/"
    assert client.get(url).status_code == 200
    new = link_on(client.post(url).content.decode())
    assert browser().get(old).status_code == 404
    assert browser().post(new, CHOSEN).status_code == 302
    assert client.post(url).status_code == 302
    assert browser().get(new).status_code == 410


def test_a_link_replaced_while_its_form_is_filled_in_makes_no_account(root: User) -> None:
    row, _link = invited(root)
    Invitation.objects.update(digest="0" * 64)
    with pytest.raises(ServiceError):
        accept_invitation(row, username="davi", password=PASSWORD)
    assert not User.objects.filter(username="davi").exists()


WRONG = [
    {"username": ""},
    {"username": "a" * 300},
    {"username": "ANA"},
    {"username": CANARY},
    {"username": "ana@example.com"},
    {"username": "a\0b"},
    {"password2": "another-long-password"},
    {"password1": "short", "password2": "short"},
    {"password1": "davi@example.com", "password2": "davi@example.com"},
    {"password1": "", "password2": ""},
]


@pytest.mark.parametrize("changes", WRONG, ids=lambda changes: "=".join(next(iter(changes.items())))[:30])
def test_a_wrong_name_or_password_uses_nothing_up(root: User, ana: User, changes: dict[str, str]) -> None:
    _row, link = invited(root)
    answer = browser().post(link, {**CHOSEN, **changes})
    page = answer.content.decode()
    assert (answer.status_code, CANARY in page) == (200, False)
    assert 'role="alert"' in page
    assert browser().post(link, CHOSEN).status_code == 302


REFUSED = [
    {"email": ""},
    {"email": "not an address"},
    {"email": f"{'a' * 300}@example.com"},
    {"email": "ANA@example.com"},
    {"full_name": ""},
    {"full_name": "a" * 300},
    {"full_name": "Davi\nBcc: all"},
    {"full_name": "Davi\0"},
    {"groups": ["999999"]},
    {"groups": ["x"]},
    {"days": "0"},
    {"days": "31"},
]


@pytest.mark.parametrize("changes", REFUSED, ids=lambda changes: "=".join(map(str, next(iter(changes.items()))))[:30])
def test_a_wrong_form_invites_nobody(root: User, ana: User, changes: dict[str, Any]) -> None:
    answer = browser(root).post(ADD, form(**changes))
    assert list(answer.context["form"].errors) == list(changes)
    assert not Invitation.objects.exists()


def test_an_address_is_invited_once_at_a_time(root: User) -> None:
    row, _link = invited(root)
    answer = browser(root).post(ADD, form(email="DAVI@example.com"))
    assert "was invited before" in answer.content.decode()
    withdraw_invitation(row)
    assert browser(root).post(ADD, form()).status_code == 200
    assert Invitation.objects.count() == 2


def test_a_name_with_markup_is_shown_as_text(root: User) -> None:
    client = browser(root)
    page = client.post(ADD, form(full_name=CANARY)).content.decode()
    row = Invitation.objects.get()
    pages = [page, *(client.get(url).content.decode() for url in (LIST, f"{LIST}{row.pk}/change/"))]
    pages.append(browser().get(link_on(page)).content.decode())
    assert all(CANARY not in page and "canary" in page for page in pages)


def test_staff_who_are_no_superusers_give_nothing_above_their_own_rights(clerk: User, root: User) -> None:
    above = Group.objects.create(name="administrators")
    above.permissions.set(Permission.objects.filter(codename="change_user"))
    client = browser(clerk)
    assert "groups" in client.post(ADD, form(groups=[above.pk])).context["form"].errors
    client.post(ADD, form(is_staff="on"))
    assert not Invitation.objects.get().is_staff
    for changes in ({"is_staff": True, "email": "a@example.com"}, {"groups": [above], "email": "b@example.com"}):
        row, _link = invited(root, **changes)
        assert client.post(f"{LIST}{row.pk}/new-link/").status_code == 403


def test_only_staff_invite(ana: User, root: User) -> None:
    row, _link = invited(root)
    for url in (ADD, LIST, f"{LIST}{row.pk}/new-link/", f"{LIST}{row.pk}/change/"):
        assert browser(ana).post(url, form(email="x@example.com")).status_code in (302, 403), url
    assert Invitation.objects.count() == 1


def test_the_list_filters_by_state_and_withdraws(root: User) -> None:
    row, _link = invited(root)
    client = browser(root)
    assert "davi@example.com" in client.get(f"{LIST}?state=open").content.decode()
    client.post(LIST, {"action": "withdraw", "_selected_action": [row.pk]})
    assert "davi@example.com" in client.get(f"{LIST}?state=withdrawn").content.decode()
    for state in ("open", "expired", "accepted"):
        assert "davi@example.com" not in client.get(f"{LIST}?state={state}").content.decode()
    assert AuditEvent.objects.filter(kind="invitation_revoked").count() == 1


def test_the_link_is_mailed_where_there_is_a_mail_server(root: User, settings: Settings) -> None:
    settings.HAS_EMAIL = False
    page = browser(root).post(ADD, form()).content.decode()
    assert "No e-mail was sent" in page
    assert mail.outbox == []
    settings.HAS_EMAIL = True
    page = browser(root).post(ADD, form(email="eva@example.com")).content.decode()
    assert "also e-mailed to eva@example.com" in page
    assert (mail.outbox[0].to, link_on(page) in str(mail.outbox[0].body)) == (["eva@example.com"], True)
    settings.EMAIL_BACKEND = "tests.accounts.broken_mail.BrokenMail"
    page = browser(root).post(ADD, form(email="fabio@example.com")).content.decode()
    assert "could not be sent" in page
    assert link_on(page)


def test_the_log_of_a_failure_holds_no_link(root: User) -> None:
    _row, link = invited(root)
    record = logging.makeLogRecord({"msg": "Internal Server Error: %s", "args": (link,), "path": link})
    written = JsonFormatter().format(record)
    assert ("/invitation/..." in written, link in written) == (True, False)


def test_a_name_that_was_taken_meanwhile_leaves_the_invitation_open(root: User, ana: User) -> None:
    row, _link = invited(root)
    with pytest.raises(ServiceError, match="taken"):
        accept_invitation(row, username="Ana", password=PASSWORD)
    assert accept_invitation(row, username="davi", password=PASSWORD).username == "davi"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.skipif(IS_EMBEDDED, reason="SQLite has one writer: nobody races")
def test_of_many_who_use_one_link_at_once_one_gets_an_account(root: User) -> None:
    row, _link = invited(root)
    callers = 4
    start = Barrier(callers)
    made: list[str] = []

    def accept(number: int) -> None:
        start.wait()
        try:
            made.append(accept_invitation(row, username=f"davi{number}", password=None).username)
        except ServiceError:
            made.append("")
        finally:
            connection.close()

    threads = [Thread(target=accept, args=[number]) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [name for name in made if name]
    assert (len(made), len(names)) == (callers, 1)
    assert [*User.objects.filter(username__startswith="davi").values_list("username", flat=True)] == names
