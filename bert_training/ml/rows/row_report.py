"""What a run says of its rows: how many each split has, how long they are, what is cut off."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from bert_training.data.profiling.token_lengths import count_token_lengths
from bert_training.ml.job import TrainingJob
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.cutting import Cutting
from bert_training.ml.task_network import IGNORE, Example, Piece

KEPT = {
    "right": "only their beginning is used",
    "left": "only their end is used",
    "middle": "only their beginning and end are used",
    "none": "they are read in windows",
}
SHOWN_ROWS = 5


def describe_splits(counts: Mapping[str, int], report: RunReport) -> None:
    """Say how many rows each split has; counts: by name."""
    report.info("Rows: " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    for name in ("validation", "test"):
        if not counts[name]:
            report.warning(f"The {name} split has no rows: its figures stay empty")


def describe_lengths(
    job: TrainingJob, lengths: NDArray[np.int64], cutting: Cutting, report: RunReport, *, origin: str
) -> None:
    """Say how long the rows are. lengths: tokens of each row of the table, special tokens among them, (N,)."""
    tokens = int(lengths.sum())
    report.info(f"Tokens: {tokens:,}, {tokens / max(1, len(lengths)):.0f} a row; {origin}")
    counts = count_token_lengths(lengths.tolist(), job.row_classes, max_length=cutting.max_length)
    report.reporter.token_lengths(counts)
    long_rows = int((lengths > cutting.max_length).sum())
    if long_rows:
        say = report.info if cutting.side == "none" else report.warning
        say(f"{long_rows:,} of {len(lengths):,} rows are too long: {KEPT[cutting.side]}")
    empty = job.table["row"][lengths <= cutting.specials].tolist()
    if empty:
        shown = ", ".join(map(str, empty[:SHOWN_ROWS])) + (" ..." if len(empty) > SHOWN_ROWS else "")
        report.warning(f"{len(empty):,} rows hold no token, the network sees nothing of them: row {shown}")


def describe_lost_words(
    lengths: NDArray[np.int64], cutting: Cutting, row_of: Callable[[int], Example], report: RunReport, *, wordless: int
) -> None:
    """Say how many words have no prediction of their own. wordless: those that became no token."""
    lost = wordless
    if cutting.label_per_token:
        for row in np.flatnonzero(lengths > cutting.max_length).tolist():
            lost += _judged(row_of(row)) - sum(map(_judged, cutting.cut(row_of(row))))
    if lost:
        report.warning(f"{lost:,} words got no token (cut off or blank); they count as predicted outside")


def _judged(tokens: Example | Piece) -> int:
    return int((tokens.labels != IGNORE).sum())
