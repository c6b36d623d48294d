"""Part of the benchmark of lists: 10,000 runs of 50 teams, listed to a member of one team and to one of all teams."""

import logging
from collections.abc import Callable
from unittest.mock import patch

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bert_training import access
from bert_training.contract.enums import ShareLevel
from bert_training.contract.limits import API_PREFIX
from bert_training.models import DatasetShare, Run, RunShare, Team
from tests.bench.frame import Figure, by_turns, rounds_for, seconds_of
from tests.bench.seed import finished_runs
from tests.personas import make_user, make_worker, ready_dataset

TEAMS = 50
RUNS_OF_A_TEAM = 200
ROUNDS = rounds_for(20, 100)
GOAL_SECONDS, GOAL_TIMES = 0.1, 1.5
REFERENCE = "the same list of all runs"
NOTES = f"""{TEAMS * RUNS_OF_A_TEAM:,} completed runs of {TEAMS} teams, each shared with its team; the first page, the
newest first, 50 runs in the API and 25 on the page, through Django's test client: everything but the socket. The
reference is the same request of the same person with the rule of access.py taken away, so that it lists every run."""


def measure() -> list[Figure]:
    """List to each reader, by API and page."""
    teams = fill_portal()
    readers = {
        "a member of one team": make_user("one", teams=teams[:1]),
        f"a member of all {TEAMS} teams": make_user("all", teams=teams),
    }
    lists = {"API": f"{API_PREFIX}/runs", "page": reverse("pages:runs")}
    return [
        figure
        for who, reader in readers.items()
        for where, path in lists.items()
        for figure in figures_of(f"{where}, {who}", reader, path)
    ]


def fill_portal() -> list[Team]:
    """Store the teams with their runs and shares; what the audit logs of it is not for the table's reader."""
    logging.disable(logging.INFO)
    worker, teams = make_worker("bench"), []
    for number in range(TEAMS):
        team = Team.objects.create(name=f"team {number}")
        owner = make_user(f"owner-{number}", teams=[team])
        dataset = ready_dataset(owner)
        runs = finished_runs(owner, worker, count=RUNS_OF_A_TEAM, dataset=dataset)
        level = ShareLevel.VIEW.value
        RunShare.objects.bulk_create(RunShare(run=run, team=team, level=level) for run in runs)
        DatasetShare.objects.create(dataset=dataset, team=team, level=level)
        teams.append(team)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what a server in use does by itself
    return teams


def figures_of(what: str, reader: User, path: str) -> list[Figure]:
    """Measure one list of one reader, beside the same list without the rule."""
    client = Client(headers={"host": "localhost"})
    client.force_login(reader)

    def ask() -> float:
        return seconds_of(lambda: fetch(client, path))

    def ask_without_rule() -> float:
        with patch.object(access, "runs_listed_for", all_runs):
            return ask()

    ours, reference = by_turns(ask, ask_without_rule, rounds=ROUNDS)
    return [
        Figure(f"{what}: the first page", "s", ours, reference, REFERENCE, goal=GOAL_SECONDS),
        Figure(
            f"{what}: times the list of all", "s", ours, reference, REFERENCE, goal=GOAL_TIMES, goal_is="times at most"
        ),
        Figure(f"{what}: queries", "", [queries_of(ask)], [queries_of(ask_without_rule)], REFERENCE),
    ]


def all_runs(_user: User | AnonymousUser) -> QuerySet[Run]:
    """List every run, whoever asks."""
    return Run.objects.filter(repeat_of=None)


def fetch(client: Client, path: str) -> None:
    """Ask for a list and take the whole answer."""
    response = client.get(path)
    assert response.status_code == 200, response.status_code
    assert response.content


def queries_of(ask: Callable[[], float]) -> float:
    """Count the queries of one request."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    return float(len(queries))
