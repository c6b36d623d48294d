"""What staff do for who cannot sign in: a link to a new password, and taking away a lost second factor."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client
from pytest_django import Settings

from bert_training.models import AuditEvent
from tests.pages.conftest import client_of
from tests.personas import make_user

NEW = "another-long-password"


def page_of(person: User, page: str = "new-password") -> str:
    return f"/admin/auth/user/{person.pk}/{page}/"


@pytest.fixture
def clerk(db: None) -> User:
    """Staff without superuser's rights who may change people."""
    user = make_user("clerk", roles=[], is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    return user


def test_staff_make_a_link_that_works_once_and_keeps_the_second_factor(
    clerk: User, ana: User, settings: Settings
) -> None:
    settings.HAS_EMAIL = False
    Authenticator.objects.create(user=ana, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client, elsewhere = client_of(clerk), client_of(ana)
    assert "24 hours" in client.get(page_of(ana)).content.decode()
    answer = client.post(page_of(ana))
    page = answer.content.decode()
    found = re.search(r"https?://[^/\s]+(/password-reset/[\w-]+/[\w-]+)", page)
    assert found
    assert ("no-store" in answer.headers["Cache-Control"], "No e-mail was sent" in page) == (True, True)
    guest = Client()
    form = guest.get(found[1]).headers["Location"]
    assert guest.post(form, {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    assert elsewhere.get("/runs").status_code == 302
    assert Authenticator.objects.filter(user=ana).exists()
    event = AuditEvent.objects.get(kind="reset_link_made")
    assert (event.actor_name, event.target_id) == ("clerk", ana.pk)


def test_the_link_is_mailed_too_where_there_is_a_mail_server(clerk: User, ana: User, settings: Settings) -> None:
    settings.HAS_EMAIL = True
    assert "also e-mailed to ana@example.com" in client_of(clerk).post(page_of(ana)).content.decode()
    assert mail.outbox[0].to == ["ana@example.com"]


def test_a_lost_second_factor_is_taken_away_and_on_record(clerk: User, ana: User) -> None:
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=ana, type=kind, data={})
    client, page = client_of(clerk), page_of(ana, "no-second-factor")
    assert client.get(page).status_code == 200
    assert Authenticator.objects.filter(user=ana).count() == 2
    assert "password alone" in client.post(page, follow=True).content.decode()
    assert not Authenticator.objects.filter(user=ana).exists()
    assert "There was no second factor" in client.post(page, follow=True).content.decode()
    assert [event.target_id for event in AuditEvent.objects.filter(kind="two_factor_reset")] == [ana.pk]


@pytest.mark.parametrize("page", ["new-password", "no-second-factor"])
def test_nobody_is_helped_above_ones_own_rights_and_nobody_helps_oneself(
    clerk: User, root: User, ana: User, page: str
) -> None:
    other = make_user("eva", roles=[], is_staff=True)
    inactive = make_user("fabio", is_active=False)
    for person in (root, other, clerk, inactive):
        for send in (client_of(clerk).get, client_of(clerk).post):
            assert send(page_of(person, page)).status_code == 403, person
    assert client_of(root).post(page_of(root, page)).status_code == 403
    assert client_of(ana).post(page_of(ana, page)).status_code in (302, 403)
    assert not AuditEvent.objects.filter(kind__in=["reset_link_made", "two_factor_reset"]).exists()


def test_a_button_on_the_persons_page_leads_to_it(clerk: User, ana: User) -> None:
    client = client_of(clerk)
    page = client.get(f"/admin/auth/user/{ana.pk}/change/").content.decode()
    assert all(name in page for name in ('value="new_password"', 'value="no_second_factor"'))
    form = {"action": "new_password", "_selected_action": [ana.pk], "_from_row": ana.pk}
    assert client.post("/admin/auth/user/", form).headers["Location"] == page_of(ana)
    form["_selected_action"] = [clerk.pk]
    assert client.post("/admin/auth/user/", form).status_code == 302
