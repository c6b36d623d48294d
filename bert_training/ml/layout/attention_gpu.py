"""Attention over concatenated sequences on a GPU: flash attention with boundaries, and torch's jagged tensors.

Which of them a machine can compute, a trial on it tells.
"""

import math
from collections.abc import Sequence

import torch
from torch.nn.functional import pad, scaled_dot_product_attention

from bert_training.ml.layout.sequences import AttentionKernel, Sequences

TRIAL_LENGTHS = (5, 17, 1)
TRIAL_HEADS, TRIAL_DEPTH = 2, 32
TRIAL_TOLERANCE = {torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}
TRIAL_DROPOUT = 0.1


def attend_flash(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, sequences: Sequences, *, scale: float, dropout: float
) -> torch.Tensor:
    """Attend by one kernel for all sequences, in fp16 or bf16. (T, H, D) each.

    torch.nn.attention.varlen calls the same operation, but without dropout.
    """
    rows = [tensor[: sequences.total] for tensor in (query, key, value)]
    cuts, longest = sequences.boundaries, sequences.longest
    attended, *_rest = torch.ops.aten._flash_attention_forward(
        *rows, cuts, cuts, longest, longest, dropout, False, False, scale=scale
    )
    return _with_filler(attended, sequences)


def attend_jagged(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, sequences: Sequences, *, scale: float, dropout: float
) -> torch.Tensor:
    """Attend by torch's jagged tensors, in any precision: more work in Python a call. (T, H, D) each."""
    shortest, longest = min(sequences.lengths), sequences.longest
    jagged = [
        torch.nested.nested_tensor_from_jagged(
            tensor[: sequences.total], sequences.boundaries, min_seqlen=shortest, max_seqlen=longest
        ).transpose(1, 2)
        for tensor in (query, key, value)
    ]
    attended = scaled_dot_product_attention(jagged[0], jagged[1], jagged[2], dropout_p=dropout, scale=scale)
    return _with_filler(attended.transpose(1, 2).values(), sequences)


GPU_KERNELS: tuple[AttentionKernel, ...] = (attend_flash, attend_jagged)


def choose_kernel(
    device: torch.device, dtype: torch.dtype, kernels: Sequence[AttentionKernel] = GPU_KERNELS
) -> AttentionKernel | None:
    """Return the first kernel that this device computes rightly, with dropout and backward too; None: no one."""
    return next((kernel for kernel in kernels if _is_right(kernel, device, dtype)), None)


def _is_right(kernel: AttentionKernel, device: torch.device, dtype: torch.dtype) -> bool:
    """Compare a kernel with plain attention over a few short sequences. Draws no number of torch's own generators."""
    count = sum(TRIAL_LENGTHS)
    wave = torch.arange(3 * count * TRIAL_HEADS * TRIAL_DEPTH, device=device).sin()  # as good as chance here
    query, key, value = wave.to(dtype).view(3, count, TRIAL_HEADS, TRIAL_DEPTH).requires_grad_().unbind()
    ends = torch.tensor([0, *TRIAL_LENGTHS], device=device).cumsum(0, dtype=torch.int32)
    sequences = Sequences(TRIAL_LENGTHS, ends, count, kernel)
    scale = 1 / math.sqrt(TRIAL_DEPTH)
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            answer = kernel(query, key, value, sequences, scale=scale, dropout=0.0)
            dropped = kernel(query, key, value, sequences, scale=scale, dropout=TRIAL_DROPOUT)
            (gradient,) = torch.autograd.grad((answer + dropped).float().sum(), value)
    except (RuntimeError, TypeError, ValueError):
        return False
    difference = (answer - _plain(query, key, value, scale)).abs().max()
    return bool(difference <= TRIAL_TOLERANCE[dtype]) and bool(gradient.isfinite().all())


def _plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float) -> torch.Tensor:
    """Attend sequence by sequence in fp32, slowly."""
    parts = [torch.split(tensor.float().transpose(0, 1), list(TRIAL_LENGTHS), dim=1) for tensor in (query, key, value)]
    answers = [((q @ k.transpose(1, 2) * scale).softmax(dim=-1) @ v) for q, k, v in zip(*parts, strict=True)]
    return torch.cat(answers, dim=1).transpose(0, 1)


def _with_filler(attended: torch.Tensor, sequences: Sequences) -> torch.Tensor:
    """Add zeros for filler: (sum of lengths, H, D) to (T, H, D)."""
    return pad(attended, (0, 0, 0, 0, 0, sequences.row_length - sequences.total))
