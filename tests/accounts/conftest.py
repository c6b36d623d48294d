"""People who sign in through the forms, and the codes that their phones would show."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.test import Client

from tests.personas import PASSWORD

SECRET = re.compile(r'class="code secret">([A-Z2-7]+)<')
RECOVERY_CODE = re.compile(r"<li>(\d{8})</li>")
PERIOD_SECONDS = 30


def browser(**headers: str) -> Client:
    """Open a browser of its own, reading English."""
    return Client(headers={"accept-language": "en", **headers})


def sign_in(client: Client, name: str, *, password: str = PASSWORD, at: str = "/sign-in", **more: Any) -> Any:
    """Send the form of the sign-in, or another one with the same fields."""
    return client.post(at, {"username": name, "password": password}, **more)


def signed_in(name: str, **headers: str) -> Client:
    """Open a browser and sign in."""
    client = browser(**headers)
    assert sign_in(client, name).status_code == 302
    return client


def code_of(secret: str, *, periods: int = 0) -> str:
    """Return what the app shows now, or shows so many periods later."""
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_SECONDS + periods))
    return code


def confirm(client: Client) -> None:
    """Give the password once more, which delicate pages ask for."""
    assert client.post("/account/confirm", {"password": PASSWORD}).status_code == 302


def set_up(client: Client) -> tuple[str, list[str]]:
    """Set up the second factor; returns the app's secret and the recovery codes."""
    confirm(client)
    found = SECRET.search(client.get("/account/two-factor/app").content.decode())
    assert found is not None
    # The period before: tests then sign in with the code of this one, and each code holds once.
    answer = client.post("/account/two-factor/app", {"code": code_of(found[1], periods=-1)})
    return found[1], RECOVERY_CODE.findall(answer.content.decode())


@pytest.fixture
def with_app(ana: User) -> Callable[[], tuple[str, list[str]]]:
    """Ana, who has set up her second factor in another browser."""
    return lambda: set_up(signed_in("ana"))
