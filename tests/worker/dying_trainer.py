"""A trainer that dies in the way that its job names; run as `-m` in place of the simulation."""

import os
import signal
import sys
import threading
from pathlib import Path

from bert_training.worker.child import enter_child, spool_path


def main() -> None:
    """Print sixty lines, then die."""
    folder = Path(sys.argv[1])
    job, reporter = enter_child(folder)
    for number in range(60):
        sys.stderr.write(f"line {number} before the end\n")
    reporter.sync()
    way = job["hyperparameters"]["way"]
    if way == "exit":
        sys.exit(3)
    if way == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "memory":
        raise MemoryError("no room for 8 GiB")
    if way == "torn":
        with spool_path(folder, job["attempt"]).open("ab") as spool:
            spool.write(b'{"kind":"log","message":"half a li')
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "busy":  # no progress and no line, but bytes arrive, as in a long download
        for _ in range(40):
            (folder / "download").write_bytes(b"x" * 4096)
            threading.Event().wait(0.1)
    if way == "deaf":
        threading.Event().wait()
    raise ValueError("seven")


if __name__ == "__main__":
    main()
