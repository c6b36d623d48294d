"""The real program: signals, exit codes, locks, and what its child may know."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bert_training.worker.simulation import SPEED_VARIABLE
from bert_training.worker.trainer_process import SIMULATION_VARIABLE
from tests.worker.fake_portal import FakePortal, error
from tests.worker.faulty_trainer import MODULE
from tests.worker.supervisors import PROJECT, RealSupervisor

Start = Callable[..., RealSupervisor]
SLOW = {SPEED_VARIABLE: "100"}  # 50 epochs last 20 s


def wait_for_points(portal: FakePortal) -> None:
    portal.enqueue(hyperparameters={"epochs": 50})
    portal.wait_for(lambda: portal.points)


def test_it_completes_a_job_and_ends_when_asked(portal: FakePortal, start_process: Start) -> None:
    job = portal.enqueue()
    worker = start_process()
    portal.wait_for(lambda: portal.ends)
    worker.interrupt()
    assert worker.wait() == 0
    assert portal.ends[0]["outcome"] == "completed"
    assert portal.requests[-1].json()["state"] == "stopped"
    assert len(portal.messages(job)) == portal.ends[0]["log_seq"]
    assert json.loads((worker.models_dir / "worker.json").read_text())["start"] == 1


def test_one_sigterm_hands_the_job_back_in_time(portal: FakePortal, start_process: Start) -> None:
    """F-52."""
    worker = start_process(**SLOW)
    wait_for_points(portal)
    worker.interrupt()
    assert worker.wait() == 0
    assert [end["outcome"] for end in portal.ends] == ["released"]


def test_ctrl_c_in_a_terminal_does_not_kill_the_trainer_before_it_can_stop(
    portal: FakePortal, start_process: Start
) -> None:
    worker = start_process(**SLOW)
    wait_for_points(portal)
    trainer = worker.trainer()
    trainer.send_signal(signal.SIGINT)
    worker.process.send_signal(signal.SIGINT)
    assert worker.wait() == 0
    assert portal.ends[0]["outcome"] == "released"
    assert "Simulation stopped" in portal.lines[portal.ends[0]["job_id"], 1][-2]["message"]


def test_a_second_sigterm_kills_a_trainer_that_hangs_and_hands_back(portal: FakePortal, start_process: Start) -> None:
    worker = start_process(**SLOW)
    wait_for_points(portal)
    worker.trainer().suspend()
    worker.interrupt()
    posts = len(portal.requests)
    portal.wait_for(lambda: len(portal.requests) > posts)
    worker.interrupt()
    assert worker.wait() == 0
    assert [end["outcome"] for end in portal.ends] == ["released"]


def test_a_trainer_that_hangs_is_killed_within_the_grace(portal: FakePortal, start_process: Start) -> None:
    worker = start_process("--grace", "3", **SLOW)
    wait_for_points(portal)
    worker.trainer().suspend()
    worker.interrupt()
    assert worker.wait() == 0
    assert [end["outcome"] for end in portal.ends] == ["released"]


def test_a_killed_supervisor_takes_its_trainer_along(portal: FakePortal, start_process: Start) -> None:
    worker = start_process(**SLOW)
    wait_for_points(portal)
    trainer = os.pidfd_open(worker.trainer().pid)
    worker.kill()
    assert select.select([trainer], [], [], 10)[0] == [trainer]  # readable = ended
    os.close(trainer)


def test_a_restarted_worker_takes_its_job_up_as_a_new_attempt(portal: FakePortal, start_process: Start) -> None:
    worker = start_process(**SLOW)
    job = portal.enqueue(hyperparameters={"epochs": 50})
    portal.wait_for(lambda: portal.points.get((job.job_id, 1)))
    worker.kill()
    portal.held = job.model_copy(update={"attempt": 2, "held": True})
    start_process()
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["attempt"], portal.ends[0]["outcome"]) == (2, "completed")
    assert len(portal.messages(job, attempt=2)) == portal.ends[0]["log_seq"]
    instances = [request.headers["x-worker-instance"] for request in portal.sent_to("/jobs/claim")]
    assert (instances[0][-2:], instances[-1][-2:]) == (":1", ":2")
    assert instances[0][:-2] == instances[-1][:-2]


def test_a_worker_killed_while_it_sends_predictions_sends_them_all_once_more(
    portal: FakePortal, start_process: Start
) -> None:
    faulty = {SIMULATION_VARIABLE: MODULE}
    job = portal.enqueue(hyperparameters={"epochs": 1, "fault": "answers"}, wants_predictions=True)
    portal.inject("/predictions", lambda _request: error(503, "unavailable") if portal.answers else None, times=10**6)
    worker = start_process(**faulty)
    portal.wait_for(lambda: portal.answers.get((job.job_id, 1)))
    worker.kill()
    portal.heal()
    portal.held = job.model_copy(update={"attempt": 2, "held": True})
    start_process(**faulty)
    portal.wait_for(lambda: portal.ends)
    assert (portal.ends[0]["attempt"], portal.ends[0]["prediction_seq"]) == (2, 3000)
    assert [each["row"] for each in portal.answers[job.job_id, 2]] == list(range(2, 3002))
    assert len(portal.answers[job.job_id, 1]) == 500  # what is left of them is of no use to anybody


def test_a_second_supervisor_in_the_same_folder_is_refused(portal: FakePortal, start_process: Start) -> None:
    """F-50."""
    first = start_process()
    portal.wait_for(lambda: portal.sent_to("/jobs/claim"))
    second = start_process()
    assert second.wait() == 5
    assert "Another worker runs in" in second.output
    assert first.process.poll() is None


def test_a_copied_token_ends_the_copy_after_two_leases(portal: FakePortal, start_process: Start) -> None:
    portal.lease_seconds = 0.3
    portal.inject("/jobs/claim", error(409, "instance_conflict", retry_after=0.1), times=1000)
    worker = start_process()
    assert worker.wait() == 5
    assert len(portal.sent_to("/jobs/claim")) > 2


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--api-url", "http://portal.example.org"], "--allow-http"),
        (["--token", "bertw_x"], "damaged"),
        (["--models-dir", __file__], "cannot be used: [Errno 20] Not a directory"),
    ],
)
def test_wrong_options_end_at_once_with_a_sentence(
    start_process: Start, portal: FakePortal, flags: list[str], words: str
) -> None:
    worker = start_process(*flags)
    assert worker.wait() == 2
    assert words in worker.output
    assert portal.requests == []


def test_the_trainer_knows_neither_token_nor_portal(portal: FakePortal, start_process: Start, tmp_path: Path) -> None:
    secrets = {"SECRET_KEY": "s3cret", "DATABASE_URL": "postgres://x", "NOTE": f"see {portal.url}"}
    worker = start_process("--debug", **SLOW, **secrets)
    wait_for_points(portal)
    trainer = worker.trainer()
    seen = [*trainer.cmdline(), *(f"{name}={value}" for name, value in trainer.environ().items())]
    for secret in (portal.token, str(portal.port), "s3cret", "postgres://x"):
        assert [text for text in seen if secret in text] == []
    worker.interrupt()
    worker.wait()
    files = [path for path in worker.models_dir.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in [*files, worker.output_path]:
        assert portal.token.encode() not in path.read_bytes(), path


def test_the_trainer_is_the_first_to_go_when_memory_or_time_are_short(portal: FakePortal, start_process: Start) -> None:
    worker = start_process(**SLOW)
    wait_for_points(portal)
    trainer = worker.trainer()
    assert trainer.nice() == psutil.Process(worker.process.pid).nice() + 5
    assert Path(f"/proc/{trainer.pid}/oom_score_adj").read_text().strip() == "500"
    assert os.getpgid(trainer.pid) == os.getpgid(worker.process.pid)


def test_the_management_command_is_the_same_worker_and_needs_no_key_and_no_database(
    portal: FakePortal, tmp_path: Path
) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "BERT_TOKEN": portal.token,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/x",
    }
    flags = ["--dry-run", "--api-url", portal.url, "--models-dir", str(tmp_path / "m"), "--poll-interval", "0.2"]
    with (tmp_path / "output").open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker", *flags], cwd=PROJECT, env=environ, stderr=output
        )
    portal.enqueue()
    portal.wait_for(lambda: portal.ends)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert portal.ends[0]["outcome"] == "completed"


def test_the_management_command_names_what_is_missing() -> None:
    command = [sys.executable, "manage.py", "run_worker"]
    result = subprocess.run(command, cwd=PROJECT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert result.returncode == 2
    assert "--api-url" in result.stderr


HIDING = """
import importlib.abc, sys
{before}
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"hidden: {{name}}", name=name)
for name in {hidden!r}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Hide())
{code}
"""


def run_hiding(hidden: set[str], code: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    program = HIDING.format(hidden=hidden, code=code, before=before)
    return subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60)


def test_the_worker_starts_without_the_modules_that_windows_lacks() -> None:
    # Other people's packages have their own Windows branches and are loaded before.
    others = "import filelock, httpx2, psutil, pydantic, pynvml, truststore, multiprocessing.pool"
    ours = "import bert_training.worker.__main__, bert_training.worker.simulation"
    result = run_hiding({"fcntl", "resource", "pwd", "grp", "termios"}, ours, before=others)
    assert result.returncode == 0, result.stderr


def test_the_supervisor_needs_no_torch_no_django_and_no_pandas() -> None:
    hidden = {"torch", "transformers", "django", "pandas", "numpy", "accelerate", "sklearn"}
    start = "runpy.run_module('bert_training.worker', run_name='__main__')"
    result = run_hiding(hidden, f"import runpy; sys.argv = ['run_worker', '--help']; {start}")
    assert result.returncode == 0, result.stderr
    assert "--api-url" in result.stdout
