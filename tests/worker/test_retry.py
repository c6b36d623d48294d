"""How long the worker waits, on a clock that a test holds."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bert_training.contract.tokens import WORKER_PREFIX, make_token
from bert_training.worker.client import Refused, Unauthorized, Unavailable
from bert_training.worker.options import TokenSource
from bert_training.worker.retry import GaveUp, Retrier, backoff_seconds
from bert_training.worker.timing import Timing
from tests.worker.held_clock import HeldClock


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


def failing(times: int, error: Exception) -> object:
    """Return a request that fails `times` times."""
    left = [times]

    def request() -> str:
        if left[0]:
            left[0] -= 1
            raise error
        return "answer"

    return request


def test_waits_double_up_to_a_minute(clock: HeldClock) -> None:
    waits = [backoff_seconds(failures, None, timing=clock.timing) for failures in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_twenty_workers_told_the_same_time_come_back_spread_out() -> None:
    waits = sorted(backoff_seconds(1, 10.0, timing=Timing()) for _ in range(20))
    assert waits[0] >= 10.0
    assert waits[-1] - waits[0] >= 5.0


def test_twenty_heartbeats_that_may_not_wait_so_long_come_back_spread_out() -> None:
    """F-38: the portal asks for ten minutes, a heartbeat waits 15 s at most; not all wait the same."""
    waits = []
    for number in range(20):
        clock, chance = HeldClock(), random.Random(number)
        retrier = Retrier(TokenSource(make_token(WORKER_PREFIX)), replace(clock.timing, uniform=chance.uniform))
        error = Unavailable("away", retry_after=600.0)
        retrier.wait_after(error, 1, what="heartbeat", give_up=lambda: False, at_most=15.0)
        waits.append(clock.now)
    assert max(waits) <= 15.0
    assert max(waits) - min(waits) >= 7.5


def test_a_wish_for_hours_is_cut_to_fifteen_minutes(clock: HeldClock) -> None:
    """F-38."""
    assert backoff_seconds(1, 86400.0, timing=clock.timing) == 900.0


def test_there_is_no_last_try(clock: HeldClock) -> None:
    retrier = Retrier(TokenSource(make_token(WORKER_PREFIX)), clock.timing)
    request = failing(500, Unavailable("away"))
    assert retrier.call(request, what="claim", give_up=lambda: False) == "answer"  # type: ignore[arg-type]
    assert clock.now > 8 * 3600


def test_a_refusal_is_not_repeated(clock: HeldClock) -> None:
    retrier = Retrier(TokenSource(make_token(WORKER_PREFIX)), clock.timing)
    with pytest.raises(Refused):
        retrier.call(failing(1, Refused(409, "lease_lost", "", {})), what="progress", give_up=lambda: False)  # type: ignore[arg-type]
    assert clock.now == 0


def test_giving_up_ends_a_wait_at_once(clock: HeldClock) -> None:
    retrier = Retrier(TokenSource(make_token(WORKER_PREFIX)), clock.timing)
    with pytest.raises(GaveUp):
        retrier.call(
            failing(99, Unavailable("away", retry_after=400.0)),  # type: ignore[arg-type]
            what="claim",
            give_up=lambda: clock.now >= 3,
        )
    assert clock.now < 4


def test_the_first_success_of_any_call_ends_the_waits_of_an_outage(clock: HeldClock) -> None:
    """F-38."""
    retrier = Retrier(TokenSource(make_token(WORKER_PREFIX)), clock.timing)
    clock.events.append((2.0, retrier.note_success))
    retrier.call(failing(1, Unavailable("away", retry_after=300.0)), what="lines", give_up=lambda: False)  # type: ignore[arg-type]
    assert clock.now < 3


def test_a_success_elsewhere_does_not_end_a_wait_for_a_full_disk(clock: HeldClock) -> None:
    retrier = Retrier(TokenSource(make_token(WORKER_PREFIX)), clock.timing)
    clock.events.append((2.0, retrier.note_success))
    full = Unavailable("storage_full", retry_after=30.0, is_outage=False)
    retrier.call(failing(1, full), what="lines", give_up=lambda: False)  # type: ignore[arg-type]
    assert clock.now >= 30


def test_a_refused_token_is_tried_again_each_minute(clock: HeldClock) -> None:
    token = TokenSource(make_token(WORKER_PREFIX))
    refused = Unauthorized("unknown", prefix=token.prefix)
    Retrier(token, clock.timing).call(failing(3, refused), what="claim", give_up=lambda: False)  # type: ignore[arg-type]
    assert clock.now == pytest.approx(180, abs=1)


def test_a_new_token_file_ends_the_wait(clock: HeldClock, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(make_token(WORKER_PREFIX))
    token = TokenSource("", file)
    clock.events.append((5.0, lambda: file.write_text(make_token(WORKER_PREFIX))))
    refused = Unauthorized("unknown", prefix=token.prefix)
    Retrier(token, clock.timing).call(failing(1, refused), what="claim", give_up=lambda: False)  # type: ignore[arg-type]
    assert 5 <= clock.now < 6


def test_a_new_token_that_another_thread_has_read_is_tried_at_once(clock: HeldClock, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(make_token(WORKER_PREFIX))
    token = TokenSource("", file)
    refused = Unauthorized("unknown", prefix=token.prefix)
    file.write_text(make_token(WORKER_PREFIX))
    token.reload()
    Retrier(token, clock.timing).call(failing(1, refused), what="lines", give_up=lambda: False)  # type: ignore[arg-type]
    assert clock.now < 1
