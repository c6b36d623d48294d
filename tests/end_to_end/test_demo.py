"""`manage.py demo`, as a new user would try it: it works from nothing, says why it cannot, leaves nothing running."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bert_training.demo.processes import MANAGE
from bert_training.demo.story import DemoFailed, Stage, show_result
from tests.janitor import the_janitor
from tests.processes import wait_until
from tests.services import IS_EMBEDDED

pytestmark = [
    pytest.mark.processes,
    pytest.mark.embedded,
    pytest.mark.skipif(not IS_EMBEDDED, reason="the demo is always embedded: once is enough"),
    pytest.mark.timeout(300),
]
END_SECONDS = 240.0
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The demo's folder. After the test none of its processes may be left."""
    folder = tmp_path / "demo"
    yield folder
    wait_until(lambda: processes_of(folder) == [], seconds=END_SECONDS)


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of the processes whose portal keeps its data in `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("DATA_DIR") == str(folder):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue  # ended in between, or is a kernel thread
    return found


@pytest.fixture
def start_demo(folder: Path) -> Iterator[Start]:
    """A function that starts the demo in `folder` with some options; what it says goes into said.txt beside it."""
    demos = []

    def start(*options: str) -> subprocess.Popen[bytes]:
        with said(folder).open("wb") as output:
            command = [*MANAGE, "demo", "--folder", str(folder), *options]
            demos.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True))
        the_janitor().watch(demos[-1])
        return demos[-1]

    yield start
    for demo in demos:
        demo.kill()
        demo.wait()
        the_janitor().forget(demo)


def said(folder: Path) -> Path:
    """Return the file with what the demo has said."""
    return folder.with_name("said.txt")


def test_the_demo_trains_a_model_and_finds_its_figures_on_the_page(folder: Path, start_demo: Start) -> None:
    demo = start_demo("--once", "--steps", "3")
    status = demo.wait(timeout=END_SECONDS)
    assert status == 0, said(folder).read_text()
    text = said(folder).read_text()
    assert "Sign in:  ana /" in text
    assert "The result is on its page: http://127.0.0.1:" in text
    assert processes_of(folder) == []


def test_a_demo_that_cannot_start_says_why_and_fails(folder: Path, start_demo: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo = start_demo("--once", "--port", str(taken.getsockname()[1]))
        assert demo.wait(timeout=END_SECONDS) == 1
    assert "is taken by another program" in said(folder).read_text()


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_run_that_did_not_complete_is_a_failed_demo(status: str) -> None:
    stage = Stage("http://127.0.0.1:9", accounts={}, children=[])
    with pytest.raises(DemoFailed, match=f"ended as {status}: no memory left"):
        show_result(stage, {"id": 1, "status": status, "error": "no memory left"}, say=print)


@pytest.mark.parametrize("ending", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_the_demo_takes_its_processes_with_it_however_it_ends(
    folder: Path, start_demo: Start, ending: signal.Signals
) -> None:
    demo = start_demo("--steps", "100000")
    wait_until(lambda: "Training " in said(folder).read_text(), seconds=END_SECONDS)
    assert len(processes_of(folder)) >= 3
    os.kill(demo.pid, ending)
    demo.wait(timeout=END_SECONDS)
