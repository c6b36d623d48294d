"""Turns the rows of a run into numbers and says what became of them: how long they are, what is cut off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from bert_training.data.profiling.token_lengths import count_token_lengths
from bert_training.ml.cutting import Cutting, cutting_for
from bert_training.ml.job import TrainingJob
from bert_training.ml.reporting import RunReport
from bert_training.ml.task_network import IGNORE, Example, Piece, TaskNetwork

SPLITS = ("train", "validation", "test")
ROWS_PER_CALL = 1000  # rows handed to the tokenizer at once: some 50 ms between two signs of life
LINE_SECONDS = 5.0
KEPT = {
    "right": "only their beginning is used",
    "left": "only their end is used",
    "middle": "only their beginning and end are used",
    "none": "they are read in windows",
}


@dataclass(frozen=True)
class Rows:
    """The encoded rows of a run by split, and how they are cut."""

    splits: dict[str, list[Example]]
    cutting: Cutting

    def all(self) -> Iterator[Example]:
        """Return the rows of all splits."""
        return chain.from_iterable(self.splits.values())


def encode_rows(job: TrainingJob, network: TaskNetwork[Any], report: RunReport) -> Rows:
    """Encode the whole table and deal its rows out to their splits."""
    report.enter("tokenizing")
    cutting = cutting_for(network.tokenizer, job.settings, label_per_token=network.label_per_token)
    examples, wordless = _encode(job, network, report)
    lengths = [len(example.input_ids) + cutting.specials for example in examples]
    counts = count_token_lengths(lengths, job.row_classes, max_length=cutting.max_length)
    report.reporter.token_lengths(counts)
    splits: dict[str, list[Example]] = {name: [] for name in SPLITS}
    for example, split in zip(examples, job.splits, strict=True):
        splits[split].append(example)
    _describe_rows(job, splits, lengths, report)
    _describe_cut(examples, cutting, wordless, report)
    return Rows(splits, cutting)


def _encode(job: TrainingJob, network: TaskNetwork[Any], report: RunReport) -> tuple[list[Example], int]:
    examples: list[Example] = []
    wordless, line_at = 0, report.clock()
    for start in range(0, len(job.table), ROWS_PER_CALL):
        encoded = network.encode(job.table.iloc[start : start + ROWS_PER_CALL])
        examples += encoded.examples
        wordless += encoded.wordless
        report.pulse()
        if report.clock() - line_at >= LINE_SECONDS:
            line_at = report.clock()
            report.info(f"Tokenized {len(examples):,} of {len(job.table):,} rows")
    return examples, wordless


def _describe_rows(
    job: TrainingJob, splits: dict[str, list[Example]], lengths: Sequence[int], report: RunReport
) -> None:
    tokens = sum(lengths)
    rows = ", ".join(f"{name} {len(examples):,}" for name, examples in splits.items())
    report.info(f"Rows: {rows}; {tokens:,} tokens, {tokens / max(1, len(job.table)):.0f} a row")
    for name in ("validation", "test"):
        if not splits[name]:
            report.warning(f"The {name} split has no rows: its figures stay empty")


def _describe_cut(examples: Sequence[Example], cutting: Cutting, wordless: int, report: RunReport) -> None:
    """Say how many rows are too long, and how many words have no prediction of their own."""
    long = [row for row in examples if len(row.input_ids) + cutting.specials > cutting.max_length]
    if long:
        say = report.info if cutting.side == "none" else report.warning
        say(f"{len(long):,} of {len(examples):,} rows are too long: {KEPT[cutting.side]}")
    lost = wordless
    if cutting.label_per_token:
        lost += sum(_judged(row) - sum(map(_judged, cutting.cut(row))) for row in long)
    if lost:
        report.warning(f"{lost:,} words got no token (cut off or blank); they count as predicted outside")


def _judged(tokens: Example | Piece) -> int:
    return int((tokens.labels != IGNORE).sum())
