"""Judges what is simpler than a network on the same rows: the floor under its figures, and a second look at the labels.

Knows no task: a network module's build_baselines makes them. Each learns from train and answers test; the linear one
also answers every row after learning from rows of other units alone, and so finds labels to doubt.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Protocol, TypeVar

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.doubting.label_errors import find_suspects
from bert_training.data.predicting.predictions import Predictions, merge
from bert_training.ml.job import TrainingJob
from bert_training.ml.proof.run_rows import Answers, RowIndexes, RunRows
from bert_training.ml.reporting import RunReport, StopRequested
from bert_training.ml.rows.waiting import wait_for

ResultT = TypeVar("ResultT")


class NothingToLearn(ValueError):
    """A baseline cannot learn from these rows: no words, or one class only."""


class Baseline(Protocol):
    """A simple method over the rows of one table; rows are indexes into it. Same seed and rows, same answers."""

    source: PredictionSource

    def fit(self, rows: RowIndexes) -> str:
        """Learn from these rows alone and say what was learned, for a line; raises NothingToLearn."""

    def answer(self, rows: RowIndexes) -> Answers:
        """Return the answers for these rows, by what was learned last."""


def judge_baselines(job: TrainingJob, network_module: ModuleType, report: RunReport) -> list[Predictions]:
    """Return the baselines' answers for test, and the rows of all splits whose label the linear one doubts.

    Gives signs of life and obeys orders meanwhile, between two fits (raises StopRequested). A baseline that fails, for
    whatever reason, is absent with a line that says so: it must not cost a network that was trained for hours.
    """
    rows = RunRows(job)
    found: list[Predictions] = []
    with ThreadPoolExecutor(1, thread_name_prefix="baselines") as thread:
        aside = _Aside(thread, report)
        for baseline in network_module.build_baselines(job.table, label_names=job.label_names, seed=job.settings.seed):
            try:
                found += _judge_on_test(baseline, rows, aside)
                if baseline.source == PredictionSource.LINEAR:
                    found += _doubt_labels(baseline, rows, aside)
            except StopRequested:
                raise
            except Exception as error:  # noqa: BLE001 - told without its words, which may be a row's
                why = str(error) if isinstance(error, NothingToLearn) else type(error).__name__
                report.warning(f"The {baseline.source} baseline is left out: {why}")
    return found


class _Aside:
    """Does work in a thread, one piece after the other, while the run gives signs of life."""

    def __init__(self, thread: ThreadPoolExecutor, report: RunReport) -> None:
        self.thread = thread
        self.report = report

    def do(self, work: Callable[[RowIndexes], ResultT], rows: RowIndexes) -> ResultT:
        """Return what work makes of the rows."""
        future = self.thread.submit(work, rows)
        wait_for(future, on_wait=self.report.pulse)
        self.report.pulse()
        return future.result()


def _judge_on_test(baseline: Baseline, rows: RunRows, aside: _Aside) -> list[Predictions]:
    """Let a baseline learn from train and answer test."""
    began = aside.report.clock()
    learned = aside.do(baseline.fit, rows.of(Split.TRAIN))
    test = rows.of(Split.TEST)
    answers = aside.do(baseline.answer, test)
    seconds = aside.report.clock() - began
    aside.report.info(
        f"Baseline {baseline.source}, learned from train and answered for test in {seconds:.1f} s: {learned}"
    )
    return [rows.predictions(baseline.source, Split.TEST, test, answers)]


def _doubt_labels(baseline: Baseline, rows: RunRows, aside: _Aside) -> list[Predictions]:
    """Return the rows whose label is doubted by a baseline that learned neither from them nor from their unit.

    Where the other folds teach nothing (one class that a single unit has), the rows of a fold are doubted by nobody.
    """
    began = aside.report.clock()
    parts: list[Predictions] = []
    for learned, asked in rows.folds():
        try:
            aside.do(baseline.fit, learned)
        except NothingToLearn:
            continue
        parts += rows.by_split(baseline.source, asked, aside.do(baseline.answer, asked))
    suspects = merge(find_suspects(parts))
    aside.report.info(
        f"Labels of {sum(len(part.rows) for part in parts):,} rows compared with baselines that had not seen them: "
        f"{sum(len(part.rows) for part in suspects):,} are doubted ({aside.report.clock() - began:.1f} s)"
    )
    return suspects
