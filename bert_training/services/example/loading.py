"""Brings the example run into a portal, as its own rows: nothing in it was made up, and its proof is computed here.

The division of the rows and the digest of the predictions must be those of the recording: an example of other data
than the ones beside it would teach something false.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from bert_training.contract.enums import JobStatus, Outcome, ProofStatus, Split
from bert_training.contract.messages import TokenLengths
from bert_training.models import Dataset, Job, JobAttempt, Log, Metric, Prediction, Run, RunProof, Worker
from bert_training.services.datasets import register_upload
from bert_training.services.divisions import Division, divide, store_division
from bert_training.services.example.recorded import TASK, recorded_run
from bert_training.services.profiles import make_profile, note_token_lengths
from bert_training.services.proving.proofs import make_proof, start_proof
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest
from bert_training.tasks.samples import sample_workbook

OWNER = "exemplo"
WORKER = "exemplo (gravado)"
DATASET_NAME = "Petições de exemplo"
RUN_NAME = "Exemplo: petições por assunto"
FILE_NAME = "peticoes-de-exemplo.xlsx"


class ExampleRefused(Exception):
    """The example cannot be loaded: the message says why."""


def load_example() -> tuple[Run, bool]:
    """Return the example run, and whether it was loaded now; a second call changes nothing.

    Raises ExampleRefused, QuotaExceeded, StorageAway, StorageFull.
    """
    present = Run.objects.filter(is_example=True).first()
    if present is not None:
        return present, False
    owner, worker = _owner(), _worker()
    dataset = _dataset(owner)
    make_profile(dataset.pk)
    settings = TASKS[TASK].hyperparameters.model_validate(recorded_run()["hyperparameters"])
    division = divide(dataset, settings)
    if division.digest != recorded_run()["split_digest"]:
        raise ExampleRefused("The sample spreadsheet has changed since the example was trained: record it again.")
    run = _store(worker, dataset, division)
    make_proof(run.pk)
    if RunProof.objects.get(pk=run.pk).status != ProofStatus.READY:
        raise ExampleRefused("No proof could be made of the recorded predictions: record the example again.")
    return run, True


def _owner() -> User:
    """Return whose the example is: nobody who can sign in."""
    owner, is_new = User.objects.get_or_create(username=OWNER, defaults={"is_active": False})
    if is_new:
        owner.set_unusable_password()
        owner.save(update_fields=["password"])
    if owner.is_active:
        raise ExampleRefused(f"There is a person called {OWNER}, who would own the example. Rename the account.")
    return owner


def _worker() -> Worker:
    """Return what stands for the PC that trained it: a computer that is switched off and never calls."""
    known = Worker.objects.filter(is_example=True).first()
    if known is None and Worker.objects.filter(name=WORKER).exists():
        raise ExampleRefused(f"There is a computer called {WORKER} already. Rename it.")
    return known or Worker.objects.create(name=WORKER, active=False, is_example=True)


def _dataset(owner: User) -> Dataset:
    known = Dataset.objects.filter(is_example=True, deleted_at=None).first()
    if known is not None:
        return known
    file = SimpleUploadedFile(FILE_NAME, sample_workbook(TASKS[TASK]))
    uploads = {Split.TRAIN: file}
    made = register_upload(owner=owner, uploads=uploads, request=CheckRequest(task=TASK), name=DATASET_NAME)
    Dataset.objects.filter(pk=made.dataset.pk).update(is_example=True)
    made.dataset.refresh_from_db()
    return made.dataset


@transaction.atomic
def _store(worker: Worker, dataset: Dataset, division: Division) -> Run:
    """Store the run as it would stand here, had it been trained from here."""
    recorded = recorded_run()
    run = _store_run(dataset, recorded)
    store_division(run, division)
    job = _store_job(run, worker, recorded)
    Run.objects.filter(pk=run.pk).update(duration_seconds=job.duration_seconds)
    attempt = JobAttempt.objects.create(
        job=job,
        number=job.attempt,
        worker=worker,
        started_at=datetime.fromisoformat(recorded["started_at"]),
        ended_at=datetime.fromisoformat(recorded["ended_at"]),
        phase_since=datetime.fromisoformat(recorded["phase_since"]),
        outcome=Outcome.COMPLETED.value,
        **recorded["attempt"],
    )
    _store_streams(run, attempt, recorded)
    if recorded["token_lengths"]:
        note_token_lengths(run, TokenLengths.model_validate(recorded["token_lengths"]["content"]))
    start_proof(run.pk)
    return run


def _store_run(dataset: Dataset, recorded: dict[str, Any]) -> Run:
    names = ("base_model", "base_model_revision", "hyperparameters", "split_digest", "reproducibility", "result")
    run = Run.objects.create(
        name=RUN_NAME,
        owner=dataset.owner,
        dataset=dataset,
        task=TASK,
        status=JobStatus.COMPLETED.value,
        model_fingerprint=recorded["model_fingerprint"],
        is_example=True,
        **_times(recorded),
        **{name: recorded[name] for name in names},
    )
    Run.objects.filter(pk=run.pk).update(created_at=recorded["started_at"])  # auto_now_add says now
    return run


def _store_job(run: Run, worker: Worker, recorded: dict[str, Any]) -> Job:
    return Job.objects.create(
        run=run,
        task=TASK,
        status=JobStatus.COMPLETED.value,
        worker=worker,
        attempt=1,
        **_times(recorded),
        **recorded["job"],
    )


def _times(recorded: dict[str, Any]) -> dict[str, datetime]:
    started, ended = (datetime.fromisoformat(recorded[name]) for name in ("started_at", "ended_at"))
    return {"started_at": started, "finished_at": ended}


def _store_streams(run: Run, attempt: JobAttempt, recorded: dict[str, Any]) -> None:
    """Store log, metrics and predictions under the numbers that the worker gave them."""
    Log.objects.bulk_create(_logs(run, attempt, recorded["logs"]))
    Metric.objects.bulk_create(
        Metric(run=run, attempt=attempt, seq=seq, epoch=epoch, step=step, split=split, values=values)
        for seq, (epoch, step, split, values) in enumerate(recorded["metrics"], start=1)
    )
    Prediction.objects.bulk_create(
        Prediction(run=run, attempt=attempt, seq=seq, content=content)
        for seq, content in enumerate(recorded["predictions"], start=1)
    )


def _logs(run: Run, attempt: JobAttempt, lines: list[list[str]]) -> Iterator[Log]:
    for seq, (moment, level, message) in enumerate(lines, start=1):
        yield Log(
            run=run, attempt=attempt, seq=seq, timestamp=datetime.fromisoformat(moment), level=level, message=message
        )
