"""What the page of a run says of reproductions, of this run and by others."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import PredictionSource
from bert_training.models import Run, Worker
from bert_training.services.runs import reproduce_run
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.personas import make_run
from tests.reproducing import MACHINE, answers, end, with_errors

pytestmark = pytest.mark.usefixtures("proved_here")


@pytest.fixture
def first(ana: User, worker: Worker) -> Run:
    """A completed run with its proof."""
    return end(worker, make_run(ana), [answers()])


def page_of(client: Client, run: Run) -> str:
    """Open the page of a run."""
    return str(client.get(f"/runs/{run.pk}").content.decode())


def test_the_page_names_the_verdict_and_what_differs(as_ana: Client, ana: User, first: Run, worker: Worker) -> None:
    packages = {**MACHINE["packages"], "torch": "2.14.0<b>"}
    wrong = [with_errors(answers(), 1)]
    copy = end(worker, reproduce_run(first, owner=ana), wrong, fingerprint="b" * 64, packages=packages)
    content = page_of(as_ana, copy)
    assert "199 of 200 shared test rows were answered alike (99.5%)" in content
    assert "Package torch" in content
    assert "2.14.0&lt;b&gt;" in content
    assert ">equivalent</span>" in content
    assert content.index("Package torch") < content.index("Fingerprint of the model") < content.index(f"{'b' * 20}…")
    assert "Digest of the predictions" in content


def test_answers_that_are_all_the_same_are_not_said_to_differ(
    as_ana: Client, ana: User, first: Run, worker: Worker
) -> None:
    content = page_of(as_ana, end(worker, reproduce_run(first, owner=ana), [answers()], fingerprint="b" * 64))
    assert "All answers are the same, but not the weights or the stated probabilities." in content
    assert "not all the same" not in content


def test_equal_weights_are_not_said_to_differ_where_other_answers_do(
    as_ana: Client, ana: User, first: Run, worker: Worker
) -> None:
    beside = replace(answers(seed=3), source=PredictionSource.LINEAR)
    content = page_of(as_ana, end(worker, reproduce_run(first, owner=ana), [answers(), beside]))
    assert "Both runs have the same weights and gave the same answers; the data or" in content
    assert "not the weights" not in content


def test_the_first_run_lists_its_reproductions_at_the_same_cost(
    as_ana: Client, ana: User, first: Run, worker: Worker
) -> None:
    end(worker, reproduce_run(first, owner=ana), [answers()])
    assert ">identical</span>" in page_of(as_ana, first)
    few = queries_of(as_ana, f"/runs/{first.pk}")
    for _ in range(2):
        end(worker, reproduce_run(first, owner=ana), [answers(seed=3)], fingerprint="b" * 64)
    reproduce_run(first, owner=ana)
    assert len(queries_of(as_ana, f"/runs/{first.pk}")) == len(few)
    content = page_of(as_ana, first)
    assert content.count(">not compared yet</span>") == 2
    assert content.count(">not completed</span>") == 1


def test_a_first_run_that_somebody_may_not_see_stays_hidden(carla: User, first: Run) -> None:
    theirs = reproduce_run(first, owner=carla)
    content = page_of(client_of(carla), theirs)
    assert "deleted, or you may not see it" in content
    assert first.name not in content.replace(theirs.name, "")


def test_a_run_without_reproductions_has_no_section(as_ana: Client, first: Run) -> None:
    assert 'id="reproduction"' not in page_of(as_ana, first)
