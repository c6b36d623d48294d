"""Repairs on the page of a stored dataset: chosen by a tick, done as a new dataset."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from bert_training.background import check_dataset
from bert_training.contract.enums import Split
from bert_training.models import Dataset
from bert_training.services.datasets import register_upload
from bert_training.tasks.intake import CheckRequest
from tests.pages.queries import queries_of
from tests.workbooks import workbook_bytes, workbook_of

BAD_ROWS = workbook_of([("texto", "label"), *((f"texto {row}", "ab"[row % 2]) for row in range(10)), ("", "a")])


@pytest.fixture
def refused(ana: User, settings: Settings) -> Dataset:
    """A dataset of ana's with a bad row, refused in the background."""
    settings.BACKGROUND_CHECK_BYTES = 10
    uploads = {Split.TRAIN: SimpleUploadedFile("dados.xlsx", BAD_ROWS)}
    dataset = register_upload(owner=ana, uploads=uploads, request=CheckRequest("text-classification")).dataset
    check_dataset(dataset.pk)
    settings.BACKGROUND_CHECK_BYTES = 10_000_000
    return dataset


def test_a_refused_dataset_leads_to_its_repairs(as_ana: Client, refused: Dataset) -> None:
    assert f'href="/datasets/{refused.pk}/repair"' in as_ana.get(f"/datasets/{refused.pk}").content.decode()
    form = as_ana.get(f"/datasets/{refused.pk}/repair").content.decode()
    assert "Leave out the rows that have an error (1)" in form
    assert 'value="mask_personal_data"' in form


def test_a_repair_can_be_chosen_by_a_link(as_ana: Client, refused: Dataset) -> None:
    form = as_ana.get(f"/datasets/{refused.pk}/repair?recipe=mask_personal_data&recipe=nonsense").content.decode()
    assert re.search(r'value="mask_personal_data"[^>]* checked', form)
    assert 'value="nonsense"' not in form


def test_chosen_repairs_make_a_new_dataset_that_says_where_it_comes_from(as_ana: Client, refused: Dataset) -> None:
    form = {"recipe": ["leave_out_bad_rows"]}
    page = as_ana.post(f"/datasets/{refused.pk}/repair", form, follow=True).content.decode()
    repaired = Dataset.objects.latest("id")
    assert (repaired.derived_from, repaired.status) == (refused, "ready")
    assert "The repaired dataset was made" in page
    assert f'href="/datasets/{refused.pk}"' in page
    assert "Repairs done on the way from the file" in page
    again = as_ana.post(f"/datasets/{refused.pk}/repair", form, follow=True).content.decode()
    assert "was here already" in again


def test_datasets_of_one_file_differ_in_lists_by_their_repairs(as_ana: Client, dataset: Dataset) -> None:
    repair = {"recipe": "mask_personal_data"}
    assert all("Mask personal" not in as_ana.get(path).content.decode() for path in ("/datasets", "/runs/new"))
    as_ana.post(f"/datasets/{dataset.pk}/repair", repair)
    assert all("Mask personal" in as_ana.get(path).content.decode() for path in ("/datasets", "/runs/new"))


def test_what_was_repaired_before_is_not_offered_again(as_ana: Client, refused: Dataset) -> None:
    as_ana.post(f"/datasets/{refused.pk}/repair", {"recipe": ["leave_out_bad_rows"]})
    form = as_ana.get(f"/datasets/{Dataset.objects.latest('id').pk}/repair").content.decode()
    assert 'value="leave_out_bad_rows"' not in form
    assert 'value="mask_personal_data"' in form
    assert "The repairs done before are done again." in form


def test_repairs_that_do_not_help_are_answered_with_what_is_left(as_ana: Client, refused: Dataset) -> None:
    response = as_ana.post(f"/datasets/{refused.pk}/repair", {"recipe": ["unify_labels"]})
    assert response.status_code == 422
    assert "cell A12" in response.content.decode()
    assert 'value="unify_labels"' in response.content.decode()


def test_a_repair_that_does_not_exist_marks_the_field(as_ana: Client, refused: Dataset) -> None:
    response = as_ana.post(f"/datasets/{refused.pk}/repair", {"recipe": ["tidy_up"]})
    assert response.status_code == 422
    assert "errorlist" in response.content.decode()


def test_only_who_sees_a_dataset_may_repair_it(as_carla: Client, as_root: Client, refused: Dataset, root: User) -> None:
    for method in (as_carla.get, as_carla.post):
        assert method(f"/datasets/{refused.pk}/repair", {"recipe": ["leave_out_bad_rows"]}).status_code == 404
    as_root.post(f"/datasets/{refused.pk}/repair", {"recipe": ["leave_out_bad_rows"]})
    assert Dataset.objects.latest("id").owner == root


def test_saying_where_a_dataset_comes_from_costs_one_query(as_ana: Client, dataset: Dataset, refused: Dataset) -> None:
    plain = len(queries_of(as_ana, f"/datasets/{dataset.pk}"))
    Dataset.objects.filter(pk=dataset.pk).update(derived_from=refused)
    assert len(queries_of(as_ana, f"/datasets/{dataset.pk}")) == plain + 1


def test_files_sent_beside_the_first_are_named_and_downloaded(as_ana: Client, ana: User) -> None:
    parts = {
        split: SimpleUploadedFile(f"{split}.xlsx", workbook_bytes("text-classification", salt=split))
        for split in (Split.TRAIN, Split.TEST)
    }
    dataset = register_upload(owner=ana, uploads=parts, request=CheckRequest("text-classification")).dataset
    page = as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    assert f'href="/datasets/{dataset.pk}/download?part=test"' in page
    response = as_ana.get(f"/datasets/{dataset.pk}/download?part=test")
    assert 'filename="test.xlsx"' in response.headers["Content-Disposition"]
    assert as_ana.get(f"/datasets/{dataset.pk}/download?part=validation").status_code == 404
