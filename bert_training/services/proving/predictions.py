"""The predictions of a run, read back from its file in the store: as they are, as Parquet, as CSV."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.data.predicting.prediction_csv import write_csv
from bert_training.data.predicting.prediction_files import read_groups, read_predictions
from bert_training.data.predicting.predictions import Predictions
from bert_training.models import Run, RunProof
from bert_training.services.csv_form import PLAIN, CsvForm
from bert_training.services.errors import ServiceError
from bert_training.services.frequent_events import record_export
from bert_training.services.stored_files import StoredFile, open_stored, stored_copy


def predictions_of(run: Run) -> list[Predictions]:
    """Return all predictions of a run; raises ServiceError not_found, DatasetGone, StorageAway."""
    with predictions_on_disk(run) as path:
        return read_predictions(path)


@contextmanager
def predictions_on_disk(run: Run) -> Iterator[Path]:
    """Copy the file of a run's predictions to a temporary path for as long as the block runs; raises the same."""
    stored = stored_predictions(run)
    with stored_copy(stored.key, stored.sha256) as path:
        yield path


def stored_predictions(run: Run) -> RunProof:
    """Return where the predictions of a run are stored, without its proof; raises ServiceError not_found."""
    stored = RunProof.objects.defer("content").filter(run=run).exclude(key="").first()
    if stored is None:
        message = _("The portal has no predictions of this run (yet).")
        raise ServiceError(ErrorCode.NOT_FOUND, message, http_status=404)
    return stored


def label_names(run: Run) -> list[str]:
    """Return the names of a run's labels or entity types, in the order of their ids."""
    return [each["name"] for each in (run.result or {}).get("classes", [])]


def open_predictions(run: Run) -> tuple[StoredFile, RunProof]:
    """Open the Parquet file of a run's predictions; raises ServiceError not_found, DatasetGone, StorageAway."""
    stored = stored_predictions(run)
    file = open_stored(stored.key, stored.sha256)
    record_export(run, what="predictions")
    return file, stored


def open_predictions_csv(run: Run, form: CsvForm = PLAIN) -> tuple[IO[bytes], RunProof]:
    """Open the predictions as CSV, in a file that goes when it is closed; never all of them in memory.

    Raises ServiceError not_found, DatasetGone, StorageAway.
    """
    stored = stored_predictions(run)
    names = label_names(run)
    file = tempfile.TemporaryFile(prefix="bert-csv-")  # noqa: SIM115 - the caller closes it
    with stored_copy(stored.key, stored.sha256) as path:
        file.write(form.mark)
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        signs = {"separator": form.separator, "decimal_sign": form.decimal_sign}
        write_csv(read_groups(path), text, names=names, **signs)
        text.detach()
    file.seek(0)
    record_export(run, what="predictions_csv")
    return file, stored
