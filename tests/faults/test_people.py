"""What people do while a run is under way: cancel, switch off, change a token, take data away. On the real portal."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page

from bert_training.contract.limits import API_PREFIX
from bert_training.demo.children import Child
from bert_training.worker.exits import ExitCode
from bert_training.worker.options import TokenSource
from bert_training.worker.simulation import SPEED_VARIABLE
from tests.browser import sign_in
from tests.faults.staff import FINAL, TASK, Office
from tests.processes import opened, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

STEPS_PER_SECOND = "80"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One portal for all tests of this module."""
    with opened(Office(tmp_path_factory.mktemp("people"))) as office:
        yield office


@pytest.fixture
def office(portal: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """The portal; the computers that a test starts are sent home after it."""
    monkeypatch.setenv(SPEED_VARIABLE, STEPS_PER_SECOND)
    yield portal
    portal.send_home()


def test_a_computer_that_is_switched_off_stops_and_its_run_goes_to_another(office: Office) -> None:
    """F-47: 403 to every call; it ends at once with exit code 3, and the run waits for nobody."""
    worker, token = office.staff.register("off")
    off = office.computer("off", token)
    run = office.staff.create_run(office.dataset, epochs=2)
    office.staff.wait_for(run, lambda seen: seen["progress"]["step"] >= 1)
    office.staff.act("deactivate", worker)
    waiting = office.staff.run(run)
    assert (waiting["status"], waiting["attempts"][0]["reason"]) == ("queued", "worker_inactive")
    wait_until(lambda: off.code is not None, seconds=15)
    assert off.code == ExitCode.INACTIVE

    office.computer("other", office.staff.register("other")[1])
    seen = office.staff.wait_for(run, lambda seen: seen["status"] in FINAL)
    assert seen["status"] == "completed"
    assert [(attempt["worker"], attempt["outcome"]) for attempt in seen["attempts"]] == [
        ("off", "lost"),
        ("other", "completed"),
    ]
    office.staff.act("activate", worker)


def test_a_changed_token_costs_nothing_once_the_computer_has_it(office: Office) -> None:
    """F-48: 401 meanwhile, training goes on; the new token file is picked up and the spool drains to its end."""
    worker, token = office.staff.register("rotated")
    file = office.product.folder / "token"
    file.write_text(token)
    computer = office.computer("rotated", TokenSource("", file))
    run = office.staff.create_run(office.dataset, epochs=4)
    before = office.staff.wait_for(run, lambda seen: seen["progress"]["step"] >= 15)["progress"]["step"]
    fresh = office.staff.rotate_token(worker)
    spool = next((office.product.folder / "rotated").glob("jobs/*/attempt-1.jsonl"))
    size = spool.stat().st_size
    wait_until(lambda: spool.stat().st_size > size + 2000)  # it trains on without the portal
    assert office.staff.run(run)["progress"]["step"] <= before + 40
    file.write_text(fresh)

    seen = office.staff.wait_for(run, lambda seen: seen["status"] in FINAL)
    assert seen["status"] == "completed"
    assert [attempt["number"] for attempt in seen["attempts"]] == [1]
    steps = [line["message"].split()[1] for line in office.staff.lines(run) if line["message"].startswith("step ")]
    assert steps == [str(number) for number in range(1, 161)]
    assert computer.code is None


@pytest.mark.long
def test_a_copied_token_harms_nobody_but_its_copy(office: Office) -> None:
    """F-49: the second computer is refused, leaves with exit code 5, and the first never notices."""
    _worker, token = office.staff.register("original")
    office.computer("original", token)
    run = office.staff.create_run(office.dataset, epochs=12)
    office.staff.wait_for(run, lambda seen: seen["progress"]["step"] >= 5)
    copy = office.computer("copy", token)
    wait_until(lambda: copy.code is not None, seconds=30)
    assert copy.code == ExitCode.CONFLICT
    seen = office.staff.wait_for(run, lambda seen: seen["status"] in FINAL)
    assert [(attempt["number"], attempt["outcome"]) for attempt in seen["attempts"]] == [(1, "completed")]
    assert seen["status"] == "completed"
    assert not list(Path(office.product.folder / "copy").glob("jobs/*"))


# --- cancel

# A worker hears of it within a heartbeat and its trainer ends at the next step; p95 of a hundred was 1.0 s.
QUICKLY = 10.0
SILENT_SECONDS = 2.0 + 0.5 + 3.0  # the lease, a tick, and a busy machine


class Ghost:
    """A computer that claims by hand, and from then on is never heard of unless a test says so."""

    def __init__(self, office: Office, name: str) -> None:
        self._office = office
        self._headers = {"Authorization": f"Bearer {office.staff.register(name)[1]}", "X-Worker-Protocol": "1"}

    def claim(self) -> int:
        """Take the next simulated job; returns its number."""
        body = {"instance": "ghost:1", "tasks": [TASK], "simulate": True}
        return int(self._post("/jobs/claim", body).json()["job_id"])

    def complete(self, job: int) -> int:
        """Report a completed training; returns the status of the answer."""
        result = {"metrics": {}, "model_fingerprint": "f" * 64, "best_step": 1, "classes": []}
        body = {"attempt": 1, "outcome": "completed", "log_seq": 0, "metric_seq": 0, "result": result}
        return int(self._post(f"/jobs/{job}/complete", body).status_code)

    def _post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        return httpx2.post(f"{self._office.url}{API_PREFIX}{path}", json=body, headers=self._headers, trust_env=False)


def seconds_to_cancel(office: Office, run: int) -> float:
    """Cancel a run; returns how long it took until it had ended, one way or the other."""
    began = time.monotonic()
    status = office.staff.cancel(run)
    assert status in (202, 409)
    seen = office.staff.wait_for(run, lambda seen: seen["status"] in FINAL)
    assert seen["status"] == "canceled" or (seen["status"], seen["attempts"][-1]["outcome"]) == ("completed",) * 2
    assert status == 202 or seen["status"] == "completed"
    return time.monotonic() - began


def cancel_at_random(office: Office, times: int, *, computers: int) -> list[float]:
    """Cancel runs at random moments between their creation and a little after their end."""
    chance = random.Random(51)
    for number in range(computers):
        name = f"canceled-{number}-of-{computers}"
        office.computer(name, office.staff.register(name)[1])

    def cancel_one(_number: int) -> float:
        run = office.staff.create_run(office.dataset, epochs=1)
        time.sleep(chance.uniform(0, 1.5))  # a run takes about 1.2 s
        return seconds_to_cancel(office, run)

    with ThreadPoolExecutor(computers) as people:
        return sorted(people.map(cancel_one, range(times)))


def test_a_cancel_works_at_any_moment(office: Office) -> None:
    """F-51: queued, running and near its end; a run that was quicker stays completed."""
    waiting = office.staff.create_run(office.dataset)
    assert seconds_to_cancel(office, waiting) < 3.0
    assert cancel_at_random(office, 6, computers=2)[-1] < QUICKLY


def test_a_cancel_of_a_silent_run_takes_a_lease_and_a_tick(office: Office) -> None:
    """F-51: nobody answers any more, and the run does not go back to the queue either."""
    ghost = Ghost(office, "silent")
    run = office.staff.create_run(office.dataset)
    ghost.claim()
    assert seconds_to_cancel(office, run) < SILENT_SECONDS
    seen = office.staff.run(run)
    assert (seen["status"], seen["error"]["code"]) == ("canceled", "canceled_by_user")


def test_what_is_completed_stays_completed(office: Office) -> None:
    """F-51: a cancel that comes too late is answered 409 and changes nothing."""
    ghost = Ghost(office, "quick")
    run = office.staff.create_run(office.dataset)
    assert ghost.complete(ghost.claim()) == 200
    assert office.staff.cancel(run) == 409
    assert office.staff.run(run)["status"] == "completed"


@pytest.mark.long
def test_a_hundred_cancels_at_random_moments(office: Office) -> None:
    """F-51: the 95th of a hundred ends as soon as the others."""
    found = cancel_at_random(office, 100, computers=4)
    print(f"F-51: p50 {found[50]:.2f} s, p95 {found[95]:.2f} s, longest {found[-1]:.2f} s")
    assert found[95] < QUICKLY


# --- data and poison


def test_a_run_whose_data_are_gone_fails_with_that_reason(office: Office) -> None:
    """F-41: the worker asks once, gets 404 dataset_gone, and says so; it trains on nothing."""
    folder = office.product.folder / "files" / "datasets"
    before = set(folder.iterdir())
    run = office.staff.create_run(office.staff.upload("Para perder"), simulate=False)
    (new,) = set(folder.iterdir()) - before
    (new / "table.parquet").unlink()
    office.computer("gone", office.staff.register("gone")[1], dry_run=False)
    seen = office.staff.wait_for(run, lambda seen: seen["status"] in FINAL)
    assert (seen["status"], seen["error"]["code"]) == ("failed", "dataset_gone")
    assert "Upload the spreadsheet again" in seen["error"]["advice"]


@pytest.mark.long
def test_a_run_that_kills_every_computer_is_given_up(office: Office) -> None:
    """F-54: after three losses with a step and without a checkpoint it has failed, and the computer trains the next."""
    _worker, token = office.staff.register("poisoned")
    poison = office.staff.create_run(office.dataset, epochs=2)
    after = office.staff.create_run(office.dataset)

    def start() -> Child:
        settings = {"BERT_TOKEN": token, SPEED_VARIABLE: "4"}  # the first checkpoint after 2.5 s
        return office.product.start_worker("--dry-run", "--poll-interval", "0.2", name="poisoned", **settings)

    def kill_in_attempt(number: int) -> None:
        child = start()
        office.staff.wait_for(poison, lambda seen: seen["progress"]["step"] >= 1 and seen["job"]["attempt"] == number)
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()

    for number in (1, 2, 3):
        kill_in_attempt(number)
    survivor = start()
    seen = office.staff.wait_for(poison, lambda seen: seen["status"] in FINAL)
    assert (seen["status"], seen["error"]["code"]) == ("failed", "worker_lost")
    assert [attempt["reason"] for attempt in seen["attempts"]] == ["worker_restarted"] * 3
    office.staff.wait_for(after, lambda seen: seen["status"] == "running")
    os.killpg(survivor.process.pid, signal.SIGKILL)
    office.staff.cancel(after)


# --- watching


KEEP_SOCKETS = """
globalThis.sockets = [];
globalThis.WebSocket = class extends WebSocket { constructor(url) { super(url); sockets.push(this); } };
"""
CAME_WITH_LINES = """([count, lines]) => sockets.length === count && sockets.at(-1).readyState === WebSocket.OPEN
    && document.querySelectorAll("#log .log-line").length > lines"""


@pytest.mark.browser
def test_an_open_page_misses_no_line_however_often_its_connection_is_cut(
    office: Office, open_page: Callable[[str], Page]
) -> None:
    """I6: the websocket is cut twice while lines come; the page has them all, once and in order."""
    page = open_page(office.url)
    page.add_init_script(KEEP_SOCKETS)
    sign_in(page, user="root", password=office.product.accounts["root"])
    run = office.staff.create_run(office.dataset, epochs=6)
    page.goto(f"/runs/{run}")
    office.computer("watched", office.staff.register("watched")[1])
    lines = page.locator("#log .log-line:not(.is-attempt) span")
    for cut in (1, 2):
        page.wait_for_function(CAME_WITH_LINES, arg=[cut, lines.count()])
        page.evaluate("sockets.at(-1).close()")
    page.locator(".badge-completed").first.wait_for()
    wanted = [line["message"] for line in office.staff.lines(run)]
    page.wait_for_function("count => document.querySelectorAll('#log .log-line').length >= count", arg=len(wanted))
    assert lines.all_text_contents() == wanted
    assert "\u00a0s" in (page.locator("[data-phases='1']").text_content() or "")
