"""Two trainers never work in one folder: the second supervisor waits, then kills the process that is recorded."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from filelock import Timeout

from bert_training.worker.files import read_json, write_json
from bert_training.worker.trainer_lock import (
    WAIT_SECONDS,
    TrainerLives,
    await_former_trainer,
    hold_trainer_lock,
)
from tests.worker.held_clock import HeldClock
from tests.worker.supervisors import PROJECT

HOLD = """
import sys
from pathlib import Path
from bert_training.worker.trainer_lock import hold_trainer_lock
lock = hold_trainer_lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def former(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder's lock and does not end by itself."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=PROJECT, stdin=-1, stdout=-1, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_an_empty_folder_is_free_at_once(tmp_path: Path) -> None:
    clock = HeldClock()
    await_former_trainer(tmp_path, clock.timing)
    assert clock.now == 0


def test_a_trainer_finds_the_folder_taken(tmp_path: Path, former: subprocess.Popen[str]) -> None:
    with pytest.raises(Timeout):
        hold_trainer_lock(tmp_path)


def test_a_former_trainer_that_ends_by_itself_is_waited_for(tmp_path: Path, former: subprocess.Popen[str]) -> None:
    clock = HeldClock()

    def end() -> None:
        former.communicate()  # closes its input

    clock.events.append((5.0, end))
    await_former_trainer(tmp_path, clock.timing)
    assert 5 <= clock.now < WAIT_SECONDS
    assert former.returncode == 0


def test_a_former_trainer_that_does_not_end_is_killed_after_ten_seconds(
    tmp_path: Path, former: subprocess.Popen[str]
) -> None:
    clock = HeldClock()
    clock.events.append((WAIT_SECONDS + 0.2, lambda: former.wait(10)))
    await_former_trainer(tmp_path, clock.timing)
    assert clock.now >= WAIT_SECONDS
    assert former.wait(10) == -9


def test_a_process_that_only_has_the_number_of_the_former_trainer_is_left_alone(
    tmp_path: Path, former: subprocess.Popen[str]
) -> None:
    recorded = read_json(tmp_path / "trainer.json")
    assert recorded is not None
    write_json(tmp_path / "trainer.json", {**recorded, "started": recorded["started"] - 3600})
    with pytest.raises(TrainerLives, match="restart this computer"):
        await_former_trainer(tmp_path, HeldClock().timing)
    assert psutil.pid_exists(former.pid)
    assert former.poll() is None


@pytest.mark.parametrize("record", ["", "{}", '{"pid": "1", "started": 5}', '{"pid": 1}'])
def test_a_damaged_record_kills_nobody(tmp_path: Path, former: subprocess.Popen[str], record: str) -> None:
    (tmp_path / "trainer.json").write_text(record)
    with pytest.raises(TrainerLives):
        await_former_trainer(tmp_path, HeldClock().timing)
    assert former.poll() is None
