"""Dropout of hidden states on a CPU, by masks from random bytes."""

from typing import Any

import torch

from bert_training.ml.layout.random_masks import bits_for, draw_mask, keep, kept_share


def use_random_bytes(model: torch.nn.Module) -> None:
    """Put ByteDropout in the place of every torch.nn.Dropout, with the same probability."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is torch.nn.Dropout:
                setattr(parent, name, ByteDropout(child.p).train(child.training))


class ByteDropout(torch.nn.Dropout):
    """Drops elements out as torch.nn.Dropout does, with a probability rounded to 1/256 (0.1 is 0.1016)."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Drop elements out while training; any shape."""
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu":
            return super().forward(input)
        dropped: torch.Tensor = _Dropped.apply(input, self.p)  # type: ignore[no-untyped-call]
        return dropped


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, probability: float) -> torch.Tensor:
        mask = draw_mask(values.numel(), probability).view(values.shape)
        ctx.save_for_backward(mask)
        ctx.kept = kept_share(probability)
        return keep(values, bits_for(mask, values.dtype)).div_(ctx.kept)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (mask,) = ctx.saved_tensors
        return keep(gradient, bits_for(mask, gradient.dtype)).div_(ctx.kept), None
