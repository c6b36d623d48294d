"""Part of the benchmark of pages: the page of a run with 50,000 log lines and 20,000 points, opened and left open."""

import gzip
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, Page, Response, sync_playwright

from bert_training.contract.enums import HARDWARE, Split
from bert_training.contract.messages import ClaimedJob
from bert_training.models import Job, JobAttempt, Log, Metric, Run
from bert_training.tasks import TASKS
from tests.bench.frame import Figure, rounds_for, seconds_of
from tests.bench.portal_viewers import open_server
from tests.bench.seed import session_of
from tests.chromium import find_chromium
from tests.hand_worker import HandWorker
from tests.personas import make_run, make_user, make_worker, token_of

LINES, POINTS = 50_000, 20_000
FIRST_LINES, MORE_LINES = 60_000, 100_000  # sent to an open page: until it keeps as many as it ever does, and beyond
STEPS_PER_EVALUATION = 500
LINES_AT_ONCE = 500
LAST_LOSS = 0.1234
ROUNDS = rounds_for(3, 10)
OPEN_MILLISECONDS = 120_000
KILO, MEGA = 1024, 1024**2
NOTES = f"""The page of a run that trains, with {LINES:,} log lines and {POINTS:,} points of its charts, in Chromium
(1280 x 900, an empty cache each time) against `portal.server`. Times run from the request. *Open* is when the newest
line stands in the log and the charts say the newest loss, so that all points are drawn; the lines before come
meanwhile. Sizes are those of all scripts and styles of the page, each compressed by gzip. Memory is Chromium's
JavaScript heap after a collection. A worker sends {FIRST_LINES:,} lines, after which the page holds as many as it ever
does, then {MORE_LINES:,} more: only these are asked to cost nothing."""
SEEN = f"""() => document.querySelector("#log .log-line:last-child")?.textContent.endsWith("line {LINES}")
    && document.querySelector("#charts [role=img]")?.getAttribute("aria-label")?.includes("{LAST_LOSS}")"""
# The first line stands on top of the log only when every line before the newest is there.
REACHED = """() => { const log = document.querySelector("#log");
    log.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", cancelable: true }));
    const isThere = log.querySelector(".log-line")?.textContent.endsWith("line 1");
    if (isThere) log.dispatchEvent(new KeyboardEvent("keydown", { key: "End", cancelable: true }));
    return isThere && !log.querySelector("button"); }"""
TOLD = "(text) => document.querySelector('#log .log-line:last-child')?.textContent.endsWith(text)"
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"


def measure() -> list[Figure]:
    """Open the page some times, then leave one open."""
    logging.disable(logging.INFO)
    call_command("collectstatic", interactive=False, verbosity=0)
    person = make_user("ana", is_staff=True)
    run, token = make_run(person, simulate=True), token_of(make_worker("writer"))
    cookie = session_of(person)
    with open_server("portal.server") as (base_url, _server):
        worker = HandWorker(base_url, token)
        job = worker.claim()
        fill(run)
        connections.close_all()
        address = f"{base_url}/runs/{run.pk}"
        with chromium() as browser:
            opened = [open_once(browser, address, cookie) for _ in range(ROUNDS + 1)][1:]
            return [*figures_of(opened), *leave_open(browser, address, cookie, worker, job)]


def fill(run: Run) -> None:
    """Store lines and points of a run as a worker sends them, and let its lease last."""
    attempt = JobAttempt.objects.get(job__run=run)
    now = timezone.now()
    Log.objects.bulk_create(
        Log(run=run, attempt=attempt, seq=seq, timestamp=now, level="INFO", message=line(seq))
        for seq in range(1, LINES + 1)
    )
    Metric.objects.bulk_create(
        Metric(run=run, attempt=attempt, seq=seq, epoch=1 + 5 * seq // POINTS, step=seq, **point(seq))
        for seq in range(1, POINTS + 1)
    )
    JobAttempt.objects.filter(pk=attempt.pk).update(log_seq=LINES, metric_seq=POINTS)
    Job.objects.filter(run=run).update(lease_until=now + timedelta(days=1), log_lines=LINES)


def line(number: int) -> str:
    """Return a log line of usual length that ends with its number."""
    return f"Epoch 1 of 5: loss {1 / number:.4f}, learning rate 2.00e-05, 31,400 tokens/s, line {number}"


def point(number: int) -> dict[str, Any]:
    """Return split and values of a point: most of the training, a fourth of the computer, few evaluations."""
    if number % STEPS_PER_EVALUATION == 0 and number < POINTS:
        values = {metric.name: 0.5 + number / POINTS / 4 for metric in TASKS["text-classification"].metrics}
        return {"split": Split.VALIDATION.value, "values": values}
    if number % 4 == 0 and number < POINTS:
        return {"split": HARDWARE, "values": {"cpu_percent": number % 100, "memory_bytes": 2.0**33}}
    loss = LAST_LOSS if number == POINTS else 0.5 + 1 / number
    return {"split": Split.TRAIN.value, "values": {"loss": loss, "learning_rate": 2e-5 * (1 - number / POINTS)}}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium so that it tells its memory exactly."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--enable-precise-memory-info", "--js-flags=--expose-gc"]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield browser
        browser.close()


def fresh_page(browser: Browser, address: str, cookie: dict[str, str]) -> Page:
    """Return a page with an empty cache and the session of a person."""
    context = browser.new_context(locale="en", viewport={"width": 1280, "height": 900})
    context.add_cookies(
        [{"name": name, "value": value, "url": urljoin(address, "/")} for name, value in cookie.items()]
    )
    page = context.new_page()
    page.set_default_timeout(OPEN_MILLISECONDS)
    return page


def open_once(browser: Browser, address: str, cookie: dict[str, str]) -> dict[str, float]:
    """Open the page; returns seconds and bytes."""
    page = fresh_page(browser, address, cookie)
    assets: list[Response] = []
    page.on("response", lambda response: assets.append(response) if is_asset(response) else None)
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(SEEN)
    is_open = time.perf_counter() - began
    page.wait_for_function(REACHED, polling=100)
    seen = {"painted": page.evaluate(PAINTED), "open": is_open, "whole": time.perf_counter() - began}
    seen["assets"] = sum(len(gzip.compress(asset.body())) for asset in assets) / KILO
    page.context.close()
    return seen


def is_asset(response: Response) -> bool:
    """Tell whether this is a script or a style."""
    return response.request.resource_type in ("script", "stylesheet")


def leave_open(
    browser: Browser, address: str, cookie: dict[str, str], worker: HandWorker, job: ClaimedJob
) -> list[Figure]:
    """Keep a page open while the log goes on."""
    page = fresh_page(browser, address, cookie)
    page.goto(address)
    page.wait_for_function(REACHED, polling=100)
    opened = heap(page)
    write_lines(worker, job, page, first=LINES + 1, count=FIRST_LINES)
    before = heap(page)
    seconds = seconds_of(lambda: write_lines(worker, job, page, first=LINES + FIRST_LINES + 1, count=MORE_LINES))
    grown = heap(page) - before
    what = f"{MORE_LINES:,} more lines"
    return [
        Figure(f"run page, memory with {LINES:,} lines", "MiB", [opened / MEGA]),
        Figure(f"run page, memory with {LINES + FIRST_LINES:,} lines", "MiB", [before / MEGA]),
        Figure(f"run page, memory for {what}", "MiB", [grown / MEGA], goal=2.0),
        Figure(f"run page, {what} sent and shown", "s", [seconds]),
    ]


def write_lines(worker: HandWorker, job: ClaimedJob, page: Page, *, first: int, count: int) -> None:
    """Send lines and wait until the page shows the last one."""
    for start in range(first, first + count, LINES_AT_ONCE):
        worker.write(job, [line(number) for number in range(start, start + LINES_AT_ONCE)], first_seq=start)
    page.wait_for_function(TOLD, arg=f"line {first + count - 1}")


def heap(page: Page) -> float:
    """Return what the page's scripts hold, in bytes, after a collection."""
    page.evaluate("() => { gc(); gc(); }")
    return float(page.evaluate("() => performance.memory.usedJSHeapSize"))


def figures_of(opened: list[dict[str, float]]) -> list[Figure]:
    """Put what was seen into figures."""
    return [
        Figure("run page, scripts and styles", "KiB", [seen["assets"] for seen in opened], goal=150.0),
        Figure("run page, first content", "s", [seen["painted"] for seen in opened], goal=1.0),
        Figure("run page, open: newest line and all points", "s", [seen["open"] for seen in opened], goal=1.0),
        Figure("run page, every line there", "s", [seen["whole"] for seen in opened]),
    ]
