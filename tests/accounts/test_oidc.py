"""Signing in at an OpenID Connect provider, against a fake one over real HTTP."""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from bert_training.models import AuditEvent, Team
from bert_training.services.invitations import InvitationRequest, invite
from tests.accounts.fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, running_provider
from tests.browser import chromium
from tests.personas import make_user

START, BACK = "/sign-in/provider", "/sign-in/provider/back"


@pytest.fixture
def provider(settings: Settings) -> Iterator[FakeProvider]:
    """A provider that the portal knows."""
    with running_provider() as provider:
        settings.OIDC_SERVER_URL = provider.url
        settings.OIDC_NAME = "Gov Login"
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        yield provider


@pytest.fixture
def davi(team: Team) -> User:
    """Somebody with the address that the provider tells."""
    return make_user("davi", teams=[team])


@pytest.fixture
def guest() -> Client:
    """A browser, in English."""
    return Client(headers={"accept-language": "en"})


def leave(guest: Client, **form: str) -> str:
    """Press the button; returns where the page leads to."""
    page = guest.post(START, form).content.decode()
    found = re.search(r'content="0; url=([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def come_back(guest: Client, provider: FakeProvider, **changes: str) -> Any:
    """Go there, sign in, come back; returns the portal's answer."""
    query = provider.sign_in(leave(guest))
    return guest.get(BACK, {**query, **changes})


def is_signed_in(guest: Client) -> bool:
    return guest.get("/runs").status_code == 200


def test_somebody_who_has_an_account_signs_in_there(guest: Client, davi: User, provider: FakeProvider) -> None:
    assert "Sign in with Gov Login" in guest.get("/sign-in").content.decode()
    location = leave(guest, next="/datasets")
    query = provider.sign_in(location)
    assert location.startswith(f"{provider.url}/authorize?")
    wanted = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
    assert wanted.items() <= provider.asked.items()
    assert set(provider.asked["scope"].split()) == {"openid", "profile", "email"}
    answer = guest.get(BACK, query)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/datasets")
    assert guest.get("/account").context["user"] == davi
    assert AuditEvent.objects.filter(kind="identity_linked", actor_id=davi.pk).count() == 1
    davi.refresh_from_db()
    assert davi.has_usable_password()  # the provider is one more way in


@pytest.mark.parametrize("is_named", [True, False])
def test_a_provider_on_several_hosts_is_believed_on_those_that_are_named(
    guest: Client, davi: User, provider: FakeProvider, settings: Settings, is_named: bool
) -> None:
    elsewhere = provider.url.replace("127.0.0.1", "localhost")
    settings.OIDC_OTHER_HOSTS = [urlsplit(elsewhere).netloc] if is_named else []
    query = provider.sign_in(leave(guest))
    provider.config = {"jwks_uri": f"{elsewhere}/keys"}
    assert (guest.get(BACK, query).status_code == 302) is is_named
    assert is_signed_in(guest) is is_named


def test_the_second_time_the_identity_counts_not_the_address(guest: Client, davi: User, provider: FakeProvider) -> None:
    come_back(guest, provider)
    provider.claims = {"email": "other@example.com", "email_verified": False}
    again = Client()
    assert come_back(again, provider).status_code == 302
    assert again.get("/account").context["user"] == davi
    assert SocialAccount.objects.count() == 1


def test_the_address_may_come_from_userinfo(guest: Client, davi: User, provider: FakeProvider) -> None:
    provider.claims = {"email": None, "email_verified": None}
    provider.userinfo = {"email": "davi@example.com", "email_verified": True}
    come_back(guest, provider)
    assert is_signed_in(guest)


def test_who_was_invited_gets_an_account_with_the_invited_rights(
    guest: Client, root: User, team: Team, provider: FakeProvider
) -> None:
    invite(InvitationRequest("davi@example.com", "Davi Dias", teams=[team]), by=root)
    provider.claims = {"preferred_username": "davi.dias@example.com"}
    assert come_back(guest, provider).status_code == 302
    davi = User.objects.get(email="davi@example.com")
    assert (davi.username, davi.get_full_name(), [*davi.teams.all()]) == ("davi.dias", "Davi Dias", [team])
    assert not davi.has_usable_password()


def test_who_is_unknown_gets_a_clear_page_and_no_account(guest: Client, ana: User, provider: FakeProvider) -> None:
    answer = come_back(guest, provider)
    assert (answer.status_code, "Ask for an invitation" in answer.content.decode()) == (403, True)
    assert (User.objects.count(), SocialAccount.objects.count()) == (1, 0)
    assert not is_signed_in(guest)


@pytest.mark.parametrize("is_invited", [True, False])
def test_an_address_that_only_looks_alike_is_somebody_elses(
    guest: Client, root: User, provider: FakeProvider, is_invited: bool
) -> None:
    if is_invited:
        invite(InvitationRequest("davi@example.com", "Davi Dias"), by=root)
    else:
        make_user("davi")
    provider.claims = {"email": "dav\N{LATIN SMALL LETTER DOTLESS I}@example.com"}  # in upper letters it is the same
    assert come_back(guest, provider).status_code == 403
    assert not is_signed_in(guest)


def test_a_deactivated_person_stays_out(guest: Client, davi: User, provider: FakeProvider) -> None:
    User.objects.update(is_active=False)
    assert come_back(guest, provider).status_code == 403
    User.objects.update(is_active=True)
    come_back(guest, provider)
    assert is_signed_in(guest)
    User.objects.update(is_active=False)
    again = Client()
    come_back(again, provider)
    assert not is_signed_in(again)


def test_an_address_of_two_accounts_signs_in_nobody(guest: Client, davi: User, provider: FakeProvider) -> None:
    User.objects.create_user("double", "DAVI@example.com", "x")
    assert come_back(guest, provider).status_code == 403


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another issuer in the discovery": {"config": {"issuer": "https://evil.example"}},
    "for another client": {"claims": {"aud": "another"}},
    "for several, made for another": {"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}},
    "another nonce": {"claims": {"nonce": "x"}},
    "no nonce": {"claims": {"nonce": None}},
    "expired": {"claims": {"exp": 1_000_000_000}},
    "no subject": {"claims": {"sub": None}},
    "userinfo of another": {"claims": {"email": None}, "userinfo": {"sub": "eva-2", "email": "davi@example.com"}},
    "no ID token": {"token": {"id_token": ""}},
    "no JWT": {"token": {"id_token": "a.b.c"}},
    "unsigned": {"algorithm": "none", "signing_key": None},
    "signed with the secret": {"algorithm": "HS256", "signing_key": CLIENT_SECRET.ljust(64)},
    "token endpoint elsewhere": {"config": {"token_endpoint": "https://evil.example/token"}},
    "keys elsewhere": {"config": {"jwks_uri": "http://127.0.0.1:1/keys"}},
    "no endpoints": {"config": {"token_endpoint": None, "jwks_uri": None}},
    "a list": {"claims": {"email": ["davi@example.com"]}},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_an_answer_that_proves_nothing_signs_in_nobody(
    guest: Client, davi: User, provider: FakeProvider, lie: dict[str, Any]
) -> None:
    query = provider.sign_in(leave(guest))
    for name, value in lie.items():
        setattr(provider, name, value)
    answer = guest.get(BACK, query)
    assert answer.status_code in (400, 403)
    assert "You are not signed in" in answer.content.decode()
    assert not is_signed_in(guest)
    assert AuditEvent.objects.filter(kind="sign_in_failed").exists() or answer.status_code == 403


def test_a_token_signed_by_another_key_signs_in_nobody(guest: Client, davi: User, provider: FakeProvider) -> None:
    provider.signing_key = provider.other_key
    assert come_back(guest, provider).status_code == 400
    assert not is_signed_in(guest)


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_was_not_verified_signs_in_nobody(
    guest: Client, davi: User, provider: FakeProvider, verified: Any
) -> None:
    provider.claims = {"email_verified": verified}
    answer = come_back(guest, provider)
    assert (answer.status_code, "has not verified" in answer.content.decode()) == (403, True)
    assert not is_signed_in(guest)


def test_an_answer_belongs_to_the_browser_that_asked_and_counts_once(
    guest: Client, davi: User, provider: FakeProvider
) -> None:
    query = provider.sign_in(leave(guest))
    assert Client().get(BACK, query).status_code == 400
    assert guest.get(BACK, {**query, "state": "x" * 43}).status_code == 400
    assert guest.get(BACK, {**query, "state": ""}).status_code == 400
    guest.get(BACK, query)
    assert is_signed_in(guest)
    guest.post("/sign-out")
    assert guest.get(BACK, query).status_code == 400
    assert not is_signed_in(guest)


def test_without_the_verifier_of_the_challenge_the_code_is_worth_nothing(
    guest: Client, davi: User, provider: FakeProvider
) -> None:
    query = provider.sign_in(leave(guest))
    provider.asked["code_challenge"] = "of another browser"
    assert guest.get(BACK, query).status_code == 400


def test_who_cancels_there_is_told_so(guest: Client, davi: User, provider: FakeProvider) -> None:
    state = provider.sign_in(leave(guest))["state"]
    answer = guest.get(BACK, {"error": "access_denied", "state": state})
    assert (answer.status_code, is_signed_in(guest)) == (400, False)


def test_a_provider_that_is_away_is_an_answer_not_a_failure(guest: Client, davi: User, settings: Settings) -> None:
    settings.OIDC_SERVER_URL = "http://127.0.0.1:1"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    assert guest.post(START).status_code == 400


def test_where_none_is_configured_nothing_is_offered(guest: Client, db: None) -> None:
    assert START not in guest.get("/sign-in").content.decode()
    assert (guest.post(START).status_code, guest.get(BACK).status_code) == (404, 404)


def test_no_link_can_begin_a_sign_in(db: None, guest: Client, provider: FakeProvider) -> None:
    assert guest.get(START).status_code == 405
    assert Client(enforce_csrf_checks=True).post(START).status_code == 403
    assert provider.paths == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_browser_goes_there_and_comes_back_under_the_portals_own_policy(
    live_server: LiveServer, davi: User, provider: FakeProvider, settings: Settings
) -> None:
    """The form may send only to the portal itself (CSP form-action), also by a redirect: hence the page between."""
    settings.BASE_URL = live_server.url
    with chromium() as open_page:
        page = open_page(live_server.url)
        page.goto("/account")
        page.click("text=Gov Login")
        page.wait_for_url("**/account")
        assert "davi@example.com" in page.inner_text("main")


def test_who_comes_back_from_nowhere_a_hundred_times_does_not_fill_the_audit(
    guest: Client, provider: FakeProvider, db: None
) -> None:
    for _ in range(100):
        assert guest.get(BACK, {"code": "x", "state": "unknown"}, REMOTE_ADDR="192.0.2.77").status_code == 400
    assert 20 <= AuditEvent.objects.filter(kind="sign_in_failed").count() < 25
