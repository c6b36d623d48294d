"""A person's own API tokens: made, shown once, rotated and revoked on pages that no token and nobody else reaches."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bert_training.contract.enums import TokenScope
from bert_training.models import AccessToken
from bert_training.services.errors import TokenUnknown
from bert_training.services.tokens import find_token, issue_user_token, revoke_token
from tests.pages.conftest import client_of

LIST = reverse("pages:tokens")
NEW = reverse("pages:token-new")
TOKEN = re.compile(r"bertu_[0-9A-Za-z]{49}")
FORM = {"label": "Painel", "scope": "read", "days": "90"}


def rotate(token: AccessToken) -> str:
    return reverse("pages:token-rotate", args=[token.pk])


def revoke(token: AccessToken) -> str:
    return reverse("pages:token-revoke", args=[token.pk])


def token_on(response: Any) -> str:
    found = TOKEN.search(response.content.decode())
    assert found
    return found[0]


def test_a_token_is_made_and_shown_once(as_ana: Client, ana: User) -> None:
    response = as_ana.post(NEW, {**FORM, "scope": "run"})
    text = token_on(response)
    assert find_token(text).user == ana
    assert response.headers["Cache-Control"] == "no-store"
    row = AccessToken.objects.get()
    assert (row.label, row.scope) == ("Painel", "run")
    assert row.expires_at is not None
    assert timedelta(days=89) < row.expires_at - timezone.now() <= timedelta(days=90)
    page = as_ana.get(LIST).content.decode()
    assert text not in page + str(dict(as_ana.session)) + str(as_ana.cookies)
    assert row.prefix in page
    assert "expires in 90 days" in page


def test_a_new_token_reads_for_90_days_unless_more_is_asked_for(as_ana: Client) -> None:
    form = as_ana.get(NEW).context["form"]
    assert (form["scope"].value(), form["days"].value(), form.fields["days"].max_value) == ("read", 90, 365)


@pytest.mark.parametrize(
    "changes",
    [
        *({"days": days} for days in ("", "0", "366", "x")),
        *({"label": label} for label in ("", "x" * 101, "a\x00b")),
        *({"scope": scope} for scope in ("", "all")),
    ],
)
def test_a_wrong_form_makes_nothing(as_ana: Client, changes: dict[str, str]) -> None:
    assert list(as_ana.post(NEW, {**FORM, **changes}).context["form"].errors) == list(changes)
    assert not AccessToken.objects.exists()


def test_a_token_is_rotated_and_the_old_one_is_good_for_a_while(as_ana: Client, ana: User) -> None:
    old, old_text = issue_user_token(ana, label="Painel")
    assert as_ana.get(rotate(old)).context["form"]["overlap"].value() == "24"
    text = token_on(as_ana.post(rotate(old), {"overlap": "24", "days": "90"}))
    assert find_token(text).user == find_token(old_text).user == ana
    assert f"replaced by {text[:14]}" in as_ana.get(LIST).content.decode()
    assert "has been replaced" in as_ana.post(rotate(old), {"overlap": "168", "days": "90"}).content.decode()


def test_a_token_is_revoked_after_a_question(as_ana: Client, ana: User) -> None:
    row, text = issue_user_token(ana, label="Painel")
    assert row.prefix in as_ana.get(revoke(row)).content.decode()
    assert find_token(text)
    assert "was revoked" in as_ana.post(revoke(row), follow=True).content.decode()
    with pytest.raises(TokenUnknown):
        find_token(text)


def test_a_token_that_ends_soon_says_so(as_ana: Client, ana: User) -> None:
    issue_user_token(ana, label="a", days=5)
    issue_user_token(ana, label="b")
    revoke_token(issue_user_token(ana, label="c")[0])
    page = as_ana.get(LIST).content.decode()
    assert 'badge-warning">expires in 5 days' in page
    assert 'badge-ready">until it is revoked' in page
    assert 'badge">revoked' in page


def test_nobody_reaches_the_tokens_of_others(ana: User, carla: User, root: User) -> None:
    row, text = issue_user_token(ana, label="Painel")
    for other in (carla, root):
        client = client_of(other)
        assert row.prefix not in client.get(LIST).content.decode()
        for url in (rotate(row), revoke(row)):
            assert [client.get(url).status_code, client.post(url, {"overlap": "0", "days": "9"}).status_code] == [
                404,
                404,
            ]
    assert find_token(text)
    assert AccessToken.objects.count() == 1


def test_no_token_opens_a_page(ana: User) -> None:
    row, text = issue_user_token(ana, label="Painel", scope=TokenScope.MANAGE)
    client = Client(headers={"authorization": f"Bearer {text}"})
    for url in (LIST, NEW, rotate(row), revoke(row), "/runs", "/admin/"):
        for response in (client.get(url), client.post(url, {**FORM, "overlap": "0"})):
            assert response.status_code == 302, url
            assert "sign-in" in response.headers["Location"] or "login" in response.headers["Location"]
    assert AccessToken.objects.count() == 1


def test_a_label_is_shown_as_text(as_ana: Client, ana: User) -> None:
    row, _text = issue_user_token(ana, label="<script>alert(1)</script>")
    for url in (LIST, rotate(row), revoke(row)):
        assert "<script>alert" not in as_ana.get(url).content.decode()


def test_the_list_takes_as_many_queries_for_many_tokens(
    as_ana: Client, ana: User, django_assert_max_num_queries: Any
) -> None:
    issue_user_token(ana, label="first")
    with django_assert_max_num_queries(20) as few:
        as_ana.get(LIST)
    for number in range(5):
        issue_user_token(ana, label=str(number))
    with django_assert_max_num_queries(len(few)):
        as_ana.get(LIST)
