"""How well a run does on parts of its test rows: computed when somebody asks, from what is stored; nothing is kept.

Values of a column are texts of the dataset: only who may see these may ask for them (the pages do).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.data.checks import DatasetRefused
from bert_training.data.proof.shape import Slice
from bert_training.data.sandbox import SandboxFailed
from bert_training.models import Run
from bert_training.services.errors import ServiceError
from bert_training.services.proving.predictions import predictions_on_disk
from bert_training.services.rate_limits import Limit, limit_caller
from bert_training.services.sources import request_of, stored_sources
from bert_training.services.stored_files import stored_copy
from bert_training.services.workbooks import refused
from bert_training.tasks.slicing import Sliced, Slicing, slice_by_column_in_sandbox, slice_by_length_in_sandbox

logger = logging.getLogger(__name__)

METRICS = ("f1_macro", "accuracy", "f1", "precision", "recall")  # of labels the first two, of entities the others


def slices_by_length(run: Run) -> list[Slice]:
    """Judge quartiles of the lengths. Raises ServiceError (no predictions, too often), DatasetGone, StorageAway."""
    limit_caller(Limit.CHECKS)  # a child process each time
    dataset = run.dataset
    with (
        predictions_on_disk(run) as predictions,
        stored_copy(dataset.table_key, dataset.table_sha256) as table,
        _explained(run),
    ):
        return slice_by_length_in_sandbox(predictions, table, _question(run))


def slices_by_column(run: Run, column: str) -> Sliced:
    """Judge the rows by a column of the person's file; "" = only name its columns. Raises the same.

    A large file is refused: reading it takes longer than somebody waits.
    """
    if run.dataset.is_large:
        message = _("The file of this dataset is too large to be read again while you wait.")
        raise ServiceError(ErrorCode.TOO_LARGE, message, http_status=413)
    limit_caller(Limit.CHECKS)
    with predictions_on_disk(run) as predictions, stored_sources(run.dataset) as sources, _explained(run):
        return slice_by_column_in_sandbox(predictions, sources, request_of(run.dataset), _question(run, column))


@contextmanager
def _explained(run: Run) -> Iterator[None]:
    """Say in words why the child process gave nothing."""
    try:
        yield
    except DatasetRefused as refusal:
        raise refused(refusal.problem) from refusal
    except SandboxFailed as error:
        logger.exception("parts of the test rows not judged", extra={"run": run.pk})
        message = _("The parts could not be computed. Staff find the reason in the portal's log.")
        raise ServiceError(ErrorCode.UNAVAILABLE, message) from error


def _question(run: Run, column: str | None = None) -> Slicing:
    return {
        "task": run.task,
        "names": [each["name"] for each in (run.result or {}).get("classes", [])],
        "metrics": list(METRICS),
        "seed": run.hyperparameters["seed"],
        "column": column,
    }
