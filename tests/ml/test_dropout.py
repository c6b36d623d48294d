"""Dropout by random bytes: the expectation of torch's dropout, the same mask for the same seed."""

import pytest
import torch

from bert_training.ml.layout.dropout import ByteDropout, use_random_bytes


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_what_is_kept_is_scaled_and_the_rest_is_zero(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    values = torch.linspace(-2, 3, 999).to(dtype)
    dropped = ByteDropout(0.25)(values)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], values[kept] / 0.75)
    assert dropped.dtype == dtype


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.999])
def test_the_expectation_is_kept(probability: float) -> None:
    torch.manual_seed(0)
    mean = ByteDropout(probability)(torch.ones(400_000)).mean()
    assert mean == pytest.approx(1, abs=0.12 if probability > 0.9 else 0.01)


def test_gradients_pass_where_values_did() -> None:
    torch.manual_seed(0)
    values = torch.randn(300, requires_grad=True)
    dropped = ByteDropout(0.5)(values)
    (gradient,) = torch.autograd.grad(dropped.sum(), values)
    torch.testing.assert_close(gradient, torch.where(dropped == 0, 0.0, 2.0))


def test_masks_follow_the_seed() -> None:
    layer, values = ByteDropout(0.5), torch.ones(64)
    torch.manual_seed(3)
    first, second = layer(values), layer(values)
    torch.manual_seed(3)
    assert torch.equal(layer(values), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_the_ends_are_exact(probability: float) -> None:
    assert torch.equal(ByteDropout(probability)(torch.ones(9)), torch.full((9,), 1 - probability))


def test_nothing_is_dropped_while_judging() -> None:
    assert torch.equal(ByteDropout(0.5).eval()(torch.ones(9)), torch.ones(9))


def test_a_networks_dropouts_are_replaced_with_their_probability() -> None:
    inner = torch.nn.Sequential(torch.nn.Dropout(0.3))
    network = torch.nn.Sequential(inner, torch.nn.Dropout1d(0.2)).train(False)
    use_random_bytes(network)
    replaced = inner[0]
    assert isinstance(replaced, ByteDropout)
    assert (replaced.p, replaced.training) == (0.3, False)
    assert type(network[1]) is torch.nn.Dropout1d
