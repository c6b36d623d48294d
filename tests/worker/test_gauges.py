"""The readings of a heartbeat: they may hang or fail, the heartbeat may not."""

import threading
from collections.abc import Callable

import pytest

from bert_training.worker import gauges
from bert_training.worker.gauges import Gauges
from tests.worker.fake_portal import FakePortal
from tests.worker.held_clock import HeldClock
from tests.worker.supervisors import LocalSupervisor

GB = 10**9


def test_a_driver_that_hangs_holds_up_no_heartbeat(
    portal: FakePortal, start_worker: Callable[..., LocalSupervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(gauges, "read_gpus", is_over.wait)
    start_worker()
    portal.wait_for(lambda: len(portal.sent_to("/workers/heartbeat")) >= 3)
    is_over.set()


def test_a_disk_that_cannot_be_read_is_unknown() -> None:
    def fail() -> int:
        raise OSError("stale file handle")

    readings = Gauges(lambda: GB, HeldClock().timing)
    readings.read()
    assert readings.free_bytes == GB
    broken = Gauges(fail, HeldClock().timing)
    broken.read()
    assert (broken.free_bytes, broken.gpus) == (None, [])
