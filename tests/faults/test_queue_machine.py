"""Calls of workers and people in any order, repeated and late too, on the real database against a model.

Invariants I1 to I4 of the checker, rules R1 to R8 of the protocol. Leases lapse by moving what the database remembers:
nothing waits.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bert_training.contract.enums import Outcome, Phase, Split, WorkerState
from bert_training.contract.messages import ClaimRequest, CompleteRequest, HeartbeatRequest, ProgressRequest, Result
from bert_training.contract.streams import LogBatch, LogLine, MetricBatch, MetricPoint
from bert_training.models import Dataset, Job, JobAttempt, Log, Metric, PortalTick, Run, Worker
from bert_training.models.plain_claim import NotPlain
from bert_training.services import claims, jobs, telemetry, workers
from bert_training.services.errors import ServiceError
from bert_training.services.leases import expire_leases
from bert_training.tasks import TASKS
from tests.faults import queue_model as model
from tests.personas import BASE_MODEL, make_user, make_worker, ready_dataset

WORKERS = 2
JOBS = 3
HOUR = timedelta(hours=1)
NOW = "2026-11-20T10:00:00+00:00"
RESULT = Result(metrics={"f1_macro": 0.5}, model_fingerprint="a" * 64, best_step=1, classes=[])

small = st.integers(0, 9)  # chooses among what there is, by the remainder
steps = st.integers(0, 4)
seldom = st.sampled_from([False, False, False, True])
outcomes = st.sampled_from([Outcome.COMPLETED, Outcome.FAILED, Outcome.CANCELED, Outcome.RELEASED])


class QueueMachine(RuleBasedStateMachine):
    """Makes each call on the portal and on the model; both must answer or refuse the same, and store the same."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.owners = list(User.objects.order_by("pk"))
        self.dataset = Dataset.objects.get()
        self.rows = [make_worker(f"pc-{number}") for number in range(WORKERS)]
        self.queue = model.Queue([model.Worker() for _ in range(WORKERS)])
        self.ids: list[int] = []  # of the jobs, in the model's order
        self.attempts: list[model.Attempt] = []
        self.calls: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    # --- calls of workers ---

    @rule(
        worker=small, restart=st.booleans(), echo=st.booleans(), simulate=st.sampled_from([False, False, False, True])
    )
    def claim(self, worker: int, restart: bool, echo: bool, simulate: bool) -> None:
        known = self.queue.workers[worker % WORKERS].start
        self.call(self._claim, worker % WORKERS, max(1, known + restart - (echo and not restart)), simulate)

    def _claim(self, number: int, start: int, simulate: bool) -> None:
        request = ClaimRequest(instance=f"machine-{number}:{start}", tasks=list(TASKS), simulate=simulate)
        in_order = Job.objects.in_queue_order().values_list("pk", flat=True)
        order = [self.queue.jobs[self.ids.index(pk)] for pk in in_order]

        def real() -> tuple[int, int, bool, int] | None:
            claimed = claims.claim_job(self.rows[number], request)
            if claimed is None:
                return None
            return claimed.job_id, claimed.attempt, claimed.held, claimed.resume_checkpoint_step

        def expected() -> tuple[int, int, bool, int] | None:
            found = self.queue.claim(self.queue.workers[number], start, simulate=simulate, order=order)
            if found is None:
                return None
            attempt, held = found
            if attempt not in self.attempts:
                self.attempts.append(attempt)
            return self.id_of(attempt), attempt.number, held, attempt.job.checkpoint

        same(real, expected)

    @precondition(lambda self: self.attempts)
    @rule(which=small, step=steps, checkpoint=st.integers(0, 2), resumed=st.integers(0, 1))
    def progress(self, which: int, step: int, checkpoint: int, resumed: int) -> None:
        self.call(self._progress, self.one_of(self.attempts, which), step, checkpoint, resumed)

    def _progress(self, attempt: model.Attempt, step: int, checkpoint: int, resumed: int) -> None:
        report = ProgressRequest(
            attempt=attempt.number,
            phase=Phase.TRAINING,
            step=step,
            total_steps=9,
            checkpoint_step=checkpoint,
            resumed_from_step=resumed,
        )
        same(
            lambda: jobs.report_progress(self.row_of(attempt), self.id_of(attempt), report).directive,
            lambda: self.queue.progress(attempt, step, checkpoint, resumed),
        )

    @precondition(lambda self: self.attempts)
    @rule(which=small)
    def heartbeat(self, which: int) -> None:
        self.call(self._heartbeat, self.one_of(self.attempts, which))

    def _heartbeat(self, attempt: model.Attempt) -> None:
        beat = HeartbeatRequest(
            instance=self.instance_of(attempt),
            state=WorkerState.BUSY,
            sent_at=timezone.now(),
            job_id=self.id_of(attempt),
            attempt=attempt.number,
        )
        same(
            lambda: workers.record_heartbeat(self.row_of(attempt), beat).directive,
            lambda: self.queue.sign_of_life(attempt),
        )

    @precondition(lambda self: self.attempts)
    @rule(which=small, skip=st.integers(-2, 1), count=st.integers(0, 3))
    def log(self, which: int, skip: int, count: int) -> None:
        attempt = self.one_of(self.attempts, which)
        self.call(self._log, attempt, max(1, attempt.lines + 1 + skip), count)

    def _log(self, attempt: model.Attempt, first: int, count: int) -> None:
        lines = [LogLine(ts=NOW, message=f"line {seq}") for seq in range(first, first + count)]
        batch = LogBatch(job_id=self.id_of(attempt), attempt=attempt.number, first_seq=first, lines=lines)
        same(
            lambda: answer_of(telemetry.append_logs(self.row_of(attempt), batch)),
            lambda: self.queue.append(attempt, "lines", first, count),
        )

    @precondition(lambda self: self.attempts)
    @rule(which=small, skip=st.integers(-2, 1), count=st.integers(0, 3))
    def measure(self, which: int, skip: int, count: int) -> None:
        attempt = self.one_of(self.attempts, which)
        self.call(self._measure, attempt, max(1, attempt.points + 1 + skip), count)

    def _measure(self, attempt: model.Attempt, first: int, count: int) -> None:
        points = [MetricPoint.of(epoch=1, step=n, split=Split.TRAIN, values={"loss": n}) for n in range(count)]
        batch = MetricBatch(job_id=self.id_of(attempt), attempt=attempt.number, first_seq=first, points=points)
        same(
            lambda: answer_of(telemetry.append_metrics(self.row_of(attempt), batch)),
            lambda: self.queue.append(attempt, "points", first, count),
        )

    @precondition(lambda self: self.attempts)
    @rule(which=small, outcome=outcomes, unsent=st.sampled_from([0, 0, 0, 1]))
    def complete(self, which: int, outcome: Outcome, unsent: int) -> None:
        attempt = self.one_of(self.attempts, which)
        self.call(self._complete, attempt, outcome, attempt.lines + unsent)

    def _complete(self, attempt: model.Attempt, outcome: Outcome, lines: int) -> None:
        result = RESULT if outcome is Outcome.COMPLETED else None
        report = CompleteRequest(attempt=attempt.number, outcome=outcome, log_seq=lines, metric_seq=0, result=result)
        same(
            lambda: jobs.complete_job(self.row_of(attempt), self.id_of(attempt), report).status,
            lambda: self.queue.complete(attempt, outcome.value, lines),
        )

    @precondition(lambda self: self.attempts)
    @rule(which=small, worker=small)
    def speak_for_another(self, which: int, worker: int) -> None:
        attempt, number = self.one_of(self.attempts, which), worker % WORKERS
        if attempt.worker is not self.queue.workers[number]:
            report = ProgressRequest(attempt=attempt.number, phase=Phase.TRAINING)
            same(
                lambda: jobs.report_progress(self.rows[number], self.id_of(attempt), report),
                lambda: self.queue.speak_for_another(self.queue.workers[number], attempt),
            )

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 50))
    def send_again(self, which: int) -> None:
        call, arguments = self.one_of(self.calls, which)
        call(*arguments)

    @rule(worker=small, checkpoint=seldom)
    def claim_and_crash(self, worker: int, checkpoint: bool) -> None:
        """Begin a training and fall silent: often enough it is the third time in a row (R7)."""
        number = worker % WORKERS
        self._claim(number, max(1, self.queue.workers[number].start), False)
        for job in list(self.queue.running(self.queue.workers[number])):
            self._progress(job.attempts[-1], 1, int(checkpoint), 0)
            self.lapse(job)

    # --- time, people ---

    @precondition(lambda self: any(job.status == "running" for job in self.queue.jobs))
    @rule(which=small)
    def fall_silent(self, which: int) -> None:
        self.lapse(self.one_of([job for job in self.queue.jobs if job.status == "running"], which))

    def lapse(self, job: model.Job) -> None:
        """Let the lease run out, then tick."""
        Job.objects.filter(pk=self.id_of(job.attempts[-1])).update(lease_until=Now() - HOUR)
        assert expire_leases() == 1
        job.give_back("lost")

    @precondition(lambda self: any(job.status == "queued" and job.hold for job in self.queue.jobs))
    @rule()
    def wait_for_holds(self) -> None:
        Job.objects.filter(hold_worker__isnull=False).update(hold_until=Now() - HOUR)
        for job in self.queue.jobs:
            job.is_hold_over = True

    @initialize()
    def begin_with_a_run(self) -> None:
        self.create_run(0)

    @precondition(lambda self: len(self.ids) < JOBS)
    @rule(owner=st.integers(0, 1))
    def create_run(self, owner: int) -> None:
        run = Run.objects.create(
            name="r",
            owner=self.owners[owner],
            dataset=self.dataset,
            task=self.dataset.task,
            base_model=BASE_MODEL,
            hyperparameters={"epochs": 1},
        )
        self.ids.append(claims.enqueue(run).pk)
        self.queue.jobs.append(model.Job())

    @precondition(lambda self: self.ids)
    @rule(which=small, finish=st.sampled_from([False, False, True]))
    def cancel_or_finish(self, which: int, finish: bool) -> None:
        job, pk = self.one_of(list(zip(self.queue.jobs, self.ids, strict=True)), which)
        if finish:
            same(lambda: jobs.finish_job(pk), lambda: self.queue.finish(job))
        else:
            same(lambda: jobs.cancel_job(pk), lambda: self.queue.cancel(job))

    @rule(worker=small)
    def switch_off_or_on(self, worker: int) -> None:
        row, one = self.rows[worker % WORKERS], self.queue.workers[worker % WORKERS]
        workers.set_worker_active(row, not one.is_active)
        self.queue.set_active(one, not one.is_active)
        row.refresh_from_db()  # each call reads its worker anew, with the token

    @rule(worker=small)
    def drain_or_not(self, worker: int) -> None:
        row, one = self.rows[worker % WORKERS], self.queue.workers[worker % WORKERS]
        one.is_draining = not one.is_draining
        workers.set_worker_draining(row, one.is_draining)
        row.refresh_from_db()

    # --- what holds after every call ---

    @invariant()
    def the_portal_stores_what_the_model_says(self) -> None:
        stored = Job.objects.order_by("pk").values_list("pk", "status", "run__status", "attempt", "checkpoint_step")
        assert list(stored) == [
            (pk, job.status, job.status, len(job.attempts), job.checkpoint)
            for pk, job in zip(self.ids, self.queue.jobs, strict=True)
        ]
        fields = ("job_id", "number", "worker_id", "outcome", "last_step", "log_seq", "metric_seq")
        assert set(JobAttempt.objects.values_list(*fields)) == {
            (self.id_of(a), a.number, self.row_of(a).pk, a.outcome, a.step, a.lines, a.points) for a in self.attempts
        }

    @invariant()
    def streams_are_whole_and_in_order(self) -> None:
        lines = Log.objects.order_by("id").values_list("attempt__job_id", "attempt__number", "message")
        points = Metric.objects.order_by("id").values_list("attempt__job_id", "attempt__number", "seq")
        for attempt in self.attempts:
            own = (self.id_of(attempt), attempt.number)
            assert [text for *key, text in lines if tuple(key) == own] == [
                f"line {seq}" for seq in range(1, attempt.lines + 1)
            ]
            assert [seq for *key, seq in points if tuple(key) == own] == list(range(1, attempt.points + 1))

    # --- names ---

    def call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Make a call, and remember it: it may arrive again at any later time."""
        self.calls.append((function, arguments))
        function(*arguments)

    @staticmethod
    def one_of(things: list[Any], which: int) -> Any:
        return things[which % len(things)]

    def id_of(self, attempt: model.Attempt) -> int:
        return self.ids[self.queue.jobs.index(attempt.job)]

    def row_of(self, attempt: model.Attempt) -> Worker:
        return self.rows[self.queue.workers.index(attempt.worker)]

    def instance_of(self, attempt: model.Attempt) -> str:
        return f"machine-{self.queue.workers.index(attempt.worker)}:{attempt.start}"


def same(real: Callable[[], Any], expected: Callable[[], Any]) -> None:
    """Require that portal and model give the same answer, or refuse with the same code."""
    try:
        wanted: Any = ("answers", expected())
    except model.Refused as refusal:
        wanted = ("refuses", str(refusal))
    try:
        answer: Any = ("answers", real())
    except ServiceError as refusal:
        answer = ("refuses", refusal.code.value)
    assert answer == wanted


def answer_of(answer: Any) -> tuple[int, str]:
    return answer.next_seq, answer.directive


@pytest.fixture
def office(db: None, settings: Any) -> None:
    """Two owners, data, a portal that has listened for long, and leases that lapse only when the machine says so."""
    settings.LEASE_SECONDS = HOUR.total_seconds()
    ready_dataset(make_user("ana"))
    make_user("carla")
    PortalTick.objects.create(pk=1, heard_since=Now() - 3 * HOUR, heard_at=Now())


def run_machine(*, examples: int, length: int, **more: Any) -> None:
    checks = list(HealthCheck)
    how = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=length,
        deadline=None,
        database=None,
        suppress_health_check=checks,
        phases=[hypothesis.Phase.generate],  # to shorten a failing sequence takes minutes: it is printed as it is
        **more,
    )
    run_state_machine_as_test(QueueMachine, settings=how)


@pytest.fixture(params=["one statement", "steps"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims as PostgreSQL makes them when they are plain, or always in steps as on SQLite."""
    if request.param == "steps":
        monkeypatch.setattr(claims, "claim_plainly", lambda *_: refuse_plain())


def refuse_plain() -> None:
    raise NotPlain


def test_any_order_of_calls_leaves_what_the_model_says(office: None, way: None) -> None:
    """I1, I2, I3, I4, R1 to R8: the same sequences each time."""
    run_machine(examples=30, length=30, derandomize=True)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_many_orders_of_calls_leave_what_the_model_says(office: None, way: None) -> None:
    """I1, I2, I3, I4, R1 to R8: other sequences each time; a failure prints its calls."""
    run_machine(examples=100, length=50)
