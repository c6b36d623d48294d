"""What is kept of a run and when: the whole state when it is due, the best weights at once, and few enough of both."""

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError
from safetensors.torch import save_file

from bert_training.ml.keeping.checkpoints import TRAINING, WEIGHTS
from bert_training.ml.training import BaseModelFiles, train
from bert_training.tasks.text_classification import network as text_network
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.interruptions import cut_power, release_at, resume_step, run_twice
from tests.ml.runs import Recorder, module_with, run_text, text_job

EPOCH = 7  # steps


def kept(checkpoints: Path) -> dict[int, str]:
    """Return what lies there: step -> "whole", "weights" or "state"."""
    found = {}
    for folder in checkpoints.glob("step-*"):
        kind = "whole" if (folder / TRAINING).exists() else "weights" if (folder / WEIGHTS).exists() else "state"
        found[json.loads((folder / "state.json").read_text())["step"]] = kind
    return dict(sorted(found.items()))


def watch(seen: list[dict[int, str]], checkpoints: Path) -> Callable[[Recorder], str]:
    """Note each time that something else lies there."""

    def order(_recorder: Recorder) -> str:
        found = kept(checkpoints)
        if found and [found] != seen[-1:]:
            seen.append(found)
        return "continue"

    return order


def test_a_short_run_writes_its_best_weights_and_never_the_optimizer(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    seen: list[dict[int, str]] = []
    recorder = Recorder(watch(seen, tmp_path / "job" / "checkpoints"))
    result = run_text(text_job(tiny_bert, tmp_path / "job", epochs=3), recorder)
    assert all("whole" not in found.values() for found in seen)
    assert kept(tmp_path / "job" / "checkpoints")[result.best_step] == "weights"
    assert "Best weights of step 7 saved" in recorder.text


def test_every_so_many_steps_the_whole_state_is_saved_and_the_newest_stay(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    seen: list[dict[int, str]] = []
    recorder = Recorder(watch(seen, tmp_path / "job" / "checkpoints"))
    run_text(text_job(tiny_bert, tmp_path / "job", save_steps=3, save_total_limit=3), recorder)
    whole = [[step for step, kind in found.items() if kind == "whole"] for found in seen]
    assert [3, 6, 9] in whole
    assert [6, 9, 12] in whole
    assert max(len(steps) for steps in whole) <= 4  # the best one may be a fourth


def test_the_best_one_stays_however_old_it_is(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    seen: list[dict[int, str]] = []
    recorder = Recorder(watch(seen, tmp_path / "job" / "checkpoints"))
    job = text_job(tiny_bert, tmp_path / "job", eval_steps=4, save_steps=2, learning_rate=0.0, epochs=2)
    assert run_text(job, recorder).best_step == 4  # nothing is learned: the first evaluation is never bettered
    assert list(seen[-1]) == [4, 12, 14]


def test_there_are_always_two_checkpoints_to_go_on_from(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    """Two of which the whole state is there; should the newest be damaged, the other is used."""
    seen: list[dict[int, str]] = []
    job = text_job(tiny_bert, tmp_path / "job", save_steps=EPOCH)
    run_text(job, Recorder(watch(seen, tmp_path / "job" / "checkpoints")))
    whole = [list(found.values()).count("whole") for found in seen]
    assert whole[0] == 1
    assert min(whole[whole.index(2) :]) == 2


class EverBetter(TextClassificationNetwork):
    """The real network, but each evaluation is better than the one before."""

    judged = 0

    def evaluate(self, *arguments: Any) -> Any:
        real = super().evaluate(*arguments)
        type(self).judged += 1
        return replace(real, metrics={**real.metrics, "f1_macro": self.judged / 100})


def test_the_best_weights_of_a_state_stay_while_it_does(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    """Also when later ones are better: who goes on from that state has not seen them."""
    seen: list[dict[int, str]] = []
    job = text_job(tiny_bert, tmp_path / "job", eval_steps=2, save_steps=5, max_steps=7)
    train(job, module_with(EverBetter), Recorder(watch(seen, tmp_path / "job" / "checkpoints")))
    assert {4: "weights", 5: "whole", 6: "weights"} in seen


def test_a_state_is_not_replaced_by_the_weights_alone(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    """Saved by the clock at the last step of an epoch, whose evaluation is the best."""
    seen: list[dict[int, str]] = []
    recorder = Recorder(watch(seen, tmp_path / "job" / "checkpoints"))
    job = replace(text_job(tiny_bert, tmp_path / "job", epochs=2), checkpoint_seconds=float(EPOCH))
    train(job, text_network, recorder, clock=lambda: float(recorder.moments[-1]["step"] if recorder.moments else 0))
    assert seen[0] == {EPOCH: "whole"}
    assert all(found.get(EPOCH, "whole") == "whole" for found in seen)


def test_what_a_former_run_left_in_the_folder_is_neither_kept_nor_counted(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    job = text_job(tiny_bert, tmp_path / "job", save_steps=EPOCH, epochs=2)
    run_text(job, Recorder(release_at(13)))
    run_text(job, Recorder(release_at(9)))
    assert list(kept(tmp_path / "job" / "checkpoints")) == [7, 9]


@pytest.mark.parametrize("patience", [0, 1])
def test_killed_after_the_last_step_nothing_is_trained_again(
    tiny_bert: BaseModelFiles, tmp_path: Path, patience: int
) -> None:
    """Whether the last evaluation is the best (weights and state) or not (the state alone)."""
    settings: dict[str, Any] = {"early_stopping_patience": patience, "learning_rate": 3e-3 if not patience else 0.0}
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole", **settings))
    job = text_job(tiny_bert, tmp_path / "resumed", **settings)
    resumed, rest, step = run_twice(run_text, job, cut_power(lambda seen: "judged on the test split" in seen.text))
    assert resumed == undisturbed
    assert step == (2 * EPOCH if patience else 4 * EPOCH)
    assert [point["split"] for point in rest.points] == ["test"]


def test_asked_to_finish_and_killed_in_the_last_judgement_a_run_ends_the_same(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    def order(seen: Recorder) -> str:
        return "finish" if seen.moments[-1]["step"] == 10 else "continue"

    def die_at_the_end(seen: Recorder) -> str:
        cut_power(lambda seen: "judged on the test split" in seen.text)(seen)
        return order(seen)

    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole"), Recorder(order))
    job = text_job(tiny_bert, tmp_path / "resumed")
    resumed, _rest, step = run_twice(run_text, job, die_at_the_end)
    assert step == 10
    assert resumed == undisturbed


def full_disk(monkeypatch: pytest.MonkeyPatch, writes: Callable[[int], bool]) -> None:
    """Let writing tensors fail as a full disk does, at the writes for which `writes` is true, counted from 1."""
    count = iter(range(1, 10**6))

    def save(*arguments: Any) -> None:
        if writes(next(count)):
            raise SafetensorError("I/O error: No space left on device (os error 28)")
        save_file(*arguments)

    monkeypatch.setattr("bert_training.ml.keeping.snapshot.save_file", save)


def test_on_a_full_disk_older_checkpoints_make_room(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole"))
    full_disk(monkeypatch, lambda write: write == 3)
    recorder = Recorder()
    assert run_text(text_job(tiny_bert, tmp_path / "job", save_steps=EPOCH), recorder) == undisturbed
    assert recorder.text.count("The disk is full") == 1


def test_on_a_disk_that_stays_full_training_ends_and_the_checkpoint_before_is_whole(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = run_text(text_job(tiny_bert, tmp_path / "whole"))
    job = text_job(tiny_bert, tmp_path / "job", save_steps=EPOCH)
    with monkeypatch.context() as patch:
        full_disk(patch, lambda write: write >= 3)
        with pytest.raises(OSError, match="No space left") as caught:
            run_text(job)
    assert caught.value.errno == errno.ENOSPC
    step = resume_step(job)
    assert step in (7, 14)
    assert run_text(replace(job, resume_step=step)) == undisturbed
