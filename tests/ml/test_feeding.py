"""Threads that make steps ready change when batches are made, never what a training becomes."""

import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bert_training.ml import preparation
from bert_training.ml.layout.layout import Padded
from bert_training.ml.learning.micro_batch import MicroBatch
from bert_training.ml.rows.cutting import Cutting
from bert_training.ml.rows.feeding import Feeder, StepMaker
from bert_training.ml.task_network import Batch, Example, Piece
from bert_training.ml.training import BaseModelFiles
from tests.ml.runs import Recorder, run_text, text_job, text_table, toy_settings

CUTTING = Cutting(np.array([101], np.int32), np.array([102], np.int32), 16, "right", label_per_token=False)
EXAMPLES = [Example(np.arange(length, dtype=np.int32), np.array([0])) for length in (3, 40, 1, 2, 9, 5, 6)]
ROWS = [[0, 1, 2], [3, 4], [5], [6], [0], [1], [2], [3]]


def no_wait() -> None:
    """Nobody minds."""


def maker_of(layout: Padded, **settings: Any) -> StepMaker:
    return StepMaker(CUTTING, layout, MicroBatch(toy_settings(batch_size=2, **settings), torch.device("cpu")))


def feeder_of(layout: Padded, *, threads: int, **settings: Any) -> Feeder:
    return Feeder(maker_of(layout, **settings), threads=threads, on_wait=no_wait)


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_steps_come_in_order_whoever_makes_them(threads: int) -> None:
    steps = list(feeder_of(Padded(0, label_per_token=False), threads=threads).steps(EXAMPLES, ROWS))
    assert [[len(piece.input_ids) for piece in step.pieces] for step in steps] == [
        [min(16, len(EXAMPLES[row].input_ids) + 2) for row in rows] for rows in ROWS
    ]
    assert [[len(batch.lengths) for batch in step.batches] for step in steps[:2]] == [[2, 1], [2]]
    assert steps[0].tokens == 5 + 16 + 3


def test_a_budget_of_tokens_cuts_pieces_into_batches() -> None:
    feeder = feeder_of(Padded(0, label_per_token=False), threads=0, batch_tokens=20)
    (step,) = feeder.steps(EXAMPLES, [[0, 1, 2, 3, 4]])
    assert [batch.lengths for batch in step.batches] == [[5], [16, 3], [4, 11]]


def test_for_a_layout_that_pads_pieces_of_near_equal_length_are_computed_together() -> None:
    micro_batch = MicroBatch(toy_settings(batch_size=4), torch.device("cpu"))
    maker = StepMaker(CUTTING, Padded(0, label_per_token=False), micro_batch, groups=True)
    assert [batch.lengths for batch in maker.make(EXAMPLES).batches] == [[16, 11, 8], [7], [5, 4, 3]]


def test_the_gradient_of_a_step_does_not_depend_on_how_its_pieces_are_grouped(
    calm_tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rows of 30 times the words of the others, with a network that needs padding."""
    table = text_table(40)
    table.loc[[0, 5, 10], "text"] = " ".join(["autor"] * 30)
    job = text_job(calm_tiny_bert, tmp_path / "job", table=table, epochs=1)
    plain, grouped = Recorder(), Recorder()
    run_text(job, plain)
    padded = Padded(0, label_per_token=False)
    monkeypatch.setattr(preparation, "choose_layout", lambda *_, **__: padded)
    run_text(job, grouped)
    assert losses(grouped) == pytest.approx(losses(plain), abs=1e-5)


def losses(recorder: Recorder) -> list[float]:
    return [point["values"]["loss"] for point in recorder.of_split("train")]


class Broken(Padded):
    """A layout that cannot."""

    def collate(self, pieces: Sequence[Piece]) -> Batch:
        raise ZeroDivisionError


@pytest.mark.parametrize("threads", [0, 2])
def test_what_goes_wrong_in_a_thread_is_raised_in_the_loop(threads: int) -> None:
    with pytest.raises(ZeroDivisionError):
        next(feeder_of(Broken(0, label_per_token=False), threads=threads).steps(EXAMPLES, ROWS))


class Held(Padded):
    """A layout that waits until it may go on."""

    gate = threading.Event()

    def collate(self, pieces: Sequence[Piece]) -> Batch:
        self.gate.wait()
        return super().collate(pieces)


class Canceled(Exception):
    """Somebody wants the run to end."""


def test_who_waits_for_a_step_gives_signs_of_life_and_can_be_stopped() -> None:
    def cancel() -> None:
        raise Canceled

    feeder = Feeder(maker_of(Held(0, label_per_token=False)), threads=1, on_wait=cancel)
    try:
        with closing(feeder.steps(EXAMPLES, ROWS)) as steps, pytest.raises(Canceled):
            next(steps)
    finally:
        Held.gate.set()


def test_no_thread_changes_a_weight(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 1, "batch_tokens": 48, "gradient_accumulation_steps": 2}
    results = [
        run_text(text_job(tiny_bert, tmp_path / str(threads), dataloader_num_workers=threads, **settings))
        for threads in (0, 1, 4)
    ]
    assert results[0].ended == "completed"
    assert results[0] == results[1] == results[2]


def test_a_token_budget_is_told_in_the_plan(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=1, batch_tokens=100), recorder)
    assert "effective batch 100 tokens (100 x 1), about" in recorder.text
