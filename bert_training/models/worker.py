"""A PC that trains: who it is, when it was last heard of, what it said about itself."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bert_training.contract.enums import Directive, Feature, WorkerState
from bert_training.contract.limits import CLOCK_SKEW_WARNING_SECONDS
from bert_training.models.choices import worker_state_choices

# Three heartbeats of 15 s are missing, the lease of 60 s still runs: a page that asks every 5 s says it in the minute.
SILENT_AFTER_LEASES = 5 / 6


def silence_limit() -> timedelta:
    """Return after which silence a worker, or a job, is called silent."""
    return timedelta(seconds=SILENT_AFTER_LEASES * settings.LEASE_SECONDS)


START_NUMBER_DIGITS = 15


def split_instance(instance: str) -> tuple[str, int]:
    """Return the computer and the number of the start of an instance (machine:start number)."""
    machine, _separator, start = instance.rpartition(":")
    is_number = start.isascii() and start.isdecimal() and len(start) <= START_NUMBER_DIGITS
    return (machine, int(start)) if is_number else (instance, 0)


def machine_of(instance: str) -> str:
    """Return the computer of an instance; empty when it told none."""
    return split_instance(instance)[0]


class WorkerQuerySet(models.QuerySet["Worker"]):
    """Sets of workers."""

    def fresh(self) -> "WorkerQuerySet":
        """Return those heard of within a lease, by the database's clock, which did not say that they end."""
        since = Now() - timedelta(seconds=settings.LEASE_SECONDS)
        return self.filter(last_seen_at__gt=since).exclude(state=WorkerState.STOPPED)


class Worker(models.Model):
    """Its token lives in AccessToken; a deactivated worker gets 403 on every call."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True, max_length=1000)
    active = models.BooleanField(_("active"), default=True)
    draining = models.BooleanField(
        _("draining"), default=False, help_text=_("Finishes its job, then claims no more until this is switched off.")
    )
    # Since when it shall rest: its job goes back to the queue at the next checkpoint. It drains as long.
    paused_at = models.DateTimeField(_("paused since"), null=True, blank=True)
    # When it may claim: windows of the week (services/worker_hours.py); empty = always.
    hours = models.JSONField(_("hours"), default=list, db_default=[], blank=True)
    # A worker bound to a team takes only jobs of that team's people; empty = everybody's.
    team = models.ForeignKey(
        "bert_training.Team",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="workers",
        verbose_name=_("team"),
    )
    state = models.CharField(_("state"), max_length=20, choices=worker_state_choices, default=WorkerState.IDLE.value)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    instance = models.CharField(max_length=200, blank=True)  # <machine_id>:<start number>
    hardware = models.JSONField(_("hardware"), default=dict, blank=True)
    versions = models.JSONField(_("versions"), default=dict, blank=True)
    tasks = models.JSONField(_("tasks"), default=list, blank=True)
    features = models.JSONField(_("features"), default=list, db_default=[], blank=True)  # contract.enums.Feature
    simulates = models.BooleanField(_("simulates"), default=False, db_default=False)  # --dry-run, at its last claim
    clock_skew_seconds = models.FloatField(_("clock skew (seconds)"), default=0)
    created_at = models.DateTimeField(_("registered"), auto_now_add=True)
    # Stands for the PC that trained the example: it never calls, and no list of computers shows it.
    is_example = models.BooleanField(_("example"), default=False, db_default=False, editable=False)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        db_table = "bert_workers"
        ordering = ("name",)
        verbose_name = _("computer")
        verbose_name_plural = _("computers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(paused_at__isnull=True) | models.Q(draining=True), name="ck_bert_workers_paused"
            ),
            models.UniqueConstraint(
                fields=["is_example"], condition=models.Q(is_example=True), name="uq_bert_workers_example"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def seconds_since_seen(self) -> float | None:
        """Return how long ago it was heard of, None = never."""
        if self.last_seen_at is None:
            return None
        return max(0.0, (timezone.now() - self.last_seen_at).total_seconds())

    @property
    def is_online(self) -> bool:
        """Tell whether it is switched on, not silent, and did not say that it ends."""
        if not self.active or self.last_seen_at is None or self.state == WorkerState.STOPPED:
            return False
        return timezone.now() - self.last_seen_at < silence_limit()

    @property
    def machine(self) -> str:
        """Return the computer that it is known as; empty before its first claim."""
        return machine_of(self.instance)

    def can(self, feature: Feature) -> bool:
        """Tell whether its program said at its last claim that it can do this."""
        return feature.value in self.features

    def directive(self) -> Directive:
        """Return what it is answered while nothing is asked of its job itself; one too old to pause only drains."""
        if not self.draining:
            return Directive.CONTINUE
        return Directive.PAUSE if self.paused_at is not None and self.can(Feature.PAUSE) else Directive.DRAIN

    @property
    def is_clock_off(self) -> bool:
        """Tell whether the times in its log lines mislead; leases and order never depend on its clock."""
        return abs(self.clock_skew_seconds) > CLOCK_SKEW_WARNING_SECONDS
