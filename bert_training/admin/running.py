"""Workers with the job that each runs, in one query more whatever their number."""

from django.db.models import Prefetch, QuerySet

from bert_training.contract.enums import JobStatus
from bert_training.models import Job, Worker

ATTRIBUTE = "running_jobs"


def with_running_job(workers: QuerySet[Worker]) -> QuerySet[Worker]:
    """Fetch the running job of each worker along with it."""
    running = Job.objects.filter(status=JobStatus.RUNNING).select_related("run")
    return workers.prefetch_related(Prefetch("jobs", queryset=running, to_attr=ATTRIBUTE))


def running_job(worker: Worker) -> Job | None:
    """Return the job that with_running_job found; a worker runs one at most."""
    jobs: list[Job] = getattr(worker, ATTRIBUTE, [])
    return jobs[0] if jobs else None
