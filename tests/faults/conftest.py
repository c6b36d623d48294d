"""Fixtures of the fault suite."""

from collections.abc import Iterator

import pytest

from tests.faults.stage import Stage
from tests.processes import opened


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An office with three computers; its history covers all tests of the module."""
    with opened(Stage(tmp_path_factory.mktemp("office"), computers=3)) as stage:
        yield stage
