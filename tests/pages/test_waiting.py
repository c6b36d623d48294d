"""A run with which nothing happens says why: the run page in every such state, to owner and operator."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bert_training.contract.enums import Role
from bert_training.contract.limits import FREE_DISK_BYTES
from bert_training.models import Job, Run, Team, Worker
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.pages.training import start
from tests.personas import make_run, make_user, make_worker

TASKS = ["text-classification", "token-classification"]


def said(client: Client, run: Run) -> tuple[str, bool]:
    """Return what the page says and whether somebody has to do something; nothing = empty."""
    waiting = client.get(f"/runs/{run.pk}").context["waiting"]
    return (waiting.sentence, waiting.is_warning) if waiting else ("", False)


def heard(worker: Worker, **changes: Any) -> None:
    """Have a worker online, waiting for work."""
    told = {"last_seen_at": timezone.now(), "tasks": TASKS, "state": "idle", **changes}
    Worker.objects.filter(pk=worker.pk).update(**told)


def test_nobody_was_ever_there_or_the_last_one_left(as_ana: Client, run: Run, worker: Worker) -> None:
    assert said(as_ana, run) == (
        "Waiting: no computer is connected now. The run starts by itself when one is.",
        True,
    )
    heard(worker, last_seen_at=timezone.now() - timedelta(hours=3))
    sentence, is_warning = said(as_ana, run)
    assert "The last one was heard of" in sentence
    assert is_warning
    assert worker.name not in sentence  # names of computers are for those who operate them


def test_an_operator_reads_which_computers_are_off(ana: User, run: Run, worker: Worker, team: Team) -> None:
    both = make_user("olga", roles=[Role.READ, Role.OPERATE], is_superuser=True, is_staff=True)
    for number in range(4):
        heard(make_worker(f"PC {number}"), last_seen_at=timezone.now() - timedelta(days=1, hours=number))
    sentence, _is_warning = said(client_of(both), run)
    assert "Switched off or without network: PC 0, PC 1, PC 2 and 1 more." in sentence


@pytest.mark.parametrize(
    ("changes", "sentence", "is_warning"),
    [
        ({}, "A computer is free: it takes this run within a minute.", False),
        ({"state": "busy"}, "Waiting for a free computer; this run is next.", False),
        ({"tasks": ["token-classification"]}, "no computer that is connected can train this task", True),
        ({"draining": True}, "take no new runs now", True),
        (
            {"hardware": {"disk_free": FREE_DISK_BYTES - 1}},
            "disks of the computers that are connected are full",
            True,
        ),
        ({"hardware": {"disk_free": FREE_DISK_BYTES}}, "A computer is free", False),
    ],
)
def test_one_computer_is_connected(
    as_ana: Client, run: Run, worker: Worker, changes: dict[str, Any], sentence: str, is_warning: bool
) -> None:
    heard(worker, **changes)
    found = said(as_ana, run)
    assert sentence in found[0]
    assert found[1] is is_warning


def test_a_computer_of_another_team_is_none(as_ana: Client, run: Run, worker: Worker, team: Team) -> None:
    heard(worker, team=Team.objects.create(name="another"))
    assert "work for other teams only" in said(as_ana, run)[0]
    heard(worker, team=team)
    assert "A computer is free" in said(as_ana, run)[0]


def test_a_simulation_says_what_it_waits_for(as_root: Client, root: User, run: Run, worker: Worker) -> None:
    heard(worker)
    assert "--dry-run" in said(as_root, make_run(root, run.dataset, simulate=True))[0]


def test_a_silent_computer_is_named_to_who_sees_the_run(as_ana: Client, run: Run, worker: Worker) -> None:
    job = start(worker, run)
    assert said(as_ana, run) == ("", False)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())
    sentence, is_warning = said(as_ana, run)
    assert sentence.startswith(f"{worker.name}: no sign of life since ")
    assert is_warning
    Job.objects.filter(pk=job.pk).update(
        lease_until=timezone.now() + timedelta(minutes=1), cancel_requested_at=timezone.now()
    )
    assert said(as_ana, run) == (f"Being canceled: {worker.name} stops and reports back.", False)


def test_the_reason_costs_the_same_queries_whatever_waits(as_ana: Client, ana: User, run: Run, worker: Worker) -> None:
    heard(worker, state="busy")
    few = queries_of(as_ana, f"/runs/{run.pk}")
    last = make_run(ana, run.dataset)
    for number in range(5):
        heard(make_worker(f"PC {number}"), state="busy")
        make_run(ana, run.dataset, priority=1)
    assert len(queries_of(as_ana, f"/runs/{last.pk}")) == len(few)
    assert said(as_ana, last)[0] == "Waiting: 6 runs are ahead."
