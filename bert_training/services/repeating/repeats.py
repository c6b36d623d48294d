"""Repeats a run by child runs, to see how much of its result is chance: parts of its rows in turn, or other seeds.

Children go through the same queue as all runs, belong to the run's owner and go with the run.
"""

import logging
from copy import copy
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from bert_training.contract.enums import TERMINAL_STATUSES, ErrorCode, JobStatus, RepeatKind
from bert_training.contract.limits import FEWEST_FOLDS, FEWEST_SEEDS, MOST_REPEATS
from bert_training.contract.text import clean_name
from bert_training.models import Run, SplitManifest
from bert_training.services.divisions import Division
from bert_training.services.errors import AlreadyFinished, InvalidRun, ServiceError
from bert_training.services.quotas import queue_at_quota, require_turns
from bert_training.services.repeating.folds import fold_divisions
from bert_training.services.runs import PreparedRun, cancel_run, insert_run, prepare_reproduction, require_steps
from bert_training.services.transactions import hold_dataset, short_transaction
from bert_training.tasks import TASKS

logger = logging.getLogger(__name__)

FEWEST = {RepeatKind.FOLD: FEWEST_FOLDS, RepeatKind.SEED: FEWEST_SEEDS}
SEEDS = 2**32  # a seed is 0 to this - 1
NAME_CHARACTERS = 150  # of the run's own name, before what tells a repeat from others


@dataclass(frozen=True)
class PreparedRepeats:
    """Children that were checked and are not stored yet, by their number."""

    run: Run
    kind: RepeatKind
    children: dict[int, PreparedRun]


def repeat_run(run: Run, *, kind: RepeatKind, count: int) -> list[Run]:
    """Prepare and store repeats; see prepare_repeats."""
    return store_repeats(prepare_repeats(run, kind=kind, count=count))


def prepare_repeats(run: Run, *, kind: RepeatKind, count: int) -> PreparedRepeats:
    """Check everything and divide the data for the repeats that are missing, outside of any transaction.

    Asking again adds nothing; a part that was deleted is made again, more seeds than before are added.
    Raises ServiceError not_completed, InvalidRun, DatasetNotReady, DatasetGone.
    """
    _require_repeatable(run)
    _require_count(kind, count)
    missing = set(range(1, count + 1)) - set(_numbers(run, kind))
    if kind is RepeatKind.FOLD:
        _require_same_folds(run, count)
    if not missing:
        return PreparedRepeats(run, kind, {})
    first = prepare_reproduction(run, owner=run.owner)
    if kind is RepeatKind.SEED:
        children = {number: _with_seed(first, number) for number in sorted(missing)}
    else:
        divisions = dict(enumerate(fold_divisions(run, count), start=1))
        _require_same_rows(run, divisions)
        children = {number: _with_fold(first, number, divisions[number]) for number in sorted(missing)}
    return PreparedRepeats(run, kind, children)


@short_transaction
def store_repeats(prepared: PreparedRepeats) -> list[Run]:
    """Store all repeats that are still missing and put them into the queue, or none; returns the new ones.

    Raises QuotaExceeded when not all of them have room.
    """
    run, kind = prepared.run, prepared.kind
    queue_at_quota(run.owner)
    hold_dataset(run.dataset_id)
    # Whoever asks at the same time waits here, and then finds the children; a deletion waits, or is seen.
    if Run.objects.select_for_update(no_key=True).filter(pk=run.pk).first() is None:
        raise ServiceError(ErrorCode.NOT_FOUND, _("There is no run %(id)s.") % {"id": run.pk}, http_status=404)
    if kind is RepeatKind.FOLD and prepared.children:
        _require_same_folds(run, next(iter(prepared.children.values())).division.facts["folds"])
    there = set(_numbers(run, kind))
    missing = [child for number, child in prepared.children.items() if number not in there]
    if missing:
        require_turns(run, len(missing))
    stored = [insert_run(child) for child in missing]
    logger.info("run repeated", extra={"run": run.pk, "kind": kind.value, "repeats": len(stored)})
    return stored


def cancel_repeats(run: Run) -> int:
    """Cancel every repeat that has not ended; returns how many."""
    canceled = 0
    for child in run.repeats.exclude(status__in=TERMINAL_STATUSES).order_by("pk"):
        try:
            cancel_run(child)
        except AlreadyFinished:
            continue
        canceled += 1
    return canceled


def _numbers(run: Run, kind: RepeatKind) -> list[int]:
    return list(run.repeats.filter(repeat_kind=kind).values_list("repeat_number", flat=True))


def _require_repeatable(run: Run) -> None:
    if run.repeat_of_id is not None:
        message = _("This run is itself a repeat: repeat run %(id)s instead.") % {"id": run.repeat_of_id}
        raise _refusal("kind", message)
    if run.status != JobStatus.COMPLETED:
        message = _("Only a completed run is repeated: its repeats show how much of its result is chance.")
        raise ServiceError(ErrorCode.NOT_COMPLETED, message, http_status=409)


def _require_count(kind: RepeatKind, count: int) -> None:
    if not FEWEST[kind] <= count <= MOST_REPEATS:
        words = _("Ask for at least %(least)s and at most %(most)s repeats.")
        raise _refusal("count", words % {"least": FEWEST[kind], "most": MOST_REPEATS})


def _require_same_folds(run: Run, count: int) -> None:
    """Refuse another number of parts while there are some: rows would be tested twice."""
    parts = SplitManifest.objects.filter(run__repeat_of=run, run__repeat_kind=RepeatKind.FOLD)
    before = next((facts["folds"] for facts in parts.values_list("facts", flat=True)[:1]), count)
    if before != count:
        words = _("This run was divided into %(before)s parts. Delete these before you ask for %(count)s.")
        raise _refusal("count", words % {"before": before, "count": count})


def _require_same_rows(run: Run, divisions: dict[int, Division]) -> None:
    """Refuse to add parts to others that were divided otherwise: near-duplicates that were not known then are now."""
    parts = run.repeats.filter(repeat_kind=RepeatKind.FOLD).values_list("repeat_number", "split_digest")
    if any(divisions[number].digest != digest for number, digest in parts):
        words = _("The rows are divided otherwise now than for the parts that are there. Delete these and ask again.")
        raise _refusal("count", words)


def _refusal(path: str, message: str) -> InvalidRun:
    return InvalidRun(ErrorCode.INVALID_FIELD, message, errors=[{"path": path, "message": message}])


def _with_seed(first: PreparedRun, number: int) -> PreparedRun:
    """Return the run with the same rows and the seed that lies `number` after its own."""
    seed = (int(first.run.hyperparameters["seed"]) + number) % SEEDS
    child = _child(first.run, RepeatKind.SEED, number, words=_("seed %(seed)s") % {"seed": seed})
    child.hyperparameters = {**first.run.hyperparameters, "seed": seed}
    return replace(first, run=child)


def _with_fold(first: PreparedRun, number: int, division: Division) -> PreparedRun:
    """Return the run that is tested on one part."""
    words = _("fold %(number)s of %(count)s") % {"number": number, "count": division.facts["folds"]}
    child = _child(first.run, RepeatKind.FOLD, number, words=words)
    child.split_digest = division.digest
    require_steps(TASKS[child.task].hyperparameters.model_validate(child.hyperparameters), division.train_rows)
    return replace(first, run=child, division=division)


def _child(reproduction: Run, kind: RepeatKind, number: int, *, words: str) -> Run:
    """Make a repeat of a reproduction. Its name says which it is wherever runs are named, in queue and log too."""
    child = copy(reproduction)
    child.repeat_of, child.reproduced_from = reproduction.reproduced_from, None
    child.repeat_kind, child.repeat_number = kind.value, number
    child.name = clean_name(f"{reproduction.name[:NAME_CHARACTERS]}, {words}")
    return child
