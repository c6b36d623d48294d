"""The list of datasets and the page of one."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.test import Client
from django.test.html import Element, parse_html
from django.utils import timezone

from bert_training.data.checks import Problem, ProblemGroup
from bert_training.models import Dataset, Erasure, Run
from tests.pages.queries import queries_of
from tests.personas import make_dataset, make_run

CANARY = "<img src=x onerror=alert(1)>"


def test_the_list_shows_what_somebody_may_see(as_ana: Client, as_carla: Client, as_root: Client, ana: User) -> None:
    make_dataset(ana, name="Petições de 2024")
    assert "Petições de 2024" in as_ana.get("/datasets").content.decode()
    assert "Petições de 2024" in as_root.get("/datasets").content.decode()
    assert "Petições de 2024" not in as_carla.get("/datasets").content.decode()


def test_the_list_can_be_filtered_and_the_address_holds_the_filters(as_ana: Client, ana: User) -> None:
    make_dataset(ana, name="Textos")
    make_dataset(ana, name="Entidades", task="token-classification")
    shown = as_ana.get("/datasets?task=token-classification").content.decode()
    assert "Entidades" in shown
    assert ">Textos<" not in shown
    assert "No dataset matches" in as_ana.get("/datasets?name__icontains=nada").content.decode()


@pytest.mark.parametrize("query", ["page=x", "page=999", "task=no-such", "status=%00", "name__icontains=%25"])
def test_a_strange_address_still_opens_the_list(as_ana: Client, dataset: Dataset, query: str) -> None:
    assert as_ana.get(f"/datasets?{query}").status_code == 200


def test_the_list_costs_the_same_queries_with_many_rows(as_root: Client, ana: User) -> None:
    make_dataset(ana, name="0")
    few = queries_of(as_root, "/datasets")
    for number in range(1, 5):
        make_dataset(ana, name=str(number))
    assert len(queries_of(as_root, "/datasets")) == len(few) <= 7


def test_the_page_shows_labels_first_rows_and_runs(as_ana: Client, run: Run) -> None:
    content = as_ana.get(f"/datasets/{run.dataset_id}").content.decode()
    assert "cobrança" in content
    assert "33.3%" in content
    assert "O autor 0 pede" in content
    assert run.name in content


def test_a_stranger_learns_nothing_of_a_dataset(as_carla: Client, dataset: Dataset) -> None:
    for path in ("", "/download", "/delete"):
        assert as_carla.get(f"/datasets/{dataset.pk}{path}").status_code == 404
    assert as_carla.post(f"/datasets/{dataset.pk}/delete").status_code == 404
    assert Dataset.objects.filter(pk=dataset.pk).exists()


def test_the_original_comes_back_byte_for_byte_and_never_opens_in_the_browser(as_ana: Client, dataset: Dataset) -> None:
    response = as_ana.get(f"/datasets/{dataset.pk}/download")
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(content).hexdigest() == dataset.sha256
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"] == "sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_missing_file_is_said_on_the_page(as_ana: Client, dataset: Dataset) -> None:
    default_storage.delete(dataset.table_key)
    default_storage.delete(dataset.original_key)
    assert "no longer there" in as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    assert as_ana.get(f"/datasets/{dataset.pk}/download").status_code == 302


def test_a_dataset_is_deleted_after_a_question(as_ana: Client, dataset: Dataset) -> None:
    path = f"/datasets/{dataset.pk}/delete"
    assert "Delete this dataset?" in as_ana.get(path).content.decode()
    assert Dataset.objects.filter(pk=dataset.pk).exists()
    assert as_ana.post(path).headers["Location"] == f"/erasures/{Erasure.objects.get().pk}"
    assert not Dataset.objects.filter(pk=dataset.pk).exists()
    assert as_ana.post(path).status_code == 404


def test_a_dataset_with_runs_stays_and_the_reason_is_said(as_ana: Client, run: Run) -> None:
    response = as_ana.post(f"/datasets/{run.dataset_id}/delete", follow=True)
    assert "needs this dataset" in response.content.decode()
    assert Dataset.objects.filter(pk=run.dataset_id).exists()


def test_a_dataset_in_check_shows_how_far_it_is_and_asks_again_by_itself(as_ana: Client, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(status="checking", progress=40)
    content = as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    assert "40 %" in content
    assert 'data-refresh-seconds="2"' in content
    assert "New run" not in content


@pytest.mark.parametrize("status", ["ready", "refused"])
def test_a_page_that_waited_for_the_check_becomes_the_page_of_the_dataset(
    as_ana: Client, dataset: Dataset, status: str
) -> None:
    """Only what stands in parts that the page asks for again may differ: actions, repairs, downloads, facts."""
    Dataset.objects.filter(pk=dataset.pk).update(status="checking", sheet="", columns={}, report={})
    waiting = as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    problem = Problem("empty_cell", "The cell is empty.", cell="B2", fix="leave_out_bad_rows")
    group = ProblemGroup("empty_cell", is_error=True, count=1, fix="leave_out_bad_rows", problems=[problem]).as_dict()
    Dataset.objects.filter(pk=dataset.pk).update(
        status=status, sheet="Dados", columns=dataset.columns, summary={"continues": "x"}, report={"groups": [group]}
    )
    checked = as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    assert "Choose repairs" in checked
    assert _unrefreshed(parse_html(checked)) == _unrefreshed(parse_html(waiting))


def _unrefreshed(element: Element) -> list[Any]:
    """Return what a page keeps when its parts are asked for again: each part is only its name."""
    part: list[Any] = [value for name, value in element.attributes if name == "data-refresh"]
    inner = [_unrefreshed(child) if isinstance(child, Element) else child for child in element.children]
    kept = [(name, value) for name, value in element.attributes if name not in ("data-refresh-seconds", "value")]
    return [*part] or [element.name, kept, inner]


@pytest.mark.parametrize(("age_seconds", "attempts", "is_said"), [(5, 0, False), (300, 0, True), (300, 1, False)])
def test_a_check_that_does_not_begin_says_that_it_waits(
    as_ana: Client, dataset: Dataset, age_seconds: int, attempts: int, is_said: bool
) -> None:
    """F-27: the background work has stopped; a check that runs, however long, does not wait."""
    created_at = timezone.now() - timedelta(seconds=age_seconds)
    Dataset.objects.filter(pk=dataset.pk).update(status="checking", check_attempts=attempts, created_at=created_at)
    content = as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    assert ("The check waits" in content) is is_said


def test_a_refused_dataset_says_what_to_repair(as_ana: Client, dataset: Dataset) -> None:
    problem = Problem("blank_label", "The cell %(cell)s is <b>.", values={"cell": "B2"}, cell="B2")
    report = {"errors": [problem.as_dict()], "counts": {"blank_label": 7}}
    Dataset.objects.filter(pk=dataset.pk).update(status="refused", report=report)
    content = as_ana.get(f"/datasets/{dataset.pk}").content.decode()
    assert "7 things must be repaired" in content
    assert "The cell B2 is &lt;b&gt;." in content


def test_markup_in_names_is_shown_as_text(as_ana: Client, ana: User) -> None:
    dataset = make_dataset(ana, name=CANARY)
    make_run(ana, dataset, name=CANARY)
    for path in ("/datasets", f"/datasets/{dataset.pk}", f"/datasets/{dataset.pk}/delete"):
        content = as_ana.get(path).content.decode()
        assert CANARY not in content
        assert "&lt;img src=x onerror=alert(1)&gt;" in content


def test_a_sample_opens_as_a_spreadsheet_of_the_task(as_ana: Client) -> None:
    response = as_ana.get("/datasets/sample/token-classification")
    assert response.headers["Content-Disposition"] == 'attachment; filename="sample-token-classification.xlsx"'
    assert io.BytesIO(response.content).read(2) == b"PK"
    assert as_ana.get("/datasets/sample/no-such-task").status_code == 404
