"""The encoded rows of a table while they come in, in the order in which they are needed first.

Whoever asks for a row that is not there yet waits for it; in the loop's own thread with signs of life, so that an
order to stop is obeyed.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, overload

import numpy as np
from numpy.typing import NDArray

from bert_training.ml.rows.encoded_rows import EncodedRows
from bert_training.ml.rows.waiting import WAIT_SECONDS
from bert_training.ml.task_network import ExampleT


class RowStore(Generic[ExampleT]):
    """Blocks of rows. order: which row of the table comes when, (N,); a block holds block_rows, the last one the rest.

    on_wait: called while the thread that made this store waits. One thread adds, any may ask.
    """

    def __init__(self, order: NDArray[np.int64], block_rows: int, *, on_wait: Callable[[], None]) -> None:
        self.order = order
        self.block_rows = block_rows
        self.blocks: list[EncodedRows[ExampleT]] = []
        self._places = np.empty_like(order)  # when each row of the table comes
        self._places[order] = np.arange(len(order))
        self._on_wait = on_wait
        self._owner = threading.current_thread()
        self._changed = threading.Condition()
        self._error: BaseException | None = None

    def __getitem__(self, row: int) -> ExampleT:
        block, place = divmod(int(self._places[row]), self.block_rows)
        if block >= len(self.blocks):
            self._wait_for(block + 1)
        return self.blocks[block][place]

    @property
    def row_count(self) -> int:
        """Count the rows that are there."""
        return min(len(self.blocks) * self.block_rows, len(self.order))

    @property
    def is_complete(self) -> bool:
        """Tell whether all rows are there."""
        return self.row_count == len(self.order)

    def add(self, block: EncodedRows[ExampleT]) -> None:
        """Take the next rows."""
        with self._changed:
            self.blocks.append(block)
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Let everybody who waits, or will wait, have this error: no more rows come."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until all rows are there."""
        self._wait_for(-(-len(self.order) // self.block_rows))

    def lengths(self) -> NDArray[np.int64]:
        """Count the tokens of each row of the table, without special tokens; waits for all of them. Returns (N,)."""
        self.wait()
        lengths = np.zeros(len(self.order), dtype=np.int64)
        if self.blocks:
            lengths[self.order] = np.concatenate([block.lengths for block in self.blocks])
        return lengths

    def _wait_for(self, block_count: int) -> None:
        while len(self.blocks) < block_count:
            with self._changed:
                self._changed.wait_for(lambda: self._error or len(self.blocks) >= block_count, WAIT_SECONDS)
            if self._error and len(self.blocks) < block_count:
                raise self._error
            if threading.current_thread() is self._owner:
                self._on_wait()


class SplitRows(Sequence[ExampleT]):
    """The rows of one split. rows: which of the table's they are, (M,)."""

    def __init__(self, store: RowStore[ExampleT], rows: NDArray[np.int64]) -> None:
        self.store = store
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> ExampleT: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ExampleT]: ...
    def __getitem__(self, index: int | slice) -> ExampleT | Sequence[ExampleT]:
        if isinstance(index, slice):
            return SplitRows(self.store, self.rows[index])
        return self.store[int(self.rows[index])]
