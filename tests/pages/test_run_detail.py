"""The page of one run, in each state of its life."""

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from bert_training.contract.enums import Reason
from bert_training.models import Job, JobAttempt, Run, Worker
from bert_training.models.reasons import explain
from bert_training.services.runs import cancel_run, reproduce_run
from tests.pages.conftest import client_of
from tests.pages.queries import queries_of
from tests.pages.training import fail, send_lines, start, train
from tests.personas import make_run

CANARY = "<img src=x onerror=alert(1)>"


def data_of(content: str) -> dict[str, Any]:
    """Return what the page gives to its scripts."""
    found = re.search(r'<script id="run-data" type="application/json">(.*?)</script>', content)
    assert found is not None
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def page_of(client: Client, run: Run) -> str:
    """Open the page of a run."""
    response = client.get(f"/runs/{run.pk}")
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_waiting_run_says_why_nothing_happens(as_ana: Client, run: Run) -> None:
    assert "no computer is connected" in page_of(as_ana, run)


def test_a_waiting_run_says_how_many_are_ahead(as_ana: Client, ana: User, worker: Worker, run: Run) -> None:
    last = make_run(ana, run.dataset)
    start(worker, make_run(ana, run.dataset, priority=5))  # somebody is online now
    assert "this run is next" in page_of(as_ana, run)
    assert "1 run is ahead" in page_of(as_ana, last)


def test_a_running_run_shows_progress_lines_and_curves(as_ana: Client, run: Run, worker: Worker) -> None:
    start(worker, run)
    content = page_of(as_ana, run)
    data = data_of(content)
    assert "epoch 2 · step 20 of 40" in content
    assert 'value="0.5000"' in content
    assert "step 3" in content
    assert [line["message"] for line in data["logs"]] == ["step 1", "step 2", "step 3"]
    assert [point["step"] for point in data["metrics"]] == [5, 10, 15, 20, 10, 20]
    learned = [chart["label"] for chart in data["charts"] if not chart["folded"]]
    assert learned == ["Loss", "Quality", "Learning rate"]  # what comes at the end has no curve
    assert {curve["split"] for curve in data["charts"][0]["curves"]} == {"train", "validation"}
    assert "Figures of each evaluation" in content


def test_a_finished_run_shows_test_figures_and_the_weakest_label_first(as_ana: Client, finished_run: Run) -> None:
    content = page_of(as_ana, finished_run)
    assert "87.5%" in content
    assert content.index("cobrança") < content.index("saúde") < content.index("tributário")
    assert "no examples" in content
    assert "of 10 examples it found 5" in content


def test_a_finished_run_shows_what_proves_it(as_ana: Client, finished_run: Run) -> None:
    content = page_of(as_ana, finished_run)
    for proof in (finished_run.dataset.sha256, finished_run.split_digest, "c" * 64, "e" * 64, "3f9c2ab", "0.1.0"):
        assert proof in content, proof


@pytest.mark.parametrize("reason", [Reason.GPU_OUT_OF_MEMORY, Reason.CRASHED])
def test_a_failed_run_says_why_and_what_to_do(as_ana: Client, run: Run, worker: Worker, reason: Reason) -> None:
    fail(worker, run, reason.value)
    content = page_of(as_ana, run)
    assert str(explain(reason).sentence) in content
    assert str(explain(reason).advice) in content
    assert "CUDA out of memory &lt;b&gt;" in content
    assert "Reproduce" in content


def test_a_canceled_run_shows_no_progress(as_ana: Client, run: Run) -> None:
    cancel_run(run)
    content = page_of(as_ana, run)
    assert "canceled" in content
    assert f"/runs/{run.pk}/cancel" not in content


def test_a_copy_links_to_the_run_that_it_repeats(as_ana: Client, ana: User, finished_run: Run) -> None:
    copy = reproduce_run(finished_run, owner=ana)
    assert f'href="/runs/{finished_run.pk}">reproduces run {finished_run.pk}' in page_of(as_ana, copy)


def test_a_copy_of_a_strangers_run_has_no_link(as_carla: Client, carla: User, finished_run: Run) -> None:
    copy = reproduce_run(finished_run, owner=carla)
    Run.objects.filter(pk=copy.pk).update(dataset=make_run(carla).dataset)
    assert f'href="/runs/{finished_run.pk}"' not in page_of(as_carla, copy)


def test_a_stranger_learns_nothing_of_a_run(as_carla: Client, run: Run) -> None:
    assert as_carla.get(f"/runs/{run.pk}").status_code == 404
    for number in (999999, 10**30):
        assert as_carla.get(f"/runs/{number}").status_code == 404


def test_markup_in_names_lines_and_labels_is_shown_as_text(as_ana: Client, ana: User, worker: Worker) -> None:
    run = train(worker, make_run(ana, name=CANARY), message=CANARY + "</script><script>alert(2)</script>")
    content = page_of(as_ana, run)
    assert CANARY not in content
    assert "<script>alert(2)" not in content
    assert data_of(content)["logs"][0]["message"].startswith(CANARY)


def test_a_long_log_opens_with_its_newest_lines_and_says_where_the_rest_is(
    as_ana: Client, run: Run, worker: Worker
) -> None:
    start(worker, run, lines=1203)
    data = data_of(page_of(as_ana, run))
    assert [data["logs"][0]["message"], data["logs"][-1]["message"]] == ["step 704", "step 1203"]
    older = as_ana.get(f"{data['api']}/logs?after=0&limit=500").json()["lines"]
    assert older[0]["message"] == "step 1"
    assert older[-1]["cursor"] < data["logsBefore"] < data["logs"][0]["cursor"]


def test_the_page_costs_the_same_queries_whatever_the_log(as_ana: Client, run: Run, worker: Worker) -> None:
    job = start(worker, run)
    few = queries_of(as_ana, f"/runs/{run.pk}")
    send_lines(worker, job, ["x"] * 700, first_seq=4)
    assert len(queries_of(as_ana, f"/runs/{run.pk}")) == len(few) <= 17


def test_the_page_never_reads_the_letters_of_the_manifest(as_ana: Client, finished_run: Run) -> None:
    assert not [sql for sql in queries_of(as_ana, f"/runs/{finished_run.pk}") if "letters" in sql]


def test_an_old_run_of_a_task_that_is_gone_still_opens(as_ana: Client, finished_run: Run) -> None:
    Run.objects.filter(pk=finished_run.pk).update(task="no-longer-there")
    assert "Assunto v1" in page_of(as_ana, finished_run)
    assert "Assunto v1" in as_ana.get("/runs").content.decode()
    assert as_ana.get(f"/runs/{finished_run.pk}/model-card").status_code == 200


def test_numbers_follow_the_language(ana: User, finished_run: Run) -> None:
    assert "87,5%" in page_of(client_of(ana, "pt-br"), finished_run)
    assert "0,00005" in page_of(client_of(ana, "pt-br"), finished_run)


def test_actions_fit_the_state(as_ana: Client, run: Run, worker: Worker) -> None:
    waiting = page_of(as_ana, run)
    start(worker, run)
    running = page_of(as_ana, run)
    Job.objects.filter(run=run).update(cancel_requested_at="2026-01-01T00:00Z")
    canceling = page_of(as_ana, run)
    assert (f"/runs/{run.pk}/cancel" in waiting, f"/runs/{run.pk}/finish" in waiting) == (True, False)
    assert (f"/runs/{run.pk}/cancel" in running, f"/runs/{run.pk}/finish" in running) == (True, True)
    assert f"/runs/{run.pk}/cancel" not in canceling


def test_epochs_that_a_later_attempt_did_again_are_left_out_of_the_table(
    as_ana: Client, run: Run, worker: Worker
) -> None:
    def steps_shown() -> list[int]:
        return [row["step"] for row in as_ana.get(f"/runs/{run.pk}").context["epochs"]["rows"]]

    job = start(worker, run)
    assert steps_shown() == [10, 20]
    JobAttempt.objects.filter(job=job).update(outcome="lost", ended_at="2026-01-01T00:00Z")
    JobAttempt.objects.create(job=job, number=2, worker=worker, started_at="2026-01-01T00:00Z", resumed_from_step=10)
    assert steps_shown() == [10]


def test_the_page_says_where_a_lost_attempt_was_taken_up(as_ana: Client, run: Run, worker: Worker) -> None:
    job = start(worker, run)
    JobAttempt.objects.filter(job=job).update(outcome="lost", reason="lease_expired", ended_at="2026-01-01T00:00Z")
    JobAttempt.objects.create(job=job, number=2, worker=worker, started_at="2026-01-01T00:00Z", resumed_from_step=240)
    content = page_of(as_ana, run)
    assert "attempt 1 lost, resumed at step 240" in content
    assert data_of(content)["state"]["attempts"][1]["origin"] == "attempt 1 lost, resumed at step 240"


def test_the_page_says_how_long_the_phases_of_each_attempt_took(as_ana: Client, run: Run, worker: Worker) -> None:
    job = start(worker, run)
    JobAttempt.objects.filter(job=job).update(phase_seconds={"preparing": 4.2, "training": 125})
    content = page_of(as_ana, run).replace("\u00a0", " ")
    assert re.findall(r'phase-swatch phase-(\w+)"></span>([^<]+)</li>', content) == [
        ("preparing", "preparing 4 s"),
        ("training", "training 2 min 5 s"),
    ]
    widths = [float(width) for width in re.findall(r'width="([\d.]+)" height="8" class="phase-', content)]
    assert widths == [3.25, 96.75]


def test_the_whole_log_is_saved_as_text_without_colours(
    as_ana: Client, as_carla: Client, run: Run, worker: Worker
) -> None:
    job = start(worker, run, lines=2103)
    send_lines(worker, job, ["\x1b[31mred\x1b[0m <b>"], first_seq=2104, level="WARNING")
    saved = as_ana.get(f"/runs/{run.pk}/log")
    lines = b"".join(saved.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert saved.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert len(lines) == 2104
    assert lines[0].endswith(" - 1 - INFO - step 1")
    assert lines[-1].endswith(" - 1 - WARNING - red <b>")
    assert as_carla.get(f"/runs/{run.pk}/log").status_code == 404


def test_every_script_of_the_page_is_asked_for_at_once(as_ana: Client, run: Run) -> None:
    """A module that is only found inside another waits for it: each would cost the page a round trip."""
    folder = settings.BASE_DIR / "static/bert_training/js"
    content = page_of(as_ana, run)
    wanted, found = ["run_page.js"], set()
    while wanted:
        name = wanted.pop()
        found.add(name)
        imported = re.findall(r'from "\./(\w+\.js)"', (folder / name).read_text())
        wanted += [other for other in imported if other not in found]
    assert {name for name in found if name in content} == found
