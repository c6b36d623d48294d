"""Twenty real supervisors for one real portal: each a thread of this process with a trainer child that simulates."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from bert_training.models import Job, JobAttempt, Log
from bert_training.worker import retry
from bert_training.worker.files import read_json
from bert_training.worker.simulation import SPEED_VARIABLE
from bert_training.worker.spool import LOG, count_records
from bert_training.worker.timing import Timing
from tests.bench.stage import manage
from tests.personas import make_dataset, make_run, make_worker, token_of
from tests.processes import Product
from tests.worker.supervisors import LocalSupervisor


def seed(*, workers: int, epochs: int) -> None:
    """Register workers and queue as many simulated runs; prints the tokens. Runs in `manage.py shell`."""
    ana = User.objects.get(username="ana")
    dataset = make_dataset(ana)
    for _ in range(workers):
        make_run(ana, dataset, simulate=True, hyperparameters={"epochs": epochs})
    print(json.dumps([token_of(make_worker(f"fleet-{number}")) for number in range(workers)]))


def tell_history() -> None:
    """Print what the portal keeps: attempts as [job, number, outcome], and log lines by job. Runs in the shell."""
    attempts = list(JobAttempt.objects.values_list("job", "number", "outcome"))
    lines = {job.pk: Log.objects.filter(run=job.run_id).count() for job in Job.objects.all()}
    print(
        json.dumps(
            {"attempts": attempts, "lines": lines, "statuses": list(Job.objects.values_list("status", flat=True))}
        )
    )


def ask(product: Product, call: str) -> Any:
    """Run a function of this module in the product's shell; returns what it printed."""
    code = f"from tests.faults import fleet; fleet.{call}"
    return json.loads(manage(product.environment, "shell", "-v", "0", "-c", code).splitlines()[-1])


class FleetWorker:
    """One supervisor and what its folder says."""

    def __init__(self, base_url: str, token: str, models_dir: Path) -> None:
        portal: Any = SimpleNamespace(url=base_url, token=token)  # all that a supervisor needs to know of one
        self.supervisor = LocalSupervisor(portal, models_dir, timing=Timing())
        self._jobs = models_dir / "jobs"

    def spool(self) -> Path | None:
        """Return the spool of its job, when it has one."""
        return next(iter(self._jobs.glob("*/attempt-1.jsonl")), None)

    def written(self) -> int:
        """Count the lines of its log."""
        spool = self.spool()
        return count_records(spool)[LOG] if spool else 0

    def acknowledged(self) -> int:
        """Return how many of them the portal has confirmed."""
        spool = self.spool()
        acked = read_json(spool.with_name("acked-1.json")) if spool else None
        return int((acked or {}).get(LOG, [1])[0]) - 1


@contextmanager
def open_fleet(
    product: Product, *, workers: int, epochs: int, steps_per_second: float, hour: float
) -> Iterator[list[FleetWorker]]:
    """Run workers whose longest waits are as many times shorter as `hour` (seconds) is than an hour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SPEED_VARIABLE, f"{steps_per_second:g}")
        patch.setattr(retry, "BACKOFF_BASE_SECONDS", retry.BACKOFF_BASE_SECONDS * hour / 3600)
        patch.setattr(retry, "BACKOFF_CAP_SECONDS", retry.BACKOFF_CAP_SECONDS * hour / 3600)
        tokens = ask(product, f"seed(workers={workers}, epochs={epochs})")
        product.start_web()
        folder = product.folder
        fleet = [FleetWorker(product.base_url, token, folder / f"pc-{n}") for n, token in enumerate(tokens)]
        try:
            for worker in fleet:
                worker.supervisor.store.acquire()
                worker.supervisor.start()
            yield fleet
        finally:
            for worker in fleet:
                worker.supervisor.stop()
                worker.supervisor.store.release()
