"""Signing in, signing out, languages, and what a stranger gets."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from bert_training.pages.urls import urlpatterns
from tests.pages.conftest import client_of
from tests.personas import PASSWORD

OPEN = {"sign-in", "sign-out", "language", "invitation"}
CLOSED = [pattern for pattern in urlpatterns if pattern.name not in OPEN]


def path_of(pattern: URLPattern) -> str:
    """Return an address of the pattern, whether there is a row for it or not."""
    values = {"pk": 1, "task": "text-classification", "name": "classes", "to": "off", "copy": 1, "topic": "privacy"}
    wanted = pattern.pattern.converters
    return reverse(f"pages:{pattern.name}", kwargs={name: values[name] for name in wanted})


@pytest.mark.parametrize("pattern", CLOSED, ids=lambda pattern: str(pattern.name))
def test_somebody_not_signed_in_is_asked_to_sign_in_on_every_page(
    client: Client, db: None, pattern: URLPattern
) -> None:
    path = path_of(pattern)
    response = client.get(path)
    assert (response.status_code, response.headers["Location"]) == (302, f"{reverse('pages:sign-in')}?next={path}")


def test_a_person_signs_in_and_lands_where_they_wanted_to_go(client: Client, ana: User) -> None:
    form = {"username": "ana", "password": PASSWORD, "next": "/datasets"}
    response = client.post("/sign-in", form)
    assert (response.status_code, response.headers["Location"]) == (302, "/datasets")
    assert client.get("/datasets").status_code == 200


def test_signing_in_never_leads_to_another_site(client: Client, ana: User) -> None:
    form = {"username": "ana", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/sign-in", form).headers["Location"] == reverse("pages:home")


@pytest.mark.parametrize(("name", "password"), [("ana", "wrong"), ("nobody", PASSWORD), ("", ""), ("ana\0", "x")])
def test_a_wrong_sign_in_says_so_without_telling_what_was_wrong(
    client: Client, ana: User, name: str, password: str
) -> None:
    response = client.post("/sign-in", {"username": name, "password": password})
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert client.get("/runs").status_code == 302


def test_a_deactivated_person_cannot_sign_in(client: Client, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(is_active=False)
    client.post("/sign-in", {"username": "ana", "password": PASSWORD})
    assert client.get("/runs").status_code == 302


def test_signing_out_takes_a_form_so_that_no_link_can_do_it(as_ana: Client) -> None:
    assert as_ana.get("/sign-out").status_code == 405
    assert as_ana.get("/runs").status_code == 200
    assert as_ana.post("/sign-out").status_code == 302
    assert as_ana.get("/runs").status_code == 302


def test_a_form_without_its_token_is_refused(ana: User) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    client.force_login(ana)
    response = client.post("/sign-out")
    assert response.status_code == 403
    assert "open for too long" in response.content.decode()
    assert client.get("/runs").status_code == 200


def test_the_language_follows_the_browser_until_somebody_chooses(ana: User) -> None:
    client = client_of(ana, "en")
    assert 'lang="en"' in client.get("/runs").content.decode()
    client.post("/language", {"language": "pt-br", "next": "/runs"})
    assert 'lang="pt-br"' in client.get("/runs").content.decode()


def test_without_a_wish_the_pages_are_portuguese(client: Client, db: None) -> None:
    assert 'lang="pt-br"' in client.get("/sign-in").content.decode()


@pytest.mark.parametrize(("cookie", "mark"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"')])
def test_the_chosen_colours_come_with_the_page(client: Client, db: None, cookie: str, mark: str) -> None:
    client.cookies["theme"] = cookie
    assert f"{mark}>" in client.get("/sign-in").content.decode()


def test_a_made_up_colour_cookie_is_not_printed(client: Client, db: None) -> None:
    client.cookies["theme"] = 'x"><script>alert(1)</script>'
    content = client.get("/sign-in").content.decode()
    assert "alert(1)" not in content
    assert "data-theme=" not in content


def test_an_unknown_address_gets_a_page_that_helps(as_ana: Client) -> None:
    response = as_ana.get("/no/such/page")
    assert response.status_code == 404
    assert "There is nothing here." in response.content.decode()


def test_the_language_is_switched_where_one_is(as_ana: Client) -> None:
    """Also behind a search and its page."""
    address = "/runs?status=failed&q=a%20b"
    assert 'name="next" value="/runs?status=failed&amp;q=a%20b"' in as_ana.get(address).content.decode()
    answer = as_ana.post("/language", {"language": "pt-br", "next": address})
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert 'lang="pt-br"' in as_ana.get(address).content.decode()
