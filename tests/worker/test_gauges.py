"""The readings of a heartbeat: they may hang or fail, the heartbeat may not."""

import threading
from collections.abc import Callable

import pytest

from bert_training.worker import gauges
from bert_training.worker.gauges import Gauges
from bert_training.worker.machine import Disk
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
    def fail() -> Disk:
        raise OSError("stale file handle")

    readings = Gauges(lambda: Disk(free=GB, all=2 * GB), HeldClock().timing)
    readings.read()
    assert readings.disk == (GB, 2 * GB)
    broken = Gauges(fail, HeldClock().timing)
    broken.read()
    assert (broken.disk, broken.gpus) == (None, [])


def test_how_busy_the_computer_is_is_read_from_the_second_time_on() -> None:
    readings = Gauges(lambda: Disk(free=GB, all=2 * GB), HeldClock().timing)
    readings.read()
    told_at_first = readings.cpu
    readings.read()
    assert told_at_first is None
    assert readings.cpu is not None
    assert 0 <= readings.cpu <= 1
    assert readings.memory is not None
    assert 0 < readings.memory.used < readings.memory.all
