"""A real portal with one run in training, its hand-driven worker and its viewers: websockets as a page opens them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from playwright.sync_api import Page as BrowserPage
from websockets.sync.client import ClientConnection, connect

from bert_training.contract.messages import ClaimedJob
from tests.bench.seed import session_of
from tests.bench.stage import manage
from tests.hand_worker import HandWorker
from tests.personas import make_dataset, make_run
from tests.processes import Product

FRAME_SECONDS = 15.0  # the fallback read comes every 5 s; a busy machine is slower
BATCH_LINES = 500


def seed(*, runs: int) -> None:
    """Make simulated runs of ana's; prints their numbers and the cookies of her session. Runs in `manage.py shell`."""
    ana = User.objects.get(username="ana")
    dataset = make_dataset(ana)
    numbers = [make_run(ana, dataset, simulate=True).pk for _ in range(runs)]
    print(json.dumps({"runs": numbers, "cookies": session_of(ana)}))


class Page:
    """An open run page: keeps what it was sent."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.lines: list[str] = []
        self.cursor = 0

    def greet(self, after: int = 0) -> None:
        """Say how far the page has read."""
        self.socket.send(json.dumps({"after": {"logs": after, "metrics": 0}}))

    def next_frame(self, seconds: float = FRAME_SECONDS) -> dict[str, Any]:
        """Return the next frame, its lines added to those that the page has."""
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout=seconds))
        self.lines += [line["message"] for line in frame["logs"]]
        self.cursor = frame["logs"][-1]["cursor"] if frame["logs"] else self.cursor
        return frame

    def read_until(self, line: str, seconds: float = FRAME_SECONDS) -> None:
        """Read frames until a line is there."""
        while line not in self.lines[-BATCH_LINES:]:
            self.next_frame(seconds)


class LiveStage:
    """A product whose web server runs and whose worker holds a job."""

    def __init__(self, product: Product, *, runs: int = 1) -> None:
        self.product = product
        code = f"from tests.faults.live_stage import seed; seed(runs={runs})"
        seeded = json.loads(manage(product.environment, "shell", "-v", "0", "-c", code).splitlines()[-1])
        self.cookies: dict[str, str] = seeded["cookies"]
        self.web = product.start_web()
        self.worker = HandWorker(product.base_url, product.accounts["worker_token"])
        self.job: ClaimedJob = self.worker.claim()
        self.written = 0

    def write(self, messages: Sequence[str]) -> None:
        """Have the worker send lines after those before."""
        for start in range(0, len(messages), BATCH_LINES):
            batch = messages[start : start + BATCH_LINES]
            self.written = self.worker.write(self.job, batch, first_seq=self.written + 1) - 1

    def next_run(self) -> None:
        """End the run and have the worker take the next one."""
        self.worker.give_up(self.job, lines=self.written)
        self.job, self.written = self.worker.claim(), 0

    def sign_in(self, browser: BrowserPage) -> None:
        """Give a browser the session of the run's owner."""
        browser.goto("/sign-in")
        browser.context.add_cookies([{"name": n, "value": v, "url": browser.url} for n, v in self.cookies.items()])

    @contextmanager
    def open_page(self, after: int = 0, **options: Any) -> Iterator[Page]:
        """Open the websocket of the run's page and greet."""
        address = f"{self.product.base_url.replace('http', 'ws', 1)}/ws/runs/{self.job.run_id}"
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookie, "Origin": self.product.base_url}
        usual: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None}
        with connect(address, additional_headers=headers, **(usual | options)) as socket:
            page = Page(socket)
            page.greet(after)
            yield page
