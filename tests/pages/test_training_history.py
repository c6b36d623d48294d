"""How a run learned as a picture: what is drawn, for whom, and what a second attempt changes."""

import struct

from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import HARDWARE, Split
from bert_training.models import JobAttempt, Metric, Run
from bert_training.services.picturing.curve_points import MOST_POINTS
from bert_training.services.picturing.training_history import HEIGHT, WIDTH, read_history
from tests.pages.conftest import client_of
from tests.personas import make_run, make_worker

PNG = b"\x89PNG\r\n\x1a\n"


def add_losses(run: Run, attempt: JobAttempt, steps: range, *, loss: float) -> None:
    """Store one point of training a step."""
    last = attempt.metrics.count()
    Metric.objects.bulk_create(
        Metric(run=run, attempt=attempt, seq=last + n, epoch=1, step=step, split=Split.TRAIN, values={"loss": loss})
        for n, step in enumerate(steps, start=1)
    )


def test_a_run_is_downloaded_as_a_picture_of_a_fixed_size(finished_run: Run, as_ana: Client, as_carla: Client) -> None:
    response = as_ana.get(f"/runs/{finished_run.pk}/training_history.png")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")
    assert "training_history.png" in response.headers["Content-Disposition"]
    assert response.content.startswith(PNG)
    assert struct.unpack(">II", response.content[16:24]) == (WIDTH, HEIGHT)
    assert response.content == as_ana.get(f"/runs/{finished_run.pk}/training_history.png").content
    assert as_carla.get(f"/runs/{finished_run.pk}/training_history.png").status_code == 404
    assert f"/runs/{finished_run.pk}/training_history.png" in as_ana.get(f"/runs/{finished_run.pk}").content.decode()


def test_the_loss_the_deciding_figure_and_the_best_step_are_drawn(finished_run: Run) -> None:
    history = read_history(finished_run)
    assert history.training == [(5, 0.2), (10, 0.1), (15, 1 / 15), (20, 0.05)]
    assert history.figure == [(10, 0.7), (20, 0.8)]
    assert history.best_step == 20


def test_steps_that_were_done_again_count_as_they_were_done_last(finished_run: Run) -> None:
    first = JobAttempt.objects.get(job__run=finished_run)
    second = JobAttempt.objects.create(
        job=first.job, number=2, worker=make_worker("gpu-9"), started_at=first.started_at, ended_at=first.started_at,
        outcome="lost",
    )  # fmt: skip
    add_losses(finished_run, second, range(10, 25, 5), loss=0.5)
    assert read_history(finished_run).training == [(5, 0.2), (10, 0.5), (15, 0.5), (20, 0.5)]


def test_what_a_lost_attempt_told_beyond_its_checkpoint_is_not_drawn(finished_run: Run) -> None:
    first = JobAttempt.objects.get(job__run=finished_run)
    add_losses(finished_run, first, range(25, 65, 5), loss=0.9)
    second = JobAttempt.objects.create(
        job=first.job, number=2, worker=make_worker("gpu-9"), started_at=first.started_at, resumed_from_step=30
    )
    add_losses(finished_run, second, range(37, 44, 6), loss=0.5)
    assert read_history(finished_run).training[-4:] == [(25, 0.9), (30, 0.9), (37, 0.5), (43, 0.5)]


def test_of_a_long_run_some_points_are_drawn_whatever_stands_between_them(finished_run: Run) -> None:
    attempt = JobAttempt.objects.get(job__run=finished_run)
    steps = range(100, 100 + 3 * MOST_POINTS)
    # Between them the computer tells of itself: none of their numbers need be a multiple of anything.
    last = attempt.metrics.count()
    Metric.objects.bulk_create(
        Metric(
            run=finished_run,
            attempt=attempt,
            seq=last + 6 * n + place,
            epoch=1,
            step=step,
            split=split,
            values={"loss": 0.1},
        )
        for n, step in enumerate(steps)
        for place, split in ((1, Split.TRAIN), (4, HARDWARE))
    )
    drawn = read_history(finished_run).training
    assert MOST_POINTS / 2 < len(drawn) <= MOST_POINTS
    assert drawn[0][0] < 200
    assert drawn[-1][0] == steps[-1]


def test_a_run_without_curves_has_no_picture(ana: User) -> None:
    run = make_run(ana)
    client = client_of(ana)
    assert client.get(f"/runs/{run.pk}/training_history.png").status_code == 404
    assert "training_history.png" not in client.get(f"/runs/{run.pk}").content.decode()


def test_losses_at_the_end_of_all_numbers_are_drawn(finished_run: Run, as_ana: Client) -> None:
    attempt = JobAttempt.objects.get(job__run=finished_run)
    for step, loss in ((30, 1.7e308), (40, -1.7e308)):
        add_losses(finished_run, attempt, range(step, step + 1), loss=loss)
    assert as_ana.get(f"/runs/{finished_run.pk}/training_history.png").content.startswith(PNG)
    assert as_ana.get(f"/runs/{finished_run.pk}/curves/loss.svg").status_code == 200
