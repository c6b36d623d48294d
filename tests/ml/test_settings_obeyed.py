"""No declared setting is silently ignored: each changes the weights that come out, or has tests of its own."""

from pathlib import Path
from typing import Any

import pytest

from bert_training.ml.training import BaseModelFiles
from bert_training.tasks.hyperparameters.settings import Hyperparameters
from tests.ml.runs import run_text, text_job, text_table
from tests.ml.tiny_bert import write_tiny_bert

STEPS = 3
# name -> value that gives other weights after STEPS steps, and what else it takes for that
CHANGES: dict[str, dict[str, Any]] = {
    "adam_beta1": {"adam_beta1": 0.5},
    "adam_beta2": {"adam_beta2": 0.9},
    "adam_epsilon": {"adam_epsilon": 1e-3},
    "batch_size": {"batch_size": 4},
    "dropout": {"dropout": 0.5},
    "freeze_embeddings": {"freeze_embeddings": True},
    "frozen_layers": {"frozen_layers": 1},
    "gradient_accumulation_steps": {"gradient_accumulation_steps": 2},
    "label_smoothing_factor": {"label_smoothing_factor": 0.2},
    "layer_lr_decay": {"layer_lr_decay": 0.5},
    "learning_rate": {"learning_rate": 1e-3},
    "lora_alpha": {"lora_r": 4, "lora_alpha": 4},
    "lora_dropout": {"lora_r": 4, "lora_dropout": 0.5},
    "lora_r": {"lora_r": 4},
    "lr_scheduler_type": {"lr_scheduler_type": "cosine"},
    "max_grad_norm": {"max_grad_norm": 0.01},
    "max_length": {"max_length": 8},
    "max_steps": {"max_steps": STEPS - 1},
    "seed": {"seed": 7},
    "truncation_side": {"max_length": 8, "truncation_side": "left"},
    "use_class_weights": {"use_class_weights": False},
    "warmup_ratio": {"warmup_ratio": 0.5},
    "warmup_steps": {"warmup_steps": 2},
    "weight_decay": {"weight_decay": 0.5},
}
# What changes no weights, or only together with more rows and time: obeyed in the tests of its own part.
ELSEWHERE = {
    "batch_tokens",
    "dataloader_num_workers",
    "dataloader_pin_memory",
    "deterministic",
    "early_stopping_patience",
    "early_stopping_threshold",
    "epochs",
    "eval_steps",
    "gradient_checkpointing",
    "logging_steps",
    "lowercase",
    "parallelism",
    "precision",
    "save_steps",
    "save_total_limit",
    "test_split",
    "train_split",
    "validation_split",
    "window_overlap",
}


def weights_of(base_model: BaseModelFiles, job_dir: Path, **settings: Any) -> str:
    """Return the fingerprint of what a short run leaves. Its classes are uneven, so that their weights count."""
    settings = {"max_steps": STEPS, "epochs": 2, **settings}
    table = text_table(40, shares=(6, 2, 1))
    return run_text(text_job(base_model, job_dir, table=table, **settings)).model_fingerprint


@pytest.fixture(scope="module")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> BaseModelFiles:
    return write_tiny_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="module")
def fingerprints() -> dict[str, str]:
    return {}


@pytest.mark.long
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_setting_gives_other_weights(
    base_model: BaseModelFiles, tmp_path: Path, fingerprints: dict[str, str], name: str
) -> None:
    changed = CHANGES[name]
    usual = {other: value for other, value in changed.items() if other != name}
    key = str(usual)
    if key not in fingerprints:
        fingerprints[key] = weights_of(base_model, tmp_path / "usual", **usual)
    assert weights_of(base_model, tmp_path / "changed", **changed) != fingerprints[key]


def test_every_declared_setting_is_in_one_of_the_lists() -> None:
    assert {*CHANGES} | ELSEWHERE == set(Hyperparameters.model_fields)
    assert not {*CHANGES} & ELSEWHERE
