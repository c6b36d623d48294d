"""The charts of a run as files: every figure that counts, as picture and as table, for those who may see the run."""

import csv
import io
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from bert_training.charts.thinning import thin
from bert_training.contract.enums import HARDWARE
from bert_training.contract.streams import MetricBatch, MetricPoint
from bert_training.models import Job, JobAttempt, Run, Worker
from bert_training.pages.run_charts import UNITS
from bert_training.services.telemetry import append_metrics
from tests.pages.conftest import client_of
from tests.pages.training import start, train
from tests.personas import make_run

FILES = ("svg", "csv")


def rows_of(client: Client, run: Run, name: str) -> list[list[str]]:
    """Download the figures of a chart."""
    content = client.get(f"/runs/{run.pk}/curves/{name}.csv").content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content)))


def send_hardware(worker: Worker, job: Job) -> None:
    """Send two points of the computer, after the six that `start` sent."""
    points = [
        MetricPoint(epoch=1, step=step, split=HARDWARE, values={"cpu_percent": 40.0 + step, "memory_bytes": 2.0**32})
        for step in (10, 20)
    ]
    append_metrics(worker, MetricBatch(job_id=job.pk, attempt=1, first_seq=7, points=points))


def test_each_chart_is_saved_with_its_figures_by_step(as_ana: Client, run: Run, worker: Worker) -> None:
    send_hardware(worker, start(worker, run))
    assert rows_of(as_ana, run, "loss") == [
        ["Step", "Epoch", "Loss (training)", "Loss (validation)"],
        ["5", "1", "0.2000", ""],
        ["10", "1", "0.1000", "0.7000"],
        ["15", "2", "0.0667", ""],
        ["20", "2", "0.0500", "0.8000"],
    ]
    assert rows_of(as_ana, run, "learning-rate")[1] == ["5", "1", "0.00002"]
    assert rows_of(as_ana, run, "processor")[1:] == [["10", "1", "50.0%"], ["20", "2", "60.0%"]]
    assert rows_of(as_ana, run, "memory")[1] == ["10", "1", "4.0 GB"]
    picture = as_ana.get(f"/runs/{run.pk}/curves/loss.svg")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "best: epoch 2" in as_ana.get(f"/runs/{run.pk}/curves/quality.svg").content.decode()


def test_what_a_later_attempt_did_again_is_left_out(as_ana: Client, run: Run, worker: Worker) -> None:
    job = start(worker, run)
    JobAttempt.objects.filter(job=job).update(outcome="lost", ended_at="2026-01-01T00:00Z")
    JobAttempt.objects.create(job=job, number=2, worker=worker, started_at="2026-01-01T00:00Z", resumed_from_step=10)
    assert [row[0] for row in rows_of(as_ana, run, "loss")[1:]] == ["5", "10"]


def test_a_chart_without_figures_or_of_another_name_is_not_there(as_ana: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    for name in ("gpu", "disk", "nonsense"):
        assert [as_ana.get(f"/runs/{run.pk}/curves/{name}.{form}").status_code for form in FILES] == [404, 404]


def test_any_name_of_a_run_gives_a_picture_that_opens(as_ana: Client, ana: User, run: Run, worker: Worker) -> None:
    start(worker, run)
    Run.objects.filter(pk=run.pk).update(name="\uffff <b>&" + "\U0001f600" * 190)
    answer = as_ana.get(f"/runs/compare/charts/loss-train.svg?runs={run.pk},{make_run(ana, run.dataset).pk}")
    assert b"\xef\xbf\xbf" not in answer.content
    assert "\ufffd <b>&" in "".join(ElementTree.fromstring(answer.content).itertext())  # noqa: S314 - the portal's own
    assert len(as_ana.get(f"/runs/{run.pk}/curves/loss.svg").headers["Content-Disposition"]) < 2000


def test_a_stranger_gets_no_chart(as_carla: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    assert [as_carla.get(f"/runs/{run.pk}/curves/loss.{form}").status_code for form in FILES] == [404, 404]


def test_a_run_that_stopped_by_itself_says_so(as_ana: Client, ana: User, worker: Worker, run: Run) -> None:
    finished = train(worker, run)  # at step 20 of 40
    assert "stopped early, step 20" in as_ana.get(f"/runs/{finished.pk}/curves/loss.svg").content.decode()
    assert as_ana.get(f"/runs/{finished.pk}").context["state"]["progress"]["stopped_early"] is True
    asked = make_run(ana, run.dataset)
    job = start(worker, asked)
    Job.objects.filter(pk=job.pk).update(finish_requested_at="2026-01-01T00:00Z", step=10)
    assert as_ana.get(f"/runs/{asked.pk}").context["state"]["progress"]["stopped_early"] is False


@pytest.mark.parametrize(
    ("unit", "value", "english", "portuguese"),
    [
        ("rate", 2e-5, "0.00002", "0,00002"),
        ("rate", 0.00123456, "0.00123", "0,00123"),
        ("bytes", 1.5 * 2**30, "1.5 GB", "1,5 GB"),
        ("percent", 12.34, "12.3%", "12,3%"),
        ("celsius", 61.0, "61 °C", "61 °C"),
    ],
)
def test_figures_are_written_as_the_reader_writes_them(unit: str, value: float, english: str, portuguese: str) -> None:
    for language, text in (("en", english), ("pt-br", portuguese)):
        with translation.override(language):
            assert UNITS[unit](value) == text


def test_a_thinned_curve_keeps_its_ends_and_its_peaks() -> None:
    points = [(float(step), 0.5) for step in range(20_000)]
    points[1234], points[17_777] = (1234.0, 9.0), (17_777.0, -9.0)
    kept = thin(points, most=800)
    assert len(kept) <= 802
    assert {points[0], points[-1], points[1234], points[17_777]} <= set(kept)
    assert kept == sorted(kept)
    assert thin(points[:800], most=800) == points[:800]


def test_the_numbers_of_a_portuguese_reader_have_commas(ana: User, run: Run, worker: Worker) -> None:
    start(worker, run)
    assert "5;1;0,2000" in client_of(ana, "pt-br").get(f"/runs/{run.pk}/curves/loss.csv").content.decode("utf-8-sig")
