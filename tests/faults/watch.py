"""Looks at processes a few times a second: what a trainer could read of our secrets, how the web server grows."""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from tests.faults.history import Sample

WATCH_SECONDS = 0.2


class Watch:
    """A thread that looks. `exposed`: places of trainers that hold a secret; `trainers`: the processes looked at."""

    def __init__(
        self,
        *,
        trainers: Callable[[], Iterable[psutil.Process]],
        web_server: Callable[[], int],
        secrets: Callable[[], list[str]],
    ) -> None:
        self.samples: list[Sample] = []
        self.exposed: set[str] = set()
        self.trainers: set[int] = set()
        self._find_trainers, self._find_web_server, self._secrets = trainers, web_server, secrets
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(WATCH_SECONDS):
            for trainer in self._find_trainers():
                self._look_at_trainer(trainer.pid)
            self._look_at_web_server(self._find_web_server())

    def _look_at_trainer(self, pid: int) -> None:
        try:
            contents = {place: Path(f"/proc/{pid}/{place}").read_bytes() for place in ("environ", "cmdline")}
        except OSError:
            return  # it has just ended
        self.trainers.add(pid)
        for place, content in contents.items():
            if any(secret.encode() in content for secret in self._secrets()):
                self.exposed.add(place)

    def _look_at_web_server(self, pid: int) -> None:
        try:
            process = psutil.Process(pid)
            age = time.time() - process.create_time()
            self.samples.append(Sample(pid, age, process.num_fds(), process.memory_info().rss))
        except psutil.Error:
            return  # it has just been killed
