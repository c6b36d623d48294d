"""Rows are encoded beside the first steps, in the order in which these need them; nobody waits in vain."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bert_training.ml.job import TrainingJob
from bert_training.ml.reporting import RunReport
from bert_training.ml.rows import encoding
from bert_training.ml.rows.batching import epoch_order
from bert_training.ml.rows.encoding import Rows, encode_rows
from bert_training.ml.task_network import Encoded, Example
from bert_training.ml.training import BaseModelFiles, train
from bert_training.tasks.text_classification.network import TextClassificationNetwork
from tests.ml.runs import Recorder, module_with, text_job

BLOCK = 10  # rows; 9 blocks in all, 54 rows are of the train split


class SlowNetwork(TextClassificationNetwork):
    """The real network, but its tokenizer stops before the third block until `gate` opens."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.gate = threading.Event()
        self.calls = 0

    def encode(self, table: pd.DataFrame) -> Encoded[Example]:
        self.calls += 1
        if self.calls == 3:
            self.gate.wait()
        return super().encode(table)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "ROWS_PER_CALL", BLOCK)


@pytest.fixture
def at_end() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def network_for(job: TrainingJob) -> SlowNetwork:
    return SlowNetwork(job.base_model, job.label_names, job.settings)


def begin(job: TrainingJob, network: SlowNetwork, recorder: Recorder, at_end: ExitStack) -> Rows:
    rows = encode_rows(job, network, RunReport(recorder, lambda: 0.0), at_end)
    at_end.callback(network.gate.set)  # before the encoder is waited for
    return rows


def test_the_first_steps_have_their_rows_before_the_others_are_there(
    tiny_bert: BaseModelFiles, tmp_path: Path, at_end: ExitStack
) -> None:
    job, recorder = text_job(tiny_bert, tmp_path / "job"), Recorder()
    network = network_for(job)
    rows = begin(job, network, recorder, at_end)
    first_rows = epoch_order(54, seed=job.settings.seed, epoch=1)[: 2 * BLOCK]
    early = [rows.splits["train"][row] for row in first_rows]
    rows.tell()
    assert recorder.counts == {}
    network.gate.set()
    rows.wait()
    whole = network.encode(job.table[[split == "train" for split in job.splits]]).examples
    assert [row.input_ids.tolist() for row in early] == [whole[row].input_ids.tolist() for row in first_rows]
    assert [row.labels.tolist() for row in rows.splits["train"]] == [row.labels.tolist() for row in whole]
    assert sum(recorder.counts["counts"]) == len(job.table)
    assert recorder.text.count("Tokens: ") == 1


def test_slices_of_a_split_are_its_rows(tiny_bert: BaseModelFiles, tmp_path: Path, at_end: ExitStack) -> None:
    job = text_job(tiny_bert, tmp_path / "job")
    network = network_for(job)
    network.gate.set()
    test = begin(job, network, Recorder(), at_end).splits["test"]
    assert len(test) == len(list(test)) == 18
    assert [row.input_ids.tolist() for row in test[::-5]] == [test[row].input_ids.tolist() for row in (17, 12, 7, 2)]


class Broken(TextClassificationNetwork):
    """The real network, but its tokenizer fails at the second block."""

    calls = 0

    def encode(self, table: pd.DataFrame) -> Encoded[Example]:
        self.calls += 1
        if self.calls == 2:
            raise ZeroDivisionError("tokenizer")
        return super().encode(table)


def test_an_error_of_the_tokenizer_ends_the_run(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="tokenizer"):
        train(text_job(tiny_bert, tmp_path / "job"), module_with(Broken), Recorder())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("encoder")]


@pytest.mark.parametrize(("directive", "ended"), [("cancel", "canceled"), ("release", "released")])
def test_who_waits_for_rows_can_be_stopped(
    tiny_bert: BaseModelFiles, tmp_path: Path, directive: str, ended: str
) -> None:
    networks: list[SlowNetwork] = []

    class Noted(SlowNetwork):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            networks.append(self)

    def stop_when_it_waits(_seen: Recorder) -> str:
        if not networks or networks[0].calls < 3:
            return "continue"
        networks[0].gate.set()  # else the end of the run would wait for the tokenizer
        return directive

    job = text_job(tiny_bert, tmp_path / "job")
    assert train(job, module_with(Noted), Recorder(stop_when_it_waits)).ended == ended
    assert networks[0].calls == 3
