"""Where each sequence lies in a row of concatenated tokens, and which of them are near enough in length to share work.

Plans only: made with numpy, outside of every graph, once for a batch and read by each layer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

# Sequences share a group while the shortest is at least this share of the longest. Attention to reviews, forward and
# backward, in microseconds a token and layer: share 0.9 12.5, 0.8 9.9, 0.7 10.4, 0.6 10.8; multiples of 16 10.6.
NEAR_SHARE = 0.8
LENGTH_MULTIPLE = 8  # lengths of groups are rounded up, so that the library's compiled products are met again
GROUP_SQUARES = 2**15  # n x L x L at most, or one sequence: what a group's weights take stays near the cache


@dataclass(frozen=True)
class Group:
    """n sequences of near-equal length, as n rows of L tokens.

    tokens: (n, L) int64, the filler beyond a sequence's end.  lengths: real tokens of each row.
    """

    tokens: NDArray[np.int64]
    lengths: tuple[int, ...]


class AttentionKernel(Protocol):
    """Computes attention within each sequence of a row."""

    def __call__(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        sequences: "Sequences",
        /,
        *,
        scale: float,
        dropout: float,
    ) -> torch.Tensor:
        """Attend: (T, H, D) of one type each. Returns (T, H, D), 0 for filler."""


@dataclass(frozen=True)
class Sequences:
    """B sequences, one behind the other in a row of T tokens; at least one filler token is behind the last.

    lengths: tokens of each.  boundaries: (B + 1,) int32 on the network's device, from 0 to the sum of lengths.
    row_length: T.  kernel: what computes the attention.
    """

    lengths: tuple[int, ...]
    boundaries: torch.Tensor
    row_length: int
    kernel: AttentionKernel
    plans: dict[int, Any] = field(default_factory=dict)  # of attention, by the number of heads

    @property
    def longest(self) -> int:
        """Return the tokens of the longest one."""
        return max(self.lengths)

    @property
    def total(self) -> int:
        """Return the tokens of all, without the filler."""
        return sum(self.lengths)

    @property
    def starts(self) -> torch.Tensor:
        """Return the place of the first token of each. (B,)."""
        return self.boundaries[:-1]

    @cached_property
    def groups(self) -> list[Group]:
        """Return the sequences in groups of near-equal length, longest first."""
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        return [self._group(members, starts) for members in _near_lengths(self.lengths)]

    def _group(self, members: Sequence[int], starts: NDArray[np.int64]) -> Group:
        lengths = [self.lengths[member] for member in members]
        columns = np.arange(-(-lengths[0] // LENGTH_MULTIPLE) * LENGTH_MULTIPLE)
        tokens = starts[list(members)][:, None] + columns
        return Group(np.where(columns < np.array(lengths)[:, None], tokens, self.row_length - 1), tuple(lengths))


def _near_lengths(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Deal sequences out to groups, each beginning with its longest."""
    longest_first = sorted(range(len(lengths)), key=lambda member: -lengths[member])
    group: list[int] = []
    for member in longest_first:
        longest = lengths[group[0]] if group else 0
        is_full = (len(group) + 1) * longest**2 > GROUP_SQUARES
        if group and (is_full or lengths[member] < NEAR_SHARE * longest):
            yield group
            group = []
        group.append(member)
    yield group
