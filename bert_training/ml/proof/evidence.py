"""What a run leaves to be judged by: what each source answered, row by row."""

from dataclasses import dataclass

import numpy as np

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.predictions import EntityAnswers, LabelAnswers, Predictions, prediction_digest
from bert_training.ml.job import TrainingJob
from bert_training.ml.proof.final_judgement import FinalJudgement
from bert_training.ml.reporting import RunReport


@dataclass(frozen=True)
class Evidence:
    """predictions: of all sources, as they were told.  digest: their SHA-256, whatever their order."""

    predictions: list[Predictions]
    digest: str


def gather_evidence(job: TrainingJob, judged: FinalJudgement, report: RunReport) -> Evidence:
    """Tell the reporter what the kept network answers for validation and test."""
    predictions = [
        _of_split(job, Split.VALIDATION, judged.validation),
        _of_split(job, Split.TEST, judged.test.answers),
    ]
    predictions = [own for own in predictions if len(own.rows)]
    for own in predictions:
        report.reporter.predictions(own)
    return Evidence(predictions, prediction_digest(predictions))


def _of_split(job: TrainingJob, split: Split, answers: LabelAnswers | EntityAnswers) -> Predictions:
    numbers = job.table["row"].to_numpy(dtype=np.int64)
    units = np.array(job.units or range(len(numbers)), dtype=np.int64)
    rows = np.flatnonzero(np.array(job.splits) == split)
    return Predictions(PredictionSource.NETWORK, split, numbers[rows], numbers[units[rows]], answers)
