"""Creates runs with everything that reproduces them, reproduces them, and ends or deletes them on request."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from pydantic import ValidationError

from bert_training.contract.enums import AuditKind, ErrorCode
from bert_training.contract.text import clean_name
from bert_training.models import BaseModel, Dataset, Erasure, Job, Run, Worker
from bert_training.services import claims, jobs
from bert_training.services.audit import record
from bert_training.services.divisions import Division, divide, division_of, store_division
from bert_training.services.doubting.corrections import with_corrections
from bert_training.services.doubting.doubt_workbooks import doubts_of
from bert_training.services.erasures import note_run_erasure
from bert_training.services.errors import DatasetGone, DatasetNotReady, InUse, InvalidRun, ServiceError
from bert_training.services.initial_models import find_initial_model, require_reachable
from bert_training.services.proving.proofs import drop_predictions
from bert_training.services.quota_use import keep_gpu_time
from bert_training.services.quotas import queue_at_quota, require_turns
from bert_training.services.rate_limits import Limit, limit_caller
from bert_training.services.reproducing.carried_divisions import carry_division
from bert_training.services.stored_files import require_table
from bert_training.services.transactions import hold_dataset, short_transaction
from bert_training.tasks import TASKS
from bert_training.tasks.hyperparameters.problems import field_problems
from bert_training.tasks.hyperparameters.refusal import SettingRefused
from bert_training.tasks.hyperparameters.rules import check_against_rows
from bert_training.tasks.hyperparameters.settings import Hyperparameters

OUT_OF_LIMITS = "out_of_limits"  # of an error that the limits beside a form's field explain


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What somebody wants trained. An empty name is made from those of the dataset and the base model.

    preset: name of a preset whose values stand below the hyperparameters given; empty = the task's defaults do.
    """

    owner: User
    dataset: Dataset
    base_model: str
    hyperparameters: dict[str, Any]
    name: str = ""
    priority: int = 0
    simulate: bool = False
    initial_run: Run | None = None
    preset: str = ""


@dataclass(frozen=True)
class PreparedRun:
    """A run that was checked and is not stored yet."""

    run: Run
    division: Division
    priority: int
    bound_to: Worker | None = None


def create_run(request: RunRequest) -> Run:
    """Prepare and store a run; see prepare_run."""
    return store_run(prepare_run(request))


def prepare_run(request: RunRequest, *, limit: Limit = Limit.RUNS) -> PreparedRun:
    """Check everything and divide the data, outside of any transaction: reading the table may take seconds.

    limit: what it is counted as; dividing is the work. Raises DatasetNotReady, DatasetGone, RateLimited, or InvalidRun
    naming each field that is wrong.
    """
    dataset = request.dataset
    if not dataset.is_ready:
        raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, _("The dataset is not ready for training."))
    entry = _allowed_base_model(request.base_model, dataset.task)
    wanted = {**_preset_values(request.preset, dataset.task), **request.hyperparameters}
    settings = _checked_hyperparameters(wanted, dataset.task, entry)
    limit_caller(limit)
    division = divide(dataset, settings)
    require_steps(settings, division.train_rows)
    run = Run(
        name=clean_name(request.name) or clean_name(f"{dataset.name[:120]} · {entry.name}"),
        owner=request.owner,
        dataset=dataset,
        task=dataset.task,
        base_model=entry.name,
        base_model_revision=entry.revision,
        hyperparameters=settings.model_dump(),
        simulate=request.simulate,
        split_digest=division.digest,
    )
    bound_to = _begin_from(request.initial_run, run) if request.initial_run else None
    return PreparedRun(run, division, request.priority, bound_to)


def _begin_from(initial: Run, run: Run) -> Worker | None:
    """Let a new run begin from the model of another. Returns the worker that keeps it, where it really trains."""
    model = find_initial_model(initial, task=run.task, base_model=run.base_model, owner=run.owner)
    run.initial_run, run.initial_fingerprint = initial, initial.model_fingerprint
    run.base_model_revision = initial.reproducibility.get("base_model_revision") or initial.base_model_revision
    return None if run.simulate else model.keeper


def reproduce_run(run: Run, *, owner: User, name: str = "", dataset: Dataset | None = None) -> Run:
    """Prepare and store a reproduction; see prepare_reproduction."""
    return store_run(prepare_reproduction(run, owner=owner, name=name, dataset=dataset))


def prepare_reproduction(run: Run, *, owner: User, name: str = "", dataset: Dataset | None = None) -> PreparedRun:
    """Make a run with the same data, split, seed, hyperparameters, base model and revision, linked to the first.

    The revision is the one that was really trained, when the worker reported it. dataset: another one to take instead,
    such as a fresh upload of the same spreadsheet. Raises DatasetNotReady, DatasetGone, RateLimited, or InvalidRun
    when the base model is not offered any more, nobody can begin from its model, or the split does not fit the other
    dataset.
    """
    dataset = dataset or run.dataset
    if dataset.deleted_at is not None:
        raise DatasetGone(ErrorCode.DATASET_GONE, _("The dataset of this run was deleted."))
    if not dataset.is_ready:
        raise DatasetNotReady(ErrorCode.DATASET_NOT_READY, _("The dataset is not ready for training."))
    limit_caller(Limit.RUNS)
    require_table(dataset)
    division = division_of(run) if dataset == run.dataset else carry_division(run, dataset)
    _allowed_base_model(run.base_model, run.task)
    keeper = run.job.bound_to
    if keeper is not None:
        require_reachable(keeper, owner=owner)
    copy = Run(
        name=clean_name(name) or run.name,
        owner=owner,
        dataset=dataset,
        task=run.task,
        base_model=run.base_model,
        base_model_revision=run.reproducibility.get("base_model_revision") or run.base_model_revision,
        hyperparameters=run.hyperparameters,
        simulate=run.simulate,
        split_digest=division.digest,
        reproduced_from=run,
        initial_run=run.initial_run,
        initial_fingerprint=run.initial_fingerprint,
    )
    return PreparedRun(copy, division, priority=0, bound_to=keeper)


@short_transaction
def store_run(prepared: PreparedRun) -> Run:
    """Store the run with its manifest and put its job into the queue.

    Raises QuotaExceeded, and DatasetGone when the data are gone.
    """
    queue_at_quota(prepared.run.owner)
    require_turns(prepared.run)
    return insert_run(prepared)


def insert_run(prepared: PreparedRun) -> Run:
    """Store a run for which there is room, inside a transaction."""
    run = prepared.run
    hold_dataset(run.dataset_id)
    _hold_origins(run)
    run.pk = None
    run.save(force_insert=True)
    store_division(run, with_corrections(prepared.division, run.dataset_id))
    claims.enqueue(run, priority=prepared.priority, bound_to=prepared.bound_to)
    _record_new(run, prepared.priority)
    return run


def _record_new(run: Run, priority: int) -> None:
    kind = AuditKind.RUN_CREATED
    if run.repeat_of_id is not None:
        kind = AuditKind.RUN_REPEATED
    elif run.reproduced_from_id is not None:
        kind = AuditKind.RUN_REPRODUCED
    first = run.repeat_of_id or run.reproduced_from_id
    record(kind, target=run, dataset=run.dataset_id, first_run=first, priority=priority, simulate=run.simulate)


def _hold_origins(run: Run) -> None:
    """Lock the runs that a new one names; of one that was deleted since, forget what its deletion would have taken."""
    wanted = {pk for pk in (run.initial_run_id, run.reproduced_from_id) if pk is not None}
    if not wanted:
        return
    held = Run.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    gone = wanted - set(held.values_list("pk", flat=True))
    run.initial_run = None if run.initial_run_id in gone else run.initial_run
    run.reproduced_from = None if run.reproduced_from_id in gone else run.reproduced_from


def _allowed_base_model(name: str, task: str) -> BaseModel:
    """Return the catalogue's entry; a name outside of the catalogue is never passed on to a worker."""
    entry = BaseModel.objects.filter(name=name, active=True).first()
    if entry is not None and task in entry.tasks and task in TASKS:  # not one that was taken out of the program
        return entry
    offered = ", ".join(other.name for other in BaseModel.objects.offered_for(task))
    message = _("%(name)s is not a base model for this task. Choose one of: %(offered)s.")
    message %= {"name": clean_name(name, characters=100), "offered": offered}
    errors = [{"path": "base_model", "message": message}]
    raise InvalidRun(ErrorCode.MODEL_NOT_ALLOWED, message, errors=errors)


def _preset_values(name: str, task: str) -> dict[str, Any]:
    """Return what a preset sets, nothing for no name."""
    spec = TASKS[task]
    preset = spec.preset(name)
    if preset is not None or not name:
        return dict(preset.values) if preset else {}
    message = _("There is no preset %(name)s for this task. Choose one of: %(offered)s.")
    message %= {"name": clean_name(name, characters=100), "offered": ", ".join(each.name for each in spec.presets)}
    raise InvalidRun(ErrorCode.INVALID_FIELD, message, errors=[{"path": "preset", "message": message}])


def _checked_hyperparameters(given: dict[str, Any], task: str, base_model: BaseModel) -> Hyperparameters:
    """Validate types and ranges, and the length against what the base model can read."""
    declared = TASKS[task].hyperparameters
    try:
        settings = declared.model_validate(given)
    except ValidationError as error:
        problems = field_problems(error, declared)
        errors = [
            _field_error(problem.name, _(problem.message) % problem.values)
            | ({"code": OUT_OF_LIMITS} if problem.is_of_limits else {})
            for problem in problems
        ]
        unknown = any(problem.name not in declared.model_fields for problem in problems)
        code = ErrorCode.UNKNOWN_FIELD if unknown else ErrorCode.INVALID_FIELD
        raise InvalidRun(code, errors[0]["message"], errors=errors) from None
    if settings.max_length > base_model.max_length:
        message = _("max_length must be at most %(limit)s, the longest text that %(model)s can read.")
        message %= {"limit": base_model.max_length, "model": base_model.name}
        raise InvalidRun(ErrorCode.INVALID_FIELD, message, errors=[_field_error("max_length", message)])
    return settings


def require_steps(settings: Hyperparameters, train_rows: int) -> None:
    """Refuse what these rows leave no steps for, such as a warm-up that would outlast the training."""
    try:
        check_against_rows(settings, train_rows)
    except SettingRefused as refusal:
        message = _(refusal.message) % refusal.values
        raise InvalidRun(ErrorCode.INVALID_FIELD, message, errors=[_field_error(refusal.name, message)]) from None


def _field_error(name: str, message: str) -> dict[str, str]:
    return {"path": f"hyperparameters.{name}", "message": message}


def cancel_run(run: Run) -> None:
    """Cancel a run; raises AlreadyFinished."""
    jobs.cancel_job(Job.objects.values_list("pk", flat=True).get(run=run))


def finish_run(run: Run) -> None:
    """End training now and keep the best network so far; raises AlreadyFinished."""
    jobs.finish_job(Job.objects.values_list("pk", flat=True).get(run=run))


def delete_run(run: Run, *, by: User | None = None) -> Erasure:
    """Delete a finished run with its log, figures and predictions, and its repeats; raises InUse until all ended.

    Workers delete its log and checkpoints, and keep its weights. Returns how far the deletion has come.
    """
    with transaction.atomic():
        # First, as everywhere: its deletion, or that of another run on it, waits and then sees this one.
        dataset = Dataset.objects.select_for_update(no_key=True).filter(pk=run.dataset_id).first()
        _require_ended(run, _("Cancel the run before you delete it."))
        Run.objects.select_for_update().filter(pk=run.pk).first()  # waits for one that is being made of it
        for repeat in run.repeats.order_by("pk"):
            _require_ended(repeat, _("Cancel the repeats of the run before you delete it."))
        record(AuditKind.RUN_DELETED, target=run, dataset=run.dataset_id, repeats=run.repeats.count())
        gone = Run.objects.filter(Q(pk=run.pk) | Q(repeat_of=run.pk))
        keep_gpu_time(gone)
        workbooks = [f"{run.dataset.folder}/{doubts_of(each)}*" for each in gone]
        erasure = note_run_erasure(run, by=by, stored=[*workbooks, *drop_predictions(gone)])
        run.delete()  # its repeats go with it
        _let_deleted_dataset_go(dataset)
    return erasure


def _let_deleted_dataset_go(dataset: Dataset | None) -> None:
    """Delete the row of a deleted dataset that stood for its runs alone, when the last of them is gone."""
    if dataset is not None and dataset.deleted_at is not None and not dataset.runs.exists():
        dataset.delete()


def _require_ended(run: Run, message: str) -> None:
    job = Job.objects.select_for_update().filter(run=run).first()
    if job is None:  # somebody else was faster
        raise ServiceError(ErrorCode.NOT_FOUND, _("There is no run %(id)s.") % {"id": run.pk}, http_status=404)
    if not job.is_finished:
        raise InUse(ErrorCode.IN_USE, message)
