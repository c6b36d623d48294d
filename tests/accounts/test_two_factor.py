"""The second factor: set up, asked for at every door, recovered, switched off, and required of staff."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache

from bert_training.contract.limits import API_PREFIX
from bert_training.live.viewers import Viewer, find_person
from bert_training.services.tokens import issue_user_token
from tests.accounts.conftest import browser, code_of, set_up, sign_in, signed_in

pytestmark = pytest.mark.django_db
WithApp = Callable[[], tuple[str, list[str]]]


def test_the_password_alone_opens_nothing_once_it_is_on(with_app: WithApp) -> None:
    secret, codes = with_app()
    assert len(codes) == 10
    client = browser()
    assert sign_in(client, "ana").headers["Location"] == "/sign-in/code"
    assert client.get("/runs").status_code == 302
    assert client.post("/sign-in/code", {"code": code_of(secret)}).status_code == 302
    assert client.get("/runs").status_code == 200


def test_the_admins_own_form_asks_for_the_code_too(root: User) -> None:
    secret, _codes = set_up(signed_in("root"))
    client = browser()
    assert sign_in(client, "root", at="/admin/login/?next=/admin/auth/").headers["Location"] == "/sign-in/code"
    assert client.get("/admin/").status_code == 302
    assert client.post("/sign-in/code", {"code": code_of(secret)}).headers["Location"] == "/admin/auth/"


def test_a_code_holds_once_even_when_allauth_has_forgotten_it(with_app: WithApp, ana: User) -> None:
    secret, _codes = with_app()
    code = code_of(secret)
    answers = []
    for client in (browser(), browser()):
        sign_in(client, "ana")
        answers.append(client.post("/sign-in/code", {"code": code}).status_code)
        assert cache.delete(f"allauth.mfa.totp.used?user={ana.pk}&code={code}")  # as after one period of its three
    assert answers == [302, 200]


def test_a_recovery_code_holds_once(with_app: WithApp) -> None:
    _secret, codes = with_app()
    answers = []
    for client in (browser(), browser()):
        sign_in(client, "ana")
        answers.append(client.post("/sign-in/code", {"code": codes[0]}).status_code)
    assert answers == [302, 200]


def test_recovery_codes_are_shown_once_and_new_ones_end_the_old(with_app: WithApp, ana: User) -> None:
    client = signed_in("ana")
    _secret, codes = set_up(client)
    overview = client.get("/account/two-factor").content.decode()
    assert "10 codes are left" in overview
    assert not any(code in overview for code in codes)
    renewed = client.post("/account/two-factor/recovery-codes").content.decode()
    assert not any(code in renewed for code in codes)


def test_secrets_are_not_readable_in_the_database(with_app: WithApp, settings: LazySettings) -> None:
    secret, codes = with_app()
    stored = " ".join(str(row.data) for row in Authenticator.objects.all())
    assert secret not in stored
    settings.SECRET_KEY = "exchanged-without-keeping-the-old-one-0123456789"
    client = browser()
    sign_in(client, "ana")
    assert client.post("/sign-in/code", {"code": code_of(secret)}).status_code == 200
    settings.SECRET_KEY_FALLBACKS = ["only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"]
    assert client.post("/sign-in/code", {"code": codes[0]}).status_code == 302


def test_setting_it_up_asks_who_it_is_and_ends_the_sessions_without_it(ana: User) -> None:
    elsewhere, client = signed_in("ana"), signed_in("ana")
    assert client.get("/account/two-factor/app").headers["Location"].startswith("/account/confirm")
    set_up(client)
    assert (client.get("/runs").status_code, elsewhere.get("/runs").status_code) == (200, 302)


def test_it_is_switched_off_again(ana: User) -> None:
    client = signed_in("ana")
    set_up(client)
    assert client.post("/account/two-factor/app/remove").status_code == 302
    assert sign_in(browser(), "ana").headers["Location"] == "/"


def test_staff_who_must_have_it_are_led_to_it_before_anything_else(root: User, settings: LazySettings) -> None:
    settings.REQUIRE_STAFF_2FA = True
    client = signed_in("root")
    for path in ("/", "/runs", "/admin/", "/admin/auth/user/", "/account/sessions", "/no/such/page"):
        assert client.get(path).headers["Location"] == "/account/two-factor/app", path
    assert client.get(f"{API_PREFIX}/runs").status_code == 403
    assert find_person(Viewer(root.pk, session_key=client.session.session_key)) is None
    assert "needs a second factor" in client.get("/account/two-factor/app", follow=True).content.decode()
    set_up(client)
    assert (client.get("/admin/").status_code, client.get(f"{API_PREFIX}/runs").status_code) == (200, 200)
    assert find_person(Viewer(root.pk, session_key=client.session.session_key)) == root
    assert "Required of those" in client.get("/account/two-factor/app/remove").content.decode()
    assert client.post("/account/two-factor/app/remove").status_code == 200
    assert client.get("/admin/").status_code == 200


def test_others_need_none_and_tokens_of_staff_go_on(root: User, ana: User, settings: LazySettings) -> None:
    settings.REQUIRE_STAFF_2FA = True
    assert signed_in("ana").get("/runs").status_code == 200
    token = issue_user_token(root, label="script")[1]
    assert browser(authorization=f"Bearer {token}").get(f"{API_PREFIX}/runs").status_code == 200


def test_a_code_of_the_minute_before_or_after_is_wrong(with_app: WithApp, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, _codes = with_app()
    client = browser()
    sign_in(client, "ana")
    assert [client.post("/sign-in/code", {"code": code_of(secret, periods=n)}).status_code for n in (-3, 3)] == [
        200
    ] * 2


def test_a_factor_that_is_reset_while_its_code_is_asked_for_leads_back_to_the_sign_in(with_app: WithApp) -> None:
    with_app()
    client = browser()
    sign_in(client, "ana")
    Authenticator.objects.all().delete()
    page = client.get("/sign-in/code", follow=True)
    assert (page.status_code, page.redirect_chain) == (200, [("/sign-in", 302)])
    assert sign_in(client, "ana").headers["Location"] == "/"
