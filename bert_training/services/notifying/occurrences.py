"""Notes what people may be told about, in the transaction of the change itself: two inserts, so nobody waits for mail.

What is noted is announced once, whatever happens in between; noting the same again changes nothing.
"""

from django_q.tasks import async_task

from bert_training.contract.enums import JobStatus, NoticeKind
from bert_training.models import Dataset, Occurrence, Run, Worker

ANNOUNCE_FUNCTION = "bert_training.background.announce"

_OF_STATUS = {
    JobStatus.COMPLETED: NoticeKind.RUN_COMPLETED,
    JobStatus.FAILED: NoticeKind.RUN_FAILED,
    JobStatus.CANCELED: NoticeKind.RUN_CANCELED,
}


def note_run_ended(run_id: int, status: JobStatus) -> None:
    """Note that a run has ended; one whose proof is being made is noted once that is settled."""
    _note(_OF_STATUS[status], f"run-ended:{run_id}", run_id=run_id)


def note_repeats_ended(run: Run, kind: str, *, count: int) -> None:
    """Note that all repeats of a kind of a run have ended; with more of them later they end once more."""
    _note(NoticeKind.REPEATS_ENDED, f"repeats-ended:{run.pk}:{kind}:{count}", run_id=run.pk)


def note_dataset_checked(dataset: Dataset) -> None:
    """Note that the check in the background of a large upload is over."""
    kind = NoticeKind.DATASET_READY if dataset.is_ready else NoticeKind.DATASET_REFUSED
    _note(kind, f"dataset-checked:{dataset.pk}", dataset_id=dataset.pk)


def note_of_house(kind: NoticeKind, key: str, *, worker: Worker | None = None, number: int | None = None) -> None:
    """Note what operators or staff should look at."""
    _note(kind, key, worker=worker, number=number)


def _note(kind: NoticeKind, key: str, **about: object) -> None:
    Occurrence.objects.bulk_create([Occurrence(kind=kind.value, key=key, **about)], ignore_conflicts=True)
    async_task(ANNOUNCE_FUNCTION, key)
