"""Adds the gradients of several processes while the last backward pass still runs.

What torch's DistributedDataParallel does, but: a sum instead of a mean, so that a step is exactly that of one process;
a process without rows takes part with zeros; one that failed in the middle (out of memory) can still finish the round,
so that all agree on what to do instead of waiting for ever; and the network stays unwrapped, however a layout calls it.
"""

from collections.abc import Iterable

import torch
import torch.distributed as dist

from bert_training.ml.machine.distributed import World

BUCKET_BYTES = 25 * 2**20  # as DistributedDataParallel: large enough for the wire, small enough to begin early


class Bucket:
    """Parameters whose gradients travel together; afterwards their gradients are views of the bucket's memory."""

    def __init__(self, parameters: list[torch.nn.Parameter]) -> None:
        self.parameters = parameters
        sizes = [parameter.numel() for parameter in parameters]
        # Made once: in the middle of a step that ran out of memory there would be none for it.
        self.memory = parameters[0].new_empty(sum(sizes) + len(parameters))
        *parts, self.users = torch.split(self.memory, [*sizes, len(parameters)])
        self.views = [part.view_as(parameter) for part, parameter in zip(parts, parameters, strict=True)]
        self.absent: list[int] = []  # which have no gradient in this process

    def send(self) -> dist.Work:
        """Begin to add the gradients of all processes."""
        gradients = [parameter.grad for parameter in self.parameters]
        self.absent = [place for place, gradient in enumerate(gradients) if gradient is None]
        self.users.fill_(1)
        for place, (parameter, view) in enumerate(zip(self.parameters, self.views, strict=True)):
            gradient = gradients[place]
            if gradient is None:
                view.zero_()
                self.users[place] = 0
            else:
                view.copy_(gradient)
            parameter.grad = view
        work: dist.Work = dist.all_reduce(self.memory, async_op=True)
        return work

    def finish(self) -> None:
        """Once they are added: what no process used keeps no gradient, so that the optimizer leaves it alone."""
        for place in self.absent:
            if not self.users[place]:
                self.parameters[place].grad = None


class GradientSum:
    """One for a network: `expect` before the last backward pass of a step, `finish` after it; both by all processes."""

    def __init__(self, model: torch.nn.Module, world: World) -> None:
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        # From the last to the first: about the order in which the gradients come.
        self._buckets = [Bucket(part) for part in _filled(reversed(trained))] if world.size > 1 else []
        self._missing: list[int] = []  # gradients that each bucket still waits for
        self._sent: list[dist.Work] = []
        self._is_expecting = False
        self._bucket_of = {own: place for place, bucket in enumerate(self._buckets) for own in bucket.parameters}
        for parameter in self._bucket_of:
            parameter.register_post_accumulate_grad_hook(self._note)  # type: ignore[no-untyped-call]

    def expect(self) -> None:
        """Send each bucket as soon as its gradients are there, from the next backward pass on."""
        self._missing = [len(bucket.parameters) for bucket in self._buckets]
        self._is_expecting = True

    def finish(self) -> None:
        """Send what was not sent, wait, and leave the sums as gradients."""
        self._is_expecting = False
        while len(self._sent) < len(self._buckets):
            self._send()
        for bucket, work in zip(self._buckets, self._sent, strict=True):
            work.wait()
            bucket.finish()
        self._sent.clear()

    def _note(self, parameter: torch.Tensor) -> None:
        """Take a gradient that is complete; buckets go in their order, which must be the same everywhere."""
        if not self._is_expecting:
            return
        self._missing[self._bucket_of[parameter]] -= 1  # type: ignore[index]
        while len(self._sent) < len(self._buckets) and self._missing[len(self._sent)] == 0:
            self._send()

    def _send(self) -> None:
        self._sent.append(self._buckets[len(self._sent)].send())


def _filled(parameters: Iterable[torch.nn.Parameter]) -> list[list[torch.nn.Parameter]]:
    """Deal parameters out to buckets in their order; one that is larger than a bucket has its own."""
    buckets: list[list[torch.nn.Parameter]] = []
    room = 0
    for parameter in parameters:
        size = parameter.numel() * parameter.element_size()
        if room < size:
            buckets.append([])
            room = BUCKET_BYTES
        room -= size
        buckets[-1].append(parameter)
    return buckets
