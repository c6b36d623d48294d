"""How processes that train together share work and agree; tests/worker/test_several_processes.py sees the whole."""

import numpy as np
import pytest
import torch
import torch.distributed as dist

from bert_training.ml.learning.gradients import Bucket, GradientSum
from bert_training.ml.learning.micro_batch import MicroBatch
from bert_training.ml.machine.distributed import ALONE, Processes, World, join_world, pack, unpack
from bert_training.ml.reporting import RunReport, StopRequested
from tests.ml.runs import Recorder, toy_settings


class Of(World):
    """One of `size` processes, without the others."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank = rank
        self.size = size


def test_one_process_alone_does_nothing() -> None:
    items = [3, 1, 2]
    assert join_world("cpu", {}).size == 1
    assert ALONE.share(items, lambda item: item) is items
    assert list(ALONE.deal(items)) == items
    assert ALONE.agree("x") == "x"
    assert not ALONE.any(False)


@pytest.mark.parametrize("size", [2, 3, 7])
def test_every_item_has_one_process_and_no_process_has_much_more_work(size: int) -> None:
    sizes = [512, *np.random.default_rng(0).integers(3, 400, 30).tolist()]
    shares = [Of(rank, size).share(sizes, lambda item: item) for rank in range(size)]
    assert sorted(item for share in shares for item in share) == sorted(sizes)
    assert max(map(sum, shares)) - min(map(sum, shares)) <= max(sizes)
    assert Of(1, 2).share([5], lambda item: item) == []


def test_all_processes_have_equally_many_rounds() -> None:
    dealt = [list(Of(rank, 2).deal("abcde")) for rank in range(2)]
    assert dealt == [["a", "c", "e"], ["b", "d", None]]


def test_figures_arrays_and_flags_come_back_as_they_were(processes: Processes) -> None:
    figures = {"f1": 0.1 + 0.2, "auc": None, "text": "ação"}
    assert processes.agree(figures) == figures
    assert processes.any(True)
    assert not processes.any(False)
    arrays = [np.array([[0.5, np.nan]]), np.ones((3, 2))]
    (gathered,) = processes.gather(pack(arrays))
    for array, other in zip(arrays, unpack(gathered), strict=True):
        assert np.array_equal(array, other, equal_nan=True)
    assert unpack(processes.gather(pack([]))[0]) == []
    processes.wait()


def test_summed_gradients_are_those_of_the_backward_pass(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.ml.learning.gradients.BUCKET_BYTES", 100)
    network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 2))
    network.add_module("unused", torch.nn.Linear(3, 3))
    texts = torch.randn(5, 4)

    def backward() -> None:
        network.zero_grad()
        network[1](network[0](texts)).square().sum().backward()

    backward()
    expected = [None if weight.grad is None else weight.grad.clone() for weight in network.parameters()]
    sums = GradientSum(network, Of(0, 2))
    for _step in range(2):
        backward()  # an accumulated batch: nothing is sent
        network.zero_grad()
        sums.expect()
        backward()
        sums.finish()
        for weight, gradient in zip(network.parameters(), expected, strict=True):
            assert (weight.grad is None) == (gradient is None)
            assert gradient is None or weight.grad is None or torch.equal(weight.grad, gradient)


def test_a_process_without_rows_takes_part_with_zeros(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    network = torch.nn.Linear(2, 1)
    sums = GradientSum(network, Of(1, 2))
    sent: list[torch.Tensor] = []
    reduce_all = dist.all_reduce

    def as_if_another_had(tensor: torch.Tensor, **options: bool) -> object:
        sent.append(tensor.clone())
        tensor += 1.0
        return reduce_all(tensor, **options)

    monkeypatch.setattr(dist, "all_reduce", as_if_another_had)
    sums.finish()
    assert not any(map(torch.any, sent))
    assert [weight.grad is not None and bool((weight.grad == 1).all()) for weight in network.parameters()] == [True] * 2


def test_a_gradient_lies_in_the_memory_of_its_bucket() -> None:
    bucket = Bucket([torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))])
    assert [view.shape for view in bucket.views] == [(2, 3), (4,)]
    assert bucket.memory.numel() == 2 * 3 + 4 + 2


def test_all_try_again_when_the_memory_of_another_ran_out() -> None:
    class ShortOnce(Of):
        answers = [True, False]

        def any(self, flag: bool) -> bool:
            return self.answers.pop(0) or flag

    lines: list[str] = []
    micro_batch = MicroBatch(toy_settings(batch_size=8), torch.device("cpu"), on_halved=lines.append)
    assert micro_batch.retry(lambda: micro_batch.size, world=ShortOnce(0, 2)) == 4
    assert lines[0].startswith("Another process ran out of memory with 8 at once.")


def test_of_several_processes_orders_are_obeyed_where_all_meet() -> None:
    report = RunReport(Recorder(lambda _seen: "cancel"), lambda: 0.0)
    with pytest.raises(StopRequested):
        report.pulse()
    report.join(Of(0, 2))
    report.pulse()
    with pytest.raises(StopRequested):
        report.meet()
