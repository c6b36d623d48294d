"""Attention within each sequence: every kernel that this machine runs, against plain attention."""

from itertools import pairwise
from typing import Any

import pytest
import torch

from bert_training.ml.layout.attention_cpu import attend_in_groups
from bert_training.ml.layout.attention_gpu import attend_flash, attend_jagged, choose_kernel
from bert_training.ml.layout.sequences import AttentionKernel, Sequences

LENGTHS = (6, 1, 17, 7, 25)
FILLER = 3
HEADS, DEPTH = 3, 8
SCALE = 0.35
CPU = torch.device("cpu")
Rows = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def sequences_of(kernel: AttentionKernel, lengths: tuple[int, ...] = LENGTHS) -> Sequences:
    boundaries = torch.tensor([0, *lengths]).cumsum(0, dtype=torch.int32)
    return Sequences(lengths, boundaries, sum(lengths) + FILLER, kernel)


def some_rows(dtype: torch.dtype = torch.float32, lengths: tuple[int, ...] = LENGTHS) -> Rows:
    """Make queries, keys and values."""
    torch.manual_seed(1)
    made = torch.randn(3, sum(lengths) + FILLER, HEADS, DEPTH, dtype=dtype)
    return made[0].requires_grad_(), made[1].requires_grad_(), made[2].requires_grad_()


def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attend sequence by sequence, nothing shared; zeros for filler."""
    answer = torch.zeros_like(query)
    for begin, end in pairwise(torch.tensor([0, *LENGTHS]).cumsum(0).tolist()):
        q, k, v = (tensor[begin:end].transpose(0, 1) for tensor in (query, key, value))
        answer[begin:end] = ((q @ k.transpose(1, 2) * SCALE).softmax(dim=-1) @ v).transpose(0, 1)
    return answer


def gradients(answer: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, ...]:
    upstream = torch.sin(torch.arange(answer.numel(), dtype=answer.dtype)).view(answer.shape)
    upstream[sum(LENGTHS) :] = 0  # nothing that is judged depends on filler
    return torch.autograd.grad(answer, rows, upstream)


@pytest.mark.parametrize("kernel", [attend_in_groups, attend_jagged])
def test_each_sequence_attends_to_itself_alone(kernel: AttentionKernel) -> None:
    rows = some_rows()
    answer, expected = kernel(*rows, sequences_of(kernel), scale=SCALE, dropout=0.0), plain(*rows)
    torch.testing.assert_close(answer, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(gradients(answer, rows), gradients(expected, rows), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_gradient_is_that_of_what_was_computed(dropout: float) -> None:
    lengths = (4, 2, 5)
    sequences = sequences_of(attend_in_groups, lengths)

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)  # the same weights are dropped out at each call
        answer = attend_in_groups(query, key, value, sequences, scale=SCALE, dropout=dropout)
        return answer[: sum(lengths)]

    assert torch.autograd.gradcheck(attend, some_rows(torch.float64, lengths), fast_mode=True)


def test_heads_are_split_where_weights_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = some_rows()
    monkeypatch.setattr("bert_training.ml.layout.attention_cpu.WEIGHTS_AT_ONCE", 50)
    answer = attend_in_groups(*rows, sequences_of(attend_in_groups), scale=SCALE, dropout=0.0)
    torch.testing.assert_close(answer, plain(*rows), atol=1e-5, rtol=1e-4)


def test_dropout_keeps_the_expectation() -> None:
    query, key, value = (tensor.detach() for tensor in some_rows())
    torch.manual_seed(2)
    sequences = sequences_of(attend_in_groups)
    answers = [attend_in_groups(query, key, value, sequences, scale=SCALE, dropout=0.1) for _ in range(100)]
    assert not torch.equal(answers[0], answers[1])
    torch.testing.assert_close(torch.stack(answers).mean(0), plain(query, key, value), atol=0.35, rtol=0)


def test_bf16_is_near_fp32() -> None:
    rows = some_rows(torch.bfloat16)
    answer = attend_in_groups(*rows, sequences_of(attend_in_groups), scale=SCALE, dropout=0.0)
    assert answer.dtype == torch.bfloat16
    query, key, value = (row.float() for row in rows)
    torch.testing.assert_close(answer.float(), plain(query, key, value), atol=0.03, rtol=0.02)


def test_sequences_of_near_equal_length_share_a_group() -> None:
    groups = sequences_of(attend_in_groups, (10, 40, 9, 39, 3)).groups
    assert [group.lengths for group in groups] == [(40, 39), (10, 9), (3,)]
    assert [group.tokens.shape for group in groups] == [(2, 40), (2, 16), (1, 8)]
    assert groups[0].tokens[1, 39] == 101 + FILLER - 1  # beyond its end: the last filler token


def test_the_first_kernel_that_a_machine_computes_rightly_is_chosen() -> None:
    assert choose_kernel(CPU, torch.float32, [attend_flash, attend_jagged]) is attend_jagged
    assert choose_kernel(CPU, torch.float32, [attend_flash]) is None


def test_a_kernel_that_answers_wrongly_is_not_chosen() -> None:
    def doubled(*rows: Any, scale: float, dropout: float) -> torch.Tensor:
        return attend_jagged(*rows, scale=2 * scale, dropout=dropout)

    assert choose_kernel(CPU, torch.float32, [doubled, attend_in_groups]) is attend_in_groups
