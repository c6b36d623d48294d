"""Runs the real product for a test: web server, background cluster and workers as processes on free ports.

They have a database, a bucket folder and a Redis number of their own, since they outlive no test and share none.
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from bert_training.demo import processes
from bert_training.demo.children import Child, stop_all
from bert_training.worker.ballast import throw_out
from tests.janitor import the_janitor
from tests.servers import free_port

START_SECONDS = 60.0
POLL_SECONDS = 0.05
_numbers = itertools.count(1)
LIMITS_OF_PEOPLE = ("UPLOADS_PER_HOUR", "CHECKS_PER_HOUR", "RUNS_PER_HOUR", "QUEUED_RUNS_PER_USER")


class Product:
    """One portal with its people and processes. `accounts`: passwords of ana and root, `token`, `worker_token`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.children: list[Child] = []
        self.environment = own_environment(folder, port=self.port) | settings
        self.base_url = self.environment["BASE_URL"]
        self.accounts: dict[str, Any] = processes.prepare(self.environment)

    def start_web(self, *, log: str = "web.log", is_awaited: bool = True) -> Child:
        """Start the web server and wait until it is ready. A log of that name is written anew."""
        child = self._watch(processes.start_web(self.environment, port=self.port, log=self.folder / log))
        if is_awaited:
            wait_until(lambda: processes.is_ready(self.base_url), child=child)
        return child

    def start_background(self) -> Child:
        """Start the background cluster; it takes work as soon as it can."""
        return self._watch(processes.start_background(self.environment, log=self.folder / "background.log"))

    def start_worker(self, *options: str, name: str = "worker", log: str = "", **settings: str) -> Child:
        """Start a worker on the CPU with a models folder called `name`; `settings` change its environment."""
        own = {
            "BERT_API_URL": self.base_url,
            "BERT_TOKEN": self.accounts["worker_token"],
            "BERT_MODELS_DIR": str(self.folder / name),
        }
        usual = ("--device", "cpu", "--offline", "--poll-interval", "1")
        path = self.folder / (log or f"{name}.log")
        return self._watch(processes.start_worker(self.environment | own | settings, *usual, *options, log=path))

    def stop(self) -> None:
        """Stop every process that was started, politely, then for sure."""
        stop_all(self.children)
        for models_dir in self.folder.iterdir():
            throw_out(models_dir)  # pytest keeps the folders of three sessions
        for child in self.children:
            the_janitor().forget(child.process)

    def outputs(self) -> str:
        """Return the end of what each process printed, for the message of a failed test."""
        return "\n".join(f"--- {child.name} ---\n{child.tail}" for child in self.children)

    def _watch(self, child: Child) -> Child:
        self.children.append(child)
        the_janitor().watch(child.process, stop_signal=signal.SIGKILL)
        return child


class Openable(Protocol):
    """A place of several processes; `close` ends whatever `open` has started, also when that failed half way."""

    def open(self) -> None: ...
    def close(self) -> None: ...


Place = TypeVar("Place", bound=Openable)


@contextmanager
def opened(place: Place) -> Iterator[Place]:
    """Open a place, and close it whatever happens."""
    try:
        place.open()
        yield place
    finally:
        place.close()


def wait_until(is_reached: Callable[[], bool], *, child: Child | None = None, seconds: float = START_SECONDS) -> None:
    """Ask again and again until something holds; fail at once when `child` has ended."""
    deadline = time.monotonic() + seconds
    while not is_reached():
        if child and not child.is_running:
            raise AssertionError(f"The {child.name} ended with {child.process.returncode}:\n{child.tail}")
        if time.monotonic() > deadline:
            raise AssertionError(f"Not reached within {seconds:g} s.\n{child.tail if child else ''}")
        time.sleep(POLL_SECONDS)


def own_environment(folder: Path, *, port: int) -> dict[str, str]:
    """Return settings like those of the test session, but for parts that no other test touches."""
    environment = processes.demo_environment(folder, port=port) | {"SECRET_KEY": os.environ["SECRET_KEY"]}
    environment |= dict.fromkeys(LIMITS_OF_PEOPLE, "1000000")  # crowds of a bench and soaks act as one person
    if "REDIS_URL" not in os.environ:
        return environment  # embedded: SQLite and files below the folder
    number = next(_numbers)
    return environment | {
        "DATABASE_URL": make_database(f"product_{number}_{os.getpid()}"),
        "REDIS_URL": _with_path(os.environ["REDIS_URL"], f"/{number % 16}"),
        "STORAGE_URL": os.environ["STORAGE_URL"],
    }


def make_database(name: str) -> str:
    """Create an empty database beside that of the test session; returns its URL."""
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True  # CREATE DATABASE refuses to run inside a transaction
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    return _with_path(os.environ["DATABASE_URL"], f"/{name}")


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=path))
