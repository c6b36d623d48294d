"""Part of the benchmark `import`: other people's requests while one person sends hostile files, one after the other."""

import itertools
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from bert_training.contract.limits import API_PREFIX
from tests.bench.frame import Figure, rounds_for
from tests.bench.import_hostile import hostile_files
from tests.bench.stage import SETTING, Stage, forget_settings, open_stage

SECONDS = rounds_for(12, 30)  # of each block
ROUNDS = rounds_for(3, 5)
REQUESTS_PER_SECOND = 20
PATHS = ("/runs", f"{API_PREFIX}/runs", "/datasets", f"{API_PREFIX}/datasets")
SEND_SECONDS = 60.0
WHAT = "others' requests while hostile files are sent"
ANSWERS = (200, 413)  # the second for the file that is larger than an upload may be
NOTES = f"""*Others' requests*: a real portal ({SETTING}).
Another person asks for lists, pages and API in turn, {REQUESTS_PER_SECOND} a second, in blocks of {SECONDS} s with and
without somebody who sends the hostile files to `datasets/validate` one after the other; the reference are the blocks
without."""

Blocks = Sequence[Sequence[float]]


def measure_part() -> list[Figure]:
    """Watch blocks with and without a sender by turns."""
    forget_settings()
    with tempfile.TemporaryDirectory(prefix="bert-bench-") as folder, open_stage() as stage:
        files = list(hostile_files(Path(folder)))
        quiet, busy, sent = [], [], 0
        watch(stage)
        for _ in range(ROUNDS):
            quiet.append(watch(stage))
            with sending(stage, files[sent % len(files) :] + files[: sent % len(files)]) as count:
                busy.append(watch(stage))
            sent += count.value
    return [*_figures_of(busy, quiet), Figure(f"{WHAT}: files sent", "files", [sent])]


def watch(stage: Stage) -> list[float]:
    """Ask for a page when it is due; returns how many milliseconds each took, with the wait for the one before."""
    milliseconds = []
    cookies = stage.rows["sessions"]["few"]
    with httpx2.Client(base_url=stage.product.base_url, cookies=cookies, trust_env=False) as client:
        began = time.monotonic()
        for number in range(SECONDS * REQUESTS_PER_SECOND):
            due = began + number / REQUESTS_PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            client.get(PATHS[number % len(PATHS)]).raise_for_status()
            milliseconds.append(1000 * (time.monotonic() - due))
    return milliseconds


@contextmanager
def sending(stage: Stage, files: Sequence[Path]) -> Iterator[Any]:
    """Have a process of its own send one file after the other; gives how many, which is final at the end."""
    context = multiprocessing.get_context("spawn")  # a thread would keep the watcher waiting itself
    is_over, sent = context.Event(), context.Value("i", 0)
    arguments = (stage.product.base_url, stage.product.accounts["token"], files, is_over, sent)
    sender = context.Process(target=send_files, args=arguments)
    sender.start()
    try:
        yield sent
    finally:
        is_over.set()
        sender.join()
    if sender.exitcode:
        raise RuntimeError(f"Whoever sends hostile files ended with {sender.exitcode}.")


def send_files(base_url: str, token: str, files: Sequence[Path], is_over: Event, sent: Any) -> None:
    """Send one file after the other until it is over; raises when one is not answered as it should."""
    address, fields = f"{base_url}{API_PREFIX}/datasets/validate", {"task": "text-classification"}
    for path in itertools.cycle(files):
        if is_over.is_set():
            return
        headers = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(headers=headers, timeout=SEND_SECONDS, trust_env=False) as client:
            answer = client.post(address, data=fields, files={"file": (path.name, path.read_bytes())})
        if answer.status_code not in ANSWERS:
            raise RuntimeError(f"{path.name} was answered with {answer.status_code}: {answer.text[:500]}")
        sent.value += 1


def _figures_of(busy: Blocks, quiet: Blocks) -> Iterator[Figure]:
    for percent, goal in ((50, None), (95, 2.0)):
        ours, reference = ([float(np.percentile(block, percent)) for block in blocks] for blocks in (busy, quiet))
        yield Figure(f"{WHAT}: p{percent}", "ms", ours, reference, "without", goal, "times at most")
