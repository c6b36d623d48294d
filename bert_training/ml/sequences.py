"""Where each sequence lies in a row of concatenated tokens. Attention reads it beside queries, keys and values."""

from dataclasses import dataclass
from functools import cached_property

import torch


@dataclass(frozen=True)
class Sequences:
    """B sequences, one behind the other in a row of T tokens.

    lengths: tokens of each.  boundaries: (B + 1,) int32 on the network's device, 0 first and T last.
    """

    lengths: tuple[int, ...]
    boundaries: torch.Tensor

    @cached_property
    def longest(self) -> int:
        """Return the tokens of the longest one."""
        return max(self.lengths)

    @property
    def starts(self) -> torch.Tensor:
        """Return the place of the first token of each. (B,)."""
        return self.boundaries[:-1]
