"""Part of the portal's benchmark: log lines a second over HTTP, under each kind of server."""

import http.client
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from django.conf import settings
from django.db import connection

from bert_training.contract.limits import API_PREFIX
from bert_training.demo import processes
from bert_training.demo.children import Child
from bert_training.models import Log
from tests.bench.frame import Figure, by_turns, rounds_for, seconds_of
from tests.bench.naive_urls import NAIVE_PATH
from tests.faults.streaming import Stream
from tests.janitor import the_janitor
from tests.personas import claim, make_run, make_user, make_worker, token_of
from tests.processes import wait_until
from tests.servers import free_port

OURS = f"{API_PREFIX}/logs/batch"
CONNECTIONS = 4
LINES_PER_ROUND = rounds_for(8_000, 24_000)
BAD_LINES = rounds_for(100_000, 1_000_000)
DUPLICATED = LOST = 0.1
DRAIN_SECONDS = 600.0
LONG_LEASE_SECONDS = "3600"  # nobody sends heartbeats here
LINE = {
    "ts": "2026-11-20T10:00:00.123+00:00",
    "level": "INFO",
    "message": "epoch 3, step 1234: loss 0.4321, learning rate 2e-05, 31.4 texts a second, 2.1 GiB of memory in use",
}
NOTES = f"""Ingestion: {CONNECTIONS} connections, each a worker's with its running job, post {LINES_PER_ROUND:,} lines
in all, batch after batch. The reference is a view with a DRF serializer (many=True) and ORM bulk_create in the same
server process, behind the same middleware and token check, which writes the same rows in one transaction too."""


@dataclass
class Poster:
    """The log of one attempt, over a connection that stays open; `next_seq` goes on from batch to batch."""

    job_id: int
    token: str
    next_seq: int = 1

    def post(self, connection: http.client.HTTPConnection, path: str, lines: bytes, *, count: int) -> None:
        """Post one batch, which must be taken."""
        body = b'{"job_id":%d,"attempt":1,"first_seq":%d,"lines":%b}' % (self.job_id, self.next_seq, lines)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "X-Worker-Protocol": "1",
        }
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        self.next_seq += count
        if answer.status != 200 or json.loads(text)["next_seq"] != self.next_seq:
            raise RuntimeError(f"{path} answered {answer.status}: {text[:500]!r}")


@dataclass(frozen=True)
class Server:
    """A way to serve the portal: its name, its command, and how many times the reference it shall be."""

    name: str
    command: tuple[str, ...]
    goal: float


DAPHNE = Server("daphne", (sys.executable, "-m", "portal.server", "--port", "{port}"), goal=1.5)
GUNICORN = Server(
    "gunicorn",
    (sys.executable, "-m", "gunicorn", "--threads", "8", "--bind", "127.0.0.1:{port}", "portal.wsgi"),
    goal=3,
)


def measure() -> list[Figure]:
    """Measure each server with each length of a batch."""
    streams = [make_stream(number) for number in range(CONNECTIONS)]
    figures = []
    for server in (DAPHNE, GUNICORN):
        with running(server) as port:
            figures += [ingestion(server, port, streams, batch=batch) for batch in (100, 500)]
    with running(DAPHNE) as port:
        figures.append(lines_over_a_bad_line(port))
    return figures


def make_stream(number: int) -> Poster:
    """Give a new worker a running job."""
    make_run(make_user(f"owner-{number}"))
    worker = make_worker(f"ingestion-{number}")
    return Poster(claim(worker).job_id, token_of(worker))


@contextmanager
def running(server: Server) -> Iterator[int]:
    """Start a server on the database of this process and stop it afterwards; yields its port."""
    port = free_port()
    own = {
        "DJANGO_SETTINGS_MODULE": "tests.bench.naive_portal",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "LEASE_SECONDS": LONG_LEASE_SECONDS,
    }
    command = [part.format(port=port) for part in server.command]
    log = Path(settings.DATA_DIR) / f"{port}.log"
    child = Child(server.name, command, environment={**os.environ, **own}, log=log)
    the_janitor().watch(child.process)
    try:
        wait_until(lambda: processes.is_ready(own["BASE_URL"]), child=child)
        yield port
    finally:
        child.ask_to_stop()
        child.stop()
        the_janitor().forget(child.process)


def ingestion(server: Server, port: int, streams: list[Poster], *, batch: int) -> Figure:
    """Measure lines a second, ours against the reference by turns."""
    lines = json.dumps([LINE] * batch).encode()
    batches = LINES_PER_ROUND // batch // CONNECTIONS

    def post_all(path: str, stream: Poster) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _number in range(batches):
            stream.post(connection, path, lines, count=batch)
        connection.close()

    def rate(path: str) -> float:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            seconds = seconds_of(lambda: list(pool.map(lambda stream: post_all(path, stream), streams)))
        return batches * batch * CONNECTIONS / seconds

    ours, naive = by_turns(lambda: rate(OURS), lambda: rate(NAIVE_PATH), rounds=rounds_for(3, 5))
    what = f"log lines stored, batches of {batch}, {server.name}"
    return Figure(what, "lines/s", ours, naive, "serializer and bulk_create", goal=server.goal, goal_is="times")


def lines_over_a_bad_line(port: int) -> Figure:
    """Send lines by the worker's own sender while requests are doubled and answers lost; count what is wrong."""
    folder = Path(settings.DATA_DIR)
    streams = [bad_stream(number, port, folder) for number in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        wrong = sum(pool.map(send_and_count_wrong, streams))
    shares = f"{DUPLICATED:.0%} of requests sent twice, {LOST:.0%} of answers lost"
    return Figure(f"lines lost, doubled or out of place of {BAD_LINES:,}, {shares}", "lines", [wrong], goal=0)


def bad_stream(number: int, port: int, folder: Path) -> Stream:
    """Let a new worker claim a run, behind a bad line."""
    make_run(make_user(f"owner-{CONNECTIONS + number}"))
    name = f"bad-{number}"
    faults = {"duplicated": DUPLICATED, "lost": LOST, "seed": number}
    url, token = f"http://127.0.0.1:{port}", token_of(make_worker(name))
    return Stream(url, token, folder / name, simulate=False, **faults)


def send_and_count_wrong(stream: Stream) -> int:
    """Write and deliver a share of the lines; returns how many of the rows are not the line that belongs there."""
    stream.sender.start()
    count = BAD_LINES // CONNECTIONS
    stream.write(count)
    stream.finish(seconds=DRAIN_SECONDS)
    stream.close()
    rows = Log.objects.filter(attempt__job_id=stream.job_id).order_by("id").values_list("seq", "message")
    wanted = ((number, f"line {number}") for number in range(1, count + 1))
    wrong = sum(1 for row, line in zip_longest(rows.iterator(), wanted) if row != line)
    connection.close()
    return wrong
