"""Cancel, finish, reproduce: asked first, done by POST, refused with a reason."""

import pytest
from django.test import Client

from bert_training.models import Job, Run, Worker
from bert_training.services.runs import cancel_run
from tests.pages.training import start


@pytest.mark.parametrize("action", ["cancel", "finish", "reproduce"])
def test_opening_the_question_changes_nothing(as_ana: Client, run: Run, action: str) -> None:
    content = as_ana.get(f"/runs/{run.pk}/{action}").content.decode()
    assert '<form method="post"' in content
    assert run.name in content
    run.refresh_from_db()
    assert (run.status, Run.objects.count()) == ("queued", 1)


@pytest.mark.parametrize("action", ["cancel", "finish", "reproduce"])
def test_a_strangers_run_does_not_exist(as_carla: Client, run: Run, action: str) -> None:
    assert as_carla.get(f"/runs/{run.pk}/{action}").status_code == 404
    assert as_carla.post(f"/runs/{run.pk}/{action}").status_code == 404
    run.refresh_from_db()
    assert (run.status, Run.objects.count()) == ("queued", 1)


def test_a_waiting_run_is_canceled_at_once(as_ana: Client, run: Run) -> None:
    response = as_ana.post(f"/runs/{run.pk}/cancel", follow=True)
    run.refresh_from_db()
    assert (run.status, response.redirect_chain) == ("canceled", [(f"/runs/{run.pk}", 302)])


def test_a_running_run_is_asked_to_cancel_and_the_page_says_so(as_ana: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    content = as_ana.post(f"/runs/{run.pk}/cancel", follow=True).content.decode()
    assert "being canceled" in content
    assert Job.objects.get(run=run).cancel_requested_at is not None


def test_a_running_run_is_asked_to_finish(as_ana: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    as_ana.post(f"/runs/{run.pk}/finish")
    assert Job.objects.get(run=run).finish_requested_at is not None


@pytest.mark.parametrize("action", ["cancel", "finish"])
def test_what_has_ended_cannot_be_ended_again(as_ana: Client, run: Run, action: str) -> None:
    cancel_run(run)
    content = as_ana.post(f"/runs/{run.pk}/{action}", follow=True).content.decode()
    assert "notice-error" in content
    run.refresh_from_db()
    assert run.status == "canceled"


def test_reproducing_opens_the_new_run(as_ana: Client, finished_run: Run) -> None:
    response = as_ana.post(f"/runs/{finished_run.pk}/reproduce")
    copy = Run.objects.get(reproduced_from=finished_run)
    assert response.headers["Location"] == f"/runs/{copy.pk}"
    assert (copy.hyperparameters, copy.split_digest) == (finished_run.hyperparameters, finished_run.split_digest)


@pytest.mark.parametrize("number", ["9" * 5000, "²"], ids=["long", "no digit of int()"])
def test_a_number_that_is_none_names_no_other_dataset(as_ana: Client, finished_run: Run, number: str) -> None:
    assert as_ana.get(f"/runs/{finished_run.pk}/reproduce", {"dataset": number}).status_code == 200


def test_staff_may_act_on_everybodys_runs(as_root: Client, run: Run) -> None:
    as_root.post(f"/runs/{run.pk}/cancel")
    run.refresh_from_db()
    assert run.status == "canceled"


def test_card_and_figures_of_a_finished_run_are_downloaded_as_files(as_ana: Client, finished_run: Run) -> None:
    page = as_ana.get(f"/runs/{finished_run.pk}").content.decode()
    for kind, begins in (("model-card", "---"), ("metrics", "attempt,epoch,step")):
        path = f"/runs/{finished_run.pk}/{kind}"
        response = as_ana.get(path)
        assert f'href="{path}"' in page
        assert response.headers["Content-Disposition"].startswith(
            f'attachment; filename="run-{finished_run.pk}-assunto'
        )
        assert response.content.decode("utf-8-sig").startswith(begins)


def test_a_run_that_is_not_completed_has_no_card(as_ana: Client, run: Run) -> None:
    assert as_ana.get(f"/runs/{run.pk}/model-card").status_code == 404
    assert "model-card" not in as_ana.get(f"/runs/{run.pk}").content.decode()


@pytest.mark.parametrize("kind", ["model-card", "metrics"])
def test_a_stranger_downloads_nothing(as_carla: Client, finished_run: Run, kind: str) -> None:
    assert as_carla.get(f"/runs/{finished_run.pk}/{kind}").status_code == 404


def test_a_run_whose_dataset_is_gone_offers_no_reproduction(as_ana: Client, finished_run: Run) -> None:
    button = f'href="/runs/{finished_run.pk}/reproduce"'
    assert button in as_ana.get(f"/runs/{finished_run.pk}").content.decode()
    as_ana.post(f"/datasets/{finished_run.dataset_id}/delete")
    assert button not in as_ana.get(f"/runs/{finished_run.pk}").content.decode()
