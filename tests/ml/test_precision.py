"""Precision follows the hardware and says why; overflowing fp16 gradients cost a step and nothing else.

No test machine has a GPU: its capability is faked, and the loss scaler of fp16 works on the CPU here.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from bert_training.ml.errors import NonFiniteLoss
from bert_training.ml.keeping.checkpoints import newest_checkpoint
from bert_training.ml.learning.precision import choose_precision
from bert_training.ml.machine import hardware
from bert_training.ml.machine.hardware import describe_device
from bert_training.ml.training import BaseModelFiles, TrainingResult, train
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.runs import Recorder, module_with, run_text, text_job

FIRST_SCALE = 2.0**16


def show_processor(folder: Path, monkeypatch: pytest.MonkeyPatch, flags: str) -> None:
    (folder / "cpuinfo").write_text(f"processor : 0\nmodel name : Some CPU\nflags\t: {flags}\n")
    monkeypatch.setattr(hardware, "CPUINFO", folder / "cpuinfo")


@pytest.mark.parametrize(
    ("flags", "precision", "reason"),
    [
        ("fpu avx512_bf16", "bf16", "processor with avx512_bf16"),
        ("amx_bf16 amx_tile", "bf16", "processor with amx_bf16"),
        ("fpu avx2 avx512f", "fp32", "processor without bf16"),
    ],
)
def test_the_processors_flags_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, precision: str, reason: str
) -> None:
    show_processor(tmp_path, monkeypatch, flags)
    chosen = choose_precision("cpu")
    assert (chosen.precision, chosen.reason) == (precision, reason)
    assert describe_device("cpu").startswith("Some CPU, ")


def test_without_known_flags_arithmetic_is_fp32() -> None:
    assert choose_precision("cpu").precision == "fp32"
    assert choose_precision("mps").precision == "fp32"


@pytest.mark.parametrize(
    ("capability", "auto", "bf16", "fp16"),
    [((9, 0), "bf16", "bf16", "fp16"), ((7, 5), "fp16", "fp16", "fp16"), ((6, 1), "fp32", "fp32", "fp16")],
)
def test_a_gpus_capability_decides(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], auto: str, bf16: str, fp16: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    chosen = {wanted: choose_precision("cuda", wanted) for wanted in ("auto", "bf16", "fp16", "fp32")}
    assert {wanted: arithmetic.precision for wanted, arithmetic in chosen.items()} == {
        **{"auto": auto, "bf16": bf16, "fp16": fp16, "fp32": "fp32"}
    }
    assert chosen["bf16"].is_as_asked == (bf16 == "bf16")


@pytest.mark.parametrize(("wanted", "flags", "used"), [("bf16", "fpu", "fp32"), ("fp16", "avx512_bf16", "bf16")])
def test_what_is_not_to_be_had_is_replaced_by_the_next_best_with_a_warning(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, flags: str, used: str
) -> None:
    show_processor(tmp_path, monkeypatch, flags)
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", max_steps=1, precision=wanted), recorder)
    warning = f"Precision {wanted} was asked for, but this machine lacks it: precision {used}"
    assert any(level == "WARNING" and line.startswith(warning) for level, line in recorder.lines)


def test_fp32_can_be_asked_for_where_bf16_would_be_chosen(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_processor(tmp_path, monkeypatch, "avx512_bf16")
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", max_steps=1, precision="fp32"), recorder)
    assert "precision fp32 (as asked)" in recorder.text


class _Overflow(torch.autograd.Function):
    """Passes a loss on; its gradient is infinite."""

    @staticmethod
    def forward(_context: Any, loss: torch.Tensor) -> torch.Tensor:
        return loss.clone()

    @staticmethod
    def backward(_context: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0] * torch.inf


class Overflowing(TextClassificationNetwork):
    """The real network, but the gradients of some steps are infinite, as fp16's are."""

    overflows: Callable[[int], bool]
    recorder: Recorder

    def loss(self, *arguments: Any) -> torch.Tensor:
        loss, now = super().loss(*arguments), self.recorder.moments[-1]
        if now["phase"] != "training":
            return loss
        overflowed: torch.Tensor = _Overflow.apply(loss) if type(self).overflows(now["step"] + 1) else loss  # type: ignore[no-untyped-call]
        return overflowed


@pytest.fixture
def _scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute every run in fp16 with a loss scaler, which accelerate itself does on GPUs only."""

    def scaled(**options: Any) -> Accelerator:
        accelerator = Accelerator(**options)
        accelerator.state._mixed_precision, accelerator.native_amp = "fp16", True
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=FIRST_SCALE)
        return accelerator

    monkeypatch.setattr("bert_training.ml.preparation.Accelerator", scaled)


def run_overflowing(job: Any, recorder: Recorder, overflows: Callable[[int], bool]) -> TrainingResult:
    Overflowing.overflows, Overflowing.recorder = staticmethod(overflows), recorder
    return train(job, module_with(Overflowing), recorder)


@pytest.mark.usefixtures("_scaled")
@pytest.mark.parametrize("max_grad_norm", [0.0, 1.0])
def test_a_step_whose_gradients_overflow_changes_neither_weights_nor_learning_rate(
    calm_tiny_bert: BaseModelFiles, tmp_path: Path, max_grad_norm: float
) -> None:
    """One batch is the whole split here: left out, it is simply taken again."""
    settings: dict[str, Any] = {"batch_size": 54, "epochs": 4, "warmup_steps": 2, "max_grad_norm": max_grad_norm}
    recorder = Recorder()
    job = text_job(calm_tiny_bert, tmp_path / "job", **settings)
    result = run_overflowing(job, recorder, lambda step: step == 2)
    points = [point["values"] for point in recorder.of_split("train")]

    assert result.ended == "completed"
    assert points[1]["learning_rate"] == points[2]["learning_rate"]
    assert points[1]["loss"] == pytest.approx(points[2]["loss"], abs=1e-5)
    assert points[3]["loss"] < points[2]["loss"]
    assert (
        f"Step 2: fp16 gradients overflowed, the step is left out; loss scale now {FIRST_SCALE / 2:g}" in recorder.text
    )


@pytest.mark.usefixtures("_scaled")
def test_fp16_follows_fp32(calm_tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    scaled, plain = Recorder(), Recorder()
    run_text(text_job(calm_tiny_bert, tmp_path / "scaled", epochs=1), scaled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bert_training.ml.preparation.Accelerator", Accelerator)
        run_text(text_job(calm_tiny_bert, tmp_path / "plain", epochs=1), plain)
    losses = [[point["values"]["loss"] for point in recorder.of_split("train")] for recorder in (scaled, plain)]
    assert losses[0] == pytest.approx(losses[1], abs=2e-3)
    assert losses[0] != pytest.approx(losses[1], abs=1e-7)


@pytest.mark.usefixtures("_scaled")
def test_gradients_that_overflow_without_a_scale_end_the_run(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLoss, match="step 17"):  # 2 to the 16th is halved 17 times
        run_overflowing(text_job(tiny_bert, tmp_path / "job"), Recorder(), lambda step: True)


@pytest.mark.usefixtures("_scaled")
def test_the_loss_scale_survives_a_stop(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    def overflows(step: int) -> bool:
        return step in (3, 9)

    whole, rest = Recorder(), Recorder()
    undisturbed = run_overflowing(text_job(tiny_bert, tmp_path / "whole", epochs=2), whole, overflows)
    job = text_job(tiny_bert, tmp_path / "job", epochs=2)
    run_overflowing(job, Recorder(lambda seen: "release" if seen.moments[-1]["step"] == 5 else "continue"), overflows)
    checkpoint = newest_checkpoint(job.job_dir / "checkpoints", job.identity, on_skipped=pytest.fail)
    assert checkpoint is not None
    resumed = run_overflowing(replace(job, resume_step=checkpoint.step), rest, overflows)
    assert resumed == undisturbed
    assert f"loss scale now {FIRST_SCALE / 4:g}" in rest.text
