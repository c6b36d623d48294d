"""The child process: what it may not do, and what the caller hears when it dies."""

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bert_training.data.checks import DatasetRefused
from bert_training.data.process_limits import MEGABYTE, NICENESS, ProcessLimits
from bert_training.data.progress import stage, tell
from bert_training.data.sandbox import POLL_SECONDS, SandboxFailed, run_in_sandbox

LIMITS = ProcessLimits(memory_bytes=300 * MEGABYTE, cpu_seconds=5, wall_seconds=30, file_bytes=10 * MEGABYTE)
linux = pytest.mark.skipif(sys.platform != "linux", reason="the system's limits are only on Linux complete")


def run(function: str, limits: ProcessLimits = LIMITS, **arguments: Any) -> Any:
    return run_in_sandbox(f"{__name__}.{function}", arguments, limits=limits)


def describe_surroundings() -> dict[str, Any]:
    return {
        "modules": sorted(sys.modules),
        "environment": dict(os.environ),
        "folder": os.listdir("."),
        "process": os.getpid(),
    }


def take_memory() -> int:
    return len(bytearray(400 * MEGABYTE))


def spin() -> None:
    while True:
        pass


def wait_for_ever() -> None:
    threading.Event().wait()


def fill_the_disk() -> None:
    Path("large").write_bytes(bytes(11 * MEGABYTE))


def go_too_deep() -> None:
    go_too_deep()


def crash() -> None:
    ctypes.string_at(0)


def open_socket(port: int) -> None:
    socket.create_connection(("127.0.0.1", port))


def start_program() -> None:
    subprocess.run(["/bin/true"], check=True)


def fail(name: str) -> None:
    raise KeyError(f"no column {name}")


def tell_and_wait(percents: list[float], seconds: float) -> None:
    """Tell the first of the whole, the others of its second half."""
    tell(percents[0])
    time.sleep(seconds)
    with stage(50, 100):
        for percent in percents[1:]:
            tell(percent)
            time.sleep(seconds)


def echo(**values: Any) -> dict[str, Any]:
    print("noise on standard output")
    return values


def test_arguments_and_answer_are_json() -> None:
    values: dict[str, Any] = {"text": "ação", "list": [1, None, {"a": True}]}
    assert run("echo", **values) == values


def test_the_child_is_a_fresh_process_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    seen = run("describe_surroundings")
    assert "canary" not in str(seen["environment"])
    assert seen["folder"] == ["errors.txt"]
    assert seen["process"] != os.getpid()


def test_reading_a_spreadsheet_needs_neither_torch_nor_django_nor_pandas() -> None:
    program = (
        "import sys, bert_training.tasks.intake;"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'torch', 'transformers', 'django', 'pandas'})"
    )
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert answer.stdout.split() == []


@linux
@pytest.mark.parametrize("function", ["take_memory", "fill_the_disk", "go_too_deep", "crash"])
def test_a_child_that_breaks_a_limit_means_a_file_too_complex(function: str) -> None:
    with pytest.raises(DatasetRefused) as caught:
        run(function)
    assert caught.value.problem.code == "file_too_complex"


@linux
def test_cpu_time_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = ProcessLimits(cpu_seconds=1, wall_seconds=60)
    with pytest.raises(DatasetRefused):
        run("spin", limits)


def test_wall_time_ends_and_leaves_no_process() -> None:
    start = time.monotonic()
    with pytest.raises(DatasetRefused):
        run("wait_for_ever", ProcessLimits(wall_seconds=1.5))
    assert time.monotonic() - start < 10
    if sys.platform == "linux":
        children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
        commands = [Path(f"/proc/{child}/cmdline").read_text() for child in children]
        assert not [command for command in commands if "sandbox_child" in command]


@linux
def test_no_connection_and_no_other_program() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        with pytest.raises(SandboxFailed, match="PermissionError"):
            run("open_socket", port=listener.getsockname()[1])
        with pytest.raises(TimeoutError):
            listener.accept()
    with pytest.raises(SandboxFailed, match="PermissionError"):
        run("start_program")


def test_our_own_mistake_is_not_blamed_on_the_file() -> None:
    with pytest.raises(SandboxFailed, match=r"in fail\n[^$]*KeyError"):
        run("fail", name="x")


def test_what_a_mistake_says_of_the_file_is_not_told() -> None:
    """The caller's log would hold it, and a text of a spreadsheet belongs into no log."""
    with pytest.raises(SandboxFailed) as caught:
        run("fail", name="Maria da Silva")
    assert "Maria" not in str(caught.value)


def test_the_parent_hears_how_far_the_child_is() -> None:
    heard: list[int] = []
    arguments = {"percents": [10, 33.4, 90], "seconds": 2 * POLL_SECONDS}
    run_in_sandbox(f"{__name__}.tell_and_wait", arguments, limits=LIMITS, on_progress=heard.append)
    assert heard == sorted(heard)
    assert {10, 66, 95} <= set(heard)


def test_a_child_that_is_watched_still_ends_with_its_wall_clock() -> None:
    heard: list[int] = []
    limits = ProcessLimits(wall_seconds=0.6)
    with pytest.raises(DatasetRefused):
        run_in_sandbox(f"{__name__}.wait_for_ever", {}, limits=limits, on_progress=heard.append)
    assert set(heard) == {0}


def test_several_checks_run_at_once_from_threads() -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(run("echo", a=1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"a": 1}] * 3


def test_everything_is_importable_where_posix_modules_are_missing() -> None:
    program = (
        "import sys;"
        "sys.modules.update(dict.fromkeys(('fcntl', 'resource', 'pwd', 'grp', 'termios')));"
        "import bert_training.tasks.intake, bert_training.data.sandbox_child as child;"
        "from bert_training.data.process_limits import ProcessLimits;"
        "child.restrict_this_process(ProcessLimits())"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no niceness")
def test_the_child_lets_other_processes_go_first() -> None:
    assert run_in_sandbox("os.getpriority", {"which": os.PRIO_PROCESS, "who": 0}) >= min(os.nice(0) + NICENESS, 19)
