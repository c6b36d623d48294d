"""The run page in Chromium while the live connection is away: it asks by itself, misses nothing, shows text as text."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from bert_training.models import Job, Run, Worker
from tests.browser import chromium, sign_in
from tests.pages.training import complete, send_lines, start
from tests.personas import PASSWORD, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

CANARY = "<img src=x onerror=alert(1)>"
ASKS_AFTER_MS = 6_000
Result = TypeVar("Result")


def elsewhere(act: Callable[[], Result]) -> Result:
    """Touch rows in another thread: Playwright's loop runs in this one, and Django refuses there."""

    def act_and_close() -> Result:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act_and_close).result()


def open_run(page: Page, run: Run) -> None:
    """Sign in as the owner and open the page; the websocket is refused, the page's clock stands still."""
    page.route_web_socket("**/ws/runs/*", lambda socket: socket.close(code=1011))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    sign_in(page, user=run.owner.username, password=PASSWORD)
    page.clock.install()
    page.goto(f"/runs/{run.pk}")


def test_a_run_is_followed_from_its_first_lines_to_its_result(
    live_server: LiveServer, ana: User, worker: Worker
) -> None:
    run = make_run(ana, name=CANARY)
    job = start(worker, run, lines=620, message=CANARY + " {}")
    Job.objects.update(lease_until=timezone.now() + timedelta(hours=1))
    with chromium() as open_page:
        page = open_page(live_server.url)
        open_run(page, run)
        lines = page.locator("#log .log-line")
        page.get_by_text("620 linhas").wait_for()  # the older ones were fetched too
        assert (lines.first.text_content() or "").endswith(f"{CANARY} 1")
        assert (lines.last.text_content() or "").endswith(f"{CANARY} 620")
        assert page.locator("#charts canvas").count() == 3

        elsewhere(lambda: send_lines(worker, job, ["uma linha nova"], first_seq=621))
        page.clock.fast_forward(ASKS_AFTER_MS)
        page.get_by_text("uma linha nova").wait_for()

        silent = page.locator("[data-state=silent]")
        assert silent.is_hidden()
        elsewhere(lambda: Job.objects.filter(pk=job.pk).update(lease_until=timezone.now(), phase="evaluating"))
        page.clock.fast_forward(ASKS_AFTER_MS)
        silent.wait_for()
        assert re.search(r"\d\d:\d\d:\d\d$", silent.text_content() or "")
        assert page.locator("[data-state=phase]").text_content() == "avaliando"
        phases = page.locator("[data-phases='1'] li").all_text_contents()
        assert [re.sub(r"\s\d+\ss$", "", text) for text in phases] == ["preparando", "treino"]
        assert page.locator("[data-phases='1'] rect").count() == 2

        elsewhere(lambda: complete(worker, Job.objects.get(pk=job.pk), lines=621))
        page.clock.fast_forward(ASKS_AFTER_MS)
        page.get_by_role("heading", name="Resultado nas linhas de teste").wait_for()
        page.get_by_role("link", name="Ficha do modelo").wait_for()
        assert page.locator("[data-state=status]").text_content() == "concluída"
        assert lines.count() == 621
