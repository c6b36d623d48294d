"""Reads the long rows of the test split in every way with the same network: what does each way of cutting lose?

The network was trained with one of the ways; the figures of the others say what they would read, not what a network
trained with them would learn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from bert_training.ml.job import TruncationSide
from bert_training.ml.judging.evaluation import Judge
from bert_training.ml.reporting import RunReport
from bert_training.ml.task_network import Evaluation, Example

WAYS: tuple[TruncationSide, ...] = get_args(TruncationSide)
LOSS = "loss"
LEAST_ROWS = 5  # below this a figure says nothing at all
MOST_ROWS = 200
MOST_TOKENS = 250_000  # of the sampled rows: about a minute on one CPU core with a network of 22 M parameters


@dataclass(frozen=True)
class JudgedTest:
    """The test split as it was judged in the way that was trained with. best_metric: which picked the network."""

    judge: Judge
    examples: Sequence[Example]
    evaluation: Evaluation
    best_metric: str

    @property
    def metric(self) -> str:
        """The metric that ways are compared by: not the loss, which for windows is another quantity (their mean)."""
        others = [name for name in self.evaluation.metrics if name != LOSS]
        return self.best_metric if self.best_metric in others else others[0]


def compare_ways(test: JudgedTest, report: RunReport, *, seed: int) -> dict[str, Any] | None:
    """Judge a sample of the rows that are too long in each way, and tell of it; None with fewer than LEAST_ROWS.

    Returns contract.messages.LongText as JSON values. A figure of all test rows exists where no row was left out of
    the sample, and for the way that was trained with.
    """
    cutting, began = test.judge.cutting, report.clock()
    long_rows = [row for row, example in enumerate(test.examples) if len(example.input_ids) > cutting.room]
    if len(long_rows) < LEAST_ROWS:
        return None
    rows = _sample(test.examples, long_rows, seed=seed)
    report.info(
        f"Long texts: {len(long_rows):,} of {len(test.examples):,} test rows are longer than {cutting.max_length:,} "
        f"tokens; {len(rows):,} of them are read in every way by this network, trained with {cutting.side}"
    )
    ways = [_read(way, test, rows, judges_all=len(rows) == len(long_rows)) for way in WAYS]
    for figures in ways:
        report.info(_line(figures, test.metric))
    report.info(f"Long texts compared in {report.clock() - began:.1f} s")
    return {
        **cutting.facts(),
        "metric": test.metric,
        "test_rows": len(test.examples),
        "long_rows": len(long_rows),
        "compared_rows": len(rows),
        "ways": ways,
    }


def _sample(examples: Sequence[Example], long_rows: list[int], *, seed: int) -> list[int]:
    """Draw rows until there are MOST_ROWS or MOST_TOKENS, but LEAST_ROWS at least; the same for a seed, in order."""
    drawn = np.random.default_rng(seed).permutation(long_rows)
    tokens = np.cumsum([len(examples[row].input_ids) for row in drawn])
    count = int(np.searchsorted(tokens, MOST_TOKENS, side="right"))
    return sorted(drawn[: min(MOST_ROWS, max(LEAST_ROWS, count))].tolist())


def _read(way: TruncationSide, test: JudgedTest, rows: list[int], *, judges_all: bool) -> dict[str, Any]:
    """Judge rows in one way. What was predicted in the way that was trained with is not computed again."""
    judge = test.judge.reading(replace(test.judge.cutting, side=way))
    chosen = [test.examples[row] for row in rows]
    predictions = list(test.evaluation.predictions)
    if way == test.judge.cutting.side:
        on_all = test.evaluation.metrics.get(test.metric)
    else:
        for row, prediction in zip(rows, judge.predict(chosen), strict=True):
            predictions[row] = prediction
        # rows that are not too long are read alike in every way
        on_all = judge.figures(predictions, test.examples).metrics.get(test.metric) if judges_all else None
    lengths = [len(example.input_ids) for example in chosen]
    return {
        "way": way,
        "unseen_share": 1 - sum(map(judge.cutting.count_seen, lengths)) / sum(lengths),
        "on_long": judge.figures([predictions[row] for row in rows], chosen).metrics.get(test.metric),
        "on_all": on_all,
    }


def _line(figures: dict[str, Any], metric: str) -> str:
    on_long, on_all = (
        "not known" if value is None else f"{value:.4f}" for value in (figures["on_long"], figures["on_all"])
    )
    return (
        f"Long texts, {figures['way']}: {figures['unseen_share']:.1%} of their tokens not seen, "
        f"{metric} {on_long} on them, {on_all} on all test rows"
    )
