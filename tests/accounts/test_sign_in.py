"""Signing in through the pages' form and the admin's: by name or address, to this host only, in a new session."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import AuditKind, Role
from bert_training.models import AuditEvent
from tests.accounts.conftest import browser, sign_in, signed_in
from tests.personas import PASSWORD, make_user

pytestmark = pytest.mark.django_db
FORMS = ["/sign-in", "/admin/login/"]


@pytest.mark.parametrize("name", ["ana", "ANA", " ana ", "ana@example.com", "Ana@Example.com"])
def test_a_person_signs_in_by_name_or_by_address(ana: User, name: str) -> None:
    assert signed_in(name).get("/runs").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "https:/\\evil"])
@pytest.mark.parametrize("form", FORMS)
def test_signing_in_leads_to_this_host_only(root: User, form: str, target: str) -> None:
    answer = browser().post(form, {"username": "root", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] in {"/", "/admin/"}


def test_the_admins_own_form_signs_staff_in(root: User) -> None:
    client = browser()
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain == [("/admin/login/?next=/admin/", 302)]
    assert sign_in(client, "root", at="/admin/login/?next=/admin/").headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_admins_own_form_lets_in_nobody_else(ana: User) -> None:
    client = browser()
    assert sign_in(client, "ana", at="/admin/login/").status_code == 200
    assert client.get("/runs").status_code == 302


def test_who_is_signed_in_but_not_staff_is_told_so_by_the_admin(ana: User) -> None:
    assert signed_in("ana").get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("form", FORMS)
def test_a_deactivated_person_learns_no_more_than_somebody_unknown(root: User, form: str) -> None:
    User.objects.filter(pk=root.pk).update(is_active=False)
    known, unknown = (sign_in(browser(), name, at=form).content.decode() for name in ("root", "nobody"))
    assert "do not match an account" in known
    assert "do not match an account" in unknown


def test_the_admins_own_sign_out_and_password_page_are_the_portals(root: User) -> None:
    client = signed_in("root")
    assert client.get("/admin/password_change/").headers["Location"] == "/account/password"
    assert client.get("/admin/logout/").status_code == 405
    assert client.post("/admin/logout/").headers["Location"] == "/sign-in"
    assert client.get("/admin/").status_code == 302
    assert AuditEvent.objects.filter(kind=AuditKind.SIGNED_OUT, actor_id=root.pk).count() == 1


def test_the_admin_has_no_page_for_secrets_of_allauth(root: User) -> None:
    client = signed_in("root")
    pages = ["mfa/authenticator", "socialaccount/socialapp", "usersessions/usersession", "account/emailaddress"]
    assert [client.get(f"/admin/{page}/").status_code for page in pages] == [404] * 4


def test_a_sign_in_makes_a_session_of_its_own(ana: User) -> None:
    client = browser()
    client.get("/sign-in")
    session = client.session
    session["before"] = True
    session.save()
    client.cookies["session"] = str(session.session_key)
    sign_in(client, "ana")
    assert client.session.session_key != session.session_key


@pytest.mark.parametrize(
    "address",
    ["signup", "account/signup", "account/email", "account/login/code", "account/password/set", "account/inactive"],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_what_the_portal_does_not_offer_does_not_exist(client: Client, address: str, slash: str) -> None:
    assert client.get(f"/{address}{slash}").status_code == 404


def test_the_audit_has_sign_ins_and_failures_without_what_was_typed(ana: User) -> None:
    client = browser()
    sign_in(client, "my secret typed in the wrong field", password="x")
    sign_in(client, "ana", password="wrong")
    sign_in(client, "ana")
    assert client.post("/sign-out").headers["Clear-Site-Data"] == '"cache"'
    kinds = [AuditKind.SIGN_IN_FAILED, AuditKind.SIGN_IN_FAILED, AuditKind.SIGNED_IN, AuditKind.SIGNED_OUT]
    events = list(AuditEvent.objects.filter(kind__in=kinds).order_by("id"))
    assert [event.kind for event in events] == kinds
    assert [event.target_id for event in events[:2]] == [None, ana.pk]
    assert [event.actor_id for event in events[2:]] == [ana.pk, ana.pk]


@pytest.mark.parametrize("roles", [[], [Role.OPERATE], [Role.READ]])
def test_whoever_signs_in_lands_on_a_page_that_opens(db: None, roles: list[Role]) -> None:
    make_user("somebody", roles=roles)
    assert sign_in(browser(), "somebody", follow=True).status_code == 200
