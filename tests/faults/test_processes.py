"""Faults of processes: supervisors, trainers and the portal are killed, frozen and stopped for real.

After each test the whole history so far is checked against I1 to I10. A simulated epoch takes a second, a checkpoint a
quarter of one; the portal hears of the first step at once, of the first checkpoint a second later.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bert_training.contract.limits import HEARTBEAT_SECONDS as REAL_HEARTBEAT_SECONDS
from bert_training.contract.limits import LEASE_SECONDS as REAL_LEASE_SECONDS
from bert_training.contract.limits import TICK_SECONDS as REAL_TICK_SECONDS
from bert_training.demo.client import read_page
from tests.faults.history import read_spool
from tests.faults.stage import AFFINITY_SECONDS, LEASE_SECONDS, TICK_SECONDS, Computer, JobNow, Stage
from tests.processes import opened, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

LONG_RUN_EPOCHS = 4
QUICK = 400.0  # steps in a second, for a computer that is only needed to bring a run to its end
RESUMED_WITHIN_SECONDS = 10.0
STOPPED_WITHIN_SECONDS = 15.0
BUSY_SECONDS = 2.0  # what a busy machine may add to a promised time


@pytest.fixture
def office(stage: Stage) -> Iterator[Stage]:
    """The stage of this module; when a test is over, whatever it harmed works again and nothing may be wrong."""
    yield stage
    bring_back(stage)
    stage.judge(stage.history())
    for computer in stage.computers:
        if computer.is_started:
            computer.kill()


def bring_back(stage: Stage) -> None:
    for computer in stage.computers:
        if computer.is_started:
            computer.send_all(signal.SIGCONT)
            computer.start()
    stage.settle()


def has_checkpoint(job: JobNow) -> bool:
    return job.checkpoint_step > 0


def has_begun(job: JobNow) -> bool:
    return job.phase == "training"


def is_completed(job: JobNow) -> bool:
    return job.status == "completed"


def outcomes(stage: Stage, run: int) -> list[str]:
    return [attempt["outcome"] for attempt in stage.portal.run(run)["attempts"]]


def start_two_runs(stage: Stage) -> tuple[int, int]:
    """Have two computers work: on a run that has a checkpoint already, and on one that has just begun."""
    for computer in stage.computers[:2]:
        computer.start()
    older = stage.create_run(epochs=LONG_RUN_EPOCHS)
    stage.await_job(older, has_checkpoint)
    younger = stage.create_run(epochs=LONG_RUN_EPOCHS)
    stage.await_job(younger, has_begun)
    return older, younger


@pytest.mark.long  # tests/end_to_end/test_taken_up.py is the short form
def test_a_killed_supervisor_that_starts_again_goes_on_where_it_was(office: Stage) -> None:
    """F-01: the same job, attempt 2, from the last checkpoint within 10 s; the page says so."""
    worker = office.computers[0]
    worker.start()
    run = office.create_run(epochs=2)
    office.await_job(run, has_checkpoint)
    worker.kill()
    began = time.monotonic()
    worker.start()
    office.await_job(run, lambda job: job.attempt == 2 and has_begun(job))
    assert time.monotonic() - began < RESUMED_WITHIN_SECONDS
    office.await_job(run, is_completed)
    first, second = office.portal.run(run)["attempts"]
    assert (first["outcome"], second["outcome"], second["worker"]) == ("lost", "completed", worker.name)
    assert second["resumed_from_step"] > 0
    page = read_page(office.product.base_url, f"/runs/{run}", user="ana", password=office.product.accounts["ana"])
    assert f"tentativa 1 perdida, retomada no passo {second['resumed_from_step']}" in page


def test_computers_that_never_come_back_give_their_runs_to_another(office: Stage) -> None:
    """F-02: at once without a checkpoint, after the affinity time with one; the other begins at step 0."""
    kept, offered = start_two_runs(office)
    died = time.monotonic()
    for run in (offered, kept):
        office.holder(run).send_all(signal.SIGKILL)
    other = office.computers[2]
    other.start(steps_per_second=QUICK)
    office.await_job(offered, lambda job: job.holder == other.worker)
    assert time.monotonic() - died < LEASE_SECONDS + TICK_SECONDS + BUSY_SECONDS
    office.await_job(kept, lambda job: job.holder == other.worker)
    assert time.monotonic() - died > LEASE_SECONDS - TICK_SECONDS + AFFINITY_SECONDS
    for run in (kept, offered):
        office.await_job(run, is_completed)
        first, second = office.portal.run(run)["attempts"]
        assert (first["outcome"], first["reason"]) == ("lost", "lease_expired")
        assert (second["outcome"], second["worker"], second["resumed_from_step"]) == ("completed", other.name, 0)


def test_frozen_computers_lose_only_what_another_took(office: Stage) -> None:
    """F-06, F-07: whose run was taken is told so and stops; whose run waits goes on with it as if nothing had been."""
    waiting, taken = start_two_runs(office)
    patient, robbed = office.holder(waiting), office.holder(taken)
    for computer in (robbed, patient):
        computer.send(signal.SIGSTOP)
    trainer = robbed.trainer()
    assert trainer is not None
    other = office.computers[2]
    other.start()
    office.await_job(taken, lambda job: job.holder == other.worker)
    office.await_job(waiting, lambda job: job.status == "queued")
    for computer in (robbed, patient):
        computer.send(signal.SIGCONT)
    thawed = time.monotonic()
    wait_until(lambda: not trainer.is_running())
    assert time.monotonic() - thawed < STOPPED_WITHIN_SECONDS
    for run in (taken, waiting):
        office.await_job(run, is_completed)
    assert outcomes(office, waiting) == ["completed"]
    assert outcomes(office, taken) == ["lost", "completed"]
    assert office.portal.run(taken)["attempts"][1]["worker"] == other.name
    answers = [(exchange.status, exchange.answer) for exchange in robbed.proxy.exchanges]
    assert any(status == 409 and b"lease_lost" in answer for status, answer in answers)


def test_an_outage_of_the_portal_costs_nobody_a_run(office: Stage) -> None:
    """F-17, F-18: training goes on, one run ends meanwhile; on return nothing was lost and no second attempt began.

    test_fleet.py is the long form, an hour with twenty supervisors.
    """
    away_seconds = 2.5 * LEASE_SECONDS
    for computer in office.computers[:2]:
        computer.start()
    ending = office.create_run(epochs=2)
    going_on = office.create_run(epochs=round(away_seconds) + 2)
    for run in (ending, going_on):
        office.await_job(run, has_begun)
    holders = {run: office.holder(run) for run in (ending, going_on)}
    office.kill_web()
    time.sleep(away_seconds)  # the outage itself
    written = {run: lines_written(holders[run], run) for run in holders}
    back = time.monotonic()
    office.start_web()
    wait_until(lambda: all(lines_stored(office, run) >= written[run] for run in written))
    took = time.monotonic() - back
    print(f"\n{sum(written.values())} lines were stored {took:.1f} s after the portal was started again")
    for run in (ending, going_on):
        office.await_job(run, is_completed)
        assert outcomes(office, run) == ["completed"]


def lines_written(computer: Computer, run: int) -> int:
    """Count the log lines of attempt 1. In a fresh database a job has the number of its run."""
    return len(read_spool(computer.models / "jobs" / str(run) / "attempt-1.jsonl")[0])


def lines_stored(stage: Stage, run: int) -> int:
    return int(stage.execute("SELECT count(*) FROM bert_logs WHERE run_id = %s", run)[0][0])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_real_times_are_kept(tmp_path: Path) -> None:
    """F-01, F-02: the times of production: a dead worker shows in 60 s, its job is offered in 65 s.

    F-27: nothing of it needs the background cluster, which does not run here.
    """
    real = {"LEASE_SECONDS": REAL_LEASE_SECONDS, "HEARTBEAT_SECONDS": REAL_HEARTBEAT_SECONDS}
    settings = {name: f"{seconds:g}" for name, seconds in (real | {"TICK_SECONDS": REAL_TICK_SECONDS}).items()}
    with opened(Stage(tmp_path, computers=2, **settings)) as stage:
        measure_real_times(stage)
        bring_back(stage)
        stage.judge(stage.history())


def measure_real_times(stage: Stage) -> None:
    first, second = stage.computers
    first.start()
    run = stage.create_run(epochs=LONG_RUN_EPOCHS)
    stage.await_job(run, has_begun)
    first.send_all(signal.SIGKILL)
    died = time.monotonic()
    # The portal has just been started and would blame nobody for two leases.
    stage.execute("UPDATE bert_portal_tick SET heard_since = now() - interval '10 minutes'")
    second.start()
    wait_until(lambda: bool(stage.portal.run(run)["silent"]), seconds=2 * REAL_LEASE_SECONDS)
    shown = time.monotonic() - died
    stage.await_job(run, lambda job: job.holder == second.worker)
    offered = time.monotonic() - died
    stage.await_job(run, has_checkpoint)
    second.kill()
    began = time.monotonic()
    second.start()
    stage.await_job(run, lambda job: job.attempt == 3 and has_begun(job))
    resumed = time.monotonic() - began
    print(f"\nDead worker shown after {shown:.1f} s, offered after {offered:.1f} s; resumed after {resumed:.1f} s")
    assert shown < REAL_LEASE_SECONDS + BUSY_SECONDS
    assert offered < REAL_LEASE_SECONDS + REAL_TICK_SECONDS + BUSY_SECONDS
    assert resumed < RESUMED_WITHIN_SECONDS
