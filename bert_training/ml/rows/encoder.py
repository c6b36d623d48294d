"""Encodes the rows of a run beside its first steps, in a thread of its own (the tokenizer frees the interpreter)."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bert_training.ml.job import TrainingJob
from bert_training.ml.rows.batching import cut_into
from bert_training.ml.rows.encoded_rows import pack
from bert_training.ml.rows.row_store import RowStore
from bert_training.ml.rows.token_cache import write_rows
from bert_training.ml.rows.waiting import wait_for
from bert_training.ml.task_network import TaskNetwork


class Encoder:
    """Fills a store, then keeps its rows in `folder` (None = nowhere). Close it, or the process waits for its end."""

    def __init__(self, job: TrainingJob, network: TaskNetwork[Any], store: RowStore[Any], folder: Path | None) -> None:
        self.job = job
        self.network = network
        self.store = store
        self.folder = folder
        self.wordless = 0  # words that became no token, such as blanks; counted when all rows are there
        self.seconds = 0.0
        self._is_stopping = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._pool.submit(self._encode).add_done_callback(self._pass_error)
        self._keeping = self._pool.submit(self._keep)

    @property
    def failure_to_keep(self) -> BaseException | None:
        """Return why the rows could not be kept, as far as it is known."""
        return self._keeping.exception() if self._keeping.done() and not self._keeping.cancelled() else None

    def wait_until_kept(self, *, on_wait: Callable[[], None]) -> None:
        """Wait until the rows are on disk, or cannot be kept, with signs of life."""
        wait_for(self._keeping, on_wait=on_wait)

    def close(self) -> None:
        """Stop at once; rows that are being written are written to their end."""
        self._is_stopping.set()
        self.store.fail(RuntimeError("The rows are asked for after the run has ended."))
        self._pool.shutdown(cancel_futures=not self.store.is_complete)

    def _encode(self) -> None:
        began = time.monotonic()
        for rows in cut_into(self.store.order.tolist(), self.store.block_rows):
            if self._is_stopping.is_set():
                return
            encoded = self.network.encode(self.job.table.take(rows))
            self.wordless += encoded.wordless
            self.seconds = time.monotonic() - began
            self.store.add(pack(self.network.example_class, encoded.examples))

    def _pass_error(self, encoding: Future[None]) -> None:
        error = encoding.exception()
        if error:
            self.store.fail(error)

    def _keep(self) -> None:
        if self.folder and self.store.is_complete and self.store.blocks:
            write_rows(self.folder, self.store, self.wordless)
