"""Our proof of the answers of the benchmark `evaluate`: every figure, per class too, with its interval, and the gain.

`python -m tests.bench.evaluate_ours labels`: prints what it took as JSON.
"""

import sys
from typing import Any

from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.judgement import Judgement
from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.prove import prove
from bert_training.data.proof.resampling import REPLICATES
from tests.bench.evaluate_answers import CLASSES, SEED, TYPES, label_sources, sentence_sources
from tests.bench.evaluate_measured import print_measured


def main(kind: str) -> None:
    """Measure once. kind: labels or entities."""
    sources = label_sources() if kind == "labels" else sentence_sources()
    judgement: Judgement[Any] = LABELS if kind == "labels" else ENTITIES
    names = [str(label) for label in range(CLASSES)] if kind == "labels" else list(TYPES)
    metric = "f1_macro" if kind == "labels" else "f1"
    calibration = {"temperature": 1.5, "biases": []}

    def judge() -> None:
        prove(sources, judgement=judgement, names=names, metric=metric, seed=SEED, calibration=calibration, judged=0)

    print_measured(judge, REPLICATES)


if __name__ == "__main__":
    main(sys.argv[1])
