"""Before the first step: one batch of the longest rows that leaves no trace, labels and disk looked at."""

import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from bert_training.ml.errors import DiskTooSmall, LabelsUnusable
from bert_training.ml.machine.memory_use import PeakMemory
from bert_training.ml.machine.preflight import check_labels
from bert_training.ml.machine.rehearsal import longest_pieces
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows.cutting import cutting_for
from bert_training.ml.task_network import Batch
from bert_training.ml.training import BaseModelFiles, TrainingSession, train
from bert_training.tasks.text_classification.network import TextClassificationNetwork, build_network
from tests.ml.runs import (
    TEXT_LABELS,
    Recorder,
    module_with,
    run_text,
    run_tokens,
    text_job,
    text_table,
    token_job,
    toy_settings,
)

MIB = 2**20
DiskUsage = namedtuple("DiskUsage", "total used free")


def warnings_of(recorder: Recorder) -> list[str]:
    return [message for level, message in recorder.lines if level == "WARNING"]


def test_a_rehearsal_leaves_no_trace(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With dropout: a random number more or less would change everything after it."""
    rehearsed = run_text(text_job(tiny_bert, tmp_path / "rehearsed", epochs=2))
    monkeypatch.setattr(TrainingSession, "_rehearse", lambda session: None)
    assert run_text(text_job(tiny_bert, tmp_path / "not", epochs=2)) == rehearsed


def test_the_rehearsal_says_what_the_longest_batch_takes(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    texts, tokens = Recorder(), Recorder()
    run_text(text_job(tiny_bert, tmp_path / "texts", max_steps=1, max_length=8), texts)
    run_tokens(token_job(tiny_bert, tmp_path / "tokens", max_steps=1, max_length=8), tokens)
    for recorder in (texts, tokens):
        assert "Rehearsed the longest batch, 8 pieces with 64 tokens: " in recorder.text
        assert "GiB of memory with the optimizer; " in recorder.text


def test_the_longest_pieces_are_found_among_many_rows(tiny_bert: BaseModelFiles) -> None:
    table = text_table(300)
    table.loc[[7, 250], "text"] = [" ".join(["processo"] * 30), " ".join(["processo"] * 40)]
    network = build_network(tiny_bert, label_names=TEXT_LABELS, settings=toy_settings())
    cutting = cutting_for(network.tokenizer, toy_settings(), label_per_token=False)
    lengths = [len(piece.input_ids) for piece in longest_pieces(table, network, cutting, count=3)]
    assert lengths[:2] == [42, 32]
    assert lengths[2] <= 12


class SmallMemory(TextClassificationNetwork):
    """The real network, but more than three pieces at once are too much."""

    def loss(self, logits: torch.Tensor, batch: Batch, class_weights: torch.Tensor | None) -> torch.Tensor:
        if len(batch.lengths) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().loss(logits, batch, class_weights)


def test_a_shortage_is_met_before_the_first_step(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    train(text_job(tiny_bert, tmp_path / "job", max_steps=2), module_with(SmallMemory), recorder)
    places = [index for index, line in enumerate(recorder.lines) if "ran out of memory" in line[1]]
    rehearsed = next(index for index, line in enumerate(recorder.lines) if "Rehearsed" in line[1])
    assert len(places) == 2
    assert max(places) < rehearsed
    assert "Rehearsed the longest batch, 2 pieces" in recorder.text


def test_the_peak_of_memory_is_seen_although_it_is_over() -> None:
    with PeakMemory(torch.device("cpu")) as before:
        pass
    with PeakMemory(torch.device("cpu")) as peak:
        block = torch.ones(64 * MIB // 4)
        for _round in range(20):
            block.add_(1)
        del block
    assert peak.bytes > before.bytes + 32 * MIB


def free_disk(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: DiskUsage(10**9, 10**9 - count, count))


def test_a_run_whose_checkpoints_cannot_fit_on_the_disk_is_refused(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny network has about 18,000 weights: checkpoints of 210 kB."""
    free_disk(monkeypatch, 300_000)
    with pytest.raises(DiskTooSmall, match="The disk is too full for this run: its checkpoints and its model take"):
        run_text(text_job(tiny_bert, tmp_path / "job"))


def test_a_disk_with_room_for_two_checkpoints_but_not_for_all_is_warned_of(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_disk(monkeypatch, 1_000_000)
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", max_steps=1, save_total_limit=9), recorder)
    assert any("nearly full: with save_total_limit 9" in message for message in warnings_of(recorder))


def test_labels_without_a_row_in_train_are_named(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = text_job(tiny_bert, tmp_path / "job", max_steps=1)
    job.splits[:] = ["test" if label == "saude" else "train" for label in job.table["label"]]
    recorder = Recorder()
    run_text(job, recorder)
    assert "1 labels do not occur in train and cannot be learned: saude" in warnings_of(recorder)


def test_a_label_id_without_a_name_is_refused() -> None:
    report = RunReport(Recorder(), lambda: 0.0)
    with pytest.raises(LabelsUnusable, match="label id 2, but this run knows 2 labels, 0 to 1"):
        check_labels(["a", "b"], np.array([3, 4, 1]), report)


def test_rows_without_a_token_are_named(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    table = text_table()
    table.loc[[3, 7], "text"] = ["", " "]
    recorder = Recorder()
    run_text(text_job(tiny_bert, tmp_path / "job", table=table, max_steps=1), recorder)
    assert "2 rows hold no token, the network sees nothing of them: row 5, 9" in warnings_of(recorder)
