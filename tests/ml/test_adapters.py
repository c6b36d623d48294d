"""LoRA: little learns, checkpoints are small, the kept model is a plain one, and PEFT loads the adapter beside it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, pipeline

from bert_training.ml.errors import SettingsUnusable
from bert_training.ml.keeping.checkpoints import newest_checkpoint
from bert_training.ml.network.adapters import Adapter, find_head, find_targets
from bert_training.ml.network.layers import parameter_depths
from bert_training.ml.training import BaseModelFiles, TrainingJob
from tests.ml.architectures import CONFIGS, tiny_network
from tests.ml.runs import TAGS, TEXT_LABELS, Recorder, run_text, run_tokens, text_job, token_job, toy_settings

LORA: dict[str, Any] = {"lora_r": 8, "learning_rate": 1e-2}
IDS = torch.tensor([[2, 7, 9, 11, 3], [2, 8, 6, 5, 3]])


def logits_of(model: torch.nn.Module) -> torch.Tensor:
    model.eval()
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=IDS).logits
        return logits


@pytest.mark.parametrize(
    ("architecture", "label_per_token"), [*((name, False) for name in CONFIGS), ("bert", True), ("modernbert", True)]
)
def test_an_adapter_is_merged_into_a_plain_network_and_loads_in_peft(
    tmp_path: Path, architecture: str, label_per_token: bool
) -> None:
    model = tiny_network(architecture, label_per_token=label_per_token)
    names = list(model.state_dict())
    adapter = Adapter(model, toy_settings(lora_r=4), base_name="owner/name")
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.no_grad():
        for parameter in learning:
            parameter.add_(0.1 * torch.randn_like(parameter))
    trained = logits_of(model)

    adapter.merge()
    adapter.save(tmp_path / "adapter")

    assert list(model.state_dict()) == names
    torch.testing.assert_close(logits_of(model), trained, atol=1e-5, rtol=1e-5)
    base = tiny_network(architecture, label_per_token=label_per_token)
    assert not torch.allclose(logits_of(base), trained, atol=1e-3)
    loaded = PeftModel.from_pretrained(base, str(tmp_path / "adapter"))
    torch.testing.assert_close(logits_of(loaded), trained, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", CONFIGS)
def test_targets_are_all_linear_layers_of_the_encoder_and_nothing_of_the_head(architecture: str) -> None:
    model = tiny_network(architecture)
    depths = parameter_depths(model)
    targets = find_targets(model)
    inside = {
        name
        for name, weights in model.named_parameters()
        if weights.dim() == 2 and 0 < depths[name] < max(depths.values())
    }
    assert {f"{name}.weight" for name in targets} == inside
    assert "classifier" in " ".join(find_head(model))


def test_frozen_layers_get_no_adapter() -> None:
    assert {name.split(".")[3] for name in find_targets(tiny_network("bert"), above_layer=2)} == {"2"}
    with pytest.raises(SettingsUnusable, match="no linear layers above the 3 frozen ones"):
        Adapter(tiny_network("bert"), toy_settings(lora_r=4, frozen_layers=3), base_name="x")


def test_texts_are_learned_and_the_pipeline_loads_the_kept_model(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder, job_dir = Recorder(), tmp_path / "job"
    result = run_text(text_job(tiny_bert, job_dir, epochs=8, **LORA), recorder)

    assert (result.metrics["f1_macro"] or 0) > 0.9
    classify = pipeline("text-classification", model=str(job_dir / "final"), device="cpu")
    answers = classify(["o autor pede salario", "a parte pede imposto no processo"])
    assert [answer["label"] for answer in answers] == ["pessoal", "tributario"]
    assert "LoRA of rank 8 (alpha 32, dropout 0.1) beside 12 linear layers (dense, key, query, value)" in recorder.text
    assert "parameters learn" in recorder.text
    assert "frozen: all but adapter and head" in recorder.text


def test_entities_are_learned_and_the_adapter_alone_gives_the_same_answers(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    final = tmp_path / "job" / "final"
    result = run_tokens(token_job(tiny_bert, tmp_path / "job", epochs=6, **LORA))

    assert (result.metrics["f1"] or 0) > 0.9
    base = AutoModelForTokenClassification.from_pretrained(tiny_bert.folder, num_labels=len(TAGS))
    adapted = PeftModel.from_pretrained(base, str(final / "adapter"))
    kept = AutoModelForTokenClassification.from_pretrained(final)
    torch.testing.assert_close(logits_of(adapted), logits_of(kept), atol=1e-5, rtol=1e-5)
    config = json.loads((final / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["base_model_name_or_path"]) == (8, "tiny-bert")
    assert {path.name for path in (final / "adapter").iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}


def test_checkpoints_hold_only_what_learns(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=1, **LORA))
    (checkpoint,) = (tmp_path / "job" / "checkpoints").glob("step-*")
    held = load_file(checkpoint / "model.safetensors")
    kept = load_file(tmp_path / "job" / "final" / "model.safetensors")
    assert all("lora_" in name or "modules_to_save" in name for name in held)
    assert sum(map(torch.numel, held.values())) < sum(map(torch.numel, kept.values())) / 2


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(LORA, marks=pytest.mark.long),
        {**LORA, "frozen_layers": 1, "layer_lr_decay": 0.8, "gradient_accumulation_steps": 2, "batch_size": 4},
        {"freeze_embeddings": True, "frozen_layers": 1},
    ],
)
def test_resumed_it_is_the_training_that_never_stopped(
    tiny_bert: BaseModelFiles, tmp_path: Path, settings: dict[str, Any]
) -> None:
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole", epochs=3, **settings))
    job = text_job(tiny_bert, tmp_path / "job", epochs=3, **settings)
    run_text(job, Recorder(lambda seen: "release" if seen.moments[-1]["step"] == 10 else "continue"))
    torch.manual_seed(99)
    assert run_text(replace(job, resume_step=step_of(job))) == undisturbed


def step_of(job: TrainingJob) -> int:
    checkpoint = newest_checkpoint(job.job_dir / "checkpoints", job.identity, on_skipped=pytest.fail)
    assert checkpoint is not None
    return checkpoint.step


def test_what_is_frozen_stays_bit_by_bit(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=1, **LORA, frozen_layers=1))
    before = AutoModelForSequenceClassification.from_pretrained(
        tiny_bert.folder, num_labels=len(TEXT_LABELS)
    ).state_dict()
    kept = load_file(tmp_path / "job" / "final" / "model.safetensors")
    changed = {name for name, weights in kept.items() if not torch.equal(weights, before[name])}
    assert {name.split(".")[3] for name in changed if ".layer." in name} == {"1"}
    assert not any("embeddings" in name for name in changed)
