"""The stream of predictions: no gap, no duplicate, only of the attempt that may complete, and nothing but numbers."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from bert_training.contract.enums import ErrorCode, Outcome, PredictionSource, Reason
from bert_training.models import Job, JobAttempt, Prediction, Worker
from bert_training.services.errors import ProtocolError
from bert_training.services.jobs import complete_job, requeue
from bert_training.services.proving.prediction_stream import append_predictions
from tests.personas import claim, make_run, ready_dataset
from tests.predicting import batch_of, completion, entity_predictions, label_predictions, names_of, records_of, send

pytestmark = pytest.mark.embedded


def label_records(job: Job, count: int = 4) -> list[dict[str, Any]]:
    return records_of([label_predictions(range(2, 2 + count), classes=len(names_of(job)))])


def staged(job: Job) -> list[int]:
    return list(Prediction.objects.filter(run=job.run_id).order_by("seq").values_list("content__row", flat=True))


def refused(job: Job, worker: Worker, records: list[dict[str, Any]], **place: int) -> tuple[str, str]:
    with pytest.raises(ProtocolError) as refusal:
        append_predictions(worker, job.pk, batch_of(records, **place))
    assert staged(job) == []
    return refusal.value.code, refusal.value.extra["errors"][0]["path"]


def test_predictions_are_stored_in_their_order_and_once(running_job: Job, worker: Worker) -> None:
    records = label_records(running_job)
    assert append_predictions(worker, running_job.pk, batch_of(records[:2])).next_seq == 3
    assert append_predictions(worker, running_job.pk, batch_of(records[:2])).next_seq == 3
    assert append_predictions(worker, running_job.pk, batch_of(records[1:], 2)).next_seq == 5
    assert staged(running_job) == [2, 3, 4, 5]
    assert Prediction.objects.first().content["p"] == records[0]["p"]  # type: ignore[union-attr]


def test_a_gap_is_refused_with_the_number_that_is_wanted(running_job: Job, worker: Worker) -> None:
    with pytest.raises(ProtocolError) as refusal:
        append_predictions(worker, running_job.pk, batch_of(label_records(running_job), 2))
    assert (refusal.value.code, refusal.value.extra) == (ErrorCode.STREAM_GAP, {"next_seq": 1})


def test_a_run_is_not_completed_before_its_predictions_are_there(running_job: Job, worker: Worker) -> None:
    predictions = [label_predictions(range(2, 6), classes=len(names_of(running_job)))]
    append_predictions(worker, running_job.pk, batch_of(records_of(predictions)[:3]))
    with pytest.raises(ProtocolError) as refusal:
        complete_job(worker, running_job.pk, completion(predictions, names_of(running_job)))
    assert (refusal.value.code, refusal.value.extra["prediction_seq"]) == (ErrorCode.STREAM_INCOMPLETE, 3)


def test_nobody_sends_predictions_of_another(running_job: Job, other_worker: Worker) -> None:
    with pytest.raises(ProtocolError) as refusal:
        append_predictions(other_worker, running_job.pk, batch_of(label_records(running_job)))
    assert refusal.value.code == ErrorCode.NOT_FOUND


def test_of_an_attempt_that_is_over_they_are_acknowledged_and_not_kept(
    running_job: Job, worker: Worker, other_worker: Worker
) -> None:
    records = label_records(running_job)
    append_predictions(worker, running_job.pk, batch_of(records[:1]))
    requeue(running_job, outcome=Outcome.LOST, reason=Reason.LEASE_EXPIRED)
    append_predictions(worker, running_job.pk, batch_of(records[1:2], 2))  # nobody has taken it: it may come back
    assert staged(running_job) == [2, 3]
    claim(other_worker, instance="machine-2:1")
    assert append_predictions(worker, running_job.pk, batch_of(records[2:], 3)).next_seq == 5
    assert staged(running_job) == [2, 3]
    append_predictions(other_worker, running_job.pk, batch_of(records, attempt=2))
    assert staged(running_job) == [2, 3, 4, 5]
    assert set(Prediction.objects.values_list("attempt__number", flat=True)) == {2}


def test_of_a_run_that_has_ended_they_are_acknowledged_and_not_kept(running_job: Job, worker: Worker) -> None:
    names, records = names_of(running_job), label_records(running_job)
    complete_job(worker, running_job.pk, completion([], names, digest="0" * 64))
    assert append_predictions(worker, running_job.pk, batch_of(records)).next_seq == 5
    assert staged(running_job) == []
    assert JobAttempt.objects.get().prediction_seq == 4


def test_more_rows_than_the_sources_can_answer_for_are_refused(running_job: Job, worker: Worker) -> None:
    rows = running_job.run.dataset.rows * len(PredictionSource)
    records = label_records(running_job, rows + 1)
    assert refused(running_job, worker, records) == (ErrorCode.INVALID_FIELD, "rows")
    append_predictions(worker, running_job.pk, batch_of(records[:-1]))
    with pytest.raises(ProtocolError):
        append_predictions(worker, running_job.pk, batch_of(records[-1:], rows + 1))


def test_what_cannot_be_an_answer_is_refused_with_its_place(running_job: Job, worker: Worker) -> None:
    records = label_records(running_job)
    records[2]["gold"] = 99
    assert refused(running_job, worker, records) == (ErrorCode.INVALID_FIELD, "rows.2.gold")


@pytest.fixture
def token_job(ana: User, worker: Worker) -> Job:
    run = make_run(ana, ready_dataset(ana, task="token-classification"))
    return Job.objects.get(pk=claim(worker).job_id, run=run)


def test_entities_are_stored(token_job: Job, worker: Worker) -> None:
    assert send(worker, token_job, [entity_predictions(range(2, 12), names_of(token_job)[0])]) == 10
    assert staged(token_job) == list(range(2, 12))
    records = records_of([entity_predictions([12], "the text of a row")])
    with pytest.raises(ProtocolError) as refusal:
        append_predictions(worker, token_job.pk, batch_of(records, 11))
    assert refusal.value.extra["errors"][0]["path"] == "rows.0.gold"
