"""From a doubted label to the page of a run on corrected data: download, correct, send again, train, be told."""

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django_q.models import OrmQ
from openpyxl import load_workbook
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from bert_training import background
from bert_training.contract.enums import ProofStatus, Split
from bert_training.data.sandbox import run_in_sandbox
from bert_training.data.splitting.manifest import SPLIT_OF
from bert_training.models import Dataset, Run, RunProof, Worker
from bert_training.services.divisions import division_of, split_facts
from bert_training.services.runs import delete_run
from bert_training.services.stored_files import read_table
from bert_training.tasks import continuing, profiling, rows_beside
from tests.checking import make_workbooks_here
from tests.pages.test_doubted_labels import doubt, suspect
from tests.pages.training import train
from tests.personas import make_dataset, make_run
from tests.proofs import make_proof
from tests.workbooks import claim_of, workbook_of

SAID = "test labels were corrected: compare with the uncorrected figure with care"


@pytest.fixture(autouse=True)
def _make_workbooks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    make_workbooks_here(monkeypatch)
    monkeypatch.setattr(profiling, "run_in_sandbox", lambda _name, values, limits: profiling.profile_table(**values))
    monkeypatch.setattr(continuing, "run_in_sandbox", lambda _name, values, limits: continuing.compare_tables(**values))


@pytest.fixture
def first(ana: User, worker: Worker) -> Run:
    """A trained run whose two test rows and one training row are doubted."""
    run = train(worker, make_run(ana, make_dataset(ana, rows=24)))
    rows = [*rows_in(run, Split.TEST)[:2], rows_in(run, Split.TRAIN)[0]]
    splits = {row: split.value for split in Split for row in rows_in(run, split)}
    doubt(run, [suspect(row, split=splits[row], given="=1+1", suggested="=SOMA(A1)") for row in rows])
    return run


def rows_in(run: Run, split: Split) -> list[int]:
    pairs = zip(read_table(run.dataset, ["row"])["row"], division_of(run).letters, strict=True)
    return [row for row, letter in pairs if SPLIT_OF[letter] == split]


def download(client: Client, run: Run) -> list[list[Any]]:
    response: Any = client.get(f"/runs/{run.pk}/label-errors/workbook")
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"] == "sandbox"
    sheet: Any = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert all(cell.data_type in "sn" for row in sheet.iter_rows() for cell in row)  # no formula
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def send(client: Client, rows: list[list[Any]]) -> Dataset:
    file = SimpleUploadedFile("corrigido.xlsx", workbook_of(rows))
    response = client.post("/datasets/new", {"file": file, "task": "text-classification", "action": "save"})
    assert response.status_code == 302, response.content.decode()
    dataset = Dataset.objects.order_by("-pk")[0]
    background.make_profile(dataset.pk)
    return dataset


def test_corrected_test_rows_are_counted_and_said_of_the_next_run(as_ana: Client, first: Run, worker: Worker) -> None:
    header, *rows = download(as_ana, first)
    assert header[2:] == ["Portal: doubted label", "Portal: suggested label", "Portal: doubt", "bert_row_id"]
    doubted = [at for at, row in enumerate(rows) if row[2]]
    assert len(doubted) == 3
    assert rows[doubted[0]][2:5] == ["=1+1", "=SOMA(A1)", "strong doubt (93.0%)"]
    for at in doubted:
        rows[at][1] = "saúde" if rows[at][1] != "saúde" else "cobrança"
    second = send(as_ana, [header, *rows[::-1]])  # sorted the other way round

    content = as_ana.get(f"/datasets/{second.pk}").content.decode()
    assert "3 answers changed" in content
    again = f"/runs/{first.pk}/reproduce?dataset={second.pk}"
    assert again in content
    assert "stay in training, validation or test as they were" in as_ana.get(again).content.decode()
    as_ana.post(again)
    run = Run.objects.get(dataset=second)
    texts = {
        name: dict(zip(*read_table(each.dataset, ["row", "text"]).values(), strict=True))
        for name, each in (("first", first), ("run", run))
    }
    for split in Split:
        then, now = (
            {texts[name][row] for row in rows_in(each, split)} for name, each in (("first", first), ("run", run))
        )
        assert then == now
    assert split_facts(run)["corrected"] == {"train": 1, "validation": 0, "test": 2}

    train(worker, run)
    RunProof.objects.create(run=run, status=ProofStatus.READY, content=make_proof(0.9))
    page = as_ana.get(f"/runs/{run.pk}").content.decode()
    assert f"2 {SAID}" in page
    assert "figures rise even if the model is no better" in page
    summary = as_ana.get(f"/bert-training/api/runs/{run.pk}/proof").json()["summary"]
    assert summary["corrected_rows"] == {"train": 1, "validation": 0, "test": 2}
    assert (summary["verdict"]["code"], summary["verdict"]["reasons"][-1]["code"]) == ("use", "test_corrected")
    assert SAID not in as_ana.get(f"/runs/{first.pk}").content.decode()


def test_each_file_of_an_upload_comes_back_with_its_own_rows(as_ana: Client, ana: User, worker: Worker) -> None:
    rows = [["texto", "label"], *([f"O autor {at} pede {claim_of(at)}.", "ab"[at % 2]] for at in range(12))]
    sent = {
        name: SimpleUploadedFile(f"{name}.xlsx", workbook_of([rows[0], *rows[1 + at :: 3]]))
        for at, name in enumerate(("file", "validation_file", "test_file"))
    }
    as_ana.post("/datasets/new", {**sent, "action": "save"})
    run = train(worker, make_run(ana, Dataset.objects.order_by("-pk")[0]))
    test_row = rows_in(run, Split.TEST)[0]
    page = as_ana.get(doubt(run, [suspect(test_row, split="test", given="a", suggested="b")])).content.decode()
    assert f"/runs/{run.pk}/label-errors/workbook?part=test" in page
    response: Any = as_ana.get(f"/runs/{run.pk}/label-errors/workbook?part=test")
    sheet: Any = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    header, *found = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert found[0][2:] == ["a", "b", "strong doubt (93.0%)", f"{run.dataset.sha256[:12]}:{test_row}"]
    assert found[1][2:5] == [None, None, None]

    found[0][1] = "b"
    sent["file"].seek(0)
    sent["validation_file"].seek(0)
    sent["test_file"] = SimpleUploadedFile("test.xlsx", workbook_of([header, *found]))
    as_ana.post("/datasets/new", {**sent, "action": "save"})
    corrected = Dataset.objects.order_by("-pk")[0]
    background.make_profile(corrected.pk)
    assert split_facts(make_run(ana, corrected))["corrected"] == {"train": 0, "validation": 0, "test": 1}


def test_a_stranger_gets_no_workbook_and_a_lost_file_is_said(as_ana: Client, as_carla: Client, first: Run) -> None:
    url = f"/runs/{first.pk}/label-errors/workbook"
    assert as_carla.get(url).status_code == 404
    assert as_ana.get(f"{url}?part=nonsense").status_code == 404
    assert as_carla.get(f"/bert-training/api{url}").status_code == 404
    assert as_ana.get(f"/bert-training/api{url}?part=test").status_code == 404
    assert as_ana.get(f"/bert-training/api{url}").headers["Content-Type"].endswith("spreadsheetml.sheet")
    Dataset.objects.filter(pk=first.dataset_id).update(sha256="0" * 64)
    assert "was changed" in as_ana.get(url, follow=True).content.decode()


def test_the_workbook_of_a_large_dataset_is_made_in_the_background_and_goes_with_the_run(
    as_ana: Client,
    first: Run,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(rows_beside, "run_in_sandbox", run_in_sandbox)  # this one in its child
    settings.BACKGROUND_CHECK_BYTES = first.dataset.bytes - 1
    OrmQ.objects.all().delete()
    url = f"/runs/{first.pk}/label-errors"
    page = as_ana.get(f"{url}/workbook", follow=True).content.decode()
    assert "its workbook is being made" in page
    assert 'data-refresh-seconds="3"' in page
    background.make_workbook(*OrmQ.objects.get().task["args"])
    assert 'data-refresh-seconds="3"' not in as_ana.get(url).content.decode()
    assert len([row for row in download(as_ana, first)[1:] if row[2]]) == 3
    key = first.dataset.workbook_key(f"doubts-{first.pk}-train-linear", "en")
    assert default_storage.exists(key)
    with django_capture_on_commit_callbacks(execute=True):
        delete_run(first)
    assert not default_storage.exists(key)
    assert default_storage.exists(first.dataset.table_key)
