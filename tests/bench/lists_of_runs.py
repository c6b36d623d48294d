"""Part of the benchmark of lists: 100,000 runs of one house, as staff look through them."""

import logging
import random
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bert_training.models import Dataset, Run, RunTag
from bert_training.pages.run_columns import ORDERS
from tests.bench.frame import Figure, rounds_for, seconds_of
from tests.bench.lists_of_teams import fetch
from tests.bench.seed import finished_runs
from tests.personas import make_user, make_worker, ready_dataset

RUNS = 100_000
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
    worker, chance = make_worker("bench"), random.Random(8)
    for number in range(DATASETS):
        dataset = ready_dataset(owner, name=f"{WORDS[number % len(WORDS)]} {number}", request_digest=f"{number:064}")
        for _ in range(RUNS // DATASETS // 1000):
            spread(finished_runs(owner, worker, count=1000, dataset=dataset), chance)
    Run.objects.filter(pk=Run.objects.order_by("pk")[RUNS // 2].pk).update(notes="a agulha")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what a server in use does by itself


def spread(runs: list[Run], chance: random.Random) -> None:
    """Give runs different facts, as years of use would."""
    for run in runs:
        run.name = f"{chance.choice(WORDS)}, tentativa {chance.randrange(1000)}"
        run.headline_metric, run.headline_value = "f1_macro", chance.random()
        run.headline_rank = run.headline_value
        run.verdict = chance.choice(("use", "use_with_review", "do_not_use"))
        run.duration_seconds = chance.randrange(10_000)
        run.notes = "com a planilha de março" if run.pk % 5 == 0 else ""
        run.created_at = timezone.now() - timedelta(days=(RUNS - run.pk % RUNS) / RUNS * 3000)
    facts = ("name", "headline_metric", "headline_value", "headline_rank", "verdict", "duration_seconds")
    Run.objects.bulk_update(runs, [*facts, "notes", "created_at"], batch_size=250)
    RunTag.objects.bulk_create(RunTag(run=run, name=chance.choice(TAGS)) for run in runs if run.pk % 5 == 0)
