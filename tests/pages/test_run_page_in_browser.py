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

from bert_training.contract.enums import HARDWARE
from bert_training.contract.streams import MetricBatch, MetricPoint
from bert_training.models import Job, Run, Worker
from bert_training.services.telemetry import append_metrics
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
        page.get_by_text("620 linhas").wait_for()
        page.wait_for_function("() => document.querySelectorAll('#log .log-line').length === 620")  # older ones too
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
        page.locator("details[data-menu] > summary").click()  # the menu of what can be saved
        page.get_by_role("link", name="Ficha do modelo").wait_for()
        assert page.locator("[data-state=status]").text_content() == "concluída"
        assert lines.count() == 621


# What a reader sees, but for links and buttons that lead elsewhere: texts of the parts, and what each chart says.
SHOWN = """() => {
    const text = (selector) => [...document.querySelectorAll(selector)].map((part) => part.innerText);
    const charts = [...document.querySelectorAll("#charts [role=img], #hardware [role=img]")];
    return {
        state: text("#run-state"), parts: text("[data-refresh]"), log: text("#log .log-line"),
        count: text("#log-count"),
        charts: charts.map((chart) => [chart.getAttribute("aria-label"), chart.clientWidth > 0]),
        tables: text(".live-chart-below table"), phases: document.querySelectorAll("[data-phases] rect").length,
    };
}"""
# Chromium would write each refused call on its console, which fails a test.
NO_NETWORK = """() => { globalThis.withNetwork = globalThis.fetch;
    globalThis.fetch = () => Promise.reject(new TypeError("no network")); }"""
NIGHT_MS = 10 * 60 * 60 * 1000


def test_a_page_left_open_over_night_ends_up_equal_to_a_fresh_one(
    live_server: LiveServer, ana: User, worker: Worker
) -> None:
    """The connection is gone all night; meanwhile the run goes on and ends."""
    run = make_run(ana, name="Noturna")
    job = start(worker, run, lines=620)
    Job.objects.update(lease_until=timezone.now() + timedelta(hours=1))
    with chromium() as open_page:
        page = open_page(live_server.url)
        open_run(page, run)
        page.wait_for_function("() => document.querySelectorAll('#log .log-line').length === 620")

        def pass_the_night() -> None:
            send_lines(worker, job, [f"à noite {number}" for number in range(1100)], first_seq=621)
            hardware = [
                MetricPoint(epoch=1, step=step, split=HARDWARE, values={"cpu_percent": step, "memory_bytes": 2.0**33})
                for step in range(1, 1201)
            ]
            for first in range(0, len(hardware), 400):
                batch = hardware[first : first + 400]
                append_metrics(worker, MetricBatch(job_id=job.pk, attempt=1, first_seq=7 + first, points=batch))
            complete(worker, Job.objects.get(pk=job.pk), lines=1720, points=1206)

        page.evaluate(NO_NETWORK)
        page.clock.fast_forward(NIGHT_MS)
        elsewhere(pass_the_night)
        page.evaluate("() => { globalThis.fetch = globalThis.withNetwork; }")
        page.clock.fast_forward(ASKS_AFTER_MS)
        page.get_by_role("heading", name="Resultado nas linhas de teste").wait_for()
        page.wait_for_function("() => document.querySelector('#log-count').textContent.startsWith('1.720')")
        fresh = page.context.new_page()
        fresh.route_web_socket("**/ws/runs/*", lambda socket: socket.close(code=1011))
        fresh.goto(f"/runs/{run.pk}")
        for each in (page, fresh):
            each.wait_for_function("() => document.querySelectorAll('#log .log-line').length === 1720")
            each.locator("#hardware summary").first.click()
            each.locator(".live-chart-below summary").first.click()
            each.wait_for_function("() => document.querySelectorAll('#hardware [role=img][aria-label]').length >= 2")
        left_open, opened = page.evaluate(SHOWN), fresh.evaluate(SHOWN)
        assert opened["log"][-1].endswith("à noite 1099")
        assert [chart for chart, _is_drawn in opened["charts"] if chart and "Processador" in chart]
        assert left_open == opened
