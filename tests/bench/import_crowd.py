"""Part of the benchmark `import`: other people's requests while one person sends hostile files, one after the other."""

import itertools
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
NOTES = f"""*Others' requests*: a real portal ({SETTING}). Another person asks for lists, pages and API in turn,
{REQUESTS_PER_SECOND} a second, in blocks of {SECONDS} s with and without somebody who sends the hostile files to
`datasets/validate` one after the other; the reference are the blocks without."""

Blocks = Sequence[Sequence[float]]


def measure_part() -> list[Figure]:
    """Watch blocks with and without a sender by turns."""
    forget_settings()
    with tempfile.TemporaryDirectory(prefix="bert-bench-") as folder, open_stage() as stage:
        files = itertools.cycle(hostile_files(Path(folder)))
        quiet, busy, sent = [], [], 0
        watch(stage)
        for _ in range(ROUNDS):
            quiet.append(watch(stage))
            with sending(stage, files) as answers:
                busy.append(watch(stage))
            sent += len(answers)
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
def sending(stage: Stage, files: Iterator[Path]) -> Iterator[list[int]]:
    """Send one file after the other; gives the list of statuses, which grows."""
    statuses: list[int] = []
    is_over = threading.Event()

    def send() -> None:
        headers = {"Authorization": f"Bearer {stage.product.accounts['token']}"}
        address = f"{stage.product.base_url}{API_PREFIX}/datasets/validate"
        while not is_over.is_set():
            path = next(files)
            with httpx2.Client(headers=headers, timeout=SEND_SECONDS, trust_env=False) as client:
                answer = client.post(
                    address, data={"task": "text-classification"}, files={"file": (path.name, path.read_bytes())}
                )
            statuses.append(answer.status_code)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield statuses
    finally:
        is_over.set()
        sender.join()
    wrong = [status for status in statuses if status not in ANSWERS]
    if wrong:
        raise RuntimeError(f"Hostile files were answered with {wrong}.")


def _figures_of(busy: Blocks, quiet: Blocks) -> Iterator[Figure]:
    for percent, goal in ((50, None), (95, 2.0)):
        ours, reference = ([float(np.percentile(block, percent)) for block in blocks] for blocks in (busy, quiet))
        yield Figure(f"{WHAT}: p{percent}", "ms", ours, reference, "without", goal, "times at most")
