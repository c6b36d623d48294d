"""The trainer as its supervisor sees it, in the moments that no whole job meets on purpose."""

import os
import subprocess
from pathlib import Path

import pytest

from bert_training.ml.machine.meeting import MEETING_FILE, is_launched
from bert_training.worker.process_control import kill_tree
from bert_training.worker.trainer_lock import TrainerLives
from bert_training.worker.trainer_orders import FINISH
from bert_training.worker.trainer_process import SIMULATION_VARIABLE, TrainerProcess, trainer_environment

NO_PROCESS = 2**22 + 1  # greater than any process number


class Undead:
    """A process that a driver holds: it lives on whatever it is sent."""

    pid = NO_PROCESS

    def poll(self) -> None:
        return None

    def kill(self) -> None:
        return None

    def wait(self, timeout: float) -> int:
        raise subprocess.TimeoutExpired("trainer", timeout)


@pytest.fixture
def ended(tmp_path: Path) -> TrainerProcess:
    """A trainer that has ended by itself; the module `this` prints a poem and no more."""
    trainer = TrainerProcess(tmp_path, 1)
    trainer.start({"simulate": True}, environ=os.environ | {SIMULATION_VARIABLE: "this"})
    assert trainer._process is not None
    trainer._process.wait(20)
    return trainer


def test_an_order_that_comes_after_the_end_does_not_spoil_it(ended: TrainerProcess) -> None:
    ended.tell(FINISH)
    assert ended.close() == 0
    assert ended.last_lines[-1].startswith("Namespaces")


def test_a_process_that_does_not_die_is_not_waited_for_for_ever(ended: TrainerProcess) -> None:
    assert not kill_tree(Undead())  # type: ignore[arg-type]
    ended._process = Undead()  # type: ignore[assignment]
    with pytest.raises(TrainerLives, match="restart this computer"):
        ended.kill()


def test_a_trainer_never_believes_that_torchrun_started_it() -> None:
    around = {"WORLD_SIZE": "4", "RANK": "1", "LOCAL_RANK": "1", "LANG": "C"}
    environ = trainer_environment(around, secrets=(), offline=False)
    assert is_launched(around)
    assert not is_launched(environ)
    assert not is_launched(around | {MEETING_FILE: "meeting-1"})
    assert environ["LANG"] == "C"
    assert not {"RANK", "LOCAL_RANK"} & environ.keys()
