"""Stores many jobs at once for benchmarks, as rows that can exist: run, job, and an attempt where it has begun."""

from collections.abc import Sequence
from typing import Any

from bert_training.contract.enums import Outcome
from bert_training.models import Dataset, Job, JobAttempt, Run
from tests.personas import BASE_MODEL


def store_jobs(dataset: Dataset, name: str, states: Sequence[dict[str, Any]]) -> None:
    """Store runs of one name with their jobs in these states and the attempts that belong to them."""
    shared = {"owner": dataset.owner, "dataset": dataset, "task": dataset.task, "hyperparameters": {"epochs": 2}}
    mirrored = ("status", "started_at", "finished_at")
    runs = Run.objects.bulk_create(
        Run(name=name, base_model=BASE_MODEL, **shared, **{key: state[key] for key in mirrored if key in state})
        for state in states
    )
    jobs = Job.objects.bulk_create(
        Job(run=run, task=run.task, **state) for run, state in zip(runs, states, strict=True)
    )
    JobAttempt.objects.bulk_create(
        JobAttempt(
            job=job,
            number=1,
            worker=state["worker"],
            started_at=state["started_at"],
            ended_at=state.get("finished_at"),
            outcome=Outcome(job.status).value,
        )
        for job, state in zip(jobs, states, strict=True)
        if job.attempt
    )
