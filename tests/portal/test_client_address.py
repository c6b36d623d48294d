"""Where a request comes from: a header that anybody can send counts only as far as our own proxy wrote it."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from bert_training.client_address import client_address

pytestmark = pytest.mark.embedded


def address_of(direct: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=direct, headers=headers))


@pytest.mark.parametrize("forwarded", [None, "198.51.100.7", "198.51.100.7, 192.0.2.1"])
def test_without_a_proxy_of_ours_a_caller_cannot_choose_its_address(forwarded: str | None) -> None:
    assert address_of("203.0.113.5", forwarded) == "203.0.113.5"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("198.51.100.7, 192.0.2.1", "192.0.2.1"),  # the caller sent the first
        ("198.51.100.7,2001:db8::1 ", "2001:db8::1"),
        (None, "10.0.0.2"),
        ("198.51.100.7, unknown", "10.0.0.2"),
        ("", "10.0.0.2"),
    ],
)
def test_behind_the_proxy_what_the_proxy_added_counts(settings: Settings, forwarded: str | None, address: str) -> None:
    settings.BEHIND_PROXY = True
    assert address_of("10.0.0.2", forwarded) == address


@pytest.mark.parametrize(("direct", "address"), [("::ffff:192.0.2.1", "192.0.2.1"), ("", ""), ("nonsense", "")])
def test_an_address_has_one_form(direct: str, address: str) -> None:
    assert address_of(direct) == address
