"""A run's proof and predictions over the API: the worker sends, the owner reads, a stranger sees nothing."""

import csv
import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bert_training.background import make_proof
from bert_training.contract.limits import PREDICTIONS_PER_BATCH
from bert_training.data.predicting.predictions import Predictions, prediction_digest
from bert_training.models import Job, Run, Worker
from tests.api.conftest import Api, Caller, body_of, outcome_of
from tests.api.test_worker_story import RESULT, completed
from tests.personas import claim, make_run, ready_dataset
from tests.predicting import complete_with, entity_predictions, label_predictions, names_of, records_of

pytestmark = pytest.mark.usefixtures("proved_here")


@pytest.fixture
def gpu(api: Api, worker: Worker) -> Caller:
    return api.as_worker(worker)


@pytest.fixture
def owner(api: Api, ana: User) -> Caller:
    return api.as_person(ana)


def predictions_for(job: Job) -> list[Predictions]:
    return [label_predictions(range(2, 12), classes=len(names_of(job)))]


def batch(job: Job, **changes: Any) -> dict[str, Any]:
    return {"attempt": 1, "first_seq": 1, "rows": records_of(predictions_for(job)), **changes}


@pytest.fixture
def proved(running_job: Job, worker: Worker) -> Run:
    """A run with its proof."""
    complete_with(worker, running_job, predictions_for(running_job))
    make_proof(running_job.run_id)
    return Run.objects.get(pk=running_job.run_id)


@pytest.mark.embedded
def test_a_worker_sends_predictions_and_the_owner_gets_a_proof(gpu: Caller, owner: Caller, running_job: Job) -> None:
    job, run = running_job.pk, running_job.run_id
    sent = gpu.post(f"/jobs/{job}/predictions", batch(running_job))
    assert (sent.status_code, sent.json()) == (200, {"next_seq": 11, "directive": "continue"})
    assert outcome_of(owner.get(f"/runs/{run}/proof")) == (404, "not_found")
    classes = [
        {"name": name, "precision": 0.9, "recall": None, "f1": None, "support": 0} for name in names_of(running_job)
    ]
    result = {**RESULT, "classes": classes, "prediction_digest": prediction_digest(predictions_for(running_job))}
    assert gpu.post(f"/jobs/{job}/complete", completed(prediction_seq=10, result=result)).status_code == 200
    waiting = owner.get(f"/runs/{run}/proof").json()
    assert (waiting["status"], waiting["proof"], waiting["summary"]) == ("pending", None, None)
    make_proof(run)
    shown = owner.get(f"/runs/{run}/proof").json()
    assert (shown["status"], shown["rows"], shown["proof"]["rows"]["test"]) == ("ready", 10, 10)
    assert shown["summary"]["verdict"]["code"] in ("use_with_review", "do_not_use")
    assert shown["summary"]["alerts"][0]["sentence"]


def test_the_claim_asks_for_predictions_and_a_simulation_does_not(
    run: Run, worker: Worker, other_worker: Worker, root: User
) -> None:
    assert claim(worker).wants_predictions
    make_run(root, run.dataset, simulate=True)
    assert not claim(other_worker, instance="machine-2:1", simulate=True).wants_predictions
    assert claim(worker).wants_predictions  # asked again


PATHS = ("proof", "predictions", "predictions?format=csv")


def test_a_stranger_finds_nothing(api: Api, proved: Run, carla: User, root: User) -> None:
    for path in PATHS:
        assert outcome_of(api.as_person(carla).get(f"/runs/{proved.pk}/{path}")) == (404, "not_found")
        assert outcome_of(api.anonymous().get(f"/runs/{proved.pk}/{path}")) == (401, "token_missing")
        assert api.as_person(root).get(f"/runs/{proved.pk}/{path}").status_code == 200


def test_a_run_without_predictions_has_neither(owner: Caller, run: Run) -> None:
    for path in PATHS:
        assert outcome_of(owner.get(f"/runs/{run.pk}/{path}")) == (404, "not_found")


def test_the_file_is_downloaded_whole_in_parts_and_not_again(owner: Caller, proved: Run) -> None:
    whole = owner.get(f"/runs/{proved.pk}/predictions")
    content = body_of(whole)
    assert pq.read_table(io.BytesIO(content)).num_rows == 10
    part = owner.get(f"/runs/{proved.pk}/predictions", range="bytes=4-9")
    assert (part.status_code, body_of(part)) == (206, content[4:10])
    assert whole.headers["Content-Disposition"] == f'attachment; filename="run-{proved.pk}-predictions.parquet"'
    assert owner.get(f"/runs/{proved.pk}/predictions", if_none_match=whole.headers["ETag"]).status_code == 304


def test_the_csv_has_names_instead_of_ids(owner: Caller, proved: Run) -> None:
    answer = owner.get(f"/runs/{proved.pk}/predictions?format=csv")
    lines = list(csv.DictReader(io.StringIO(body_of(answer).decode())))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [int(line["row"]) for line in lines] == list(range(2, 12))
    assert {line["gold"] for line in lines} <= set(names_of(proved.job))
    assert (lines[0]["source"], lines[0]["split"], lines[0]["probability"]) == ("network", "test", "0.7002")


def test_the_csv_shows_entities_by_their_place(api: Api, ana: User, worker: Worker) -> None:
    run = make_run(ana, ready_dataset(ana, task="token-classification"))
    job = Job.objects.get(pk=claim(worker).job_id, run=run)
    kind = names_of(job)[0]
    complete_with(worker, job, [entity_predictions(range(2, 6), kind)])
    make_proof(run.pk)
    answer = api.as_person(ana).get(f"/runs/{run.pk}/predictions?format=csv")
    lines = list(csv.reader(io.StringIO(body_of(answer).decode())))
    assert lines[1:3] == [
        ["2", "test", "network", f"{kind}[0:1]", "", ""],
        ["3", "test", "network", f"{kind}[0:1]", f"{kind}[0:1]", "0.9000"],
    ]


def test_an_unknown_format_is_named(owner: Caller, proved: Run) -> None:
    assert outcome_of(owner.get(f"/runs/{proved.pk}/predictions?format=xml")) == (400, "invalid_field")


def test_a_file_that_was_changed_is_not_handed_out(owner: Caller, proved: Run) -> None:
    type(proved.proof).objects.update(sha256="0" * 64)
    assert outcome_of(owner.get(f"/runs/{proved.pk}/predictions")) == (404, "dataset_gone")


def test_the_number_of_queries_does_not_grow_with_the_rows(owner: Caller, proved: Run) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        owner.get(f"/runs/{proved.pk}/proof")
    assert len(queries) <= 10  # session, person, run; proof twice; facts of the split, scales, losses


STRANGE: dict[str, dict[str, Any]] = {
    "501 rows": {"rows": [{"row": 2, "split": "test", "unit": 2, "gold": 0, "predicted": 0}] * 501},
    "row is a text": {"rows": [{"row": "2", "split": "test", "unit": 2, "gold": 0, "predicted": 0}]},
    "row below 0": {"rows": [{"row": -1, "split": "test", "unit": 2, "gold": 0, "predicted": 0}]},
    "no unit": {"rows": [{"row": 2, "split": "test", "gold": 0, "predicted": 0}]},
    "an unknown split": {"rows": [{"row": 2, "split": "all", "unit": 2, "gold": 0, "predicted": 0}]},
    "an unknown source": {"rows": [{"row": 2, "split": "test", "unit": 2, "gold": 0, "predicted": 0, "source": "me"}]},
    "gold is a text": {"rows": [{"row": 2, "split": "test", "unit": 2, "gold": "the text", "predicted": 0}]},
    "gold is true": {"rows": [{"row": 2, "split": "test", "unit": 2, "gold": True, "predicted": 0}]},
    "gold is deep": {"rows": [{"row": 2, "split": "test", "unit": 2, "gold": [[[0]]], "predicted": []}]},
    "no rows": {"rows": None},
    "first_seq 0": {"first_seq": 0},
}


def test_what_is_no_batch_is_refused(gpu: Caller, running_job: Job) -> None:
    for name, changes in STRANGE.items():
        answer = gpu.post(f"/jobs/{running_job.pk}/predictions", batch(running_job, **changes))
        assert outcome_of(answer) == (400, "invalid_field"), name
    assert gpu.post(f"/jobs/{running_job.pk}/predictions", batch(running_job)).json()["next_seq"] == 11


def test_a_batch_may_hold_500_rows(gpu: Caller, running_job: Job) -> None:
    rows = batch(running_job)["rows"][:1] * PREDICTIONS_PER_BATCH
    answer = gpu.post(f"/jobs/{running_job.pk}/predictions", batch(running_job, rows=rows))
    assert outcome_of(answer) == (400, "invalid_field")  # of a table with twelve rows
    assert answer.json()["errors"][0]["path"] == "rows"


def test_people_send_none(owner: Caller, running_job: Job) -> None:
    assert outcome_of(owner.post(f"/jobs/{running_job.pk}/predictions", batch(running_job)))[0] == 403
