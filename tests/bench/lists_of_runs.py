"""Part of the benchmark of lists: 100,000 runs of one house, as staff look through them."""

import logging
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bert_training.models import Dataset, Job, Run, RunTag
from bert_training.pages.run_columns import ORDERS
from tests.bench.frame import Figure, rounds_for, seconds_of
from tests.bench.lists_of_teams import fetch
from tests.bench.seed import finished_runs
from tests.personas import make_user, make_worker, ready_dataset

RUNS = 100_000
AT_ONCE = 1_000
DAYS = 3000
DATASETS = 50
PAGE = 500
PER_PAGE = 25
ROUNDS = rounds_for(5, 30)
GOAL_SECONDS = 0.2
WORDS = ("petições", "andamentos", "decisões", "ofícios", "contratos", "recursos", "pareceres", "multas")
TAGS = ("urgente", "lgpd", "comparação", "março", "abril")
NOTES = f"""{RUNS:,} completed runs of {DATASETS} datasets, every fifth with a tag and a note, listed to staff, who see
all of them: the page of {PER_PAGE} with its count through Django's test client, everything but the socket. Page {PAGE}
begins at the place where page {PAGE - 1} ends. A search for what one note says has to read all names and notes."""


def measure() -> list[Figure]:
    """List by every order and by what is asked for most."""
    staff = make_user("staff", is_staff=True)
    fill(staff)
    client = Client(headers={"host": "localhost"})
    client.force_login(staff)
    return [Figure(what, "s", times_of(client, query), goal=GOAL_SECONDS) for what, query in questions().items()]


def questions() -> dict[str, str]:
    """Name what is asked for, and how."""
    after = {name: deep_place(name) for name in ORDERS}
    return {
        "the first page": "",
        **{f"by {name}": f"sort={name}" for name in ORDERS},
        **{f"by {name}, page {PAGE}": f"sort={name}&after={place}" for name, place in after.items()},
        "of a tag": "tag=urgente",
        "of a tag, by result": "tag=urgente&sort=result",
        "of a dataset, by result": f"dataset={Dataset.objects.order_by('pk')[7].pk}&sort=result",
        "not to be used, by duration": "verdict=do_not_use&sort=duration",
        "of a week long ago": "since=2020-03-01&until=2020-03-08",
        "a search for a frequent word": "search=contratos",
        "a search for what one note says": "search=agulha",
        "a search that finds nothing, by result": "search=nenhuma&sort=result",
        "the archive": "archived=only",
    }


def times_of(client: Client, query: str) -> list[float]:
    """Ask for a list some times, once before to fill caches."""
    path = f"{reverse('pages:runs')}?{query}"
    fetch(client, path)
    return [seconds_of(lambda: fetch(client, path)) for _ in range(ROUNDS)]


def deep_place(name: str) -> str:
    """Return where page PAGE begins."""
    order = ORDERS[name]
    row = Run.objects.order_by(*order.columns)[(PAGE - 1) * PER_PAGE - 1]
    return order.place_of(row)


def fill(owner: User) -> None:
    """Store the runs like one that the services made, with other names, figures and days."""
    logging.disable(logging.INFO)
    chance = random.Random(8)
    datasets = [
        ready_dataset(owner, name=f"{WORDS[number % len(WORDS)]} {number}", request_digest=f"{number:064}")
        for number in range(DATASETS)
    ]
    [model] = finished_runs(owner, make_worker("bench"), count=1, dataset=datasets[0])
    for start in range(0, RUNS, AT_ONCE):
        store([varied(model, datasets, number, chance) for number in range(start, start + AT_ONCE)], chance)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what a server in use does by itself


def varied(model: Run, datasets: Sequence[Dataset], number: int, chance: random.Random) -> Run:
    """Return a run like another one, with what years of use would make different."""
    fields = {field.attname: getattr(model, field.attname) for field in Run._meta.fields if field.name != "id"}
    figure, dataset = chance.random(), chance.choice(datasets)
    note = "a agulha" if number == RUNS // 2 + 1 else "com a planilha de março" if number % 5 == 0 else ""
    own: dict[str, Any] = {
        "name": f"{chance.choice(WORDS)}, tentativa {chance.randrange(1000)}",
        "dataset_id": dataset.pk,
        "headline_value": figure,
        "headline_rank": figure,
        "verdict": chance.choice(("use", "use_with_review", "do_not_use")),
        "duration_seconds": chance.randrange(10_000),
        "notes": note,
        "archived_at": timezone.now() if number % 50 == 0 else None,
    }
    return Run(**{**fields, **own})


def store(runs: list[Run], chance: random.Random) -> None:
    """Store runs with their jobs and the tags of every fifth; their days lie years apart."""
    Run.objects.bulk_create(runs)
    times: dict[str, Any] = {name: getattr(runs[0], name) for name in ("status", "started_at", "finished_at")}
    Job.objects.bulk_create(Job(run=run, task=run.task, attempt=1, **times) for run in runs)
    RunTag.objects.bulk_create(RunTag(run=run, name=chance.choice(TAGS)) for run in runs if run.pk % 5 == 0)
    first = timezone.now() - timedelta(days=DAYS * (RUNS - runs[0].pk % RUNS) / RUNS)
    Run.objects.filter(pk__gte=runs[0].pk).update(created_at=first)
