"""Faults of processes, with the real portal and real workers, and the history checked after each."""

import pytest

from tests.faults.stage import Stage
from tests.processes import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


def test_smoke(stage: Stage) -> None:
    """F-01: smoke."""
    stage.computers[0].start()
    run = stage.create_run()
    wait_until(lambda: stage.portal.run(run)["status"] == "completed", child=stage.computers[0].supervisor)
    stage.settle(seconds=20)
    history = stage.history()
    assert stage.wrongs(history) == []
    print(history)
