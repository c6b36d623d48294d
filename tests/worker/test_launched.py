"""A job folder trained by real torchrun, without a supervisor: two processes give what one gives."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from bert_training.worker.spool import METRIC, SpoolReader
from bert_training.worker.trainer_orders import spool_path
from tests.worker.test_several_processes import EXACT, SETTINGS
from tests.worker.test_trainer import ATTEMPT, Bench

# Each loads torch in three processes: 20 s on a quiet machine with two cores.
pytestmark = [pytest.mark.long, pytest.mark.processes, pytest.mark.timeout(300)]

LAUNCHED_SECONDS = 240
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
PROJECT = Path(__file__).parents[2]


def launch(folder: Path, job: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    """Train a job by torchrun; its standard input has ended, as under nohup."""
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(job))
    return subprocess.run(
        (*TORCHRUN, "-m", "bert_training.worker.trainer", str(folder)),
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LAUNCHED_SECONDS,
        check=False,
    )


def points_of(folder: Path) -> list[Any]:
    spool = spool_path(folder, ATTEMPT)
    return [
        record.content
        for record in SpoolReader(spool, METRIC).read(end=spool.stat().st_size, most=99, most_bytes=10**6)
    ]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return Bench(tmp_path)


def test_torchrun_trains_a_job_folder_as_one_process_does(bench: Bench, tmp_path: Path) -> None:
    settings = {**SETTINGS, **EXACT}
    assert bench.run(hyperparameters=settings)["outcome"] == "completed"
    folder = tmp_path / "jobs" / "by-hand"
    done = launch(folder, bench.job(hyperparameters=settings))
    assert done.returncode == 0, done.stdout
    assert "INFO - 2 processes share the 8 rows of a step" in done.stdout
    assert json.loads((folder / f"outcome-{ATTEMPT}.json").read_text())["outcome"] == "completed"
    expected, points = points_of(bench.folder), points_of(folder)
    assert len(points) == len(expected) > 9
    for point, other in zip(points, expected, strict=True):
        assert point["values"] == pytest.approx(other["values"], abs=1e-5)
    weights = load_file(folder / "final" / "model.safetensors")
    for name, weight in load_file(bench.folder / "final" / "model.safetensors").items():
        assert weights[name].numpy() == pytest.approx(weight.numpy(), abs=1e-5), name


def test_a_failure_under_torchrun_is_printed_and_is_the_exit_code(bench: Bench, tmp_path: Path) -> None:
    done = launch(tmp_path / "jobs" / "by-hand", bench.job(base_model="no/such-model"))
    assert done.returncode == 1
    assert "base_model_unavailable: " in done.stdout
