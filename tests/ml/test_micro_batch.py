"""Out of memory: half as much at once, the same step; told once, remembered, and an error when one text is too much."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bert_training.ml.errors import GpuOutOfMemory
from bert_training.ml.machine.memory import explained_memory_errors
from bert_training.ml.task_network import Batch
from bert_training.ml.training import BaseModelFiles, TrainingJob, TrainingResult, train
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.runs import Recorder, module_with, run_text, text_job, toy_settings


def memory_for(pieces: int, *, of: str = "both") -> type[TextClassificationNetwork]:
    """Make a network for which more pieces than these at once are too much, while it learns, is judged, or both."""

    class Small(TextClassificationNetwork):
        def loss(self, logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
            torch.rand(1)  # a failed try has drawn random numbers
            is_learning = logits.requires_grad
            if len(batch.lengths) > pieces and of in ("both", "training" if is_learning else "evaluation"):
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().loss(logits, batch, class_weights)

    return Small


def run_small(job: TrainingJob, pieces: int, recorder: Recorder, **where: str) -> TrainingResult:
    return train(job, module_with(memory_for(pieces, **where)), recorder)


def losses(recorder: Recorder, split: str) -> list[float]:
    return [point["values"]["loss"] for point in recorder.of_split(split)]


def warnings_of(recorder: Recorder) -> list[str]:
    return [message for level, message in recorder.lines if level == "WARNING" and "ran out of memory" in message]


def test_with_half_the_micro_batch_a_run_learns_what_one_that_began_so_learns(
    calm_tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    small, halved = Recorder(), Recorder()
    began_small = text_job(calm_tiny_bert, tmp_path / "small", epochs=2, batch_size=2, gradient_accumulation_steps=4)
    run_text(began_small, small)
    run_small(text_job(calm_tiny_bert, tmp_path / "halved", epochs=2), 2, halved)

    assert losses(halved, "train") == losses(small, "train")
    assert losses(halved, "validation") == pytest.approx(losses(small, "validation"), abs=1e-6)


def test_each_halving_is_told_once_with_its_numbers(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    run_small(text_job(tiny_bert, tmp_path / "job", epochs=2, gradient_accumulation_steps=2), 2, recorder)
    assert warnings_of(recorder) == [
        "The GPU ran out of memory with 8 at once. From here on 4 at once, gradients of 4 batches added up a step: the "
        "effective batch stays 16, and so does the result.",
        "The GPU ran out of memory with 4 at once. From here on 2 at once, gradients of 8 batches added up a step: the "
        "effective batch stays 16, and so does the result.",
    ]


def test_a_step_is_taken_again_with_the_random_numbers_that_it_began_with(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    """With dropout: at one piece a batch, the masks are those of a run that began with one piece a batch."""
    small, halved = Recorder(), Recorder()
    one = text_job(tiny_bert, tmp_path / "small", max_steps=3, batch_size=1, gradient_accumulation_steps=8)
    run_small(one, 1, small)
    run_small(text_job(tiny_bert, tmp_path / "halved", max_steps=3), 1, halved)
    assert losses(halved, "train") == losses(small, "train")


def test_an_evaluation_that_does_not_fit_is_done_in_smaller_parts(
    calm_tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    whole, halved = Recorder(), Recorder()
    run_text(text_job(calm_tiny_bert, tmp_path / "whole", epochs=1), whole)
    run_small(text_job(calm_tiny_bert, tmp_path / "halved", epochs=1), 3, halved, of="evaluation")
    assert len(warnings_of(halved)) == 2
    assert losses(halved, "test") == pytest.approx(losses(whole, "test"), abs=1e-6)


def test_a_resumed_run_begins_with_what_fitted(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = text_job(tiny_bert, tmp_path / "job", epochs=2)
    stop = Recorder(lambda seen: "release" if seen.moments[-1]["step"] == 3 else "continue")
    run_small(job, 4, stop)
    resumed = Recorder()
    run_small(replace(job, resume_step=3), 4, resumed)
    assert len(warnings_of(stop)) == 1
    assert not warnings_of(resumed)


def test_one_text_at_a_time_that_does_not_fit_ends_the_run_with_advice(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    recorder = Recorder()
    advice = "one text at a time instead of batch_size 8, at max_length 64. Try max_length 32, or gradient_check"
    with pytest.raises(GpuOutOfMemory, match=advice):
        run_small(text_job(tiny_bert, tmp_path / "job"), 0, recorder)
    assert len(warnings_of(recorder)) == 3


def test_a_shortage_outside_of_the_batches_is_told_with_the_settings() -> None:
    def load() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    advice = "batch_size 8 and max_length 64. Try batch_size 4 with gradient_accumulation_steps 2"
    with pytest.raises(GpuOutOfMemory, match=advice), explained_memory_errors(toy_settings()):
        load()
