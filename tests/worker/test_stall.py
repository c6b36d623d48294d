"""A stall is a long time that was watched, without a sign; a PC that slept has not watched."""

from bert_training.worker.stall import StallGuard
from tests.worker.held_clock import HeldClock

LIMIT_SECONDS = 30.0


def watch(guard: StallGuard, clock: HeldClock, *, signs: object, seconds: float) -> bool:
    """Look ten times a second; return whether a stall was seen."""
    end = clock.now + seconds
    while clock.now < end:
        clock.now += 0.1
        if guard.is_stalled(signs):
            return True
    return False


def test_the_same_signs_for_too_long_are_a_stall() -> None:
    clock = HeldClock()
    guard = StallGuard(LIMIT_SECONDS, clock.timing)
    assert watch(guard, clock, signs=1, seconds=LIMIT_SECONDS + 1)
    assert LIMIT_SECONDS <= clock.now < LIMIT_SECONDS + 0.5


def test_any_new_sign_begins_the_time_anew() -> None:
    clock = HeldClock()
    guard = StallGuard(LIMIT_SECONDS, clock.timing)
    for sign in range(4):
        assert not watch(guard, clock, signs=sign, seconds=LIMIT_SECONDS - 1)


def test_the_sleep_of_the_computer_is_no_stall() -> None:
    clock = HeldClock()
    guard = StallGuard(LIMIT_SECONDS, clock.timing)
    assert not watch(guard, clock, signs=1, seconds=5)
    clock.now += 8 * 3600
    assert not watch(guard, clock, signs=1, seconds=5)
    assert watch(guard, clock, signs=1, seconds=LIMIT_SECONDS)
