"""Wrong passwords and codes are counted for names and addresses apart, and a lockout ends by itself (row 87)."""

import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory

from bert_training.accounts.lockout import Attempt, LockedOut, at_password
from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent, RateBucket
from tests.accounts.conftest import browser, code_of, sign_in, signed_in

pytestmark = pytest.mark.django_db
FORMS = ["/sign-in", "/admin/login/"]


def fail(times: int, *, name: str = "root", address: str = "192.0.2.{}") -> None:
    """Have had wrong passwords, each from an address, or for a name, of its own where it has a place for a number."""
    for number in range(times):
        request = RequestFactory().post("/sign-in", REMOTE_ADDR=address.format(number))
        Attempt(at_password(request, name.format(number)), lambda: None)


def wrong(name: str, *, at: str = "/sign-in", address: str = "192.0.2.100") -> int:
    """Try one through a form."""
    status: int = sign_in(browser(), name, password="wrong", at=at, REMOTE_ADDR=address).status_code
    return status


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["root", "nobody"])
def test_many_addresses_on_one_name_lock_it_whether_it_exists_or_not(root: User, name: str, form: str) -> None:
    fail(19, name=name.upper())
    assert wrong(name, at=form) == 200
    answer = sign_in(browser(), name, at=form, REMOTE_ADDR="198.51.100.1")
    assert (answer.status_code, 0 < int(answer.headers["Retry-After"]) <= 300) == (429, True)
    assert "Too many tries" in answer.content.decode()


@pytest.mark.parametrize("form", FORMS)
def test_one_address_on_many_names_is_locked_and_others_are_not(root: User, form: str) -> None:
    fail(19, name="name{}", address="192.0.2.1")
    assert wrong("another", at=form, address="192.0.2.1") == 200
    assert sign_in(browser(), "root", at=form, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert sign_in(browser(), "root", at=form, REMOTE_ADDR="192.0.2.2").status_code == 302


def test_one_address_on_one_name_has_ten_tries_a_minute(ana: User) -> None:
    fail(9, name="ana", address="192.0.2.100")
    assert [wrong("ana"), wrong("ana")] == [200, 429]


def test_an_ipv6_network_counts_as_one_address(db: None) -> None:
    fail(20, name="name{}", address="2001:db8::{}")
    with pytest.raises(LockedOut):
        fail(1, name="another", address="2001:db8::ffff")
    fail(1, name="another", address="2001:db8:0:1::1")


def test_a_lockout_ends_by_itself(root: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(20)
    assert sign_in(browser(), "root").status_code == 429
    later = time.time() + 5 * 60
    monkeypatch.setattr("time.time", lambda: later)
    assert sign_in(browser(), "root").status_code == 302


@pytest.mark.parametrize("form", FORMS)
def test_nobody_keeps_a_person_out_where_they_have_signed_in_before(root: User, form: str) -> None:
    signed_in("root")
    fail(20)
    assert sign_in(browser(), "root", at=form, REMOTE_ADDR="198.51.100.1").status_code == 429
    assert sign_in(browser(), "root", at=form).status_code == 302
    assert [wrong("root", at=form, address="127.0.0.1") for _ in range(11)] == [200] * 10 + [429]


def test_a_locked_address_leaves_no_trace_of_the_names_that_it_tries(db: None) -> None:
    fail(20, name="name{}", address="192.0.2.1")
    before = RateBucket.objects.count()
    with pytest.raises(LockedOut):
        fail(1, name="another", address="192.0.2.1")
    assert RateBucket.objects.exclude(key__startswith="audited").count() == before


def test_right_passwords_are_not_counted(ana: User) -> None:
    assert [sign_in(browser(), "ana").status_code for _ in range(12)] == [302] * 12


def test_a_wrong_password_on_a_page_inside_counts_too(ana: User) -> None:
    client = signed_in("ana")
    fail(8, name="ana", address="127.0.0.1")
    new = {"oldpassword": "wrong", "password1": "four-plain-words", "password2": "four-plain-words"}
    assert client.post("/account/confirm", {"password": "wrong"}).status_code == 200
    assert client.post("/account/password", new).status_code == 200
    assert client.post("/account/confirm", {"password": "wrong"}).status_code == 429
    assert client.post("/account/password", new).status_code == 429


def test_codes_are_counted_for_their_person(ana: User, with_app: Callable[[], tuple[str, list[str]]]) -> None:
    secret, _codes = with_app()
    client = browser()
    sign_in(client, "ana")
    answers = [client.post("/sign-in/code", {"code": "000000"}, REMOTE_ADDR=f"192.0.2.{n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert client.post("/sign-in/code", {"code": code_of(secret)}).status_code == 429


def test_staff_see_in_the_audit_who_was_locked_out(ana: User) -> None:
    fail(19, name="ana")
    assert [wrong("ana"), wrong("ana"), wrong("ana")] == [200, 429, 429]
    events = AuditEvent.objects.filter(kind=AuditKind.LOCKED_OUT)
    assert [(event.target_id, event.facts["limit"]) for event in events] == [(ana.pk, "sign_in_name")]
