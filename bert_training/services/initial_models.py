"""Beginning from a trained model: which run's, and where its weights lie. They stay on the PC that trained it."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, JobStatus, Outcome
from bert_training.models import JobAttempt, Run, Worker
from bert_training.services.errors import InvalidRun


@dataclass(frozen=True)
class InitialModel:
    """The model of a completed run, and the worker that keeps it."""

    run: Run
    keeper: Worker


def with_a_model(runs: QuerySet[Run], *, task: str) -> QuerySet[Run]:
    """Return the runs from whose model others of this task can begin, the newest first."""
    trained = runs.filter(task=task, status=JobStatus.COMPLETED, simulate=False).exclude(model_fingerprint="")
    return trained.order_by("-id")


def find_initial_model(run: Run, *, task: str, base_model: str, owner: User) -> InitialModel:
    """Return the model of a run for a new run of this task and base model; raises InvalidRun saying why there is none.

    The labels may be others: the head is made anew then.
    """
    ends = JobAttempt.objects.select_related("worker").filter(job__run=run, outcome=Outcome.COMPLETED)
    completed = ends.first() if with_a_model(Run.objects.filter(pk=run.pk), task=task).exists() else None
    if completed is None:
        raise _refusal(_("Run %(id)s left no model of this task: choose a completed run.") % {"id": run.pk})
    if run.base_model != base_model:
        message = _("Run %(id)s was trained from the base model %(name)s: choose that one here too.")
        raise _refusal(message % {"id": run.pk, "name": run.base_model})
    require_reachable(completed.worker, owner=owner)
    return InitialModel(run, completed.worker)


def require_reachable(keeper: Worker, *, owner: User) -> None:
    """Raise InvalidRun where a run of this owner would wait for ever for the worker that keeps its model."""
    if not keeper.active:
        message = _("The model to begin from is on %(worker)s, which is switched off.")
    elif keeper.team_id is not None and not owner.teams.filter(pk=keeper.team_id).exists():
        message = _("The model to begin from is on %(worker)s, which works for another team.")
    else:
        return
    raise _refusal(message % {"worker": keeper.name})


def _refusal(message: str) -> InvalidRun:
    return InvalidRun(ErrorCode.INVALID_FIELD, message, errors=[{"path": "initial_run", "message": message}])
