"""The state of a run as people see it: the same words at first render, in the API and in a live frame."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bert_training.contract.enums import JobStatus, Outcome, Phase
from bert_training.models import Job, JobAttempt, Run
from bert_training.models.choices import PHASE_LABELS
from bert_training.models.reasons import explain
from bert_training.services.phases import phases_of
from bert_training.services.telemetry import iso_utc

# What run_state reads of other tables, in the query of the run itself; the proof's content is large.
RUN_STATE_RELATED = ("job", "job__worker", "proof")
RUN_STATE_DEFERRED = ("proof__content",)

# What a phase stands for on a progress bar whose whole is 1; training takes what lies between.
TRAINING_BEGINS = 0.05
TRAINING_ENDS = 0.95


def run_state(run: Run) -> dict[str, Any]:
    """Return status, progress, labels, attempts, error and proof of a run loaded with RUN_STATE_RELATED: one query."""
    job = run.job
    attempts = list(job.attempts.select_related("worker").order_by("number"))
    return {
        "status": run.status,
        "status_label": str(run.get_status_display()),
        "finished": run.is_finished,
        "canceling": job.is_canceling,
        "silent": job.silent_since is not None,
        "silent_label": silent_sentence(job),
        "worker": job.worker.name if job.worker else None,
        "progress": progress_of(job, attempts[-1] if attempts else None),
        "attempts": attempt_states(attempts),
        "error": error_of(run),
        "proof": proof_status(run),
    }


def proof_status(run: Run) -> str | None:
    """Return pending, ready or failed; None for a run that has no proof (yet)."""
    return run.proof.status if hasattr(run, "proof") else None


def silent_sentence(job: Job) -> str:
    """Say since when a running job's worker has not been heard of; empty while all is well."""
    since = job.silent_since
    return _("no sign of life since %(time)s") % {"time": f"{timezone.localtime(since):%H:%M:%S}"} if since else ""


def progress_of(job: Job, attempt: JobAttempt | None) -> dict[str, Any]:
    """Return where the job is; `eta_seconds` is None when it cannot be told."""
    fraction = fraction_done(job)
    return {
        "phase": job.phase,
        "phase_label": str(PHASE_LABELS.get(job.phase, "")),
        "epoch": job.epoch,
        "step": job.step,
        "total_steps": job.total_steps,
        "fraction": round(fraction, 4),
        "log_lines": job.log_lines,
        "stopped_early": _stopped_early(job),
        "eta_seconds": _eta_seconds(job, attempt, timezone.now()),
    }


def fraction_done(job: Job) -> float:
    """Return the share done, 0..1; training steps count from 5 % to 95 %."""
    if job.status == JobStatus.COMPLETED:
        return 1.0
    if job.phase in (Phase.EVALUATING, Phase.SAVING) and job.total_steps and job.step >= job.total_steps:
        return TRAINING_ENDS
    if job.total_steps:
        return TRAINING_BEGINS + (TRAINING_ENDS - TRAINING_BEGINS) * job.step / job.total_steps
    return 0.0


def _stopped_early(job: Job) -> bool:
    """Tell whether a completed run ended its training by itself before the last step, as nothing got better."""
    return job.status == JobStatus.COMPLETED and 0 < job.step < job.total_steps and job.finish_requested_at is None


def _eta_seconds(job: Job, attempt: JobAttempt | None, now: datetime) -> float | None:
    """Return what the worker forecasts; of one that does not, the steps of its attempt are extrapolated."""
    if job.status != JobStatus.RUNNING or attempt is None or not job.total_steps:
        return None
    if attempt.expected_end is not None:
        return round(max(0.0, (attempt.expected_end - now).total_seconds()), 1)
    done = job.step - (attempt.resumed_from_step or 0)
    if done <= 0:
        return None
    spent = (now - attempt.started_at).total_seconds()
    return round(spent / done * (job.total_steps - job.step), 1)


def attempt_states(attempts: Sequence[JobAttempt]) -> list[dict[str, Any]]:
    """Return the attempts as the API shows them; they come in the order of their numbers."""
    before: list[JobAttempt | None] = [None, *attempts]
    return [_attempt_state(attempt, previous) for attempt, previous in zip(attempts, before, strict=False)]


def _attempt_state(attempt: JobAttempt, previous: JobAttempt | None) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "worker": attempt.worker.name,
        "started_at": iso_utc(attempt.started_at),
        "ended_at": iso_utc(attempt.ended_at) if attempt.ended_at else None,
        "outcome": attempt.outcome,
        "outcome_label": str(attempt.get_outcome_display()),
        "reason": attempt.reason,
        "reason_label": str(explain(attempt.reason).sentence) if attempt.reason else "",
        "resumed_from_step": attempt.resumed_from_step,
        "phases": phases_of(attempt),
        "origin": origin_sentence(attempt, previous) if previous else "",
    }


def origin_sentence(attempt: JobAttempt, previous: JobAttempt) -> str:
    """Say how an attempt follows the one before: "attempt 1 lost, resumed at step 240"; empty until it is known."""
    step = attempt.resumed_from_step
    if step is None:
        return ""
    facts = {"number": previous.number, "step": step, "worker": previous.worker.name}
    is_lost = previous.outcome == Outcome.LOST
    if step and is_lost:
        return _("attempt %(number)s lost, resumed at step %(step)s") % facts
    if step:
        return _("attempt %(number)s handed back, resumed at step %(step)s") % facts
    if previous.checkpoint_step and previous.worker_id != attempt.worker_id:
        return _("started again from step 0: the checkpoint of attempt %(number)s stays on %(worker)s") % facts
    if is_lost:
        return _("attempt %(number)s lost, started again from step 0") % facts
    return _("attempt %(number)s handed back, started again from step 0") % facts


def error_of(run: Run) -> dict[str, str] | None:
    """Return why a run ended badly, with advice; None when it did not."""
    if not run.error_code:
        return None
    words = explain(run.error_code)
    message = run.error_message or str(words.sentence)
    return {"code": run.error_code, "message": message, "sentence": str(words.sentence), "advice": str(words.advice)}
