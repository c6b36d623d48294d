"""The main job as people meet it: how long until a worker starts, a line is seen, a page opens, a sheet is taken.

Real processes, a real browser. The background cluster is not needed: sheets up to 10 MiB are checked at once.
"""

import gc
import io
import itertools
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pandas as pd
import psutil
from playwright.sync_api import Page

from bert_training.contract.tokens import WORKER_PREFIX, make_token
from bert_training.demo.processes import MANAGE
from tests.bench.frame import Figure, by_turns, report, rounds_for, seconds_of
from tests.bench.stage import (
    FEW_LINES,
    FEW_RUNS,
    MANY_LINES,
    MANY_RUNS,
    SETTING,
    Stage,
    forget_settings,
    open_stage,
)
from tests.bench.watching import claim_to_line_seconds, open_eyes, open_run_seconds
from tests.browser import chromium
from tests.janitor import the_janitor
from tests.services import IS_EMBEDDED
from tests.workbooks import workbook_bytes, workbook_of

TASK = "text-classification"
NOWHERE = "127.0.0.1:9"  # nobody listens on the discard port
ROWS = 10_000
WORDS_PER_TEXT = 25
SMALL_ROWS = 60
NOTES = """Portal on {setting}. Wall time, but where processor time is named.

The worker's database is an address where nobody listens. An upload is a spreadsheet of texts with {words} words that
the portal has not seen. A page of the list has 25 rows at most, so the reference fills less than half of one. Opening a
page begins with the navigation; a log line counts when Chromium has painted it inside the log's box. The time of a
claim is the portal's own; the first line comes from the worker's supervisor, its trainer loads its libraries first."""
WORDS = ("autor", "réu", "pedido", "sentença", "recurso", "prazo", "contrato", "dano", "moral", "saúde", "imposto")


def main() -> None:
    """Measure everything, then report."""
    forget_settings()
    notes = NOTES.format(setting=SETTING, words=WORDS_PER_TEXT)
    report("main_job_embedded" if IS_EMBEDDED else "main_job", notes, list(all_figures()))


def all_figures() -> Iterator[Figure]:
    """Yield each figure as it is measured."""
    yield from worker_start()
    with open_stage() as stage:
        yield upload(stage)
        yield list_page(stage)
        with chromium() as open_page:
            page = open_page(stage.product.base_url)
            open_eyes(page, stage.rows["sessions"]["ana"])
            yield from run_page(stage, page)
            yield from first_line(stage, page)


def worker_start() -> Iterator[Figure]:
    """Start a worker whose database does not exist against a command that does next to nothing."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = by_turns(
            lambda: start_seconds(
                *("run_worker", "--api-url", f"http://{NOWHERE}", "--token", make_token(WORKER_PREFIX)),
                *("--models-dir", folder),
                says="worker starts",
                environment={"DATABASE_URL": f"postgres://nobody@{NOWHERE}/nothing", "SECRET_KEY": ""},
            ),
            lambda: start_seconds("check", says="no issues", environment={"DATA_DIR": folder}),
            rounds=rounds_for(7, 15),
        )
    for what, index, goal in (("first output line", 0, 1.0), ("the same in processor time", 1, None)):
        mine, other = [times[index] for times in ours], [times[index] for times in theirs]
        yield Figure(f"run_worker without a database: {what}", "s", mine, other, "manage.py check", goal=goal)


def start_seconds(*arguments: str, says: str, environment: dict[str, str]) -> tuple[float, float]:
    """Start a management command, kill it after its first line; returns the time and processor time until then."""
    how: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True}
    began = time.perf_counter()
    with subprocess.Popen([*MANAGE, *arguments], env={**os.environ, **environment}, **how) as process:
        the_janitor().watch(process)
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        seconds = time.perf_counter() - began
        times = psutil.Process(process.pid).cpu_times()
        process.kill()
    the_janitor().forget(process)
    if says not in line:
        raise RuntimeError(f"The first line of manage.py {arguments[0]} was {line!r}.")
    return seconds, times.user + times.system


def upload(stage: Stage) -> Figure:
    """Upload spreadsheets that the portal has not seen against reading the same bytes with pandas."""
    numbers = itertools.count()
    path = stage.product.folder / "upload.xlsx"

    def send() -> float:
        number = next(numbers)
        path.write_bytes(spreadsheet(seed=number))
        return seconds_of(lambda: stage.client.upload(path, task=TASK, name=f"upload {number}"))

    def read() -> float:
        content = path.read_bytes()
        gc.collect()
        gc.freeze()  # a user's script has no servers in its heap: collecting ours costs pandas up to 0.1 s
        return seconds_of(lambda: pd.read_excel(io.BytesIO(content), engine="openpyxl"))

    ours, theirs = by_turns(send, read, rounds=rounds_for(3, 7))
    return Figure(f"upload of {ROWS:,} rows, checked and stored", "s", ours, theirs, "pandas.read_excel (openpyxl)")


def spreadsheet(*, seed: int) -> bytes:
    """Write ROWS rows of random words with three labels; another seed, other bytes."""
    draw = random.Random(seed)
    rows = ((" ".join(draw.choices(WORDS, k=WORDS_PER_TEXT)), f"label {draw.randrange(3)}") for _ in range(ROWS))
    return workbook_of(itertools.chain([("texto", "label")], rows))


def list_page(stage: Stage) -> Figure:
    """Open the list of runs as somebody with many runs and as somebody with few; its pages have 25 rows at most."""
    many, few = (signed_in(stage, person) for person in ("many", "few"))
    with many, few:
        rounds = rounds_for(30, 100)
        ours, theirs = by_turns(lambda: get_seconds(many, "/runs"), lambda: get_seconds(few, "/runs"), rounds=rounds)
    return Figure(f"list of runs, {MANY_RUNS:,} runs", "s", ours, theirs, f"{FEW_RUNS} runs")


def signed_in(stage: Stage, person: str) -> httpx2.Client:
    """Return a client with a person's session."""
    return httpx2.Client(base_url=stage.product.base_url, cookies=stage.rows["sessions"][person], trust_env=False)


def get_seconds(client: httpx2.Client, path: str) -> float:
    """Fetch a page that must be there."""
    return seconds_of(lambda: client.get(path).raise_for_status())


def run_page(stage: Stage, page: Page) -> Iterator[Figure]:
    """Open the page of a run with a long log against one with a short log."""
    ours, theirs = by_turns(
        lambda: open_run_seconds(page, stage.rows["many_lines"], lines=MANY_LINES),
        lambda: open_run_seconds(page, stage.rows["few_lines"], lines=FEW_LINES),
        rounds=rounds_for(7, 15),
    )
    for what, index, goal in (("newest line can be read", 0, 1.0), ("all lines are there", 1, None)):
        long, short = [times[index] for times in ours], [times[index] for times in theirs]
        yield Figure(f"run page, {MANY_LINES:,} log lines: {what}", "s", long, short, f"{FEW_LINES} lines", goal=goal)


def first_line(stage: Stage, page: Page) -> Iterator[Figure]:
    """Watch a run's page from the claim to its first line, for workers that simulate and that train."""
    path = stage.product.folder / "small.xlsx"
    path.write_bytes(workbook_bytes(TASK, rows=SMALL_ROWS))
    dataset = stage.client.upload(path, task=TASK, name="small")["id"]
    for what, simulate, rounds in (
        ("simulated run", True, rounds_for(3, 10)),
        ("training", False, rounds_for(2, 5)),
    ):
        times = [claim_to_line_seconds(stage, page, dataset, simulate=simulate) for _ in range(rounds)]
        yield Figure(f"{what}: claim to first log line on the page", "s", [first for first, _ in times], goal=2.0)
        yield Figure(f"{what}: claim to first line of the trainer itself", "s", [own for _, own in times])


if __name__ == "__main__":
    main()
