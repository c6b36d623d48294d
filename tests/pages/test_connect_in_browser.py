"""Connecting a PC in Chromium: commands are copied by one button, the page turns green by itself."""

import json
import re
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from bert_training.contract.limits import API_PREFIX, PROTOCOL_VERSION
from tests.browser import chromium, sign_in
from tests.personas import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def beat(url: str, token: str) -> None:
    """Call as the program of a PC does."""
    sent = {"instance": "pc:1", "state": "idle", "sent_at": datetime.now(UTC).isoformat(), "gpu": []}
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "X-Worker-Protocol": str(PROTOCOL_VERSION),
    }
    address = f"{url}{API_PREFIX}/workers/heartbeat"
    with urllib.request.urlopen(urllib.request.Request(address, json.dumps(sent).encode(), headers)) as answer:
        assert answer.status == 200


def test_the_page_turns_green_while_somebody_looks_at_it(live_server: LiveServer, root: User, settings: Any) -> None:
    settings.LEASE_SECONDS = 60  # as in production: the page looks every three seconds
    with chromium() as open_page:
        page = open_page(live_server.url)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        sign_in(page, user="root", password=PASSWORD)
        page.goto("/workers/connect")
        page.fill("#id_name", "PC da sala 12")
        page.press("#id_name", "Enter")
        page.locator(".connection").wait_for()
        page.click("[data-copy=windows-token]")
        page.locator("[data-copy=windows-token][disabled]").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        token = re.search(r"bertw_\w+", copied)
        assert token
        assert copied == page.locator("#windows-token").text_content()
        beat(live_server.url, token[0])
        page.locator(".connection-done").wait_for()
        assert token[0] in str(page.locator("#linux-token").text_content())  # the commands are still there
