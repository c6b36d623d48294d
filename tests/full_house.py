"""A portal in which everything is there: what a test looks at as a whole, and what pictures are taken of.

Rows go through the services, on the rows that ship with the tasks; only the figures are invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.utils import timezone

from bert_training.contract.enums import ErasureKind, Feature, PredictionSource, RepeatKind, Role, ShareLevel, Split
from bert_training.data.checks import Problem
from bert_training.data.predicting.predictions import LabelAnswers, Predictions
from bert_training.data.splitting.manifest import SPLIT_OF
from bert_training.models import (
    AccessToken,
    Dataset,
    Erasure,
    ErasureCopy,
    Job,
    JobAttempt,
    Quota,
    Run,
    RunTag,
    Team,
    Worker,
)
from bert_training.services.datasets import register_upload
from bert_training.services.divisions import division_of
from bert_training.services.invitations import InvitationRequest, invite
from bert_training.services.password_links import make_password_link
from bert_training.services.proving.proofs import make_proof
from bert_training.services.repeating.repeats import repeat_run
from bert_training.services.stored_files import read_table
from bert_training.services.tokens import issue_user_token
from bert_training.tasks import TASKS
from bert_training.tasks.intake import CheckRequest
from bert_training.tasks.samples import sample_workbook
from tests.pages.training import fail, start
from tests.personas import BASE_MODEL, XLSX, make_run, make_user, make_worker, share, token_of
from tests.predicting import complete_with, entity_predictions
from tests.profiles import give_profile, give_token_lengths

TEXTS, ENTITIES = "text-classification", "token-classification"
GPU = {"gpu": [{"name": "NVIDIA GeForce RTX 4080", "memory_bytes": 17_171_480_576}], "disk_free": 412_000_000_000}
DOUBTED = 6  # rows whose label is doubted
SURE = 0.9  # share of rows that the network answers rightly


@dataclass(frozen=True)
class House:
    """Who lives in it and what stands in it. rows: by the names under which tests ask for them.

    arguments: what addresses take beside a row's number.
    """

    people: Mapping[str, User]
    rows: Mapping[str, Model]
    arguments: Mapping[str, str]


def furnish(mark: str = "") -> House:
    """Fill an empty portal. mark: put behind every name and text that people give, such as a canary."""
    team = Team.objects.create(name=f"Procuradoria de Saúde{mark}", description=f"Saúde pública{mark}")
    people = _people(team, mark)
    workers = _workers(mark)
    datasets = _datasets(people["ana"], mark)
    runs = _runs(people, datasets, workers, mark)
    for dataset in datasets.values():
        share(dataset, team, ShareLevel.USE)
    share(runs["result"], team, ShareLevel.USE)
    Quota.objects.create(user=people["bruno"], storage_bytes=2_000_000_000, gpu_minutes=600)
    erasure = _erased(people["ana"], workers["gpu"], mark)
    rows: dict[str, Model] = {"token": _token(people, mark), "erasure": erasure, "job": runs["queued"].job}
    return House(people, {**datasets, **runs, **workers, **rows}, _arguments(people["root"], team, mark))


def _people(team: Team, mark: str) -> dict[str, User]:
    people = {
        "ana": make_user("ana", teams=[team], first_name="Ana", last_name=f"Souza{mark}"),
        "bruno": make_user("bruno", teams=[team], first_name="Bruno", last_name=f"Lima{mark}"),
        "otto": make_user("otto", roles=[Role.OPERATE], first_name="Otto", last_name=f"Reis{mark}"),
        "nina": make_user("nina", roles=[], first_name="Nina", last_name=f"Alves{mark}"),
        "root": make_user("root", roles=[], is_staff=True, is_superuser=True),
    }
    people["ana"].groups.set(Group.objects.filter(name="trainer"))
    return people


def _workers(mark: str) -> dict[str, Worker]:
    now = timezone.now()
    seen = {"hardware": GPU, "versions": {"torch": "2.13.0"}, "features": [Feature.FORGET.value], "last_seen_at": now}
    told = {"tasks": list(TASKS), **seen}
    workers = {
        "gpu": make_worker(f"gpu-saude{mark}", description=f"Sala 12, ao lado do rack{mark}", **told),
        "busy": make_worker(f"gpu-fazenda{mark}", **told),
        "silent": make_worker(f"gpu-antiga{mark}", **told | {"last_seen_at": now - timedelta(days=3)}),
        "off": make_worker(f"gpu-guardada{mark}", active=False),
    }
    token_of(workers["gpu"])
    return workers


def _datasets(ana: User, mark: str) -> dict[str, Dataset]:
    texts, entities = (_upload(ana, task, f"{name}{mark}") for task, name in ((TEXTS, "Chamados"), (ENTITIES, "Atos")))
    for dataset in (texts, entities):
        give_profile(dataset)
    give_token_lengths(texts)
    copied = {
        field.name: getattr(texts, field.name) for field in Dataset._meta.fields if field.name not in ("id", "uuid")
    }
    problem = Problem("blank_label", "The cell %(cell)s is empty.", values={"cell": f"B2{mark}"}, cell="B2")
    facts = {"status": "refused", "request_digest": "9" * 64, "name": f"Planilha devolvida{mark}"}
    refused = Dataset.objects.create(**copied | facts | {"report": {"errors": [problem.as_dict()]}})
    return {"texts": texts, "entities": entities, "refused": refused}


def _upload(owner: User, task: str, name: str) -> Dataset:
    file = SimpleUploadedFile("planilha.xlsx", sample_workbook(TASKS[task]), content_type=XLSX)
    description = f"Exportado do sistema em março. {name}"
    request = CheckRequest(task=task)
    stored = register_upload(
        owner=owner, uploads={Split.TRAIN: file}, request=request, name=name, description=description
    )
    return stored.dataset


def _runs(
    people: Mapping[str, User], datasets: Mapping[str, Dataset], workers: Mapping[str, Worker], mark: str
) -> dict[str, Run]:
    ana, gpu = people["ana"], workers["gpu"]
    message = f"passo {{}}: perda 0,41 {mark}"
    result = make_run(ana, datasets["texts"], name=f"Chamados, equilibrado{mark}")
    _train(gpu, result, message)
    entities = make_run(ana, datasets["entities"], name=f"Atos, preciso{mark}")
    _train(gpu, entities, message)
    again = make_run(ana, datasets["texts"], name=f"Chamados, de novo{mark}")
    _train(gpu, again, message)
    Run.objects.filter(pk=again.pk).update(notes=f"Outra semente.{mark}")
    RunTag.objects.create(run=again, name=f"tente outra{mark}"[:40])
    failed = fail(gpu, make_run(ana, datasets["texts"], name=f"Chamados, lote grande{mark}"), "gpu_out_of_memory")
    running = make_run(ana, datasets["texts"], name=f"Chamados, preciso{mark}")
    start(workers["busy"], running, lines=30, message=message)
    Job.objects.filter(run=running).update(lease_until=timezone.now() + timedelta(days=1))
    queued = make_run(people["bruno"], datasets["texts"], name=f"Chamados, rápido{mark}", priority=3)
    make_run(ana, datasets["entities"], name=f"Atos, rápido{mark}")
    repeat_run(result, kind=RepeatKind.FOLD, count=3)
    return {
        "result": result,
        "again": again,
        "tagged": entities,
        "failed": failed,
        "running": running,
        "queued": queued,
    }


def weeks_of_work(house: House, days: int = 28, seed: int = 7) -> None:
    """Write what the dashboard counts: runs that ended on each of the last days, straight into the tables."""
    chance = np.random.default_rng(seed)
    chosen = ["completed"] * 7 + ["failed"] * 2 + ["canceled"]
    reasons = ["gpu_out_of_memory", "gpu_out_of_memory", "worker_lost", "dataset_gone"]
    for ago in range(days):
        for number in range(int(chance.integers(0, 7))):
            status = str(chance.choice(chosen))
            code = str(chance.choice(reasons)) if status == "failed" else ""
            _past_run(house, timezone.now() - timedelta(days=ago, minutes=90 * number + 5), status, code, chance)


def _past_run(house: House, ended: datetime, status: str, code: str, chance: np.random.Generator) -> None:
    ana, bruno, worker = house.people["ana"], house.people["bruno"], house.rows["gpu"]
    assert isinstance(worker, Worker)
    dataset = house.rows["texts"]
    assert isinstance(dataset, Dataset)
    owner = ana if chance.random() < 0.6 else bruno
    started = ended - timedelta(minutes=int(chance.integers(10, 70)))
    common = {"owner": owner, "dataset": dataset, "task": dataset.task, "base_model": BASE_MODEL}
    run = Run.objects.create(
        name=f"Chamados de {ended:%d/%m}",
        hyperparameters={"epochs": 3},
        status=status,
        error_code=code,
        started_at=started,
        finished_at=ended,
        **common,
    )
    job = Job.objects.create(
        run=run, task=run.task, status=status, worker=worker, attempt=1, started_at=started, finished_at=ended
    )
    Job.objects.filter(pk=job.pk).update(created_at=started - timedelta(minutes=int(chance.integers(0, 40))))
    outcome = {"job": job, "number": 1, "worker": worker, "outcome": status, "reason": code}
    JobAttempt.objects.create(started_at=started, ended_at=ended, **outcome)


def _train(worker: Worker, run: Run, message: str) -> None:
    """Train a run to its end, with answers to its rows and its proof."""
    job = start(worker, run, lines=12, message=message)
    complete_with(worker, job, _answers(run), log_seq=12, metric_seq=6)
    make_proof(run.pk)
    run.refresh_from_db()


def _answers(run: Run) -> list[Predictions]:
    if run.task == ENTITIES:
        rows = _rows_of(run, Split.TEST)[0]
        return [entity_predictions(rows, sorted(run.dataset.summary["labels"])[0])]
    network = [label_answers(run, split) for split in (Split.VALIDATION, Split.TEST)]
    simple = [label_answers(run, split, source=PredictionSource.LINEAR, right=0.7) for split in (Split.TEST,)]
    return [*network, *simple, label_answers(run, Split.TRAIN, source=PredictionSource.SUSPECT, right=0.0)]


def label_answers(
    run: Run, split: Split, *, source: PredictionSource = PredictionSource.NETWORK, right: float = SURE
) -> Predictions:
    """Answer for the rows of one split, a share of them rightly, surer where it is right."""
    names = sorted(run.dataset.summary["labels"])
    rows, labels = _rows_of(run, split)
    if source == PredictionSource.SUSPECT:
        rows, labels = rows[:DOUBTED], labels[:DOUBTED]
    gold = np.array([names.index(label) for label in labels], dtype=np.int64)
    chance = np.random.default_rng(7)
    is_right = chance.random(len(rows)) < right
    predicted = np.where(is_right, gold, (gold + 1) % len(names))
    sure = np.where(is_right, chance.uniform(0.7, 0.99, len(rows)), chance.uniform(0.4, 0.95, len(rows)))
    stated = np.repeat(((1 - sure) / (len(names) - 1))[:, None], len(names), axis=1)
    stated[np.arange(len(rows)), predicted] = sure
    numbers = np.asarray(rows, dtype=np.int64)
    return Predictions(source, split, numbers, numbers, LabelAnswers(gold, predicted, stated.astype(np.float16)))


def _rows_of(run: Run, split: Split) -> tuple[list[int], list[Any]]:
    """Return numbers and labels of the rows of one split."""
    table = read_table(run.dataset)
    labels = table.get("label", table["row"])
    places = [place for place, letter in enumerate(division_of(run).letters) if SPLIT_OF.get(letter) == split]
    return [table["row"][place] for place in places], [labels[place] for place in places]


def _erased(owner: User, worker: Worker, mark: str) -> Erasure:
    """Leave behind what was deleted of a dataset, and a computer that has not confirmed."""
    erasure = Erasure.objects.create(
        kind=ErasureKind.DATASET, name=f"Chamados antigos{mark}", dataset_number=0, owner=owner, deleted_by=owner
    )
    ErasureCopy.objects.create(erasure=erasure, worker=worker, worker_name=worker.name)
    return erasure


def _token(people: Mapping[str, User], mark: str) -> AccessToken:
    issue_user_token(people["root"], label=f"painel{mark}")
    return issue_user_token(people["ana"], label=f"planilhas{mark}")[0]


def _arguments(root: User, team: Team, mark: str) -> dict[str, str]:
    """Invite somebody, and give somebody a link to a new password."""
    groups = list(Group.objects.filter(name="viewer"))
    request = InvitationRequest("nova@example.com", f"Nova Pessoa{mark}", groups=groups, teams=[team])
    number, token = make_password_link(root).split("/")[-2:]
    fixed = {"task": TEXTS, "to": "drain", "topic": "privacy", "uidb64": number, "token": token}
    return {**fixed, "secret": invite(request, by=root)[1]}
