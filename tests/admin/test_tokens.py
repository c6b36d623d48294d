"""Tokens of people are issued once, shown once, listed by their first characters and revoked."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from bert_training.models import AccessToken, Worker
from bert_training.services.errors import TokenUnknown
from bert_training.services.tokens import find_token, issue_user_token, issue_worker_token
from tests.admin.rows import Page, list_of, page_of, run_action
from tests.admin.test_workers import token_on

ADD = f"{list_of('accesstoken')}add/"


def issue(client: Client, holder: User, **changes: str) -> Page:
    return client.post(ADD, {"user": str(holder.pk), "label": "BI", "scope": "read", "days": "30", **changes})


def test_a_token_for_a_person_is_shown_once(staff: Client, ana: User) -> None:
    response = issue(staff, ana)
    row = find_token(token_on(response))
    assert (row.user, row.label, row.scope) == (ana, "BI", "read")
    assert "no-store" in response.headers["Cache-Control"]
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)


def test_staff_are_offered_the_least_and_90_days(staff: Client) -> None:
    form = staff.get(ADD).context["form"]
    assert (form["scope"].value(), form["days"].value()) == ("read", 90)


def test_a_token_without_days_is_valid_until_it_is_revoked(staff: Client, ana: User) -> None:
    assert find_token(token_on(issue(staff, ana, days=""))).expires_at is None


@pytest.mark.parametrize(
    "changes", [{"days": "0"}, {"label": ""}, {"scope": "all"}, {"user": "999999"}, {"user": "x"}, {"user": "\x00"}]
)
def test_a_wrong_form_issues_nothing(staff: Client, ana: User, changes: dict[str, str]) -> None:
    assert list(issue(staff, ana, **changes).context["form"].errors) == list(changes)
    assert not AccessToken.objects.exists()


def test_staff_cannot_give_themselves_the_rights_of_a_superuser(bruno: User, root: User, ana: User) -> None:
    bruno.is_staff = True
    bruno.save()
    bruno.user_permissions.set(Permission.objects.filter(codename__in=["add_accesstoken", "view_accesstoken"]))
    client = Client()
    client.force_login(bruno)
    assert "user" in issue(client, root).context["form"].errors
    assert find_token(token_on(issue(client, ana))).user == ana
    assert find_token(token_on(issue(client, bruno))).user == bruno


def test_a_revoked_token_opens_nothing_and_stays_in_the_list(staff: Client, ana: User) -> None:
    row, text = issue_user_token(ana, label="BI")
    assert "Revoke access tokens?" in run_action(staff, "accesstoken", "revoke", row.pk)
    assert find_token(text)
    assert "Done for 1 entry." in run_action(staff, "accesstoken", "revoke", row.pk, confirmed="yes")
    with pytest.raises(TokenUnknown):
        find_token(text)
    assert row.prefix in staff.get(f"{list_of('accesstoken')}?state=revoked").content.decode()
    assert row.prefix not in staff.get(f"{list_of('accesstoken')}?state=usable").content.decode()


def test_the_list_tells_workers_from_people(staff: Client, ana: User, worker: Worker) -> None:
    of_person, of_worker = issue_user_token(ana, label="BI")[0], issue_worker_token(worker)[0]
    page = staff.get(f"{list_of('accesstoken')}?holder=worker").content.decode()
    assert of_worker.prefix in page
    assert of_person.prefix not in page


def test_no_page_shows_a_digest(staff: Client, ana: User) -> None:
    row, _text = issue_user_token(ana, label="BI")
    for url in (list_of("accesstoken"), page_of("accesstoken", row.pk), f"{list_of('accesstoken')}?q={row.prefix}"):
        assert row.digest not in staff.get(url).content.decode()


def test_only_the_label_of_a_token_is_changed(staff: Client, ana: User, carla: User) -> None:
    row, _text = issue_user_token(ana, label="BI")
    wanted = {"label": "Painel", "user": str(carla.pk), "digest": "0" * 64, "scope": "manage"}
    staff.post(page_of("accesstoken", row.pk), wanted)
    changed = AccessToken.objects.get()
    assert (changed.label, changed.user, changed.digest, changed.scope) == ("Painel", ana, row.digest, "read")


def test_a_token_is_not_deleted(staff: Client, ana: User) -> None:
    row, _text = issue_user_token(ana, label="BI")
    assert staff.post(page_of("accesstoken", row.pk).replace("change", "delete")).status_code == 403
