"""Which runs answered the same test rows, so that one may be set against the other, and why others did not.

The very same table alone counts: its digest stands on the page of every run, so that nobody learns anything of cells
that they may not see. In which rows tables differ is for those to know who may see both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bert_training.contract.enums import JobStatus, PredictionSource, Split
from bert_training.data.predicting.prediction_files import read_rows_of
from bert_training.models import Run, RunProof
from bert_training.services.stored_files import stored_copy
from bert_training.tasks import TASKS


class Hindrance(StrEnum):
    """Why a run cannot be set against another."""

    NOT_COMPLETED = "not_completed"
    SIMULATED = "simulated"
    NO_ANSWERS = "no_answers"
    OTHER_TASK = "other_task"
    OTHER_DATA = "other_data"
    OTHER_ROWS = "other_rows"


@dataclass(frozen=True)
class Refused:
    """A run that cannot be compared. shared, first_alone, alone: test rows, of OTHER_ROWS only."""

    run: Run
    hindrance: Hindrance
    shared: int = 0
    first_alone: int = 0
    alone: int = 0


def have_same_table(first: Run, second: Run) -> bool:
    """Tell whether both were trained on the very same rows of the very same task."""
    digests = first.dataset.table_sha256, second.dataset.table_sha256
    return first.task == second.task and digests[0] == digests[1] != ""


def stored_answers(runs: Sequence[Run]) -> dict[int, RunProof]:
    """Return where the predictions of some runs are stored, by run, in one query."""
    rows = RunProof.objects.filter(run__in=[run.pk for run in runs]).exclude(key="").defer("content")
    return {row.pk: row for row in rows}


def comparable(runs: Sequence[Run], stored: Mapping[int, RunProof]) -> tuple[list[Run], list[Refused]]:
    """Return the runs with the test rows of the first that has answers, and why each other one has not.

    Raises DatasetGone, StorageAway.
    """
    same: list[Run] = []
    refused: list[Refused] = []
    for run in runs:
        hindrance = _own_hindrance(run, stored)
        refusal = Refused(run, hindrance) if hindrance else _against(same[0], run, stored) if same else None
        if refusal is None:
            same.append(run)
        else:
            refused.append(refusal)
    return same, refused


def _own_hindrance(run: Run, stored: Mapping[int, RunProof]) -> Hindrance | None:
    if run.simulate:
        return Hindrance.SIMULATED
    if run.status != JobStatus.COMPLETED:
        return Hindrance.NOT_COMPLETED
    return None if run.pk in stored and run.task in TASKS else Hindrance.NO_ANSWERS


def _against(first: Run, run: Run, stored: Mapping[int, RunProof]) -> Refused | None:
    """Compare the test rows of a run with those of the first; of the same division they need not be read."""
    if first.task != run.task:
        return Refused(run, Hindrance.OTHER_TASK)
    if not have_same_table(first, run):
        return Refused(run, Hindrance.OTHER_DATA)
    if first.split_digest == run.split_digest != "":
        return None
    mine, theirs = (_test_rows(stored[each.pk]) for each in (first, run))
    if mine == theirs:
        return None
    shared = len(mine & theirs)
    return Refused(run, Hindrance.OTHER_ROWS, shared, len(mine) - shared, len(theirs) - shared)


def _test_rows(stored: RunProof) -> frozenset[int]:
    with stored_copy(stored.key, stored.sha256) as path:
        return frozenset(read_rows_of(path, PredictionSource.NETWORK, Split.TEST))
