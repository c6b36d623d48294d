"""The rows of a run in numbers: from the cache of an earlier run, or encoded beside the first steps."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bert_training.ml.job import TrainingJob
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.batching import epoch_order
from bert_training.ml.rows.cutting import cutting_for
from bert_training.ml.rows.encoder import Encoder
from bert_training.ml.rows.row_report import describe_lengths, describe_lost_words, describe_splits
from bert_training.ml.rows.row_store import RowStore, SplitRows
from bert_training.ml.rows.token_cache import CacheDamaged, KeptRows, cache_key, read_rows
from bert_training.ml.task_network import Example, TaskNetwork

SPLITS = ("train", "validation", "test")
ROWS_PER_CALL = 1000  # rows handed to the tokenizer at once: some 50 ms
LINE_SECONDS = 5.0


def encode_rows(job: TrainingJob, network: TaskNetwork[Any], report: RunReport, at_end: ExitStack) -> "Rows":
    """Begin to encode the table; what still runs then is stopped at the end."""
    report.enter("tokenizing")
    rows = Rows(job, network, report)
    at_end.callback(rows.close)
    describe_splits({name: len(examples) for name, examples in rows.splits.items()}, report)
    rows.tell()
    return rows


class Rows:
    """The encoded rows of a run by split, some of them still on their way, and how they are cut.

    Who indexes a split waits for that row alone, in the loop's thread with signs of life; `wait` waits for all.
    """

    def __init__(self, job: TrainingJob, network: TaskNetwork[Any], report: RunReport) -> None:
        self.cutting = cutting_for(network.tokenizer, job.settings, label_per_token=network.label_per_token)
        self._job = job
        self._report = report
        self._line_at = report.clock()
        self._is_described = self._is_failure_told = False
        folder = job.cache_dir / cache_key(job, network) if job.cache_dir else None
        self._kept = self._read_kept(folder, network) if folder else None
        self._encoder: Encoder | None = None
        if self._kept:
            self._store: RowStore[Any] = RowStore(self._kept.order, len(job.table), on_wait=report.pulse)
            self._store.add(self._kept.rows)
        else:
            self._store = RowStore(_order_of_need(job), ROWS_PER_CALL, on_wait=self._show_life)
            self._encoder = Encoder(job, network, self._store, folder)
        self.splits: dict[str, Sequence[Example]] = {
            name: SplitRows(self._store, _rows_in(job, name)) for name in SPLITS
        }

    def wait(self) -> None:
        """Wait until all rows are there, and kept for whoever comes next; what is known then is said."""
        self._store.wait()
        if self._encoder:
            self._encoder.wait_until_kept(on_wait=self._report.pulse)
        self.tell()

    def tell(self) -> None:
        """Say of the rows what is known by now and was not said yet; to be called often."""
        if self._store.is_complete and not self._is_described:
            self._is_described = True
            self._describe()
        failure = self._encoder.failure_to_keep if self._encoder else None
        if failure and not self._is_failure_told:
            self._is_failure_told = True
            self._report.warning(f"The tokens are not kept for later runs: {failure}")

    def all(self) -> Iterator[Example]:
        """Return the rows of all splits."""
        self.wait()
        return chain.from_iterable(self.splits.values())

    def network_tokens(self, split: str) -> NDArray[np.int64]:
        """Count the tokens of each row as the network sees it, cut, with special tokens: (N,). Waits for all rows."""
        self.wait()
        counts = (self._store.lengths() + self.cutting.specials)[_rows_in(self._job, split)]
        for row in np.flatnonzero(counts > self.cutting.max_length):
            counts[row] = sum(len(piece.input_ids) for piece in self.cutting.cut(self.splits[split][int(row)]))
        return counts

    def close(self) -> None:
        """Stop what still runs."""
        if self._encoder:
            self._encoder.close()

    def _read_kept(self, folder: Path, network: TaskNetwork[Any]) -> KeptRows | None:
        try:
            return read_rows(folder, network.example_class, len(self._job.table))
        except CacheDamaged as error:
            self._report.warning(f"The tokens kept by an earlier run are damaged ({error}): they are made anew")
            return None

    def _show_life(self) -> None:
        self._report.pulse()
        if self._report.clock() - self._line_at >= LINE_SECONDS:
            self._line_at = self._report.clock()
            self._report.info(f"Tokenized {self._store.row_count:,} of {len(self._job.table):,} rows")

    def _describe(self) -> None:
        lengths = self._store.lengths() + self.cutting.specials
        if self._encoder:
            wordless, origin = self._encoder.wordless, f"tokenized in {self._encoder.seconds:.1f} s"
        else:
            wordless, origin = self._kept.wordless if self._kept else 0, "kept by an earlier run"
        describe_lengths(self._job, lengths, self.cutting, self._report, origin=origin)
        describe_lost_words(lengths, self.cutting, self._store.__getitem__, self._report, wordless=wordless)


def _rows_in(job: TrainingJob, split: str) -> NDArray[np.int64]:
    """Return which rows of the table a split has."""
    return np.flatnonzero(np.array(job.splits, dtype=object) == split)


def _order_of_need(job: TrainingJob) -> NDArray[np.int64]:
    """Return the rows of the table as the first epoch needs them, then those that are judged."""
    train, validation, test = (_rows_in(job, split) for split in SPLITS)
    first = epoch_order(len(train), seed=job.settings.seed, epoch=1)
    return np.concatenate([train[first], validation, test])
