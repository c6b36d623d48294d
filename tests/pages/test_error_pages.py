"""Pages for what goes wrong: they help, tell nothing of the inside, and need neither session nor database."""

import pytest
from django.test import Client, RequestFactory
from django.utils import translation
from pytest_django.fixtures import Settings

from portal import errors


@pytest.mark.parametrize(
    ("view", "status", "sentence"),
    [
        (errors.bad_request, 400, "did not understand"),
        (errors.permission_denied, 403, "You may not do this."),
        (errors.not_found, 404, "There is nothing here."),
        (errors.server_error, 500, "Something went wrong on the portal."),
    ],
)
def test_an_error_page_stands_without_session_and_database(
    view: object, status: int, sentence: str, rf: RequestFactory
) -> None:
    with translation.override("en"):
        response = view(rf.get("/x"))  # type: ignore[operator]
    content = response.content.decode()
    assert response.status_code == status
    assert sentence in content
    assert 'href="/"' in content


def test_a_crash_shows_the_number_to_tell_and_nothing_of_the_inside(
    as_ana: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("bert_training.pages.home.computers", crash)
    as_ana.raise_request_exception = False
    response = as_ana.get("/", headers={"x-request-id": "number-to-tell"})
    content = response.content.decode()
    assert response.status_code == 500
    assert "number-to-tell" in content
    assert "secret" not in content


def test_a_foreign_host_is_told_nothing(client: Client) -> None:
    response = client.get("/sign-in", headers={"host": "evil.example", "accept-language": "en"})
    assert response.status_code == 400
    assert "evil.example" not in response.content.decode()
