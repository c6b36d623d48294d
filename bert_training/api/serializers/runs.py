"""Runs: what the API shows of one, with its job, progress, attempts and result."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bert_training.api.serializers.access import DetailFields, seen_origin
from bert_training.api.serializers.fields import UtcField
from bert_training.contract.messages import Result
from bert_training.models import Dataset, Run
from bert_training.services.run_state import attempt_states, error_of, progress_of, silent_sentence

# What RunSerializer reads; with these loaded the number of queries does not grow with the runs.
RUN_RELATED = ("owner", "dataset", "job", "job__worker", "split_manifest")
RUN_DEFERRED = ("split_manifest__letters",)  # 26 kB for 132,373 rows, which nobody is shown
RUN_PREFETCHED = ("job__attempts__worker", "tags")


class RunDatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset as a run names it."""

    class Meta:
        model = Dataset
        fields = ("id", "name", "sha256")
        read_only_fields = fields


class JobSerializer(serializers.Serializer[Any]):
    """The queue entry of a run."""

    id = serializers.IntegerField()
    status = serializers.CharField()
    attempt = serializers.IntegerField()
    priority = serializers.IntegerField()
    worker = serializers.CharField(allow_null=True)


class ProgressSerializer(serializers.Serializer[Any]):
    """Where the current attempt is."""

    phase = serializers.CharField(allow_blank=True)
    phase_label = serializers.CharField(allow_blank=True)
    epoch = serializers.IntegerField()
    step = serializers.IntegerField()
    total_steps = serializers.IntegerField()
    fraction = serializers.FloatField()
    log_lines = serializers.IntegerField()
    stopped_early = serializers.BooleanField(help_text="Its training ended before the last step: nothing got better.")
    eta_seconds = serializers.FloatField(allow_null=True)


class AttemptPhaseSerializer(serializers.Serializer[Any]):
    """How long a phase of an attempt has taken so far, in all."""

    phase = serializers.CharField()
    seconds = serializers.FloatField()
    text = serializers.CharField()


class AttemptSerializer(serializers.Serializer[Any]):
    """One try of the job by one worker."""

    number = serializers.IntegerField()
    worker = serializers.CharField()
    started_at = serializers.CharField()
    ended_at = serializers.CharField(allow_null=True)
    outcome = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    resumed_from_step = serializers.IntegerField(allow_null=True)
    phases = AttemptPhaseSerializer(many=True)
    origin = serializers.CharField(allow_blank=True)


class RunErrorSerializer(serializers.Serializer[Any]):
    """Why a run ended badly, and what can be done."""

    code = serializers.CharField()
    message = serializers.CharField()
    advice = serializers.CharField(allow_blank=True)


class RunReproducibilitySerializer(serializers.Serializer[Any]):
    """What makes the figures of a run again; measured on the worker where it trains, empty before that."""

    dataset_sha256 = serializers.CharField()
    code_commit = serializers.CharField(allow_blank=True)
    environment_fingerprint = serializers.CharField(allow_blank=True)
    base_model_revision = serializers.CharField(allow_blank=True)
    device = serializers.CharField(allow_blank=True)
    python = serializers.CharField(allow_blank=True)
    precision = serializers.CharField(allow_blank=True)
    threads = serializers.IntegerField(help_text="0: not stated")
    table_sha256 = serializers.CharField(allow_blank=True, help_text="Of the table that the worker has read.")
    seed = serializers.IntegerField(allow_null=True)
    split_digest = serializers.CharField(allow_blank=True)


class RunSplitSerializer(serializers.Serializer[Any]):
    """How the rows were divided, and what keeping copies and groups on one side did to it."""

    source = serializers.CharField(  # type: ignore[assignment]  # the API's name, here a field like others
        help_text="shares, files (the user's own), manifest (the user's own) or folds (of a repeat)"
    )
    protection = serializers.CharField(help_text="near: near-duplicates stay together; exact: only equal texts do")
    groups = serializers.IntegerField(help_text="Groups of several rows that stay together.")
    moved = serializers.IntegerField(help_text="Rows that are in another split than without protection.")
    left_out = serializers.IntegerField(help_text="Rows of the user's own split that are in none, for they would leak.")
    rows = serializers.DictField(child=serializers.IntegerField())


@extend_schema_field(Result)  # type: ignore[arg-type]  # api.schema describes messages too
class ResultField(serializers.DictField):
    """The result as the worker reported it; one of an older worker has no comparison of long texts."""

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Add what came later. The figures were judged on receipt."""
        return {"long_text": None, **value}


class RunSerializer(serializers.Serializer[Any]):
    """A run with its job, progress, result and history. Needs RUN_RELATED and RUN_PREFETCHED, and `context_of`."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.CharField()
    task = serializers.CharField()
    simulate = serializers.BooleanField()
    dataset = RunDatasetSerializer()
    base_model = serializers.CharField()
    hyperparameters = serializers.DictField()
    job = JobSerializer()
    progress = ProgressSerializer()
    canceling = serializers.BooleanField()
    silent = serializers.BooleanField()
    silent_label = serializers.CharField(allow_blank=True)
    result = ResultField(allow_null=True)
    headline_metric = serializers.CharField(allow_blank=True, help_text="The figure that picked the network.")
    headline_value = serializers.FloatField(allow_null=True)
    verdict = serializers.CharField(allow_blank=True, help_text="use, use_with_review, do_not_use; empty: no proof")
    duration_seconds = serializers.IntegerField(help_text="From its first start to its end; 0 until then.")
    tags = serializers.ListField(child=serializers.CharField())
    notes = serializers.CharField(allow_blank=True)
    archived_at = UtcField(allow_null=True)
    split = RunSplitSerializer(allow_null=True)
    reproducibility = RunReproducibilitySerializer()
    model_fingerprint = serializers.CharField(allow_blank=True)
    reproduced_from = serializers.IntegerField(allow_null=True, help_text="null: none, or one the caller may not see.")
    repeat_of = serializers.IntegerField(allow_null=True, help_text="The run that this one repeats, as one of several.")
    repeat_kind = serializers.CharField(allow_blank=True, help_text="fold, seed, or empty: no repeat")
    repeat_number = serializers.IntegerField(help_text="From 1; 0 = no repeat.")
    initial_run = serializers.IntegerField(allow_null=True, help_text="Whose model it begins from, if that is seen.")
    initial_fingerprint = serializers.CharField(allow_blank=True)
    attempts = AttemptSerializer(many=True)
    error = RunErrorSerializer(allow_null=True)
    owner = serializers.CharField()
    created_at = UtcField()
    started_at = UtcField(allow_null=True)
    finished_at = UtcField(allow_null=True)

    def to_representation(self, run: Run) -> dict[str, Any]:
        """Collect what the fields above name."""
        origins = {
            "reproduced_from": seen_origin(self.context, run.reproduced_from_id),
            "initial_run": seen_origin(self.context, run.initial_run_id),
        }
        shown: dict[str, Any] = super().to_representation(_facts_of(run) | origins)
        return shown


class RunDetailSerializer(DetailFields, RunSerializer):
    """A run by itself. Needs `context_of_one`."""


def _facts_of(run: Run) -> dict[str, Any]:
    job = run.job
    attempts = sorted(job.attempts.all(), key=lambda attempt: attempt.number)
    own = ("id", "name", "status", "task", "simulate", "dataset", "base_model", "hyperparameters", "result")
    times = ("created_at", "started_at", "finished_at")
    listed = ("headline_metric", "headline_value", "verdict", "duration_seconds", "notes", "archived_at")
    return {name: getattr(run, name) for name in (*own, *times, *listed, "model_fingerprint")} | {
        "tags": [tag.name for tag in run.tags.all()],
        "job": {
            "id": job.pk,
            "status": job.status,
            "attempt": job.attempt,
            "priority": job.priority,
            "worker": job.worker.name if job.worker else None,
        },
        "progress": progress_of(job, attempts[-1] if attempts else None),
        "canceling": job.is_canceling,
        "silent": job.silent_since is not None,
        "silent_label": silent_sentence(job),
        "split": run.split_manifest.facts or None if hasattr(run, "split_manifest") else None,
        "reproducibility": _reproducibility_of(run),
        "repeat_of": run.repeat_of_id,
        "repeat_kind": run.repeat_kind,
        "repeat_number": run.repeat_number,
        "initial_fingerprint": run.initial_fingerprint,
        "attempts": attempt_states(attempts),
        "error": error_of(run),
        "owner": run.owner.get_username(),
    }


def _reproducibility_of(run: Run) -> dict[str, Any]:
    measured: dict[str, Any] = run.reproducibility or {}
    names = ("code_commit", "environment_fingerprint", "device", "python", "precision", "table_sha256")
    return {name: measured.get(name, "") for name in names} | {
        "threads": measured.get("threads", 0),
        "dataset_sha256": run.dataset.sha256,
        "base_model_revision": measured.get("base_model_revision") or run.base_model_revision,
        "seed": run.hyperparameters.get("seed"),
        "split_digest": run.split_digest,
    }
