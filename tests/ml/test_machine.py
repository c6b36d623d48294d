"""Device, threads, and the names of code and environment."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModel

from bert_training.ml.errors import GpuNotFound
from bert_training.ml.learning.precision import Precision, choose_attention
from bert_training.ml.machine import reproducibility
from bert_training.ml.machine.hardware import choose_device, free_threads, keep_freed_memory, use_threads
from bert_training.ml.machine.reproducibility import (
    code_commit,
    environment_fingerprint,
    installed_packages,
    seed_everything,
    set_deterministic,
)
from bert_training.ml.network.base_model import BaseModelFiles
from tests.ml.runs import Recorder, run_text, text_job

needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@needs_no_gpu
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_gpu_that_is_not_there_is_refused_with_advice(device: str) -> None:
    with pytest.raises(GpuNotFound, match=f"'{device}' was asked for, but torch sees no CUDA GPU.*--device cpu"):
        choose_device(device)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(GpuNotFound, match="'tpu' is unknown"):
        choose_device("tpu")


@needs_no_gpu
def test_auto_without_a_gpu_is_the_cpu() -> None:
    assert choose_device("auto") in ("cpu", "mps")


@pytest.mark.parametrize(
    ("precision", "longest", "attention"), [("bf16", 128, "eager"), ("bf16", 512, "sdpa"), ("fp32", 128, "sdpa")]
)
def test_short_rows_in_bf16_on_a_cpu_get_plain_attention(
    tiny_bert: BaseModelFiles, precision: Precision, longest: int, attention: str
) -> None:
    model = AutoModel.from_pretrained(tiny_bert.folder)
    choose_attention(model, device="cpu", precision=precision, longest=longest)
    assert model.config._attn_implementation == attention


@pytest.mark.parametrize(("load", "threads"), [(0.2, 4), (1.6, 2), (9.0, 1)])
def test_threads_are_the_cores_that_nobody_uses(monkeypatch: pytest.MonkeyPatch, load: float, threads: int) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(4)), raising=False)
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load), raising=False)
    assert free_threads() == threads


def test_windows_without_load_and_affinity_uses_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.delattr("os.getloadavg", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert free_threads() == 6


def test_a_given_number_of_threads_wins() -> None:
    assert use_threads(1) == 1
    assert torch.get_num_threads() == 1


def test_the_usual_variable_says_how_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("bert_training.ml.machine.hardware.free_threads", lambda: 2)
    assert use_threads(None) == 1


@pytest.mark.parametrize(("library", "is_kept"), [("glibc", True), ("", False)])
def test_freed_memory_is_kept_where_the_library_can_be_told(
    monkeypatch: pytest.MonkeyPatch, library: str, is_kept: bool
) -> None:
    told: list[tuple[int, int]] = []

    def mallopt(option: int, value: int) -> int:
        told.append((option, value))
        return 1

    monkeypatch.setattr("platform.libc_ver", lambda: (library, ""))
    monkeypatch.setattr("ctypes.CDLL", lambda name: SimpleNamespace(mallopt=mallopt))
    assert keep_freed_memory() == is_kept
    assert len(told) == (2 if is_kept else 0)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_commit_is_looked_up_where_the_project_lies() -> None:
    assert (reproducibility.PROJECT_FOLDER / "manage.py").is_file()


def test_the_commit_of_the_code_is_named_and_a_change_makes_it_dirty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproducibility, "PROJECT_FOLDER", tmp_path)
    git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("a = 1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()

    assert code_commit() == commit
    (tmp_path / "code.py").write_text("a = 2\n")
    assert code_commit() == f"{commit}-dirty"


def test_without_git_the_commit_comes_from_the_environment_or_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproducibility, "PROJECT_FOLDER", tmp_path)
    monkeypatch.delenv(reproducibility.CODE_COMMIT_VARIABLE, raising=False)
    assert code_commit() == "unknown"
    monkeypatch.setenv(reproducibility.CODE_COMMIT_VARIABLE, "abc123")
    assert code_commit() == "abc123"


def test_the_fingerprint_of_the_environment_stays_until_a_package_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = environment_fingerprint(installed_packages())
    assert environment_fingerprint(installed_packages()) == before
    assert len(before) == 64
    folder = tmp_path / "new_package-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: New_Package\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    packages = installed_packages()
    assert packages["new-package"] == "1.0"
    assert environment_fingerprint(packages) != before


def test_a_seed_repeats_chance() -> None:
    seed_everything(5)
    first = torch.rand(3)
    seed_everything(5)
    assert torch.equal(first, torch.rand(3))


def test_deterministic_kernels_hold_for_one_run(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    seen: list[bool] = []

    def note(recorder: Recorder) -> str:
        if recorder.moments[-1]["phase"] == "training":
            seen.append(torch.are_deterministic_algorithms_enabled())
        return "continue"

    for wanted in (True, False):
        run_text(text_job(tiny_bert, tmp_path / str(wanted), max_steps=1, deterministic=wanted), Recorder(note))
    assert (seen[0], seen[-1]) == (True, False)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_workspace_that_somebody_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    set_deterministic(True)
    set_deterministic(False)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
