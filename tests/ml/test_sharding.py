"""A network that is shared out (FSDP), in a group of one process; tests/worker/test_several_processes.py has two."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.distributed.tensor import DTensor

from bert_training.ml import preparation, training
from bert_training.ml.errors import GpuOutOfMemory
from bert_training.ml.layout.layout import Padded
from bert_training.ml.learning.micro_batch import MicroBatch
from bert_training.ml.learning.precision import Arithmetic
from bert_training.ml.machine.distributed import Processes
from bert_training.ml.network.sharding import Sharding
from bert_training.ml.rows.cutting import Cutting
from bert_training.ml.rows.feeding import StepMaker
from bert_training.ml.task_network import IGNORE, Example
from bert_training.ml.training import BaseModelFiles
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.architectures import CONFIGS, tiny_network
from tests.ml.interruptions import release_at, run_twice
from tests.ml.runs import Recorder, run_text, text_job, toy_settings

EXACT: dict[str, Any] = {"epochs": 1, "max_steps": 4, "adam_epsilon": 1e-4}
CPU = torch.device("cpu")
IDS = torch.tensor([[2, 7, 9, 11, 3], [2, 8, 6, 5, 3]])


@pytest.fixture
def shared_out(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> Processes:
    """Let runs share their network out, though among one process."""
    monkeypatch.setattr(training, "join_world", lambda device: processes)
    monkeypatch.setattr(preparation, "shall_shard", lambda settings, world: world is processes)
    return processes


@pytest.mark.parametrize("architecture", CONFIGS)
def test_gradients_and_answers_are_those_of_the_whole_network(processes: Processes, architecture: str) -> None:
    plain, model = (tiny_network(architecture, label_per_token=False) for _network in range(2))
    for network in (plain, model):
        network.train(False)
    plain(input_ids=IDS).logits.square().sum().backward()
    sharding = Sharding(model, CPU, processes)
    with sharding.whole(), torch.inference_mode():
        torch.testing.assert_close(model(input_ids=IDS).logits, plain(input_ids=IDS).logits)
    model(input_ids=IDS).logits.square().sum().backward()
    gradients = {name: weight.grad for name, weight in model.named_parameters()}
    for name, weight in plain.named_parameters():
        shared = gradients[name]
        assert (shared is None) == (weight.grad is None), name
        if weight.grad is not None:
            assert isinstance(shared, DTensor)
            torch.testing.assert_close(shared.full_tensor(), weight.grad)
    sharding.end()
    assert (type(model), list(model.state_dict())) == (type(plain), list(plain.state_dict()))
    assert not any(isinstance(weight, DTensor) for weight in model.state_dict().values())
    torch.testing.assert_close(model(input_ids=IDS).logits, plain(input_ids=IDS).logits)


def test_a_run_keeps_the_network_of_a_run_that_shares_nothing_out(
    calm_tiny_bert: BaseModelFiles, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = {**EXACT, "lora_r": 4, "lora_dropout": 0.0}
    run_text(text_job(calm_tiny_bert, tmp_path / "plain", **settings))
    request.getfixturevalue("shared_out")
    run_text(text_job(calm_tiny_bert, tmp_path / "shared", **settings))
    plain, shared = (tmp_path / name / "final" for name in ("plain", "shared"))
    assert json.loads((shared / "config.json").read_text()) == json.loads((plain / "config.json").read_text())
    for file in ("model.safetensors", "adapter/adapter_model.safetensors"):
        expected, kept = load_file(plain / file), load_file(shared / file)
        assert kept.keys() == expected.keys()
        for name, weight in expected.items():
            torch.testing.assert_close(kept[name], weight, atol=1e-6, rtol=0)


def test_stopped_and_resumed_it_ends_as_if_it_never_stopped(
    tiny_bert: BaseModelFiles, tmp_path: Path, shared_out: Processes
) -> None:
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "undisturbed", **EXACT))
    resumed, _rest, step = run_twice(run_text, text_job(tiny_bert, tmp_path / "resumed", **EXACT), release_at(2))
    assert (resumed, step) == (undisturbed, 2)


def test_who_runs_out_of_memory_ends_the_run_with_advice(
    tiny_bert: BaseModelFiles, tmp_path: Path, shared_out: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> torch.Tensor:
        monkeypatch.setattr(shared_out, "sum", lambda _tensor: pytest.fail("the others are in the middle of a layer"))
        raise torch.OutOfMemoryError

    monkeypatch.setattr(TextClassificationNetwork, "loss", fail)
    with pytest.raises(GpuOutOfMemory, match="Try batch_size 4 with gradient_accumulation_steps 2"):
        run_text(text_job(tiny_bert, tmp_path / "job", **EXACT))


def test_fp16_is_not_chosen(
    tiny_bert: BaseModelFiles, tmp_path: Path, shared_out: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "choose_precision", lambda device, wanted: Arithmetic("fp16", "an older GPU"))
    recorder = Recorder(lambda seen: "cancel" if "precision" in seen.text else "continue")
    run_text(text_job(tiny_bert, tmp_path / "job"), recorder)
    assert "precision fp32 (FSDP has no loss scale for fp16)" in recorder.text


@pytest.mark.parametrize("label_per_token", [False, True])
def test_nothing_is_judged_in_the_batch_of_who_has_none(label_per_token: bool) -> None:
    tokens = torch.arange(3).int().numpy()
    cutting = Cutting(tokens[:1], tokens[:1], 8, "right", label_per_token)
    maker = StepMaker(cutting, Padded(0, label_per_token), MicroBatch(toy_settings(), CPU))
    labels = torch.arange(3 if label_per_token else 1).numpy()
    step = maker.make([Example(tokens, labels), Example(tokens[:2], labels[: len(tokens[:2])])])
    batch = maker.nothing(step)
    assert batch.lengths == [4]
    assert (batch.labels == IGNORE).all()
