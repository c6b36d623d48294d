"""Which labels the networks of a cross-validation doubt, from the files of their predictions, in a child process.

Each training and validation row was answered once by a network that had not seen it, each test row by the run's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.doubting.label_errors import find_suspects
from bert_training.data.predicting.prediction_files import read_predictions
from bert_training.data.predicting.predictions import Predictions
from bert_training.data.proof.shape import LabelErrors
from bert_training.data.proof.suspects import linear_suspects
from bert_training.data.sandbox import run_in_sandbox
from bert_training.tasks.proving import PROVING_LIMITS

NETWORK = PredictionSource.NETWORK


def doubt_in_sandbox(own: Path, folds: Sequence[Path], names: Sequence[str]) -> LabelErrors:
    """Look through the predictions of a run and of its folds. Raises DatasetRefused, SandboxFailed."""
    arguments = {
        "own": str(own.resolve()),
        "folds": [str(path.resolve()) for path in folds],
        "names": list(names),
    }
    doubts: LabelErrors = run_in_sandbox(f"{__name__}.doubt_files", arguments, limits=PROVING_LIMITS)
    return doubts


def doubt_files(own: str, folds: list[str], names: list[str]) -> LabelErrors:
    """Run in the child: read the files, compare."""
    judged = judged_out_of_sample(
        read_predictions(Path(own)), [part for path in folds for part in read_predictions(Path(path))]
    )
    found = linear_suspects(find_suspects(judged), names=names, judged=sum(len(part.rows) for part in judged))
    if found is None:
        raise ValueError("the folds have answered for no row")
    return {**found, "source": NETWORK.value}


def judged_out_of_sample(own: Sequence[Predictions], folds: Sequence[Predictions]) -> list[Predictions]:
    """Return the answers for every row by a network that had not seen it, under the row's split in the run."""
    validation = [part.rows for part in own if (part.source, part.split) == (NETWORK, Split.VALIDATION)]
    rows = np.concatenate([np.empty(0, np.int64), *validation])
    judged = [part for part in own if (part.source, part.split) == (NETWORK, Split.TEST)]
    for part in folds:
        if (part.source, part.split) == (NETWORK, Split.TEST):
            judged.extend(_under_own_splits(part, np.isin(part.rows, rows)))
    return [part for part in judged if len(part.rows)]


def _under_own_splits(part: Predictions, is_validation: NDArray[np.bool_]) -> Iterator[Predictions]:
    yield replace(part.take(np.flatnonzero(is_validation)), split=Split.VALIDATION)
    yield replace(part.take(np.flatnonzero(~is_validation)), split=Split.TRAIN)
