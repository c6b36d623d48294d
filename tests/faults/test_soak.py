"""A soak: three workers, a portal on its own PostgreSQL and Valkey, and a nemesis that harms them at random.

`make faults TEST_ARGS="-k soak" SOAK_SECONDS=3600 SOAK_SEED=7`: the same seed chooses the same faults.
"""

import itertools
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from bert_training.demo.client import PortalRefused
from bert_training.worker.simulation import STEPS_PER_EPOCH
from tests import servers
from tests.faults.checker import last_number
from tests.faults.history import History, Key
from tests.faults.nemesis import Nemesis, Victims, plan
from tests.faults.servers import Server
from tests.faults.stage import LEASE_SECONDS, STEPS_PER_SECOND, Stage
from tests.janitor import the_janitor
from tests.processes import opened

SHORT_SECONDS, LONG_SECONDS = 30.0, float(os.environ.get("SOAK_SECONDS") or 180)
# 38: of the first forty, the one with the most faults in 30 s that has the portal killed and the database crashed.
SHORT_SEED, LONG_SEED = (int(os.environ.get("SOAK_SEED") or seed) for seed in (38, 39))
COMPUTERS = 3
WAITING_RUNS = COMPUTERS + 1  # never an idle worker, and never a long queue to wait for at the end
EPOCHS = 2
AFFINITY_SECONDS = 1.0  # shorter than a freeze, so that runs are taken from computers that come back
JOB_SECONDS = EPOCHS * STEPS_PER_EPOCH / STEPS_PER_SECOND
# I7, and twice as much again for a busy machine that also starts the last victims anew.
SETTLE_SECONDS = 3 * (3 * LEASE_SECONDS + AFFINITY_SECONDS + (WAITING_RUNS / COMPUTERS + 1) * JOB_SECONDS)

pytestmark = pytest.mark.processes


@pytest.fixture
def victims() -> Iterator[Victims]:
    """A stage with servers of its own: those of the test session must not be killed."""
    home = Path(tempfile.mkdtemp(prefix="bert-soak-"))  # not tmp_path, which PostgreSQL's user may not enter
    the_janitor().remove(home)
    database, cache = Server(servers.start_postgres(home)), Server(servers.start_valkey(home))
    folder = home / "office"
    folder.mkdir()
    own = {"DATABASE_URL": database.url, "REDIS_URL": cache.url, "AFFINITY_SECONDS": f"{AFFINITY_SECONDS:g}"}
    try:
        with opened(Stage(folder, computers=COMPUTERS, **own)) as stage:
            yield Victims(stage, database, cache)
    finally:
        database.crash(signal.SIGQUIT)
        cache.crash()


@pytest.mark.timeout(240)
def test_nothing_is_lost_in_half_a_minute_of_random_faults(victims: Victims) -> None:
    """F-60: the soak as it runs with every `make test`."""
    soak(victims, seconds=SHORT_SECONDS, seed=SHORT_SEED)


@pytest.mark.long
@pytest.mark.timeout(LONG_SECONDS + 600)
def test_nothing_is_lost_in_minutes_of_random_faults(victims: Victims) -> None:
    """F-60: the soak at length."""
    soak(victims, seconds=LONG_SECONDS, seed=LONG_SEED)


def soak(victims: Victims, *, seconds: float, seed: int) -> None:
    """Harm for so long, let everything heal, and judge the whole history."""
    stage = victims.stage
    strikes = plan(seed, seconds=seconds, computers=COMPUTERS)
    nemesis = Nemesis(victims, strikes, seed=seed)
    nemesis.run(meanwhile=lambda: feed(stage))
    settled = stage.settle(seconds=SETTLE_SECONDS, meanwhile=victims.keep_up)
    history = stage.history()
    print(f"\nSoak of {seconds:g} s, seed {seed}")
    for name, figure in figures(history, nemesis.done, settled=settled):
        print(f"  {name:<34}{figure}")
    stage.judge(history, database_may_be_away=True)
    assert nemesis.done.total() == len(strikes)


def feed(stage: Stage) -> None:
    """Keep the workers busy, as far as the portal is there."""
    try:
        if len(stage.unfinished()) < WAITING_RUNS:
            stage.create_run(epochs=EPOCHS)
    except (PortalRefused, psycopg2.Error):
        pass  # away; nobody can create a run now


def figures(history: History, faults: Counter[str], *, settled: float) -> Iterator[tuple[str, str]]:
    """Yield the lines of the table."""
    yield "faults injected", f"{faults.total()}: " + ", ".join(f"{kind} {n}" for kind, n in sorted(faults.items()))
    ends = Counter(job.status for job in history.jobs)
    yield "jobs by end", ", ".join(f"{status} {n}" for status, n in sorted(ends.items()))
    outcomes = Counter(attempt.outcome for attempt in history.attempts)
    yield "attempts by outcome", ", ".join(f"{outcome} {n}" for outcome, n in sorted(outcomes.items()))
    stored = sum(map(len, history.lines.values()))
    written = sum(map(len, history.spooled_lines.values()))
    yield "log lines", f"{written} written by workers, {stored} stored"
    yield "duplicate lines refused", f"{repeated_lines(history)}"
    refused = Counter(call.answer.get("code", "") for call in history.calls if call.status == 409)
    yield "stale writes refused (409)", ", ".join(f"{code} {n}" for code, n in sorted(refused.items())) or "0"
    answers = Counter(call.status or "none" for call in history.calls)
    yield "calls by answer", ", ".join(f"{status} {n}" for status, n in sorted(answers.items(), key=str))
    yield "longest silence of a worker", f"{max(silences(history)):.1f} s without an answer that arrived"
    yield "quiet after the last fault", f"{settled:.1f} s (at most {SETTLE_SECONDS:g})"


def repeated_lines(history: History) -> int:
    """Count the lines that the portal took a second time and did not store again."""
    known: Counter[Key] = Counter()  # the greatest number taken so far
    repeated = 0
    for call in sorted(history.calls, key=lambda call: call.answered_at):
        if call.path == "/logs/batch" and call.is_done:
            key = call.body["job_id"], call.body["attempt"]
            repeated += max(0, min(last_number(call), known[key]) - call.body["first_seq"] + 1)
            repeated += (call.answers - 1) * len(call.body["lines"])
            known[key] = max(last_number(call), known[key])
    return repeated


def silences(history: History) -> Iterator[float]:
    """Yield the longest time of each worker without an answer."""
    for worker in {call.worker for call in history.calls}:
        moments = sorted(call.answered_at for call in history.calls if call.worker == worker and call.delivered)
        yield max(later - earlier for earlier, later in itertools.pairwise(moments))
