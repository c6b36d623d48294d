"""Chooses the arithmetic: bf16 where the hardware computes it, fp16 on older GPUs, fp32 elsewhere.

Emulated bf16 is slower than fp32, so support in torch alone does not decide. fp16 needs a loss scaler.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from transformers import PreTrainedModel

from bert_training.ml.machine.hardware import cpu_flags

Precision = Literal["bf16", "fp16", "fp32"]

CPU_BF16_FLAGS = ("amx_bf16", "avx512_bf16")
CUDA_BF16_CAPABILITY = (8, 0)  # Ampere
CUDA_FP16_CAPABILITY = (7, 0)  # Volta: the first with tensor cores; before it fp16 is no faster than fp32
SHORT_ROW_TOKENS = 256


@dataclass(frozen=True)
class Arithmetic:
    """The precision to compute in. reason: what of the hardware, or who, decided.  is_as_asked: else the next best."""

    precision: Precision
    reason: str
    is_as_asked: bool = True


def choose_precision(device: str, wanted: str = "auto") -> Arithmetic:
    """Return the fastest precision of this device, or the one that is wanted where the device has it."""
    able, hardware = _abilities(device)
    if wanted == "auto":
        return Arithmetic(able[0], hardware)
    for precision in able:
        if precision == wanted:
            return Arithmetic(precision, "as asked")
    return Arithmetic(able[0], hardware, is_as_asked=False)


def _abilities(device: str) -> tuple[tuple[Precision, ...], str]:
    """Return what a device computes, the fastest first, and which fact of it decides."""
    if device.startswith("cuda"):
        capability = torch.cuda.get_device_capability(torch.device(device))
        hardware = "CUDA capability {}.{}".format(*capability)
        if capability >= CUDA_BF16_CAPABILITY:
            return ("bf16", "fp16", "fp32"), hardware
        return (("fp16", "fp32") if capability >= CUDA_FP16_CAPABILITY else ("fp32", "fp16")), hardware
    if device == "cpu":
        flag = next((flag for flag in CPU_BF16_FLAGS if flag in cpu_flags()), None)
        return (("bf16", "fp32"), f"processor with {flag}") if flag else (("fp32",), "processor without bf16")
    return ("fp32",), "not on CUDA"


def choose_attention(model: PreTrainedModel, *, device: str, precision: Precision, longest: int) -> None:
    """Set the attention that is fastest for padded rows of at most `longest` tokens.

    On a CPU in bf16 two plain matrix products beat torch's fused attention on short rows (16 rows of 95 tokens 0.45
    against 0.70 s a step, of 256 tokens 0.98 against 1.36 s); on long ones they lose (512 tokens 4.1 against 3.2 s)
    and take 1.5 times the memory.
    """
    is_short = device == "cpu" and precision == "bf16" and longest <= SHORT_ROW_TOKENS
    model.set_attn_implementation("eager" if is_short or not model._supports_sdpa else "sdpa")
