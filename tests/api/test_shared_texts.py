"""A run shared without its dataset: row numbers, labels and probabilities, and at no address a word of any cell."""

import io
import zipfile
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from bert_training.api.urls import urlpatterns
from bert_training.background import make_proof
from bert_training.contract.enums import ShareLevel, Split
from bert_training.models import Dataset, Job, Run, RunProof, Team, Worker
from bert_training.services.datasets import register_upload
from bert_training.services.runs import reproduce_run
from bert_training.tasks.intake import CheckRequest
from tests.api.conftest import Answer, Api, Caller, body_of, outcome_of
from tests.personas import XLSX, claim, make_run, share
from tests.predicting import complete_with, entity_predictions, label_predictions, names_of
from tests.proofs import label_errors
from tests.workbooks import workbook_bytes

pytestmark = pytest.mark.usefixtures("proved_here", "checked_here")

CANARY = "canarioamarelo"  # in every cell of a text or of words, and in the description
TASKS = ("text-classification", "token-classification")
QUERIES = {"run-predictions": ["", "?format=csv"], "run-logs": ["", "?limit=500"]}


def dataset_with_canaries(owner: User, task: str) -> Dataset:
    file = SimpleUploadedFile("peticoes.xlsx", workbook_bytes(task, salt=CANARY), content_type=XLSX)
    uploads, request = {Split.TRAIN: file}, CheckRequest(task=task)
    return register_upload(owner=owner, uploads=uploads, request=request, name="Dados", description=CANARY).dataset


def proved(run: Run, worker: Worker) -> Run:
    """Complete a run with predictions, proof and doubted labels."""
    job = Job.objects.get(pk=claim(worker).job_id, run=run)
    names = names_of(job)
    is_text = run.task == TASKS[0]
    answers = label_predictions(range(2, 12), classes=len(names)) if is_text else entity_predictions([2, 3], names[0])
    complete_with(worker, job, [answers])
    make_proof(run.pk)
    proof = RunProof.objects.get(run=run)
    RunProof.objects.filter(pk=proof.pk).update(content=proof.content | {"label_errors": label_errors(3)})
    return run


@pytest.fixture(params=TASKS)
def copied(request: pytest.FixtureRequest, ana: User, team: Team, worker: Worker) -> Run:
    """A run and one that reproduces it, both shared with ana's team for use; the dataset is not."""
    first = proved(make_run(ana, dataset_with_canaries(ana, request.param)), worker)
    second = proved(reproduce_run(first, owner=ana), worker)
    for run in (first, second):
        share(run, team, ShareLevel.USE)
    return second


def addresses(run: Run) -> Iterator[str]:
    """Yield every address below a run that can be read, from the URL configuration."""
    for pattern in urlpatterns:
        path = str(pattern.pattern)
        view = getattr(pattern.callback, "view_class", None)
        if path.startswith("runs") and hasattr(view, "get"):
            for query in QUERIES.get(pattern.name or "", [""]):
                yield f"/{path.replace('<int:pk>', str(run.pk))}{query}"


def told(answer: Answer) -> bytes:
    """Return all that an answer says: headers, and the body, of a packed one what is in it."""
    body = body_of(answer)
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"".join(book.read(name) for name in book.namelist())
    elif body.startswith(b"PAR1"):
        body = str(pq.read_table(io.BytesIO(body)).to_pydict()).encode()
    return str(dict(answer.headers)).encode() + body


def walk(caller: Caller, run: Run) -> tuple[list[str], list[str]]:
    """Return the addresses below a run that do not open, and those that tell a cell of its dataset."""
    closed: list[str] = []
    telling: list[str] = []
    for path in addresses(run):
        answer = caller.get(path)
        if answer.status_code != 200:
            closed.append(path)
        if CANARY.encode() in told(answer):
            telling.append(path)
    return closed, telling


def test_no_address_of_a_run_tells_a_cell_to_who_may_not_see_the_dataset(
    api: Api, ana: User, bruno: User, copied: Run
) -> None:
    workbook = f"/runs/{copied.pk}/label-errors/workbook"
    assert walk(api.as_person(bruno), copied) == ([workbook], [])
    assert walk(api.as_person(ana), copied) == ([], [workbook])


def test_row_numbers_labels_and_probabilities_are_shown(api: Api, bruno: User, copied: Run) -> None:
    caller, path = api.as_person(bruno), f"/runs/{copied.pk}"
    doubted = caller.get(f"{path}/label-errors").json()["results"][0]
    assert (doubted["row"], doubted["given"], doubted["doubt"]) == (2, "saude", 0.9)
    assert caller.get(f"{path}/reproduction").json()["against"] == copied.reproduced_from_id
    assert caller.get(path).json()["dataset"]["name"] == "Dados"


def test_the_dataset_of_a_shared_run_stays_out_of_sight(api: Api, bruno: User, copied: Run) -> None:
    caller = api.as_person(bruno)
    assert caller.get("/datasets").json()["count"] == 0
    for pattern in urlpatterns:
        path = str(pattern.pattern)
        if path.startswith("datasets/<int:pk>") and hasattr(getattr(pattern.callback, "view_class", None), "get"):
            answer = caller.get("/" + path.replace("<int:pk>", str(copied.dataset_id)))
            assert outcome_of(answer) == (404, "not_found"), path


def test_texts_come_with_the_dataset(api: Api, bruno: User, team: Team, copied: Run) -> None:
    share(copied.dataset, team)
    assert CANARY.encode() in told(api.as_person(bruno).get(f"/runs/{copied.pk}/label-errors/workbook"))
