"""The page of deletions: who sees which, where copies may still be, and what staff note by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import CopyState, Feature, JobStatus
from bert_training.models import Dataset, Erasure, ErasureCopy, Job, Run, Worker
from bert_training.services.datasets import delete_dataset
from bert_training.services.erasures import clear_store
from tests.api.conftest import Api
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.personas import ready_dataset


@pytest.fixture
def trained(run: Run, running_job: Job, worker: Worker) -> Run:
    """A run that has ended on a computer that knows how to forget."""
    running_job.transition(JobStatus.CANCELED, lease_until=None)
    Worker.objects.update(features=[Feature.FORGET.value], last_seen_at=timezone.now())
    return run


@pytest.fixture
def erasure(trained: Run, ana: User) -> Erasure:
    """The deletion of ana's dataset, on which a computer had trained."""
    erasure = delete_dataset(trained.dataset, by=ana)
    clear_store(erasure)  # what a commit does
    return erasure


def test_the_question_says_what_goes_and_where_copies_are(as_ana: Client, trained: Run, ana: User) -> None:
    ready_dataset(ana, request_digest="2", derived_from=trained.dataset)
    page = as_ana.get(f"/datasets/{trained.dataset_id}/delete").content.decode()
    assert "1 computer has trained on it (gpu-1)" in page
    assert "1 dataset was made from it and stays" in page
    assert "Backups of the portal are not reached" in page


def test_after_a_deletion_one_sees_which_computers_have_not_confirmed(as_ana: Client, trained: Run) -> None:
    response = as_ana.post(f"/datasets/{trained.dataset_id}/delete", follow=True)
    assert response.redirect_chain[-1][0] == f"/erasures/{Erasure.objects.get().pk}"
    page = response.content.decode()
    assert "1 computer has not confirmed yet." in page
    assert "gpu-1" in page
    assert "asked, has not confirmed yet" in page
    assert "This computer cannot confirm any more" not in page  # staff only
    listed = as_ana.get("/erasures").content.decode()
    assert trained.dataset.name in listed
    assert '<a class="button" href="/erasures">' in as_ana.get("/datasets").content.decode()


def test_others_see_no_deletion_and_no_name(
    erasure: Erasure, as_carla: Client, bruno: User, otto: User, as_root: Client, carla: User, root: User
) -> None:
    api = Api()
    for client in (as_carla, client_of(bruno), client_of(otto)):
        assert client.get(f"/erasures/{erasure.pk}").status_code == 404
        assert erasure.name not in client.get("/erasures").content.decode()
    assert as_root.get(f"/erasures/{erasure.pk}").status_code == 200
    assert api.as_person(carla).get("/erasures").json()["results"] == []
    (shown,) = api.as_person(root).get("/erasures").json()["results"]
    assert (shown["name"], shown["is_whole"], shown["deleted_by"]) == (erasure.name, False, "ana")
    assert [(copy["worker"], copy["state"]) for copy in shown["copies"]] == [("gpu-1", "asked")]
    assert api.anonymous().get("/erasures").status_code == 401


def test_who_deletes_what_was_shared_sees_it_too(ana: User, bruno: User, dataset: Dataset) -> None:
    erasure = delete_dataset(dataset, by=bruno)
    for person in (ana, bruno):
        assert client_of(person).get(f"/erasures/{erasure.pk}").status_code == 200


def test_staff_settle_by_hand_and_nobody_else_does(erasure: Erasure, as_ana: Client, as_root: Client) -> None:
    copy = ErasureCopy.objects.get()
    url, reason = f"/erasures/{erasure.pk}/copies/{copy.pk}", {"reason": "O disco foi <destruído>."}
    assert as_ana.post(url, reason).status_code == 403
    assert as_root.get(url).status_code == 405
    assert as_root.post(f"/erasures/{erasure.pk}/copies/{copy.pk + 1}", reason).status_code == 404
    assert "Say how you know" in as_root.post(url, {"reason": " "}, follow=True).content.decode()
    page = as_root.post(url, reason, follow=True).content.decode()
    assert "Gone everywhere." in page
    assert "O disco foi &lt;destruído&gt;." in page


STATES: dict[CopyState, dict[str, Any]] = {
    CopyState.SILENT: {"last_seen_at": timezone.now() - timedelta(days=60)},
    CopyState.TOO_OLD: {"features": []},
    CopyState.SWITCHED_OFF: {"active": False},
    CopyState.REPLACED: {"instance": "another-machine:1"},
}


@pytest.mark.parametrize("state", STATES)
def test_the_page_says_why_a_computer_has_not_confirmed(erasure: Erasure, as_ana: Client, state: CopyState) -> None:
    Worker.objects.update(**STATES[state])
    copy = ErasureCopy.objects.select_related("worker").get()
    assert copy.state == state
    assert copy.state_words in as_ana.get(f"/erasures/{erasure.pk}").content.decode()


def test_the_list_asks_as_often_for_many_as_for_one(erasure: Erasure, as_ana: Client, ana: User) -> None:
    few = len(queries_of(as_ana, "/erasures"))
    for number in range(5):
        more = delete_dataset(ready_dataset(ana, request_digest=str(number)), by=ana)
        ErasureCopy.objects.create(erasure=more, worker=Worker.objects.get(), worker_name="gpu-1", machine="m")
    assert len(queries_of(as_ana, "/erasures")) == few
