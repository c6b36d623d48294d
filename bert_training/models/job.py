"""The queue: one job a run, its attempts, and the only place where a job changes status.

Attempt = fencing number: grows whenever the holder process changes; a stale one changes nothing. Lease = a hint of
life in the database's time: decides only when others may take the job. (Worker protocol, sections 1-3 and 6.)
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import TERMINAL_STATUSES, Directive, Feature, JobStatus, Outcome
from bert_training.models.choices import outcome_choices, phase_choices, status_choices
from bert_training.models.run import Run
from bert_training.models.worker import Worker, silence_limit

# From which states each state may be reached. Terminal states are final.
ALLOWED_FROM: dict[JobStatus, tuple[JobStatus, ...]] = {
    JobStatus.QUEUED: (JobStatus.RUNNING,),
    JobStatus.RUNNING: (JobStatus.QUEUED,),
    JobStatus.COMPLETED: (JobStatus.RUNNING,),
    JobStatus.FAILED: (JobStatus.RUNNING,),
    JobStatus.CANCELED: (JobStatus.QUEUED, JobStatus.RUNNING),
}
TERMINAL = sorted(TERMINAL_STATUSES)


class TransitionRefused(Exception):
    """The job is not (or no longer) in a state from which this move is allowed."""


class JobQuerySet(models.QuerySet["Job"]):
    def claimable(self, *, tasks: Sequence[str], simulate: bool, team_id: int | None) -> "JobQuerySet":
        """Return what a worker may take but for the holds, best first: priority, fair turn, age."""
        jobs = self.in_queue_order().filter(simulate=simulate, task__in=tasks)
        return jobs if team_id is None else jobs.filter(run__owner__teams=team_id)

    def unbound(self) -> "JobQuerySet":
        """Return jobs that any worker can begin."""
        return self.filter(bound_to__isnull=True)

    def within_reach_of(self, worker: Worker, features: Sequence[str]) -> "JobQuerySet":
        """Return jobs that any worker can begin, and those that begin from weights that this one keeps."""
        if Feature.INITIAL_WEIGHTS not in features:
            return self.unbound()
        return self.filter(Q(bound_to__isnull=True) | Q(bound_to=worker))

    def unheld(self) -> "JobQuerySet":
        """Return jobs that wait for no worker in particular (any more)."""
        return self.filter(Q(hold_until__isnull=True) | Q(hold_until__lt=Now()))

    def lapsed(self) -> "JobQuerySet":
        """Return running jobs whose lease has run out by the database's clock."""
        return self.filter(status=JobStatus.RUNNING, lease_until__lt=Now())

    def in_queue_order(self) -> "JobQuerySet":
        """Return queued jobs as they would be handed out."""
        return self.filter(status=JobStatus.QUEUED).order_by("-priority", "turn", "id")


class Job(models.Model):
    """One queue entry. `task` and `simulate` repeat the run's, so that a claim reads one table."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="job", verbose_name=_("run"))
    task = models.CharField(_("task"), max_length=50)
    simulate = models.BooleanField(_("simulation"), default=False)
    status = models.CharField(_("status"), max_length=20, choices=status_choices, default=JobStatus.QUEUED.value)
    priority = models.IntegerField(_("priority"), default=0, help_text=_("Higher goes first."))
    turn = models.BigIntegerField(_("turn"), default=0)  # fair turns between owners within a priority
    worker = models.ForeignKey(
        Worker, null=True, blank=True, on_delete=models.PROTECT, related_name="jobs", verbose_name=_("computer")
    )
    attempt = models.IntegerField(_("attempt"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    hold_worker = models.ForeignKey(Worker, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    hold_until = models.DateTimeField(null=True, blank=True)
    # The one worker that keeps the weights to begin from: weights never travel.
    bound_to = models.ForeignKey(Worker, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    # Who asked for it: of a run that somebody else canceled its owner is told. Empty: the system did, or nobody.
    cancel_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    finish_requested_at = models.DateTimeField(_("finish requested"), null=True, blank=True)
    phase = models.CharField(_("phase"), max_length=20, choices=phase_choices, blank=True)
    epoch = models.IntegerField(_("epoch"), default=0)
    step = models.IntegerField(_("step"), default=0)
    total_steps = models.IntegerField(_("steps in all"), default=0)
    checkpoint_step = models.IntegerField(_("checkpoint at step"), default=0)
    # What the run has stored, against the limits of the contract.
    log_lines = models.IntegerField(default=0)
    log_bytes = models.BigIntegerField(default=0)
    metric_names = models.JSONField(default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    queued_at = models.DateTimeField(_("in the queue since"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        db_table = "bert_jobs"
        ordering = ("-id",)
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["status"], name="ix_bert_jobs_status"),
            models.Index(fields=["-priority", "turn", "id"], condition=Q(status="queued"), name="ix_bert_jobs_queue"),
            # For a new job's turn: an owner's last one in the queue, and the job that was claimed last.
            models.Index(fields=["-turn"], condition=Q(status="queued"), name="ix_bert_jobs_turn"),
            models.Index(fields=["-started_at"], condition=Q(attempt__gt=0), name="ix_bert_jobs_started"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["worker"], condition=Q(status="running"), name="uq_bert_jobs_one_a_worker"),
            models.CheckConstraint(
                condition=Q(status__in=TERMINAL, finished_at__isnull=False)
                | (~Q(status__in=TERMINAL) & Q(finished_at__isnull=True)),
                name="ck_bert_jobs_finished",
            ),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(worker__isnull=False, lease_until__isnull=False, attempt__gte=1),
                name="ck_bert_jobs_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def is_finished(self) -> bool:
        """Tell whether it is in a terminal state."""
        return self.status in TERMINAL_STATUSES

    @property
    def duration_seconds(self) -> int:
        """Return how long it took from its first start to its end; 0 until then, and for one that never began."""
        if self.started_at is None or self.finished_at is None:
            return 0
        return max(0, round((self.finished_at - self.started_at).total_seconds()))

    @property
    def is_canceling(self) -> bool:
        """Tell whether it still runs although a cancel was asked for: a label, not a state."""
        return self.status == JobStatus.RUNNING and self.cancel_requested_at is not None

    @property
    def silent_since(self) -> datetime | None:
        """Return the last sign of life of a running job whose worker has fallen silent: a label, not a state."""
        if self.status != JobStatus.RUNNING or self.lease_until is None:
            return None
        heard_at = self.lease_until - timedelta(seconds=settings.LEASE_SECONDS)
        return heard_at if timezone.now() - heard_at > silence_limit() else None

    @property
    def is_held(self) -> bool:
        """Tell whether it waits in the queue for the one worker that has its checkpoint."""
        is_waiting = self.status == JobStatus.QUEUED and self.hold_worker_id is not None
        return is_waiting and self.hold_until is not None and self.hold_until > timezone.now()

    def directive(self) -> Directive:
        """Return the one word that its worker is answered."""
        if self.status == JobStatus.CANCELED or self.is_canceling:
            return Directive.CANCEL
        if self.finish_requested_at is not None:
            return Directive.FINISH
        return self.worker.directive() if self.worker is not None else Directive.CONTINUE

    def transition(self, to: JobStatus, **changes: object) -> None:
        """Move to another state and mirror it in the run, by one conditional UPDATE each.

        Raises TransitionRefused when the row is not in a state from which the move is allowed.
        """
        finished = {"finished_at": Now()} if to in TERMINAL_STATUSES else {}
        moved = Job.objects.filter(pk=self.pk, status__in=ALLOWED_FROM[to]).update(
            status=to.value, **finished, **changes
        )
        if not moved:
            raise TransitionRefused(f"job {self.pk} cannot become {to.value} from {self.status}")
        self.refresh_from_db()
        mirrored = {"status": to.value, "duration_seconds": self.duration_seconds, **finished}
        Run.objects.filter(pk=self.run_id).update(**mirrored)

    def renew_lease(self) -> None:
        """Extend the lease by LEASE_SECONDS of the database's time."""
        Job.objects.filter(pk=self.pk).update(lease_until=lease_end())


def lease_end() -> models.expressions.CombinedExpression:
    """Return the end of a lease taken now, as an expression over the database's clock."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


def hold_end() -> models.expressions.CombinedExpression:
    """Return until when a job waits for the worker that has its checkpoint."""
    return Now() + timedelta(seconds=settings.AFFINITY_SECONDS)


class JobAttempt(models.Model):
    """One try of a job by one worker: the history on the run page, and the counters of its numbered streams."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts", verbose_name=_("job"))
    number = models.IntegerField(_("number"))
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="attempts", verbose_name=_("computer"))
    instance = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=outcome_choices, default=Outcome.RUNNING.value)
    reason = models.CharField(_("reason"), max_length=50, blank=True)
    message = models.TextField(_("message"), blank=True)
    resumed_from_step = models.IntegerField(_("resumed from step"), null=True, blank=True)
    last_step = models.IntegerField(_("last step"), default=0)
    checkpoint_step = models.IntegerField(default=0)
    # What it does now and since when; the seconds of phases that have ended, by phase (training and evaluating take
    # turns). Empty until the first report: it is preparing since started_at.
    phase = models.CharField(_("phase"), max_length=20, choices=phase_choices, blank=True, default="", db_default="")
    phase_since = models.DateTimeField(null=True, blank=True)
    phase_seconds = models.JSONField(default=dict, db_default={}, blank=True)
    # When the worker expects to be done at the latest, by the database's clock; empty until it has said so.
    expected_end = models.DateTimeField(null=True, blank=True)
    log_seq = models.IntegerField(default=0)
    metric_seq = models.IntegerField(default=0)
    prediction_seq = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "bert_job_attempts"
        ordering = ("job", "number")
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        indexes = [
            models.Index(fields=["worker", "-id"], name="ix_bert_job_attempts_worker"),  # a worker's last ones
            models.Index(fields=["started_at"], name="ix_bert_job_attempts_started"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="uq_bert_job_attempts_number"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(ended_at__isnull=True), name="uq_bert_job_attempts_one_live"
            ),
            models.CheckConstraint(
                condition=Q(outcome="running", ended_at__isnull=True)
                | (~Q(outcome="running") & Q(ended_at__isnull=False)),
                name="ck_bert_job_attempts_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.number}"

    def end(self, outcome: Outcome, *, reason: str = "", message: str = "") -> None:
        """Close the attempt; an attempt that has ended already stays as it is."""
        JobAttempt.objects.filter(pk=self.pk, ended_at__isnull=True).update(
            outcome=outcome.value, reason=reason, message=message, ended_at=Now()
        )


class PortalTick(models.Model):
    """One row: since when the portal has been able to hear its workers without a break (protocol section 6)."""

    heard_since = models.DateTimeField()
    heard_at = models.DateTimeField()

    class Meta:
        db_table = "bert_portal_tick"
        verbose_name = _("tick of the portal")
        verbose_name_plural = _("ticks of the portal")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="ck_bert_portal_tick_one_row")]
