"""Parts of the test rows: by length for all who see the run, by a column for those alone who see its texts."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bert_training.contract.enums import Split
from bert_training.data.digest import file_digest
from bert_training.data.predicting.prediction_files import write_predictions
from bert_training.models import Dataset, Run, RunProof, Team, Worker
from bert_training.services.datasets import register_upload
from bert_training.services.stored_files import put_file, read_table
from bert_training.tasks import slicing
from bert_training.tasks.intake import CheckRequest
from tests.pages.conftest import client_of
from tests.pages.results import prove
from tests.pages.training import train
from tests.personas import XLSX, make_run, ready_dataset, share
from tests.predicting import label_predictions
from tests.proofs import make_proof
from tests.workbooks import claim_of, workbook_of

ROWS = 120


@pytest.fixture
def sliced_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the child processes."""

    def call(function: str, arguments: Mapping[str, Any], *, limits: Any) -> Any:
        return getattr(slicing, function.rpartition(".")[2])(**arguments)

    monkeypatch.setattr(slicing, "run_in_sandbox", call)


def dataset_with_columns(owner: User) -> Dataset:
    """A spreadsheet with an origin and a date beside text and label; texts of the south are longer."""
    head = ["Origem", "texto", "rótulo", "data"]
    rows = [
        [
            "norte" if number % 3 else "sul",
            claim_of(number) + " a" * (number % 40),
            f"classe {number % 2}",
            f"202{number % 4}-05-10",
        ]
        for number in range(ROWS)
    ]
    file = SimpleUploadedFile("p.xlsx", workbook_of([head, *rows]), content_type=XLSX)
    request = CheckRequest(task="text-classification", columns={"text": "texto", "label": "rótulo"})
    return register_upload(owner=owner, uploads={Split.TRAIN: file}, request=request, name="Com colunas").dataset


def with_predictions(run: Run, folder: Path) -> Run:
    """Give a run a proof and stored predictions of all rows of its dataset, as if all were test rows."""
    path = folder / "predictions.parquet"
    write_predictions([label_predictions(read_table(run.dataset)["row"], classes=2)], path)
    put_file(f"proofs/{run.pk}.parquet", path)
    figures = {"precision": None, "recall": None, "f1": None, "support": 0}
    run.result = {**(run.result or {}), "classes": [{"name": f"classe {number}", **figures} for number in range(2)]}
    run.save(update_fields=["result"])
    prove(run, make_proof())
    RunProof.objects.filter(run=run).update(key=f"proofs/{run.pk}.parquet", sha256=file_digest(path))
    return run


@pytest.fixture
def run(ana: User, worker: Worker, tmp_path: Path, sliced_here: None) -> Run:
    return with_predictions(train(worker, make_run(ana, dataset_with_columns(ana))), tmp_path)


def page_of(client: Client, run: Run, query: str = "") -> str:
    response = client.get(f"/runs/{run.pk}/slices{query}")
    assert response.status_code == 200
    return str(response.content.decode())


def table_of(client: Client, run: Run, query: str) -> list[list[str]]:
    """Return the figures of the picture."""
    file = client.get(f"/runs/{run.pk}/slices.csv{query}").content.decode("utf-8-sig")
    return [*csv.reader(io.StringIO(file))]


def test_quartiles_of_the_length_are_judged(as_ana: Client, run: Run) -> None:
    content = page_of(as_ana, run)
    assert "F1 (macro) by length in words" in content
    head, *parts = table_of(as_ana, run, "")
    assert head[:3] == ["length in words", "Test rows", "F1 (macro)"]
    assert len(parts) == 4
    assert sum(int(part[1]) for part in parts) == ROWS
    assert f'href="/runs/{run.pk}/slices"' in as_ana.get(f"/runs/{run.pk}").content.decode()


def test_a_column_that_no_run_trains_on_tells_rows_apart(as_ana: Client, run: Run) -> None:
    offered = page_of(as_ana, run, "?by=column")
    assert "Choose a column" in offered
    assert [f"<option>{name}</option>" in offered for name in ("Origem", "data", "texto")] == [True, True, False]
    chosen = table_of(as_ana, run, "?by=column&column=Origem")
    assert [part[:2] for part in chosen[1:]] == [["norte", "80"], ["sul", "40"]]
    assert "The spreadsheet has no such column." in page_of(as_ana, run, "?by=column&column=texto")
    picture = as_ana.get(f"/runs/{run.pk}/slices.svg?by=column&column=data")
    assert b"F1 (macro) by data" in picture.content


def test_what_a_column_holds_is_for_those_who_see_the_texts(
    as_carla: Client, bruno: User, team: Team, run: Run
) -> None:
    assert as_carla.get(f"/runs/{run.pk}/slices").status_code == 404
    share(run, team)
    as_bruno = client_of(bruno)
    assert "Length in words" in page_of(as_bruno, run)
    assert "norte" not in page_of(as_bruno, run, "?by=column&column=Origem")
    assert "not shared with you" in page_of(as_bruno, run, "?by=column&column=Origem")
    assert as_bruno.get(f"/runs/{run.pk}/slices.csv?by=column&column=Origem").status_code == 302


def test_nobody_keeps_the_portal_busy_with_parts(as_ana: Client, run: Run, settings: Any) -> None:
    settings.CHECKS_PER_HOUR = 2
    assert "F1 (macro) by length in words" in page_of(as_ana, run)
    assert "Choose a column" in page_of(as_ana, run, "?by=column")
    for query in ("", "?by=column&column=Origem"):
        assert "At most 2 spreadsheets may be checked an hour." in page_of(as_ana, run, query)


def test_without_predictions_the_page_says_so(as_ana: Client, finished_run: Run) -> None:
    content = page_of(as_ana, finished_run)
    assert "The portal has no predictions of this run" in content
    assert as_ana.get(f"/runs/{finished_run.pk}/slices.svg").status_code == 302


def test_the_real_child_process_gives_the_same(as_ana: Client, ana: User, worker: Worker, tmp_path: Path) -> None:
    run = with_predictions(train(worker, make_run(ana, ready_dataset(ana, request_digest="a" * 64))), tmp_path)
    assert sum(int(part[1]) for part in table_of(as_ana, run, "")[1:]) == run.dataset.rows
    assert "no columns beside those" in page_of(as_ana, run, "?by=column")
