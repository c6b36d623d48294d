"""The reference of the benchmark `evaluate`: draws rows with replacement, and reports anew on each source.

`python -m tests.bench.evaluate_plain labels 50`: kind of answers, replicates; prints what it took as JSON.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from seqeval.metrics.v1 import classification_report as entity_report
from seqeval.scheme import IOB2
from sklearn.metrics import classification_report

from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers
from tests.bench.evaluate_answers import SEED, label_sources, sentence_sources, tags_of
from tests.bench.evaluate_measured import print_measured


def main(kind: str, replicates: int) -> None:
    """Measure once. kind: labels or entities."""
    warnings.simplefilter("ignore")  # of classes that were never the answer
    sources = label_sources() if kind == "labels" else sentence_sources()
    reports = [report_on(source.answers) for source in sources]
    count = len(sources[0].rows)

    def judge() -> None:
        chance = np.random.default_rng(SEED)
        for _ in range(replicates):
            drawn = chance.integers(0, count, count)
            for report in reports:
                report(drawn)

    print_measured(judge, replicates)


def report_on(answers: LabelAnswers | EntityAnswers) -> Callable[[Any], Any]:
    """Return what reports on drawn rows of one source."""
    if isinstance(answers, LabelAnswers):
        return lambda drawn: classification_report(
            answers.gold[drawn], answers.predicted[drawn], output_dict=True, zero_division=0
        )
    gold, predicted = tags_of(answers.gold), tags_of(answers.predicted)
    return lambda drawn: entity_report(
        [gold[row] for row in drawn], [predicted[row] for row in drawn], scheme=IOB2, output_dict=True
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
