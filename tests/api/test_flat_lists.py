"""Lists of somebody in several teams: the number of queries grows neither with the rows nor with the shares."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bert_training.contract.enums import ShareLevel
from bert_training.models import Dataset, Run, Team
from tests.api.conftest import Api, Caller
from tests.personas import make_run, ready_dataset, share

MORE = 4


@pytest.fixture
def teammate(api: Api, bruno: User) -> Caller:
    return api.as_person(bruno)


def count_queries(caller: Caller, path: str) -> tuple[int, int]:
    """Return how many rows a list has, and how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        page: dict[str, Any] = caller.get(path).json()
    return page["count"], len(queries)


def share_more(ana: User, bruno: User, origin: Run) -> None:
    """Share more rows that name others, each with two teams of bruno's."""
    for number in range(MORE):
        teams = [Team.objects.create(name=f"equipe {number}.{place}") for place in range(2)]
        bruno.teams.add(*teams)
        dataset = ready_dataset(ana, derived_from=origin.dataset, request_digest=f"{number}" * 64)
        run = make_run(ana, dataset)
        Run.objects.filter(pk=run.pk).update(reproduced_from=origin, initial_run=origin)
        for team, level in zip(teams, (ShareLevel.VIEW, ShareLevel.USE), strict=True):
            share(dataset, team, level)
            share(run, team, level)


@pytest.mark.parametrize("path", ["/runs", "/datasets", "/teams"])
def test_the_number_of_queries_is_that_of_one_row(
    teammate: Caller, ana: User, bruno: User, team: Team, run: Run, path: str
) -> None:
    first = ready_dataset(ana, derived_from=run.dataset, request_digest="f" * 64)
    one = make_run(ana, first)
    Run.objects.filter(pk=one.pk).update(reproduced_from=run)
    share(one, team)
    share(first, team)
    rows, queries = count_queries(teammate, path)
    share_more(ana, bruno, run)
    more_rows, more_queries = count_queries(teammate, path)
    assert (rows, more_rows) == (1, 1 + MORE * (2 if path == "/teams" else 1))
    assert more_queries == queries


def test_what_a_detail_costs_does_not_grow_with_the_teams(
    teammate: Caller, ana: User, bruno: User, team: Team, dataset: Dataset, run: Run
) -> None:
    for path, row in ((f"/runs/{run.pk}", run), (f"/datasets/{dataset.pk}", dataset)):
        share(row, team)
        with CaptureQueriesContext(connection) as few:
            teammate.get(path)
        for number in range(MORE):
            other = Team.objects.create(name=f"{path} {number}")
            bruno.teams.add(other)
            share(row, other)
        with CaptureQueriesContext(connection) as more:
            assert len(teammate.get(path).json()["shares"]) == 1 + MORE
        assert len(more) == len(few)
