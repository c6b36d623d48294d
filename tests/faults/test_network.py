"""Faults of the line between a worker and the real portal, and the history checked after each.

The workers run inside this process (local_workers.py).
"""

import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bert_training.contract.enums import WorkerState
from bert_training.contract.limits import API_PREFIX
from bert_training.contract.messages import HeartbeatRequest
from bert_training.worker import client, dataset_cache, trainer_process
from bert_training.worker.client import PortalClient
from bert_training.worker.options import TokenSource
from bert_training.worker.retry import Retrier
from bert_training.worker.simulation import SPEED_VARIABLE, STEPS_PER_EPOCH
from tests.faults.bad_line import (
    alter_answer,
    answer,
    blackhole,
    drip_request,
    drop_request,
    drop_response,
    duplicate,
    hold_back,
    reset_after,
    reset_request_after,
    slow_drip,
)
from tests.faults.local_workers import FAST, SOON, Line, Office, content, fast_timing
from tests.faults.proxy import Answer, Call, Exchange, Fault, Forward, Proxy
from tests.faults.stage import LEASE_SECONDS
from tests.processes import opened, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

REQUEST_SECONDS = 1.5


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office of two computers; requests must arrive within REQUEST_SECONDS."""
    own = {"REQUEST_SECONDS": f"{REQUEST_SECONDS:g}"}
    with opened(Office(tmp_path_factory.mktemp("office"), computers=2, **own)) as office:
        yield office


@pytest.fixture
def lines(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Line]]:
    """The lines of both computers; simulations are over at once."""
    monkeypatch.setenv(SPEED_VARIABLE, "0")
    lines = [Line(office, computer) for computer in office.computers]
    yield lines
    office.clean_up()
    for line in lines:
        line.close()


@pytest.fixture
def line(lines: list[Line]) -> Line:
    """The line of the first computer."""
    return lines[0]


@pytest.fixture
def slowly(lines: list[Line], monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulations last: 0.5 s an epoch."""
    monkeypatch.setenv(SPEED_VARIABLE, "80")


# --- answers that never arrive ----------------------------------------------------------------------------------------


def test_a_worker_that_never_heard_its_claim_gets_the_same_job_again(office: Office, line: Line) -> None:
    """F-10."""
    run = office.start_run()
    line.proxy.set(drop_response(), on="/jobs/claim", times=1)
    line.start()
    assert office.outcomes(run) == ["completed"]
    lost, again = line.sent("/jobs/claim")[:2]
    assert (lost.delivered, again.delivered) == (False, True)
    assert {**content(lost), "held": True} == content(again)


def test_lost_answers_to_progress_change_nothing(office: Office, line: Line) -> None:
    """F-11."""
    run = office.start_run()
    rule = line.proxy.set(drop_response(), on="/progress", times=3)
    line.start()
    assert office.outcomes(run) == ["completed"]
    assert rule.hits == 3
    assert {exchange.status for exchange in line.sent("/progress")} == {200}
    assert office.step_of(run) == STEPS_PER_EPOCH


def test_a_lost_answer_to_the_end_report_is_repeated_and_the_next_job_follows(office: Office, line: Line) -> None:
    """F-12: after the first, no heartbeat gets through that would hear of the end before."""
    run, following = office.start_run(), office.start_run()
    line.proxy.set(drop_response(), on="/complete", times=1)
    line.start()
    wait_until(lambda: bool(line.sent("/claim")))
    line.proxy.set(drop_request(), on="/heartbeat")
    assert office.outcomes(following) == office.outcomes(run) == ["completed"]
    first, repeated, _next_job = line.sent("/complete")
    assert (first.status, first.delivered, repeated.status) == (200, False, 200)
    assert (first.path, first.request, first.answer) == (repeated.path, repeated.request, repeated.answer)


@pytest.mark.usefixtures("slowly")
def test_a_third_of_the_answers_to_batches_may_be_lost(office: Office, line: Line) -> None:
    """F-13: I3 holds, whatever is sent again."""
    run = office.start_run(epochs=3)
    lost = [line.proxy.set(drop_response(), on=path, share=0.3) for path in ("/logs/batch", "/metrics")]
    line.start()
    assert office.outcomes(run) == ["completed"]
    assert sum(rule.hits for rule in lost) >= 2  # of about 30


def test_doubled_requests_double_nothing(office: Office, line: Line) -> None:
    """F-14: a tenth of all requests, and surely one of each kind."""
    run = office.start_run()
    kinds = ("/jobs/claim", "/progress", "/logs/batch", "/metrics", "/heartbeat", "/complete")
    rules = [line.proxy.set(duplicate(), on=kind, times=1) for kind in kinds]
    line.proxy.set(duplicate(), share=0.1)
    line.start()
    assert office.outcomes(run) == ["completed"]
    assert [rule.hits for rule in rules] == [1] * len(kinds)


# --- requests that arrive late ----------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.usefixtures("slowly")
def test_a_late_progress_does_not_turn_a_run_back(office: Office, line: Line) -> None:
    """F-15: the first report arrives when the run is half over."""
    run, go = office.start_run(epochs=2), threading.Event()
    line.proxy.set(hold_back(until=go), on="/progress", times=1)
    line.start()
    office.await_step(run, STEPS_PER_EPOCH)
    go.set()
    late = line.sent("/progress")[0]
    wait_until(lambda: late.status == 200, seconds=SOON)
    assert office.step_of(run) >= STEPS_PER_EPOCH > json.loads(late.request)["step"]
    assert office.outcomes(run) == ["completed"]


@pytest.mark.usefixtures("slowly")
def test_requests_that_arrive_late_and_out_of_order_change_nothing(office: Office, line: Line) -> None:
    """F-15: 30 % of them, up to 10 s late on the worker's clock."""
    run = office.start_run(epochs=2)
    paths = ("/logs/batch", "/metrics", "/progress", "/heartbeat")
    rules = [line.proxy.set(hold_back(10.0 / FAST), on=path, share=0.3) for path in paths]
    line.start()
    assert office.outcomes(run) == ["completed"]
    assert sum(rule.hits for rule in rules) >= 5
    wait_until(lambda: all(exchange.status for exchange in line.sent("/logs/batch")), seconds=SOON)
    assert office.outcomes(run) == ["completed"]


def say_that_it_was_taken() -> Fault:
    """Something in between answers a batch of lines as the portal would, which never sees it."""

    async def act(call: Call, forward: Forward) -> Answer:
        batch = json.loads(call.exchange.request)
        taken = {"next_seq": batch["first_seq"] + len(batch["lines"]), "directive": "continue"}
        return await answer(200, json.dumps(taken).encode(), {"Content-Type": "application/json"})(call, forward)

    return act


def test_a_gap_makes_the_worker_go_back_to_what_the_portal_has(office: Office, line: Line) -> None:
    """F-15."""
    run = office.start_run(epochs=2)
    line.proxy.set(say_that_it_was_taken(), on="/logs/batch", times=1)
    line.start()
    assert office.outcomes(run) == ["completed"]
    gap = next(exchange for exchange in line.sent("/logs/batch") if exchange.status == 409)
    assert (content(gap)["code"], content(gap)["next_seq"]) == ("stream_gap", 1)


@pytest.mark.long
def test_an_end_report_that_arrives_after_the_job_was_taken_is_refused(office: Office, lines: list[Line]) -> None:
    """F-15, and F-06's way out: the line goes down as the report is sent, and the job is taken by another worker."""
    run, go = office.start_run(), threading.Event()
    held = lines[0].proxy.set(hold_back(until=go), on="/complete")
    lines[0].start()
    wait_until(lambda: held.hits > 0, seconds=SOON)
    lines[0].proxy.refuse()
    office.await_status(run, "queued")
    office.execute("UPDATE bert_jobs SET hold_until = now() WHERE run_id = %s", run)
    lines[1].start()
    office.await_attempt(run, 2)
    go.set()
    late = lines[0].sent("/complete")[0]
    wait_until(lambda: late.status is not None, seconds=SOON)
    lines[0].proxy.clear()
    assert (late.status, content(late)["code"]) == (409, "lease_lost")
    assert office.outcomes(run) == ["lost", "completed"]


# --- connections that break -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("slowly")  # so that something follows each call that was swallowed
def test_a_half_open_connection_is_given_up_and_a_new_one_opened(
    office: Office, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-33: the read timeout is 0.5 s here."""
    monkeypatch.setattr(client, "READ_SECONDS", 0.5)
    run = office.start_run(epochs=2)
    paths = ("/jobs/claim", "/logs/batch", "/progress", "/heartbeat", "/complete")
    for path in paths:
        line.proxy.set(blackhole(), on=path, times=1)
    line.start()
    assert office.outcomes(run) == ["completed"]
    for path in paths:
        swallowed, *later = line.sent(path)
        assert (swallowed.status, swallowed.delivered) == (None, False)
        assert later, path
        assert swallowed.client_port not in {exchange.client_port for exchange in later}


@pytest.mark.long
@pytest.mark.usefixtures("slowly")
def test_when_all_open_connections_die_at_once_the_lease_lives_on(
    office: Office, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-33: a router forgets them all; only new ones get through. A quarter of the lease is the read timeout here."""
    monkeypatch.setattr(client, "READ_SECONDS", LEASE_SECONDS / 4)
    run = office.start_run(epochs=4)
    line.start()
    office.await_step(run, 1)
    dead = {exchange.client_port for exchange in line.sent()}
    swallow = blackhole()

    async def act(call: Call, forward: Forward) -> Answer:
        return await (swallow(call, forward) if call.exchange.client_port in dead else forward())

    line.proxy.set(act)
    assert office.outcomes(run) == ["completed"]
    assert any(exchange.status is None for exchange in line.sent() if exchange.client_port in dead)
    assert office.moves(run) == ["running", "completed"]  # never lost, not even for a moment


def test_a_request_that_breaks_off_has_no_effect(office: Office, line: Line) -> None:
    """F-34: RST twenty bytes before the end of a body."""
    run = office.start_run()
    for path in ("/logs/batch", "/metrics", "/progress", "/complete"):
        line.proxy.set(reset_request_after(-20), on=path, times=1)
    line.start()
    assert office.outcomes(run) == ["completed"]
    batches = [json.loads(exchange.request)["first_seq"] for exchange in line.sent("/logs/batch")[:2]]
    assert batches == [1, 1]


@pytest.mark.long
def test_an_answer_that_breaks_off_or_drips_is_no_answer_or_a_slow_one(office: Office, line: Line) -> None:
    """F-34: RST in the head and in the body of an answer, then 500 bytes a second."""
    run = office.start_run()
    for rule in (reset_after(40), reset_after(-5)):
        line.proxy.set(rule, on="/logs/batch", times=1)
    line.proxy.set(slow_drip(500), on="/progress", times=2)
    line.start()
    assert office.outcomes(run) == ["completed"]


@pytest.mark.long
def test_a_request_that_drips_is_refused_by_the_portal_and_sent_again(office: Office, line: Line) -> None:
    """F-34: the portal hears a request for REQUEST_SECONDS."""
    run = office.start_run()
    line.proxy.set(drip_request(150), on="/logs/batch", times=1)
    line.start()
    assert office.outcomes(run) == ["completed"]
    slow, again = line.sent("/logs/batch")[:2]
    assert (slow.status, again.status) == (408, 200)
    assert slow.answered_at - slow.started_at < REQUEST_SECONDS + 3


# --- something else answers -------------------------------------------------------------------------------------------


def test_what_is_not_the_portal_is_not_believed_and_gets_no_token(office: Office, line: Line) -> None:
    """F-36: on every call three of sign-in page, gateways, redirects and a firewall's refusal."""
    run = office.start_run()
    page = b"<html>Please accept our terms</html>"
    paths = ("/jobs/claim", "/logs/batch", "/metrics", "/progress", "/heartbeat", "/complete")
    with Proxy(office.product.port) as elsewhere:
        redirect = {"Location": f"{elsewhere.url}{API_PREFIX}/jobs/claim"}
        kinds = [answer(status, page, redirect if status < 400 else {}) for status in (200, 502, 504, 302, 307, 403)]
        for number, path in enumerate(paths):
            line.proxy.set(one_after_another(kinds[number:] + kinds[:number]), on=path, times=3)
        line.start()
        assert office.outcomes(run) == ["completed"]
        assert elsewhere.exchanges == []
    assert all([exchange.answer for exchange in line.sent(path)[:4]].count(page) == 3 for path in paths)


def one_after_another(faults: list[Fault]) -> Fault:
    """Let each request meet the next fault."""
    left = iter(faults)

    async def act(call: Call, forward: Forward) -> Answer:
        return await next(left)(call, forward)

    return act


@pytest.mark.usefixtures("slowly")
def test_in_a_storm_only_signs_of_life_go_on_and_the_first_answer_ends_all_waits(office: Office, line: Line) -> None:
    """F-38: told to wait ten minutes, the sender does; heartbeat and progress do not, so that no lease is lost."""
    run = office.start_run(epochs=2)
    line.start()
    office.await_step(run, 1)
    storm = line.proxy.set(answer(503, b'{"code": "unavailable", "message": ""}', {"Retry-After": "600"}))
    wait_until(lambda: len(refused(line, "/heartbeat")) >= 8 and len(refused(line, "/progress")) >= 8, seconds=SOON)
    # One, and one more for each answer to the others that was on its way when the storm began.
    assert 1 <= len(refused(line, "/logs/batch")) + len(refused(line, "/metrics")) <= 3
    line.proxy.clear(storm)
    cleared_at = time.monotonic()
    assert office.outcomes(run) == ["completed"]
    first = next(exchange for exchange in line.sent("/logs/batch") if exchange.started_at > cleared_at)
    print(f"lines again {first.started_at - cleared_at:.2f} s after the storm, told to wait {600 / FAST:.0f} s")


def refused(line: Line, part: str) -> list[Exchange]:
    return [exchange for exchange in line.sent(part) if exchange.status == 503]


@pytest.mark.long
def test_a_portal_that_asks_to_slow_down_is_obeyed_in_seconds_and_by_date(office: Office, line: Line) -> None:
    """F-38: others are served meanwhile, which is no reason to come back sooner."""
    run = office.start_run()
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    line.proxy.set(answer(429, b"", {"Retry-After": "6"}), on="/logs/batch", times=1)
    line.proxy.set(answer(429, b"", {"Retry-After": date}), on="/metrics", times=1)
    line.start()
    assert office.outcomes(run) == ["completed"]
    for path, seconds in (("/logs/batch", 6), ("/metrics", 4)):  # the date is some seconds old by then
        first, second = line.sent(path)[:2]
        assert first.status == 429
        assert second.started_at - first.started_at >= seconds / FAST


@pytest.mark.long
def test_twenty_workers_do_not_come_back_together(line: Line) -> None:
    """F-38: told to wait 10 s they return over 10 s; the portal sees at least half of that."""
    storm = line.proxy.set(answer(503, b"", {"Retry-After": "10"}), times=20)
    beat = HeartbeatRequest(instance="machine:1", state=WorkerState.IDLE, sent_at=datetime.now(UTC))
    workers = [threading.Thread(target=beat_once, args=(line.proxy, beat, line.token)) for _ in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(SOON)
    told, came_back = line.sent("/heartbeat")[:20], line.sent("/heartbeat")[20:]
    assert (storm.hits, len(came_back)) == (20, 20)
    assert came_back[0].started_at - told[0].started_at >= 10 / FAST
    assert came_back[-1].started_at - came_back[0].started_at >= 5 / FAST


def beat_once(proxy: Proxy, beat: HeartbeatRequest, token: TokenSource) -> None:
    """Send one heartbeat until it is answered, as a supervisor of its own would."""
    api_url = f"{proxy.url}{API_PREFIX}"
    own = PortalClient(api_url, token, instance=beat.instance, version="9", is_loopback=True)
    Retrier(token, fast_timing()).call(lambda: own.heartbeat(beat), what="heartbeat", give_up=lambda: False)
    own.close()


# --- data that arrive damaged -----------------------------------------------------------------------------------------


@pytest.fixture
def empty_cache(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """No table is here yet, and a real run is played like a simulated one: these tests are over when it begins."""
    shutil.rmtree(line.models / "datasets", ignore_errors=True)
    monkeypatch.setattr(trainer_process, "TRAINER", trainer_process.SIMULATION)


def cut_in_half(body: bytes) -> bytes:
    """Keep the first half."""
    return body[: len(body) // 2]


def flip_a_bit(body: bytes) -> bytes:
    """Damage one bit in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@pytest.mark.usefixtures("empty_cache")
def test_a_download_that_was_cut_goes_on_and_one_that_was_damaged_begins_anew(office: Office, line: Line) -> None:
    """F-40."""
    run = office.start_run(simulate=False)
    line.proxy.set(one_after_another([alter_answer(cut_in_half), alter_answer(flip_a_bit)]), on="/download", times=2)
    line.start(dry_run=False)
    assert office.outcomes(run) == ["completed"]
    cut, rest, anew = line.sent("/download")
    assert rest.headers["range"] == f"bytes={len(cut_in_half(cut.answer))}-"
    assert (cut.status, rest.status, anew.status, "range" in anew.headers) == (200, 206, 200, False)


@pytest.mark.usefixtures("empty_cache")
def test_training_never_starts_on_data_that_stay_damaged(office: Office, line: Line) -> None:
    """F-40: the part that is there is of no use, and three fresh tries bring the same."""
    run = office.start_run(simulate=False)
    damaged = line.proxy.set(alter_answer(flip_a_bit), on="/download")
    line.start(dry_run=False)
    assert office.outcomes(run, status="failed") == ["failed"]
    assert office.portal.run(run)["error"]["code"] == "dataset_corrupt"
    assert damaged.hits == dataset_cache.TRIES + 1
    folder = line.models / "jobs" / str(office.job_number(run))
    assert not (folder / "job.json").exists()  # what a trainer is started with


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.usefixtures("slowly")
def test_a_worker_whose_clock_jumps_loses_nothing_and_is_warned(
    office: Office, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """F-45: a day ahead, five minutes behind and a day behind, all in one run."""
    run, off = office.start_run(epochs=4), [timedelta(days=1)]
    line.start(timing=fast_timing(utc_now=lambda: datetime.now(UTC) + off[0]))
    office.await_step(run, 1)
    off[0] = timedelta(minutes=-5)
    office.await_step(run, 60)
    off[0] = timedelta(days=-1)
    assert office.outcomes(run) == ["completed"]
    wait_until(lambda: skew_of(office, line) < -86_000, seconds=SOON)
    assert re.search(r"clock is 86\d\d\d s off", caplog.text)


def skew_of(office: Office, line: Line) -> float:
    """Return by how much the portal sees a worker's clock to be off, in seconds."""
    worker = next(computer.worker for computer in office.computers if computer.proxy is line.proxy)
    ((skew,),) = office.execute("SELECT clock_skew_seconds FROM bert_workers WHERE id = %s", worker)
    return float(skew)
