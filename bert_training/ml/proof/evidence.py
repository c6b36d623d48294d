"""What a run leaves to be judged by: what each source answered, row by row, and the proof that follows from it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from bert_training.contract.enums import PredictionSource, Split
from bert_training.data.predicting.predictions import Predictions, prediction_digest
from bert_training.data.proof.prove import prove
from bert_training.data.proof.shape import Proof
from bert_training.ml.job import TrainingJob
from bert_training.ml.machine.distributed import ALONE
from bert_training.ml.proof.baselines import judge_baselines
from bert_training.ml.proof.final_judgement import FinalJudgement
from bert_training.ml.proof.run_rows import RunRows
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.waiting import wait_for
from bert_training.ml.task_network import TaskNetwork


@dataclass(frozen=True)
class Evidence:
    """digest: of all answers that were told (data.predictions).  proof: what they show."""

    digest: str
    proof: Proof


def gather_evidence(
    job: TrainingJob, network: TaskNetwork[Any], network_module: ModuleType, judged: FinalJudgement, report: RunReport
) -> Evidence:
    """Tell the reporter what network and baselines answer, and prove the run with it.

    Gives signs of life and obeys orders meanwhile. Of several processes the first does it, when the others have ended.
    """
    report.join(ALONE)
    rows = RunRows(job)
    answered = {Split.VALIDATION: judged.validation, Split.TEST: judged.test.answers}
    predictions = [
        *(rows.predictions(PredictionSource.NETWORK, split, rows.of(split), own) for split, own in answered.items()),
        *judge_baselines(job, network_module, report),
    ]
    predictions = [own for own in predictions if len(own.rows)]
    for own in predictions:
        report.reporter.predictions(own)
        report.pulse()
    with ThreadPoolExecutor(1, thread_name_prefix="proof") as thread:
        work = thread.submit(partial(_prove, job, network, judged, predictions))
        wait_for(work, on_wait=report.pulse)
    return work.result()


def _prove(
    job: TrainingJob, network: TaskNetwork[Any], judged: FinalJudgement, predictions: Sequence[Predictions]
) -> Evidence:
    proof = prove(
        predictions,
        judgement=network.judgement,
        names=network.judged_names,
        metric=job.best_metric,
        seed=job.settings.seed,
        calibration=judged.calibration_facts(),
        judged=len(job.table),
    )
    return Evidence(prediction_digest(predictions), proof)
