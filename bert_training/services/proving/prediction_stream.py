"""Takes the stream of predictions of an attempt: staged as rows until all stand in the run's file (services/proofs)."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, PredictionSource
from bert_training.contract.streams import PredictionBatch, PredictionRow, StreamAnswer
from bert_training.data.predicting.prediction_checks import bounds_of, wrong_field
from bert_training.models import Job, Prediction, Run, Worker
from bert_training.services.errors import ProtocolError
from bert_training.services.streams import BatchPlace, StreamTable, append_records
from bert_training.services.transactions import short_transaction

PREDICTIONS = StreamTable("bert_predictions", "prediction_seq", {"content": "jsonb"})


@short_transaction
def append_predictions(worker: Worker, job_id: int, batch: PredictionBatch) -> StreamAnswer:
    """Store the predictions that are not stored yet; raises ProtocolError stream_gap when some before are missing.

    Only those of the newest attempt of a job that has not ended are kept: no other can complete any more. The rest is
    acknowledged, so that an old stream comes to its end. Raises ProtocolError invalid_field.
    """

    def to_columns(job: Job, rows: Sequence[PredictionRow]) -> Sequence[Sequence[Any]]:
        if job.is_finished or job.attempt != batch.attempt:
            return [[]]
        _require_possible(job, batch)
        if batch.first_seq == 1:
            Prediction.objects.filter(run=job.run_id).exclude(attempt__number=batch.attempt).delete()
        return [[row.model_dump(mode="json") for row in rows]]

    place = BatchPlace(job_id, batch.attempt, batch.first_seq)
    return append_records(worker, place, batch.rows, table=PREDICTIONS, to_columns=to_columns)


def _require_possible(job: Job, batch: PredictionBatch) -> None:
    """Refuse more rows than all sources together can answer for, and what cannot be said of this dataset."""
    rows, summary = Run.objects.values_list("dataset__rows", "dataset__summary").get(pk=job.run_id)
    if batch.first_seq + len(batch.rows) - 1 > len(PredictionSource) * rows:
        raise _impossible("rows")
    bounds = bounds_of(summary)
    for place, row in enumerate(batch.rows):
        if name := wrong_field(row, bounds):
            raise _impossible(f"rows.{place}.{name}")


def _impossible(path: str) -> ProtocolError:
    message = _("This cannot be a prediction for the data of this run.")
    errors = [{"path": path, "message": message}]
    return ProtocolError(ErrorCode.INVALID_FIELD, message, http_status=400, errors=errors)
