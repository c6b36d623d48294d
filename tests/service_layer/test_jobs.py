"""The queue: claim, progress, complete, cancel, release; attempts fence, leases only decide who may take."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db.models.functions import Now
from django.utils import timezone

from bert_training.contract.enums import Directive, ErrorCode, JobStatus, Outcome, Phase, Reason, WorkerState
from bert_training.contract.messages import (
    ClassFigures,
    CompleteRequest,
    FailureReport,
    HeartbeatRequest,
    ProgressRequest,
    Reproducibility,
    Result,
)
from bert_training.contract.streams import LogBatch, LogLine
from bert_training.models import Job, PortalTick, Run, Worker
from bert_training.services.claims import claim_job
from bert_training.services.errors import AlreadyFinished, ProtocolError, ServiceError
from bert_training.services.jobs import cancel_job, complete_job, finish_job, report_progress, requeue
from bert_training.services.leases import expire_leases
from bert_training.services.telemetry import append_logs
from bert_training.services.tokens import rotate_worker_token
from bert_training.services.workers import record_heartbeat, set_worker_active
from tests.personas import claim, claim_request, make_run, make_worker

RESULT = Result(
    metrics={"f1_macro": 0.8, "auc_roc": None},
    model_fingerprint="a" * 64,
    best_step=3,
    classes=[ClassFigures(name="saúde", precision=0.7, recall=0.9, f1=0.8, support=10)],
)


class Clock:
    """Moves what the database remembers into the past: the same as time passing, without waiting."""

    def lapse(self, job: Job) -> None:
        Job.objects.filter(pk=job.pk).update(lease_until=Now() - self._hours(1))

    def listened_for_long(self) -> None:
        self._tick(heard_since=Now() - self._hours(1))

    def was_deaf(self) -> None:
        self._tick(heard_at=Now() - self._hours(1))

    def _tick(self, **fields: Any) -> None:
        PortalTick.objects.filter(pk=1).update(**fields)

    @staticmethod
    def _hours(hours: int) -> timedelta:
        return timedelta(hours=hours)


@pytest.fixture
def portal_clock() -> Clock:
    return Clock()


def progress(**changes: Any) -> ProgressRequest:
    fields: dict[str, Any] = {
        "attempt": 1,
        "phase": Phase.TRAINING,
        "epoch": 1,
        "step": 5,
        "total_steps": 20,
        **changes,
    }
    return ProgressRequest(**fields)


def completion(outcome: Outcome = Outcome.COMPLETED, **changes: Any) -> CompleteRequest:
    result = RESULT if outcome is Outcome.COMPLETED else None
    fields: dict[str, Any] = {"attempt": 1, "outcome": outcome, "log_seq": 0, "metric_seq": 0, "result": result}
    return CompleteRequest(**{**fields, **changes})


def lose(job: Job) -> None:
    """Let the lease lapse as the tick would."""
    job.refresh_from_db()
    requeue(job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)


def test_a_claim_gives_everything_that_training_needs(run: Run, worker: Worker) -> None:
    claimed = claim(worker)
    run.refresh_from_db()
    assert (claimed.run_id, claimed.attempt, claimed.held) == (run.pk, 1, False)
    assert claimed.hyperparameters["epochs"] == 2
    assert claimed.dataset.table_sha256 == run.dataset.table_sha256
    assert claimed.split_digest == run.split_digest
    assert (run.status, run.started_at is not None) == ("running", True)


def test_shares_that_nobody_named_are_not_sent_to_workers_that_may_not_know_them(ana: User, worker: Worker) -> None:
    make_run(ana, hyperparameters={"test_split": 0.2})
    for _first_and_held in range(2):
        claimed = claim(worker).hyperparameters
        assert (claimed["test_split"], claimed["max_steps"]) == (0.2, None)
        assert "validation_split" not in claimed


def test_a_repeated_claim_returns_the_job_that_is_held(run: Run, worker: Worker) -> None:
    first, second = claim(worker), claim(worker)
    assert (second.job_id, second.attempt, second.held) == (first.job_id, first.attempt, True)


def test_a_restarted_worker_takes_its_job_up_as_a_new_attempt(running_job: Job, worker: Worker) -> None:
    again = claim(worker, instance="machine-1:2")
    outcomes = list(running_job.attempts.order_by("number").values_list("outcome", "reason"))
    assert (again.attempt, again.held) == (2, True)
    assert outcomes == [("lost", "worker_restarted"), ("running", "")]


def test_an_echo_of_an_older_start_is_refused(running_job: Job, worker: Worker) -> None:
    claim(worker, instance="machine-1:7")
    with pytest.raises(ProtocolError) as refusal:
        claim(worker, instance="machine-1:6")
    assert refusal.value.code == ErrorCode.INSTANCE_CONFLICT


def test_a_copied_token_on_another_machine_is_refused_while_the_owner_is_fresh(
    running_job: Job, worker: Worker
) -> None:
    with pytest.raises(ProtocolError) as refusal:
        claim(worker, instance="machine-2:1")
    assert refusal.value.code == ErrorCode.INSTANCE_CONFLICT


def test_a_new_machine_is_let_in_at_once_when_the_one_before_said_that_it_ends(
    running_job: Job, worker: Worker
) -> None:
    complete_job(worker, running_job.pk, completion(Outcome.RELEASED))
    record_heartbeat(
        worker, HeartbeatRequest(instance="machine-1:1", state=WorkerState.STOPPED, sent_at=timezone.now())
    )
    assert claim(worker, instance="machine-2:1").attempt == 2


def test_a_worker_that_was_stopped_and_asks_for_work_again_is_idle(worker: Worker) -> None:
    Worker.objects.update(state=WorkerState.STOPPED, instance="machine-1:1")
    assert claim_job(worker, claim_request()) is None
    assert Worker.objects.get(pk=worker.pk).state == "idle"


def test_a_second_machine_that_waits_does_not_keep_the_first_one_fresh(running_job: Job, worker: Worker) -> None:
    Worker.objects.update(last_seen_at=Now() - timedelta(hours=1))
    beat = HeartbeatRequest(instance="machine-2:1", state=WorkerState.IDLE, sent_at=timezone.now())
    record_heartbeat(worker, beat)
    assert claim(worker, instance="machine-2:1").held


def test_an_empty_queue_gives_nothing(worker: Worker) -> None:
    assert claim_job(worker, claim_request()) is None


def test_two_workers_never_get_the_same_job(run: Run, worker: Worker, other_worker: Worker) -> None:
    claim(worker)
    assert claim_job(other_worker, claim_request(instance="machine-2:1")) is None


def test_simulations_and_trainings_never_mix(ana: User, worker: Worker, other_worker: Worker) -> None:
    simulated, real = make_run(ana, simulate=True), make_run(ana)
    assert claim(worker, simulate=True).run_id == simulated.pk
    assert claim(other_worker, instance="machine-2:1").run_id == real.pk


def test_a_worker_gets_only_tasks_that_it_can_do(run: Run, worker: Worker) -> None:
    assert claim_job(worker, claim_request(tasks=["token-classification"])) is None


def test_a_worker_of_a_team_takes_only_that_teams_jobs(ana: User, carla: User, team: Group) -> None:
    foreign, own = make_run(carla), make_run(ana)
    bound = make_worker("team-gpu", team=team)
    assert claim(bound).run_id == own.pk
    assert foreign.status == JobStatus.QUEUED


def test_owners_take_turns(ana: User, carla: User, worker: Worker) -> None:
    first, second = make_run(ana, name="a1"), make_run(ana, name="a2")
    third = make_run(carla, name="c1")
    order = list(Job.objects.in_queue_order().values_list("run_id", flat=True))
    assert order == [first.pk, third.pk, second.pk]


def test_progress_is_noted_and_never_goes_back(running_job: Job, worker: Worker) -> None:
    report_progress(worker, running_job.pk, progress(step=8))
    report_progress(worker, running_job.pk, progress(step=5))
    running_job.refresh_from_db()
    assert (running_job.step, running_job.total_steps, running_job.phase) == (8, 20, "training")


def test_progress_beyond_the_end_is_clamped(running_job: Job, worker: Worker) -> None:
    report_progress(worker, running_job.pk, progress(step=99, epoch=7))
    running_job.refresh_from_db()
    assert (running_job.step, running_job.epoch) == (20, 2)


def test_the_machine_that_trains_says_how_to_reproduce(running_job: Job, worker: Worker) -> None:
    facts = Reproducibility(
        code_commit="abc", environment_fingerprint="e", base_model_revision="0.1.0", split_digest="d", device="cpu"
    )
    report_progress(worker, running_job.pk, progress(reproducibility=facts))
    running_job.run.refresh_from_db()
    assert running_job.run.reproducibility["base_model_revision"] == "0.1.0"


def test_completion_stores_the_result_and_frees_the_worker(running_job: Job, worker: Worker, ana: User) -> None:
    answer = complete_job(worker, running_job.pk, completion())
    run = Run.objects.get(pk=running_job.run_id)
    assert (answer.status, run.status, run.model_fingerprint) == ("completed", "completed", "a" * 64)
    assert run.result is not None
    assert run.result["metrics"]["f1_macro"] == 0.8
    make_run(ana, run.dataset)
    assert claim(worker).held is False


def test_completion_repeated_is_answered_the_same(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion())
    assert complete_job(worker, running_job.pk, completion()).status == "completed"


def test_a_release_repeated_is_answered_the_same_although_another_has_the_job_now(
    running_job: Job, worker: Worker, other_worker: Worker
) -> None:
    complete_job(worker, running_job.pk, completion(Outcome.RELEASED))
    assert claim(other_worker, instance="machine-2:1").attempt == 2
    assert complete_job(worker, running_job.pk, completion(Outcome.RELEASED)).status == "running"
    assert Job.objects.get(pk=running_job.pk).worker == other_worker


def test_another_end_than_the_stored_one_is_refused(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion())
    with pytest.raises(ProtocolError) as refusal:
        complete_job(worker, running_job.pk, completion(Outcome.FAILED))
    assert (refusal.value.code, refusal.value.extra) == (ErrorCode.ALREADY_FINISHED, {"status": "completed"})


def test_an_end_waits_for_the_whole_log(running_job: Job, worker: Worker) -> None:
    line = LogLine(ts="2026-11-20T10:00:00+00:00", level="INFO", message="um")
    append_logs(worker, LogBatch(job_id=running_job.pk, attempt=1, first_seq=1, lines=[line]))
    with pytest.raises(ProtocolError) as refusal:
        complete_job(worker, running_job.pk, completion(log_seq=2))
    assert refusal.value.code == ErrorCode.STREAM_INCOMPLETE
    assert refusal.value.extra == {"log_seq": 1, "metric_seq": 0, "prediction_seq": 0}


def test_a_failure_keeps_its_reason(running_job: Job, worker: Worker) -> None:
    error = FailureReport(code="gpu_out_of_memory", message="CUDA out of memory")
    complete_job(worker, running_job.pk, completion(Outcome.FAILED, error=error))
    run = Run.objects.get(pk=running_job.run_id)
    assert (run.status, run.error_code, run.error_message) == ("failed", "gpu_out_of_memory", "CUDA out of memory")


def test_an_unknown_reason_is_a_crash(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion(Outcome.FAILED, error=FailureReport(code="whatever")))
    assert Run.objects.get(pk=running_job.run_id).error_code == "crashed"


def test_a_released_job_goes_back_into_the_queue(running_job: Job, worker: Worker, other_worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion(Outcome.RELEASED))
    assert claim(other_worker, instance="machine-2:1").attempt == 2


def test_a_worker_that_never_held_a_job_learns_nothing_of_it(running_job: Job, other_worker: Worker) -> None:
    with pytest.raises(ProtocolError) as refusal:
        complete_job(other_worker, running_job.pk, completion())
    assert (refusal.value.code, refusal.value.http_status) == (ErrorCode.NOT_FOUND, 404)


def test_a_worker_whose_job_was_taken_changes_nothing(running_job: Job, worker: Worker, other_worker: Worker) -> None:
    lose(running_job)
    claim(other_worker, instance="machine-2:1")
    for call in (
        lambda: report_progress(worker, running_job.pk, progress()),
        lambda: complete_job(worker, running_job.pk, completion()),
    ):
        with pytest.raises(ProtocolError) as refusal:
            call()
        assert (refusal.value.code, refusal.value.extra) == (ErrorCode.LEASE_LOST, {"attempt": 2})


def test_a_lost_job_that_nobody_took_is_given_back(running_job: Job, worker: Worker) -> None:
    lose(running_job)
    report_progress(worker, running_job.pk, progress())
    running_job.refresh_from_db()
    attempt = running_job.attempts.get()
    assert (running_job.status, attempt.outcome, attempt.ended_at) == ("running", "running", None)


def test_a_released_job_is_not_given_back(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion(Outcome.RELEASED))
    with pytest.raises(ProtocolError) as refusal:
        report_progress(worker, running_job.pk, progress())
    assert refusal.value.code == ErrorCode.LEASE_LOST


def test_three_losses_without_a_checkpoint_end_the_run(run: Run, worker: Worker) -> None:
    for number in (1, 2, 3):
        job = Job.objects.get(pk=claim(worker).job_id)
        report_progress(worker, job.pk, progress(attempt=number))
        lose(job)
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "worker_lost")


def test_a_lost_job_with_a_checkpoint_waits_for_its_worker(
    running_job: Job, worker: Worker, other_worker: Worker
) -> None:
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    lose(running_job)
    assert claim_job(other_worker, claim_request(instance="machine-2:1")) is None
    assert claim(worker).attempt == 2


def test_cancel_in_the_queue_is_immediate(run: Run) -> None:
    cancel_job(run.job.pk)
    run.refresh_from_db()
    assert (run.status, run.finished_at is not None) == ("canceled", True)


def test_cancel_of_a_running_job_reaches_the_worker(running_job: Job, worker: Worker) -> None:
    cancel_job(running_job.pk)
    assert report_progress(worker, running_job.pk, progress()).directive == Directive.CANCEL
    complete_job(worker, running_job.pk, completion(Outcome.CANCELED))
    assert Run.objects.get(pk=running_job.run_id).status == "canceled"


def test_a_canceled_job_whose_worker_is_gone_ends_canceled(running_job: Job) -> None:
    cancel_job(running_job.pk)
    lose(running_job)
    assert Run.objects.get(pk=running_job.run_id).status == "canceled"


def test_cancel_after_the_end_is_refused(running_job: Job, worker: Worker) -> None:
    complete_job(worker, running_job.pk, completion())
    with pytest.raises(AlreadyFinished) as refusal:
        cancel_job(running_job.pk)
    assert refusal.value.extra == {"status": "completed"}


def test_finish_now_reaches_the_worker(running_job: Job, worker: Worker) -> None:
    finish_job(running_job.pk)
    assert report_progress(worker, running_job.pk, progress()).directive == Directive.FINISH


def test_what_has_not_begun_cannot_be_finished(run: Run) -> None:
    with pytest.raises(ServiceError) as refusal:
        finish_job(run.job.pk)
    assert refusal.value.code == ErrorCode.NOT_RUNNING


@pytest.mark.parametrize("instance", ["machine-1:1", "machine-1:2"], ids=["taken back", "restarted"])
def test_finish_now_is_not_asked_of_a_network_that_has_learned_nothing(
    running_job: Job, worker: Worker, instance: str
) -> None:
    finish_job(running_job.pk)
    if instance == "machine-1:1":
        lose(running_job)
    again = claim(worker, instance=instance)
    assert again.attempt == 2
    assert report_progress(worker, running_job.pk, progress(attempt=2)).directive == Directive.CONTINUE


def test_a_run_that_brings_its_pc_down_is_ended_although_the_pc_comes_back(run: Run, worker: Worker) -> None:
    for number in (1, 2, 3):
        claimed = claim(worker, instance=f"machine-1:{number}")
        report_progress(worker, claimed.job_id, progress(attempt=number))
    assert claim_job(worker, claim_request(instance="machine-1:4")) is None
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "worker_lost")


def test_another_worker_does_not_inherit_a_checkpoint(running_job: Job, worker: Worker, other_worker: Worker) -> None:
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    lose(running_job)
    Job.objects.update(hold_until=Now())
    second = claim(other_worker, instance="machine-2:1")
    assert second.resume_checkpoint_step == 0
    lose(running_job)
    running_job.refresh_from_db()
    assert running_job.hold_worker is None


@pytest.mark.parametrize("instance", ["m:²", "m:" + "9" * 30, "no number", ":", ""])
def test_an_odd_instance_is_a_machine_like_any_other(run: Run, worker: Worker, instance: str) -> None:
    assert claim(worker, instance=instance).attempt == 1


def test_a_new_token_ends_a_conflict(running_job: Job, worker: Worker) -> None:
    rotate_worker_token(worker)
    assert claim(worker, instance="machine-2:1").held


def test_a_claim_makes_the_worker_busy_at_once(running_job: Job, worker: Worker) -> None:
    worker.refresh_from_db()
    assert worker.state == "busy"
    complete_job(worker, running_job.pk, completion())
    worker.refresh_from_db()
    assert worker.state == "idle"


def test_one_job_that_resists_does_not_keep_the_others_from_being_taken_back(
    ana: User, worker: Worker, other_worker: Worker, portal_clock: Clock
) -> None:
    make_run(ana)
    make_run(ana)
    broken = Job.objects.get(pk=claim(worker).job_id)
    sound = Job.objects.get(pk=claim(other_worker, instance="machine-2:1").job_id)
    broken.attempts.all().delete()
    for job in (broken, sound):
        portal_clock.lapse(job)
    expire_leases()
    portal_clock.listened_for_long()
    assert expire_leases() == 1
    sound.refresh_from_db()
    assert sound.status == "queued"


def test_a_draining_worker_finishes_and_claims_no_more(running_job: Job, worker: Worker, ana: User) -> None:
    Worker.objects.update(draining=True)
    assert report_progress(worker, running_job.pk, progress()).directive == Directive.DRAIN
    complete_job(worker, running_job.pk, completion())
    make_run(ana, running_job.run.dataset)
    assert claim_job(worker, claim_request()) is None


def test_deactivating_a_worker_offers_its_job_to_others(running_job: Job, worker: Worker, other_worker: Worker) -> None:
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    set_worker_active(worker, active=False)
    assert running_job.attempts.get().reason == "worker_inactive"
    assert claim(other_worker, instance="machine-2:1").attempt == 2


def test_a_call_that_was_under_way_when_its_worker_was_switched_off_changes_nothing(
    running_job: Job, worker: Worker
) -> None:
    """F-47: such a call had passed the door, waited for the lock, and then revived the job for the dead worker."""
    report_progress(worker, running_job.pk, progress(checkpoint_step=4))
    set_worker_active(worker, active=False)
    beat = HeartbeatRequest(
        instance="machine-1:1", state=WorkerState.BUSY, sent_at=timezone.now(), job_id=running_job.pk, attempt=1
    )
    for call in (
        lambda: report_progress(worker, running_job.pk, progress(step=6)),
        lambda: record_heartbeat(worker, beat),
        lambda: complete_job(worker, running_job.pk, completion()),
        lambda: claim_job(worker, claim_request()),
    ):
        with pytest.raises(ServiceError) as refusal:
            call()
        assert (refusal.value.code, refusal.value.http_status) == (ErrorCode.WORKER_INACTIVE, 403)
    running_job.refresh_from_db()
    assert (running_job.status, running_job.hold_worker, running_job.attempts.get().outcome) == ("queued", None, "lost")


def test_a_lapsed_lease_is_taken_back_only_after_the_portal_has_listened(running_job: Job, portal_clock: Clock) -> None:
    portal_clock.lapse(running_job)
    assert expire_leases() == 0  # the portal has only just begun to listen
    portal_clock.listened_for_long()
    assert expire_leases() == 1
    running_job.refresh_from_db()
    assert (running_job.status, running_job.attempts.get().reason) == ("queued", "lease_expired")


def test_a_deaf_portal_blames_nobody(running_job: Job, portal_clock: Clock) -> None:
    expire_leases()
    portal_clock.listened_for_long()
    portal_clock.was_deaf()
    portal_clock.lapse(running_job)
    assert expire_leases() == 0
