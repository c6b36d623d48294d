"""The files of an upload on the disk for as long as somebody reads them: as they were sent, or as they are stored."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Never

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split
from bert_training.contract.limits import UPLOAD_BYTES
from bert_training.contract.text import clean_name
from bert_training.data.repairs import Fix
from bert_training.models import Dataset
from bert_training.services.errors import ServiceError
from bert_training.services.stored_files import Upload, on_disk, stored_copy
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest, SourceFile

# The spreadsheet itself under Split.TRAIN; those sent beside it for validation and test under theirs.
Uploads = Mapping[Split, Upload]
Sources = dict[Split, SourceFile]


@contextmanager
def upload_sources(uploads: Uploads, request: CheckRequest) -> Iterator[Sources]:
    """Give the files of an upload that may be checked their paths for as long as the block runs; keeps nothing.

    Raises ServiceError (unknown task or repair, too_large).
    """
    require_known(request)
    require_size(uploads.values())
    with ExitStack() as stack:
        yield {
            split: SourceFile(stack.enter_context(on_disk(file)), Path(file.name or "").name)
            for split, file in uploads.items()
        }


def request_of(dataset: Dataset) -> CheckRequest:
    """Return how the dataset's file was asked to be read."""
    return CheckRequest(task=dataset.task, **dataset.request)


@contextmanager
def stored_sources(dataset: Dataset) -> Iterator[Sources]:
    """Copy the dataset's stored files to temporary paths for as long as the block runs; raises DatasetGone, ..."""
    with ExitStack() as stack:
        first = stack.enter_context(stored_copy(dataset.original_key, dataset.sha256))
        sources = {Split.TRAIN: SourceFile(first, dataset.original_name)}
        for part, file in dataset.extra_files.items():
            path = stack.enter_context(stored_copy(dataset.part_key(Split(part)), file["sha256"]))
            sources[Split(part)] = SourceFile(path, file["name"])
        yield sources


def require_known(request: CheckRequest) -> None:
    """Refuse a task or a repair that does not exist, naming those that do."""
    if request.task not in TASKS:
        _refuse_name("task", request.task, _("There is no task %(name)s. There are: %(known)s."), TASKS)
    for fix in request.recipe:
        if fix not in list(Fix):
            _refuse_name("recipe", fix, _("There is no repair %(name)s. There are: %(known)s."), Fix)


def _refuse_name(path: str, name: str, message: str, known: Iterable[str]) -> Never:
    message %= {"name": clean_name(name, characters=100), "known": ", ".join(known)}
    raise ServiceError(ErrorCode.INVALID_FIELD, message, errors=[{"path": path, "message": message}])


def require_size(files: Iterable[Upload]) -> None:
    """Refuse files that are together larger than what is taken: ServiceError too_large."""
    if sum(file.size or 0 for file in files) > UPLOAD_BYTES:
        message = _("The file is larger than %(limit)s MiB.") % {"limit": UPLOAD_BYTES // 2**20}
        raise ServiceError(ErrorCode.TOO_LARGE, message, http_status=413, limit=UPLOAD_BYTES)
