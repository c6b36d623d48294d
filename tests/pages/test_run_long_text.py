"""The comparison of long texts on the page of a run and in the API."""

import re

from django.contrib.auth.models import User
from django.test import Client

from bert_training.models import Run, Worker
from tests.pages.conftest import client_of
from tests.pages.training import compared, train
from tests.personas import make_run


def page_of(client: Client, run: Run) -> str:
    """Return the page of a run as people read it: without tags, one space between words."""
    content = client.get(f"/runs/{run.pk}").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", content).split())


def test_the_page_says_which_way_loses_how_much(as_ana: Client, ana: User, worker: Worker) -> None:
    page = page_of(as_ana, train(worker, make_run(ana), long_text=compared()))
    assert "60 of 300 test rows are longer than 128 tokens." in page
    assert "Trained with: cut the end." in page
    assert "cut the end (trained with) 40.0% 70.0% 85.0%" in page
    assert "cut the beginning 40.0% 64.0% \u22126.0 85.0%" in page
    assert "read all of it in windows 0.0% 90.0% +20.0 85.0%" in page
    assert "Advice: “read all of it in windows” scores 20.0 points more on long texts." in page


def test_a_difference_that_may_be_chance_is_no_reason_to_change(as_ana: Client, ana: User, worker: Worker) -> None:
    page = page_of(as_ana, train(worker, make_run(ana), long_text=compared(windows=0.82)))
    assert "Advice: keep it." in page
    assert "with 60 long texts, less than 13 points may be chance" in page


def test_few_long_texts_are_a_warning_instead_of_advice(as_ana: Client, ana: User, worker: Worker) -> None:
    page = page_of(as_ana, train(worker, make_run(ana), long_text=compared(rows=29)))
    assert "Few examples" in page
    assert "29 of them, drawn by chance" in page
    assert "cut the beginning 40.0% 64.0% \u22126.0 \u2013" in page
    assert "Advice" not in page


def test_a_run_without_the_comparison_says_nothing_of_it(as_ana: Client, finished_run: Run) -> None:
    assert "Trained with" not in page_of(as_ana, finished_run)


def test_a_way_that_this_portal_does_not_know_is_shown_by_its_name(as_ana: Client, ana: User, worker: Worker) -> None:
    found = compared()
    newer = found.ways[0].model_copy(update={"way": "summary"})
    run = train(worker, make_run(ana), long_text=found.model_copy(update={"ways": [*found.ways, newer]}))
    assert "summary 40.0%" in page_of(as_ana, run)


def test_the_api_gives_the_comparison(ana: User, worker: Worker) -> None:
    run = train(worker, make_run(ana), long_text=compared())
    shown = client_of(ana).get(f"/bert-training/api/runs/{run.pk}").json()["result"]["long_text"]
    assert shown == compared().model_dump()


def test_a_result_of_an_older_worker_has_no_comparison(ana: User, finished_run: Run) -> None:
    assert finished_run.result is not None
    del finished_run.result["long_text"]
    finished_run.save(update_fields=["result"])
    assert client_of(ana).get(f"/bert-training/api/runs/{finished_run.pk}").json()["result"]["long_text"] is None
    assert client_of(ana).get(f"/runs/{finished_run.pk}").status_code == 200
