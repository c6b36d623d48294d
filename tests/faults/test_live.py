"""Faults of the live view, on real web processes: Redis killed or flushed, viewers who do not read, bursts of lines."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page as BrowserPage
from redis import Redis
from websockets.exceptions import ConnectionClosed

from bert_training.contract.limits import API_PREFIX
from bert_training.demo import processes
from tests.bench.stage import manage
from tests.faults.live_stage import LiveStage, Page
from tests.hand_worker import HandWorker
from tests.processes import Product, wait_until
from tests.servers import free_port, start_valkey
from tests.services import IS_EMBEDDED

pytestmark = [pytest.mark.processes]

NEEDS_REDIS = pytest.mark.skipif(IS_EMBEDDED, reason="without Redis there is one web process, which rings itself")
MIB = 2**20
REQUEST_SECONDS = 2.0  # so long may a viewer not read
CATCH_UP_SECONDS = 5.0 + 2.5  # the promise, and a machine that is busy with the tests
CLOSED_SECONDS = 5.0 + 1.0
BURST_LINES = 10_000
GROWTH_BYTES = 12 * MIB
WARM_UP = 10_000  # lines, after which every thread that answers has its memory


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStage]:
    product = Product(tmp_path_factory.mktemp("live"), REQUEST_SECONDS=f"{REQUEST_SECONDS:g}")
    try:
        yield LiveStage(product, runs=2)
        faults = [line for line in (product.folder / "web.log").read_text().splitlines() if '"ERROR"' in line]
        assert not faults
    finally:
        product.stop()


def lines(count: int, *, characters: int, first: int = 1) -> list[str]:
    return [f"{number} ".ljust(characters, "x") for number in range(first, first + count)]


def memory_of(stage: LiveStage) -> int:
    rss: int = psutil.Process(stage.web.process.pid).memory_info().rss
    return rss


def test_a_burst_reaches_a_page_whole_and_in_order(stage: LiveStage) -> None:
    """F-57: 20 batches of 500 lines, a MiB each, as fast as they are taken; frames are larger than any limit."""
    with stage.open_page() as page:
        page.next_frame()
        burst = lines(BURST_LINES, characters=2000)
        stage.write(burst)
        page.read_until(burst[-1])
    assert page.lines == burst


def test_a_page_that_does_not_read_costs_no_memory_and_goes_on_later(stage: LiveStage) -> None:
    """F-25: 20 MiB wait for a page that reads one frame and no more; it is dropped, and comes back without a gap."""
    log = stage.product.folder / "web.log"
    before = memory_of(stage)
    with deaf_socket(stage) as line, stage.open_page(sock=line, max_queue=1) as page:
        wait_until(lambda: "caller does not read" in log.read_text(), child=stage.web)
        assert memory_of(stage) - before < GROWTH_BYTES
        with suppress(ConnectionClosed):
            while True:
                page.next_frame()
    assert 0 < len(page.lines) < BURST_LINES
    with stage.open_page(after=page.cursor) as again:
        again.read_until(lines(1, characters=2000, first=BURST_LINES)[0])
    assert page.lines + again.lines == lines(BURST_LINES, characters=2000)


def test_a_reader_of_events_who_does_not_read_is_cut(stage: LiveStage) -> None:
    """F-25: the same for a program that reads the log as server-sent events."""
    log = stage.product.folder / "web.log"
    before, cut = memory_of(stage), log.read_text().count("caller does not read")
    head = (
        f"GET {API_PREFIX}/runs/{stage.job.run_id}/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
        f"Authorization: Bearer {stage.product.accounts['token']}\r\n\r\n"
    )
    with deaf_socket(stage) as line:
        line.sendall(head.encode())
        wait_until(lambda: log.read_text().count("caller does not read") > cut, child=stage.web)
    assert memory_of(stage) - before < GROWTH_BYTES


def deaf_socket(stage: LiveStage) -> socket.socket:
    """Connect with a small buffer: what the system keeps for who does not read counts as read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    connection.connect(("127.0.0.1", stage.product.port))
    return connection


def close_code(page: Page) -> int | None:
    """Read until the portal closes the page; returns the code that it says, None when it only hangs up."""
    try:
        while True:
            page.next_frame()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def send_long(page: Page) -> None:
    page.socket.send("x" * MIB)


def send_fragments(page: Page) -> None:
    page.socket.send("x" * 1000 for _ in range(10_000))


def send_second(page: Page) -> None:
    page.socket.send("x")


def send_many(page: Page) -> None:
    for _ in range(10_000):
        page.socket.send("x")


@pytest.mark.parametrize(
    ("send", "codes"),
    [
        (send_long, {1009}),
        (send_fragments, {1009}),
        (send_second, {4400}),
        # The portal waits a second for who is still talking, then cuts: what it said last may not be heard.
        (send_many, {4400, None}),
    ],
)
def test_a_viewer_who_says_too_much_is_closed(
    stage: LiveStage, send: Callable[[Page], None], codes: set[int | None]
) -> None:
    """Bad input 123: a message of 1 MiB, one without an end, a second one, 10,000 messages."""
    with stage.open_page(after=2**60) as page:
        page.next_frame()
        with suppress(ConnectionClosed):
            send(page)
        assert close_code(page) in codes


@pytest.mark.browser
@pytest.mark.long
def test_a_hundred_thousand_lines_leave_page_and_portal_light(
    stage: LiveStage, open_page: Callable[[str], BrowserPage]
) -> None:
    """F-57: as fast as the portal takes them; all arrive in order, Chromium shows the end in at most 2,000 rows."""
    stage.next_run()
    browser = open_page(stage.product.base_url)
    stage.sign_in(browser)
    browser.goto(f"/runs/{stage.job.run_id}")
    browser.locator("#log-tools").wait_for()
    burst = lines(100_000, characters=80)
    began = time.monotonic()
    stage.write(burst[:WARM_UP])
    before = memory_of(stage)
    stage.write(burst[WARM_UP:])
    seconds = time.monotonic() - began
    browser.get_by_text("100.000 linhas").wait_for()
    print(f"\n100,000 lines: taken in {seconds:.1f} s, on the page {time.monotonic() - began - seconds:.1f} s later")
    rows = browser.locator("#log .log-line")
    assert rows.count() <= 2000
    assert (rows.last.text_content() or "").endswith(burst[-1])
    assert memory_of(stage) - before < GROWTH_BYTES
    with stage.open_page() as page:
        page.read_until(burst[-1])
    assert page.lines == burst


@pytest.mark.long
def test_a_permission_that_is_withdrawn_closes_the_page_within_five_seconds(stage: LiveStage) -> None:
    """Bad input 121, at the seconds of an installation: the viewer's session ends."""
    with stage.open_page(after=2**60) as page:
        page.next_frame()
        forget = "from django.contrib.sessions.models import Session; Session.objects.all().delete()"
        manage(stage.product.environment, "shell", "-v", "0", "-c", forget)
        ended_at = time.monotonic()
        assert close_code(page) == 4401
    assert time.monotonic() - ended_at <= CLOSED_SECONDS


class TwoWebs(LiveStage):
    """The pages are open at one web process, the worker talks to another; Redis lies between them."""

    def __init__(self, folder: Path) -> None:
        (folder / "redis").mkdir()
        self.redis_url = start_valkey(folder / "redis")
        super().__init__(Product(folder, REDIS_URL=self.redis_url))
        product, port = self.product, free_port()
        base_url = f"http://127.0.0.1:{port}"
        other = processes.start_web(product.environment, port=port, log=folder / "other.log")
        product.children.append(other)
        wait_until(lambda: processes.is_ready(base_url), child=other)
        self.worker = HandWorker(base_url, product.accounts["worker_token"])

    def kill_redis(self) -> None:
        with Redis.from_url(self.redis_url) as redis:
            os.kill(int(redis.info("server")["process_id"]), signal.SIGKILL)

    def flush_redis(self) -> None:
        with Redis.from_url(self.redis_url) as redis:
            redis.flushall()


@pytest.fixture
def two_webs(tmp_path: Path) -> Iterator[TwoWebs]:
    stage = TwoWebs(tmp_path)
    yield stage
    stage.product.stop()


@NEEDS_REDIS
@pytest.mark.long
def test_pages_go_on_without_redis(two_webs: TwoWebs) -> None:
    """F-23, F-24: flushed, then killed: workers are answered as before, open pages catch up, new ones can be opened."""
    with two_webs.open_page() as page:
        page.next_frame()
        two_webs.flush_redis()
        two_webs.write(["after the flush"])
        page.read_until("after the flush", CATCH_UP_SECONDS)
        two_webs.kill_redis()
        two_webs.write(["after the kill"])
        page.read_until("after the kill", CATCH_UP_SECONDS)
        with two_webs.open_page() as new:
            new.read_until("after the kill")
        start_valkey(two_webs.product.folder / "redis", port=int(two_webs.redis_url.rsplit(":", 1)[1].split("/")[0]))
        two_webs.write(["after the return"])
        page.read_until("after the return", CATCH_UP_SECONDS)


@NEEDS_REDIS
@pytest.mark.browser
@pytest.mark.long
def test_an_open_page_in_the_browser_goes_on_without_redis(
    two_webs: TwoWebs, open_page: Callable[[str], BrowserPage]
) -> None:
    """F-23, F-24: the same in Chromium, without a reload."""
    browser = open_page(two_webs.product.base_url)
    two_webs.sign_in(browser)
    browser.goto(f"/runs/{two_webs.job.run_id}")
    browser.locator("#log-tools").wait_for()
    browser.evaluate("document.body.dataset.loaded = 'once'")
    for line, act in (("after the flush", two_webs.flush_redis), ("after the kill", two_webs.kill_redis)):
        act()
        two_webs.write([line])
        browser.get_by_text(line).wait_for(timeout=1000 * CATCH_UP_SECONDS)
    assert browser.locator("body[data-loaded=once]").count() == 1
