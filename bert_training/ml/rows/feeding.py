"""Makes the batches of coming steps ready while the network computes the present one.

Only when batches are made changes with the number of threads: never which rows they hold, nor their order.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from bert_training.ml.layout.layout import Layout
from bert_training.ml.learning.micro_batch import MicroBatch
from bert_training.ml.machine.distributed import ALONE, World
from bert_training.ml.rows.batching import cut_by_length, pinned
from bert_training.ml.rows.cutting import SPECIAL, Cutting
from bert_training.ml.rows.waiting import wait_for
from bert_training.ml.task_network import IGNORE, Batch, Example, Piece

STEPS_AHEAD = 2  # ready steps that wait for each thread's next one


@dataclass(frozen=True)
class ReadyStep:
    """All that one optimizer step computes. pieces: of all processes.  batches: this one's share, on the CPU.

    size: of the micro-batch that they were cut by.
    """

    pieces: list[Piece]
    batches: list[Batch]
    size: int

    @property
    def tokens(self) -> int:
        """Count real tokens, special tokens among them."""
        return sum(len(piece.input_ids) for piece in self.pieces)

    def count_empty(self) -> int:
        """Count pieces that hold nothing but special tokens."""
        return sum(bool((piece.positions == SPECIAL).all()) for piece in self.pieces)


class StepMaker:
    """Turns the rows of a step into batches; safe in several threads.

    pins: batches go into memory that a GPU reads directly, so that the copy does not hold up the loop.
    groups: pieces of near-equal length are computed together, for a layout that pads. Which rows share a step stays
    chance; its gradient is the same however its pieces are dealt out.
    """

    def __init__(
        self,
        cutting: Cutting,
        layout: Layout,
        micro_batch: MicroBatch,
        *,
        pins: bool = False,
        groups: bool = False,
        world: World = ALONE,
    ) -> None:
        self.cutting = cutting
        self.layout = layout
        self.micro_batch = micro_batch
        self.pins = pins
        self.groups = groups
        self.world = world

    def make(self, examples: Sequence[Example]) -> ReadyStep:
        """Cut rows into pieces and put these together."""
        return self.of_pieces([piece for example in examples for piece in self.cutting.cut(example)])

    def of_pieces(self, pieces: list[Piece]) -> ReadyStep:
        """Put pieces together by the present size of a micro-batch."""
        own = self.world.share(pieces, lambda piece: len(piece.input_ids))
        size = self.micro_batch.size  # before they are cut: it may be halved meanwhile
        batches = [self.layout.collate(chunk) for chunk in self._chunks(own)]
        return ReadyStep(pieces, [pinned(batch) for batch in batches] if self.pins else batches, size)

    def _chunks(self, pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
        if not self.groups:
            return self.micro_batch.cut(pieces)
        longest_first = sorted(pieces, key=lambda piece: -len(piece.input_ids))
        return chain.from_iterable(map(cut_by_length, self.micro_batch.cut(longest_first)))

    def fitting(self, step: ReadyStep) -> ReadyStep:
        """Return a step as it is, or made anew when memory was found too small for it since it was made."""
        return step if step.size == self.micro_batch.size else self.of_pieces(step.pieces)

    def nothing(self, step: ReadyStep) -> Batch:
        """Return a batch in which nothing is judged, for a process that has fewer batches than another."""
        shortest = min(step.pieces, key=lambda piece: len(piece.input_ids))
        return self.layout.collate([replace(shortest, labels=np.full_like(shortest.labels, IGNORE))])


class Feeder:
    """Gives the loop its steps, in order. threads: that make them ready ahead; 0 makes each when it is asked for."""

    def __init__(self, maker: StepMaker, *, threads: int, on_wait: Callable[[], None]) -> None:
        self.maker = maker
        self.threads = threads
        self.on_wait = on_wait

    def steps(
        self, examples: Sequence[Any], rows_of_steps: Iterable[Sequence[int]]
    ) -> Generator[ReadyStep, None, None]:
        """Make the step of each list of rows. Close the iterator when not all are taken."""
        if not self.threads:
            yield from (self._make(examples, rows) for rows in rows_of_steps)
            return
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="loader")
        try:
            ahead: deque[Future[ReadyStep]] = deque()
            for rows in rows_of_steps:
                ahead.append(pool.submit(self._make, examples, rows))
                if len(ahead) > STEPS_AHEAD * self.threads:
                    yield self._await(ahead.popleft())
            yield from (self._await(step) for step in ahead)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, examples: Sequence[Any], rows: Sequence[int]) -> ReadyStep:
        return self.maker.make([examples[row] for row in rows])

    def _await(self, step: Future[ReadyStep]) -> ReadyStep:
        """Wait for a step with signs of life."""
        wait_for(step, on_wait=self.on_wait)
        return step.result()
