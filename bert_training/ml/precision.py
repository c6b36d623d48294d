"""Chooses the arithmetic: bf16 where the processor computes it in hardware, fp32 elsewhere.

Emulated bf16 is slower than fp32, so support in torch alone does not decide.
"""

from typing import Literal

import torch
from transformers import PreTrainedModel

from bert_training.ml.hardware import cpu_flags

Precision = Literal["bf16", "fp32"]

CPU_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
CUDA_BF16_CAPABILITY = (8, 0)  # Ampere
SHORT_ROW_TOKENS = 256


def choose_precision(device: str) -> Precision:
    """Return the fastest precision that this device computes without a loss scaler."""
    if device.startswith("cuda"):
        capability = torch.cuda.get_device_capability(torch.device(device))
        return "bf16" if capability >= CUDA_BF16_CAPABILITY else "fp32"
    if device == "cpu" and CPU_BF16_FLAGS & cpu_flags():
        return "bf16"
    return "fp32"


def choose_attention(model: PreTrainedModel, *, device: str, precision: Precision, longest: int) -> None:
    """Set the attention that is fastest for padded rows of at most `longest` tokens.

    On a CPU in bf16 two plain matrix products beat torch's fused attention on short rows (16 rows of 95 tokens 0.45
    against 0.70 s a step, of 256 tokens 0.98 against 1.36 s); on long ones they lose (512 tokens 4.1 against 3.2 s)
    and take 1.5 times the memory.
    """
    is_short = device == "cpu" and precision == "bf16" and longest <= SHORT_ROW_TOKENS
    model.set_attn_implementation("eager" if is_short or not model._supports_sdpa else "sdpa")
