"""Files for people open in their spreadsheet program: in pt-BR ";", a decimal comma and a mark before the text."""

import codecs
import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bert_training.background import make_proof
from bert_training.contract.enums import Split
from bert_training.models import DatasetManifest, Job, Run, Worker
from bert_training.services.divisions import unpack_letters
from tests.pages.conftest import client_of
from tests.predicting import complete_with, label_predictions, names_of

LANGUAGES = ("pt-BR", "en")


@pytest.fixture
def proved(running_job: Job, worker: Worker, proved_here: None) -> Run:
    """A completed run whose proof is made."""
    classes = len(names_of(running_job))
    answers = [label_predictions(range(5, 14), classes=classes, split=Split.TEST)]
    complete_with(worker, running_job, answers)
    make_proof(running_job.run_id)
    return Run.objects.get(pk=running_job.run_id)


def file_of(client: Client, path: str) -> bytes:
    answer: Any = client.get(path)
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content


@pytest.mark.parametrize("name", ["metrics", "manifest", "predictions.csv"])
def test_a_file_of_a_run_suits_the_program_of_its_reader(proved: Run, finished_run: Run, name: str) -> None:
    run = finished_run if name == "metrics" else proved
    portuguese, english = (file_of(client_of(run.owner, language), f"/runs/{run.pk}/{name}") for language in LANGUAGES)
    assert portuguese.startswith(codecs.BOM_UTF8)
    assert english.startswith(codecs.BOM_UTF8)
    there, here = portuguese.decode("utf-8-sig").splitlines(), english.decode("utf-8-sig").splitlines()
    assert there[0].split(";") == here[0].split(",")
    assert len(there) == len(here) > 5
    assert [line.replace(";", ",").replace("0,", "0.") for line in there] == [line.replace("0,", "0.") for line in here]
    assert any(";0," in line for line in there) or name == "manifest"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_split_that_was_downloaded_is_taken_back(ana: User, run: Run, language: str) -> None:
    client = client_of(ana, language)
    content = file_of(client, f"/runs/{run.pk}/manifest")
    sent = {"file": SimpleUploadedFile("divisao.csv", content)}
    answer = client.post(f"/datasets/{run.dataset_id}/manifest", sent)
    assert answer.headers["Location"] == f"/datasets/{run.dataset_id}"
    stored = DatasetManifest.objects.get(dataset=run.dataset_id).letters
    assert unpack_letters(stored) == unpack_letters(run.split_manifest.letters)


def test_a_run_without_predictions_has_no_file_of_them(as_ana: Client, as_carla: Client, run: Run) -> None:
    assert as_ana.get(f"/runs/{run.pk}/predictions.csv").status_code == 404
    assert as_carla.get(f"/runs/{run.pk}/predictions.csv").status_code == 404


def test_the_audit_suits_the_program_of_its_reader(root: User, run: Run) -> None:
    content = file_of(client_of(root, "pt-BR"), "/admin/bert_training/auditevent/audit.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content), delimiter=";"))
    assert ("run_created", str(run.pk)) in [(row["kind"], row["target_id"]) for row in rows]
