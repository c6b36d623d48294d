"""POST /runs with initial_run: one's own completed run, or 404."""

from django.contrib.auth.models import User

from bert_training.models import Job, Run, Worker
from bert_training.services.jobs import complete_job
from tests.api.conftest import Api, outcome_of
from tests.personas import BASE_MODEL, ready_dataset
from tests.service_layer.test_jobs import completion


def test_a_run_begins_from_ones_own_model_only(
    api: Api, ana: User, carla: User, running_job: Job, worker: Worker
) -> None:
    body = {"dataset": running_job.run.dataset_id, "base_model": BASE_MODEL, "initial_run": running_job.run_id}
    assert outcome_of(api.as_person(ana).post("/runs", body)) == (400, "invalid_field")
    complete_job(worker, running_job.pk, completion())
    response = api.as_person(ana).post("/runs", body)
    shown = response.json()
    assert response.status_code == 201
    assert shown["initial_run"] == running_job.run_id
    assert shown["initial_fingerprint"] == Run.objects.get(pk=running_job.run_id).model_fingerprint
    own = ready_dataset(carla, request_digest="d" * 64)
    assert outcome_of(api.as_person(carla).post("/runs", {**body, "dataset": own.pk})) == (404, "not_found")
