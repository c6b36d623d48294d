"""A loop in the background goes on after a mistake and ends when asked."""

import threading

from bert_training.worker.background import BackgroundLoop
from tests.worker.supervisors import fast_timing


def test_a_step_that_fails_is_tried_again() -> None:
    tries: list[int] = []
    done = threading.Event()

    def step() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise ZeroDivisionError
        done.set()

    loop = BackgroundLoop("test", step, fast_timing())
    loop.start()
    assert done.wait(10)
    loop.stop()
    loop.join(10)


def test_a_stopped_loop_ends_after_its_step() -> None:
    began, may_end = threading.Event(), threading.Event()
    steps: list[int] = []

    def step() -> None:
        steps.append(1)
        began.set()
        may_end.wait(10)

    loop = BackgroundLoop("test", step, fast_timing())
    loop.start()
    assert began.wait(10)
    loop.stop()
    may_end.set()
    loop.join(10)
    assert (loop.is_stopped, len(steps)) == (True, 1)
