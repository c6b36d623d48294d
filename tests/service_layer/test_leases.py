"""The tick outlives whatever goes wrong in it."""

import pytest
from django.db import InterfaceError

from bert_training.services import leases


class EnoughTicks(BaseException):
    """Ends the endless thread's function inside a test."""


@pytest.mark.parametrize("error", [InterfaceError("away"), ValueError("a mistake of ours")])
def test_the_tick_goes_on_after_any_failure(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    ticks = []

    def fail() -> int:
        ticks.append(1)
        raise error

    def sleep(_seconds: float) -> None:
        if len(ticks) == 3:
            raise EnoughTicks

    monkeypatch.setattr(leases, "expire_leases", fail)
    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("django.db.connection.close", lambda: None)
    with pytest.raises(EnoughTicks):
        leases._tick_for_ever()
    assert len(ticks) == 3
