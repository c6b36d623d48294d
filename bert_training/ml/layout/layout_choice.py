"""Chooses the layout: without padding where a trial proves that the network answers the same, padded elsewhere."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from bert_training.ml.layout.attention import NeedsPadding
from bert_training.ml.layout.attention_gpu import choose_kernel
from bert_training.ml.layout.dropout import use_random_bytes
from bert_training.ml.layout.layout import Layout, Padded
from bert_training.ml.layout.unpadded import Unpadded, use_unpadded
from bert_training.ml.learning.precision import Precision, choose_attention
from bert_training.ml.reporting import RunReport
from bert_training.ml.task_network import IGNORE, Piece, TaskNetwork

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
TRIAL_LENGTHS = (7, 3, 12)
TRIAL_TOLERANCE = 1e-4
# What the code of an architecture that does not know `sequences` raises, and what attention refuses.
REFUSALS = (AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError, NeedsPadding)


def choose_layout(network: TaskNetwork[Any], report: RunReport, *, device: str, precision: Precision) -> Layout:
    """Return the fastest layout whose logits are right, and set the attention that goes with it.

    The network is in fp32 on the CPU. Draws no random number.
    """
    if device == "cpu":
        use_random_bytes(network.model)
    padded = Padded(network.tokenizer.pad_token_id, label_per_token=network.label_per_token)
    found = _try_unpadded(network, padded, torch.device(device), precision)
    if isinstance(found, Unpadded):
        kernel = getattr(found.kernel, "__name__", "")
        report.info(f"Layout: without padding, attention sequence by sequence ({kernel.replace('_', ' ')})")
        return found
    longest = network.tokenizer.model_max_length
    choose_attention(network.model, device=device, precision=precision, longest=longest)
    report.info(f"Layout: padded, because {network.model.config.model_type} needs padding ({found})")
    return padded


def _try_unpadded(
    network: TaskNetwork[Any], padded: Padded, device: torch.device, precision: Precision
) -> Unpadded | str:
    """Return the layout without padding, or the reason why it cannot be used."""
    try:
        unpadded = use_unpadded(network.model, label_per_token=network.label_per_token)
        difference = _difference(network, padded, unpadded)
    except REFUSALS as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    if not difference <= TRIAL_TOLERANCE:
        return f"its logits differ by {difference:.1e} without padding"
    if device.type == "cpu":
        return unpadded
    kernel = choose_kernel(device, DTYPES[precision])
    return replace(unpadded, kernel=kernel) if kernel else f"{device.type} computes no attention without padding"


@torch.inference_mode()
def _difference(network: TaskNetwork[Any], *layouts: Layout) -> float:
    """Return the largest difference between the logits of two layouts over a small batch."""
    model, was_training = network.model, network.model.training
    pieces = _trial_pieces(network)
    model.train(False)
    answers = []
    for layout in layouts:
        batch = layout.collate(pieces)
        answers.append(torch.cat([part.flatten() for part in layout.split(layout.forward(model, batch), batch)]))
    model.train(was_training)
    one, other = answers
    return float((one - other).abs().max()) if one.shape == other.shape else float("inf")


def _trial_pieces(network: TaskNetwork[Any]) -> Sequence[Piece]:
    """Make pieces of arbitrary tokens, none of them padding."""
    words, padding = network.model.config.vocab_size, network.tokenizer.pad_token_id
    ids = np.arange(sum(TRIAL_LENGTHS), dtype=np.int32) * 7919 % words
    ids[ids == padding] = (padding + 1) % words  # padding may be the last of all
    labels = np.full(len(ids) if network.label_per_token else 1, IGNORE, dtype=np.int64)
    return [
        Piece(part, labels[: len(part)], np.arange(len(part), dtype=np.int32))
        for part in np.split(ids, np.cumsum(TRIAL_LENGTHS)[:-1])
    ]
