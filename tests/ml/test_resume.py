"""A training that was stopped and resumed is the training that was not: same points, same weights, bit by bit."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bert_training.ml.job import TrainingJob, TrainingResult
from bert_training.ml.reporting import POINTS_PER_EPOCH
from bert_training.ml.training import BaseModelFiles, train
from bert_training.tasks.text_classification import network as text_network
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.interruptions import after, cut_power, release_at, resume_step, run_twice, scatter_chance
from tests.ml.runs import Recorder, module_with, run_text, run_tokens, text_job, text_table, token_job

STEPS = 28  # 4 epochs of 7


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stopped_at_any_step_and_resumed_a_training_gives_the_same_points_and_weights(
    tiny_bert: BaseModelFiles, tmp_path: Path, seed: int
) -> None:
    stop = random.Random(seed).randrange(1, STEPS)
    whole = Recorder()
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole", seed=seed), whole)

    job = text_job(tiny_bert, tmp_path / "resumed", seed=seed)
    resumed, rest, step = run_twice(run_text, job, release_at(stop))

    assert step == stop
    assert resumed == undisturbed
    assert rest.points == after(whole.points, stop)
    assert f"Resumed after step {stop} of {STEPS}" in rest.text


def test_entities_resume_exactly_too(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    whole = Recorder()
    undisturbed = run_tokens(token_job(tiny_bert, tmp_path / "whole"), whole)
    resumed, rest, _step = run_twice(run_tokens, token_job(tiny_bert, tmp_path / "resumed"), release_at(10))
    assert resumed == undisturbed
    assert rest.points == after(whole.points, 10)


def test_a_training_may_be_stopped_again_and_again(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole"))
    job = text_job(tiny_bert, tmp_path / "resumed")
    for stop in (3, 4, 7, 15, 27):
        assert run_text(job, Recorder(release_at(stop))).ended == "released"
        scatter_chance()
        job = replace(job, resume_step=resume_step(job))
    assert run_text(job) == undisturbed


def a_minute_an_epoch(job: TrainingJob, recorder: Recorder) -> TrainingResult:
    def clock() -> float:
        return 60.0 * recorder.moments[-1]["epoch"] if recorder.moments else 0.0

    return train(job, text_network, recorder, clock=clock)


def test_after_a_power_cut_training_goes_on_from_the_end_of_the_last_long_epoch(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    whole = Recorder()
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole"), whole)
    job = text_job(tiny_bert, tmp_path / "resumed")
    resumed, rest, step = run_twice(a_minute_an_epoch, job, cut_power(lambda seen: seen.moments[-1]["step"] == 18))
    assert step == 14
    assert resumed == undisturbed
    assert rest.points == after(whole.points, 14)


def test_a_long_epoch_has_checkpoints_by_the_clock(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    """Each look at the clock takes a second here, a step several of them."""
    ticks = iter(range(10**6))

    def run(job: TrainingJob, recorder: Recorder) -> TrainingResult:
        return train(job, text_network, recorder, clock=lambda: float(next(ticks)))

    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole", epochs=2))
    job = replace(text_job(tiny_bert, tmp_path / "resumed", epochs=2), checkpoint_seconds=8.0)
    resumed, _rest, step = run_twice(run, job, cut_power(lambda seen: seen.moments[-1]["step"] == 6))
    assert 1 < step < 6
    assert resumed == undisturbed


@pytest.mark.parametrize("step", [7, 14])
def test_stopped_while_it_is_judged_an_epoch_is_judged_again(
    tiny_bert: BaseModelFiles, tmp_path: Path, step: int
) -> None:
    whole = Recorder()
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole", epochs=2), whole)
    job = text_job(tiny_bert, tmp_path / "resumed", epochs=2)
    resumed, rest, found = run_twice(run_text, job, release_at(step, "evaluating"))
    assert found == step
    assert resumed == undisturbed
    assert rest.of_split("validation")[-1] == whole.of_split("validation")[-1]
    assert len(rest.of_split("train")) == 14 - step


def test_a_step_cap_holds_after_a_resume_in_the_last_judgement(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole", max_steps=10))
    job = text_job(tiny_bert, tmp_path / "resumed", max_steps=10)
    resumed, rest, _step = run_twice(run_text, job, release_at(10, "evaluating"))
    assert resumed == undisturbed
    assert rest.of_split("train") == []


def test_killed_while_the_test_split_is_judged_nothing_is_trained_again(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole"))
    job = text_job(tiny_bert, tmp_path / "resumed")
    order = cut_power(lambda seen: "judged on the test split" in seen.text)
    resumed, rest, step = run_twice(run_text, job, order)
    assert (step, rest.of_split("train")) == (STEPS, [])
    assert resumed == undisturbed


def test_points_of_several_steps_are_not_torn_by_a_stop(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.ml.reporting.POINTS_PER_EPOCH", 3)
    assert POINTS_PER_EPOCH > 3
    whole = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "whole"), whole)
    _resumed, rest, _step = run_twice(run_text, text_job(tiny_bert, tmp_path / "resumed"), release_at(11))
    assert rest.points == after(whole.points, 11)


def test_without_validation_rows_a_resumed_training_is_the_same(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    def job(name: str) -> TrainingJob:
        made = text_job(tiny_bert, tmp_path / name, epochs=2, table=text_table(40))
        made.splits[:] = ["train" if split == "validation" else split for split in made.splits]
        return made

    undisturbed = run_text(job("whole"))
    assert run_twice(run_text, job("resumed"), release_at(5))[0] == undisturbed


class FallingFigures(TextClassificationNetwork):
    """The real network, but the first validation is the best: the patience counts from there."""

    judged = 0

    def evaluate(self, *arguments: Any) -> Any:
        real = super().evaluate(*arguments)
        figure = 0.9 if real.metrics["accuracy"] is not None and self._is_first() else 0.1
        return replace(real, metrics={**real.metrics, "f1_macro": figure})

    def _is_first(self) -> bool:
        type(self).judged += 1
        return type(self).judged == 1


def test_the_patience_of_early_stopping_and_the_best_weights_survive_a_stop(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    def run(job: TrainingJob, recorder: Recorder) -> TrainingResult:
        return train(job, module_with(FallingFigures), recorder)

    settings: dict[str, Any] = {"epochs": 9, "early_stopping_patience": 2}
    FallingFigures.judged = 0
    undisturbed = run(text_job(tiny_bert, tmp_path / "whole", **settings), Recorder())
    FallingFigures.judged = 0
    job = text_job(tiny_bert, tmp_path / "resumed", **settings)
    resumed, rest, _step = run_twice(run, job, release_at(17))
    assert resumed == undisturbed
    assert resumed.best_step == 7
    assert [point["epoch"] for point in rest.of_split("validation")] == [3]
