"""Fixtures of the fault suite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An office with three computers; its history covers all tests of the module."""
    folder: Path = tmp_path_factory.mktemp("office")
    stage = Stage(folder, computers=3)
    try:
        stage.open()
        yield stage
    finally:
        stage.close()
