"""A hundred open pages of one run: does every line reach every page, in order, and how soon?

Ours against the live view that one writes first (naive_live.py), by turns, each on a server of its own.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections

from bert_training.contract.messages import ClaimedJob
from bert_training.demo.children import Child
from bert_training.demo.processes import is_ready
from tests.bench.frame import Figure, rounds_for
from tests.bench.seed import session_of
from tests.hand_worker import HandWorker
from tests.janitor import the_janitor
from tests.personas import make_run, make_user, make_worker, token_of
from tests.processes import wait_until
from tests.servers import free_port

VIEWERS = 100
PEOPLE = 5  # a person may have 20 pages open
RATES = (100, 400)  # lines a second
BATCHES_PER_SECOND = 10
SECONDS = rounds_for(8, 20)
ROUNDS = rounds_for(1, 3)
GOAL_SECONDS = 0.15
NOTES = f"""Live view: {VIEWERS} websockets of {PEOPLE} people in a process of their own, one writer that posts
{BATCHES_PER_SECOND} batches a second for {SECONDS} s. A line's time runs from the moment when its batch was due (also
when the server made the writer late) until the frame has been read. The reference is the same server with a group_send
at each batch and a read of the database by each viewer."""

Seen = dict[str, float]


def measure() -> list[Figure]:
    """Watch at each rate, ours and the reference by turns."""
    people = [make_user(f"viewer-{number}", is_staff=True) for number in range(PEOPLE)]
    token = token_of(make_worker("writer"))
    found: dict[tuple[str, int], list[Seen]] = {}
    for _round in range(ROUNDS):
        for rate in RATES:
            for module in ("portal.server", "tests.bench.naive_live"):
                seen = watch(module, people, token, rate=rate)
                found.setdefault((module, rate), []).append(seen)
    return [figure for rate in RATES for figure in figures_of(rate, found)]


def figures_of(rate: int, found: dict[tuple[str, int], list[Seen]]) -> Iterator[Figure]:
    """Put what was seen at one rate into figures."""
    ours, theirs = found["portal.server", rate], found["tests.bench.naive_live", rate]
    what = f"live view, {VIEWERS} viewers, {rate} lines/s"
    naive = "each viewer reads at each ring"
    for figure, key, unit, goal in (
        ("lines that did not arrive", "missing", "lines", 0.0),
        ("viewers with lines out of order", "disordered", "viewers", 0.0),
        ("p50 of a line", "p50", "s", None),
        ("p95 of a line", "p95", "s", GOAL_SECONDS),
        ("processor time of the server, each second", "busy", "s", None),
    ):
        values = [[seen[key] for seen in each] for each in (ours, theirs)]
        reference = values[1] if unit == "s" else ()
        yield Figure(f"{what}: {figure}", unit, values[0], reference, naive if reference else "", goal=goal)


def watch(module: str, people: list[User], token: str, *, rate: int) -> Seen:
    """Start a server, have a fresh run watched while its log is written, stop the server."""
    run = make_run(people[0], simulate=True)
    cookies = ["; ".join(f"{name}={value}" for name, value in session_of(person).items()) for person in people]
    connections.close_all()
    with open_server(module) as (base_url, server), open_viewers() as viewers:
        lines = rate * SECONDS
        orders = {"url": f"{base_url.replace('http', 'ws', 1)}/ws/runs/{run.pk}", "cookies": cookies}
        tell(viewers, json.dumps(orders | {"viewers": VIEWERS, "lines": lines}))
        assert hear(viewers) == "ready"
        worker = HandWorker(base_url, token)
        job = worker.claim()
        worked = processor_seconds(server)
        write(worker, job, rate=rate, lines=lines)
        tell(viewers, "the writer has ended")
        seen: Seen = json.loads(hear(viewers))
        seen["busy"] = (processor_seconds(server) - worked) / SECONDS
        worker.give_up(job, lines=lines)
    return seen


def write(worker: HandWorker, job: ClaimedJob, *, rate: int, lines: int) -> None:
    """Post batches when they are due, or as soon as the server lets us."""
    size = rate // BATCHES_PER_SECOND
    began = time.monotonic()
    for first in range(1, lines + 1, size):
        due = began + (first - 1) / rate
        time.sleep(max(0.0, due - time.monotonic()))
        worker.write(job, [f"{number} {due:.6f}" for number in range(first, first + size)], first_seq=first)


@contextmanager
def open_server(module: str) -> Iterator[tuple[str, Child]]:
    """Run a server on the database of this process; gives its address and process."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", module, "--port", str(port)]
    environment = os.environ | {"BASE_URL": base_url}
    child = Child(module, command, environment=environment, log=Path(settings.DATA_DIR) / f"{module}.log")
    the_janitor().watch(child.process)
    try:
        wait_until(lambda: is_ready(base_url), child=child)
        yield base_url, child
    finally:
        child.ask_to_stop()
        child.stop()
        the_janitor().forget(child.process)


def processor_seconds(child: Child) -> float:
    """Return how long a process has computed; other work of the machine does not count."""
    times = psutil.Process(child.process.pid).cpu_times()
    return float(times.user + times.system)


@contextmanager
def open_viewers() -> Iterator[subprocess.Popen[str]]:
    """Run the process of the open pages."""
    command = [sys.executable, "-m", "tests.bench.viewers"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **pipes) as process:
        the_janitor().watch(process)
        try:
            yield process
        finally:
            process.kill()
    the_janitor().forget(process)


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Write a line to a process."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """Read a line of a process."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError("The viewers' process ended.")
    return line
