"""Leaves the trained network as a folder that transformers.pipeline loads offline, with where it came from.

config.json (real label names), model.safetensors, tokenizer, run.json, README.md. No pickle.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_training.data.digest import file_digest
from bert_training.data.model_card import ModelCardFacts, model_card
from bert_training.data.proof.shape import Proof
from bert_training.ml.job import TrainingJob
from bert_training.ml.keeping.checkpoints import WEIGHTS
from bert_training.ml.keeping.folders import whole_folder
from bert_training.ml.layout.vocabulary import restore_all_words
from bert_training.ml.network.adapters import Adapter
from bert_training.ml.proof.evidence import Evidence
from bert_training.ml.proof.final_judgement import FinalJudgement
from bert_training.ml.task_network import TaskNetwork

RUN_FILE_VERSION = 1
ADAPTER = "adapter"


@dataclass(frozen=True)
class RunFacts:
    """What run.json and the model card say about a run. rows: by split.  seconds: by phase.

    validation: figures by which the best weights were picked, before they were calibrated.
    reading: how long rows are read (Cutting.facts).  long_text: what other ways would lose, see ml.judging.long_text.
    """

    job: TrainingJob
    machine: dict[str, Any]
    rows: dict[str, int]
    best_epoch: int
    best_step: int
    validation: dict[str, float | None]
    judged: FinalJudgement
    evidence: Evidence
    seconds: dict[str, float]
    reading: dict[str, Any]
    long_text: dict[str, Any] | None


def keep_final_model(
    folder: Path, network: TaskNetwork[Any], facts: RunFacts, *, adapter: Adapter | None = None
) -> str:
    """Write the model folder, whole or not at all. Returns its fingerprint: the SHA-256 of model.safetensors.

    adapter: merged into the network before; is written beside it too, as adapter/.
    """
    restore_all_words(network.model)
    with whole_folder(folder) as unfinished:
        network.model.save_pretrained(unfinished)
        network.tokenizer.save_pretrained(unfinished)
        if adapter:
            adapter.save(unfinished / ADAPTER)
        fingerprint = file_digest(unfinished / WEIGHTS)
        run = describe_run(facts, fingerprint)
        (unfinished / "run.json").write_text(json.dumps(run, ensure_ascii=False, indent=1), encoding="utf-8")
        card = model_card(_card_facts(facts, fingerprint, task=network.pipeline_tag))
        (unfinished / "README.md").write_text(card, encoding="utf-8")
    return fingerprint


def describe_run(facts: RunFacts, fingerprint: str) -> dict[str, Any]:
    """Return what run.json holds: plain JSON values, never a row's text."""
    return {
        "version": RUN_FILE_VERSION,
        "model_fingerprint": fingerprint,
        "base_model": {"name": facts.job.base_model.name, "revision": facts.job.base_model.revision},
        "labels": facts.job.label_names,
        "best_metric": facts.job.best_metric,
        "best_epoch": facts.best_epoch,
        "best_step": facts.best_step,
        "validation": facts.validation,
        "test": {"metrics": facts.judged.test.metrics, "classes": facts.judged.test.classes},
        "calibration": facts.judged.calibration_facts(),
        "prediction_digest": facts.evidence.digest,
        "proof": _short(facts.evidence.proof),
        "rows": facts.rows,
        "reading": facts.reading,
        "long_text": facts.long_text,
        "machine": facts.machine,
        "seconds": {phase: round(seconds, 3) for phase, seconds in facts.seconds.items()},
        "provenance": facts.job.provenance,
    }


def _short(proof: Proof) -> dict[str, Any]:
    """Leave out what is long or about single rows of the spreadsheet: it follows from the predictions."""
    kept = {name: value for name, value in proof.items() if name not in ("confusion", "curves", "label_errors")}
    errors = proof["label_errors"]
    return {**kept, "label_errors": errors and {name: errors[name] for name in ("source", "judged", "counts")}}


def _card_facts(facts: RunFacts, fingerprint: str, *, task: str) -> ModelCardFacts:
    return ModelCardFacts(
        task=task,
        base_model=facts.job.base_model.name,
        revision=facts.job.base_model.revision,
        fingerprint=fingerprint,
        best_metric=facts.job.best_metric,
        best_step=facts.best_step,
        metrics=facts.judged.test.metrics,
        classes=facts.judged.test.classes,
        rows=facts.rows,
        provenance={**facts.job.provenance, **facts.machine},
        reading=facts.reading,
        proof=facts.evidence.proof,
    )
