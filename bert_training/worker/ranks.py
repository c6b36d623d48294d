"""The further processes of one training. Rank 0, the trainer that the supervisor knows, starts them and ends with them.

They die with rank 0, because their standard input ends, and rank 0 dies with any of them, for its reason. So there is
one tree, which hears orders at one place and leaves nothing behind.
"""

import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from bert_training.ml.machine.meeting import MEETING_FILE, is_launched
from bert_training.worker.child import ORPHANED_EXIT, ChildReporter, end_process, leave_child
from bert_training.worker.files import read_json, write_json
from bert_training.worker.process_control import become_trainer, describe_exit, start_follower

LOOK_SECONDS = 0.2
# Who loses the connection to a process that died waits so long, so that the one that died is seen first.
COURTESY_SECONDS = 2.0
LOOPBACK = {"linux": "lo", "darwin": "lo0"}  # elsewhere gloo and NCCL choose by themselves


class Ranks:
    """Ranks 1 to count - 1 on this computer, as rank 0 sees them."""

    def __init__(self, folder: Path, attempt: int, reporter: ChildReporter, *, module: str) -> None:
        """module: what to run as a rank that is not 0; it calls `run_follower`."""
        self._folder = folder
        self._attempt = attempt
        self._reporter = reporter
        self._module = module
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, count: int, *, threads: int) -> None:
        """Start them and become rank 0 of them. Call from the main thread: they die with the thread that starts them.

        count: of all processes; 1 starts none.  threads: that all of them may compute with.
        """
        if count == 1:
            return
        for stale in (*self._folder.glob("meeting-*"), *self._folder.glob("rank-*.json")):
            stale.unlink(missing_ok=True)
        shared = self._shared_environment(count, threads)
        arguments = [sys.executable, "-P", "-m", self._module, str(self._folder)]
        for rank in range(1, count):
            environ = {**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            self._processes[rank] = start_follower(arguments, environ=environ, cwd=self._folder)
        os.environ.update({**shared, "RANK": "0", "LOCAL_RANK": "0"})
        numbers = ", ".join(f"rank {rank} is process {process.pid}" for rank, process in self._processes.items())
        self._reporter.log("INFO", f"{count} processes train together: rank 0 is process {os.getpid()}, {numbers}")
        threading.Thread(target=self._watch, name="ranks", daemon=True).start()

    def give_way(self) -> None:
        """After a failure of rank 0: wait for the watch to end this process, should another have died first."""
        if self._processes:
            time.sleep(2 * COURTESY_SECONDS)

    def _shared_environment(self, count: int, threads: int) -> dict[str, str]:
        shared = {
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(max(1, threads // count)),
            MEETING_FILE: str(self._folder / f"meeting-{os.getpid()}"),
        }
        loopback = LOOPBACK.get(sys.platform)
        return {**shared, "GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback} if loopback else shared

    def _watch(self) -> None:
        while True:
            for rank, process in self._processes.items():
                if process.poll():
                    self._end(rank, process.returncode)
            time.sleep(LOOK_SECONDS)

    def _end(self, rank: int, code: int) -> NoReturn:
        """End as a rank did: with its reason if it named one, else with its exit code or signal."""
        failure = read_json(self._folder / f"rank-{rank}.json")
        self._reporter.log("ERROR", f"Rank {rank} ended with {describe_exit(code)}: the other processes are ended.")
        if failure is not None:
            leave_child(self._folder, self._attempt, self._reporter, failure)
        self._reporter.sync()
        if code < 0:
            os.kill(os.getpid(), -code)
            time.sleep(COURTESY_SECONDS)  # a signal that does not end this process is followed by an exit
        os._exit(abs(code))


def run_follower(work: Callable[[dict[str, Any], Path], dict[str, Any]]) -> NoReturn:
    """Be a rank that is not 0 in the folder that the first argument names. `work` returns how it ended."""
    folder, rank = Path(sys.argv[1]), os.environ["RANK"]
    become_trainer(lambda: None, is_nice=False)
    if not is_launched():  # rank 0 started it
        threading.Thread(target=_die_with_rank_0, args=(sys.stdin.fileno(),), name="rank 0", daemon=True).start()
    job = read_json(folder / "job.json")
    if job is None:
        raise SystemExit(f"{folder / 'job.json'} is missing or damaged: only a trainer starts further processes.")
    try:
        outcome = work(job, folder)
    except RuntimeError:
        traceback.print_exc()
        sys.stderr.flush()
        time.sleep(COURTESY_SECONDS)
        os._exit(1)
    if "code" in outcome:
        write_json(folder / f"rank-{rank}.json", outcome, durable=True)
    end_process(outcome)


def _die_with_rank_0(stdin: int) -> None:
    while os.read(stdin, 64):
        pass
    os._exit(ORPHANED_EXIT)
