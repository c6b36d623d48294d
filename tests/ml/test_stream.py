"""The lines of a training tell everything that S2.14 and S2.15 ask for, and no text of a row."""

import re
from pathlib import Path

import pytest

from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.training import train
from bert_training.tasks.text_classification import network as text_network
from tests.ml.runs import Recorder, text_job, text_table
from tests.ml.tiny_bert import write_tiny_bert

TOLD = {
    "base model and its parameters": r"Base model tiny-bert, revision .*: [\d,]+ parameters",
    "device and precision": r"Device cpu: .*precision (fp32|bf16)",
    "versions": r"Packages: torch \S+, transformers",
    "data": r"Preparing: 90 rows, 3 labels",
    "class shares": r"Labels in train: \w+ 19 \(35\.2%, weight 0\.95\)",
    "sizes of the splits": r"Rows: train 54, validation 18, test 18",
    "plan": r"Plan: 14 steps .* effective batch 8 .* seed 42",
    "training loss of an epoch": r"Epoch 2 of 2: training loss \d\.\d{4}, 7 steps in",
    "validation figures of an epoch": r"Epoch 2: validation accuracy \d\.\d{4}.* auc_roc .* loss",
    "saves": r"(Checkpoint|Best weights) of step \d+ saved",
    "alerts": r"Never recognised: ",
    "final figures": r"Test: accuracy",
    "where it was saved": r"Saved to .*fingerprint",
    "duration of each phase and all": r"Time: (?=.*preparing)(?=.*training)(?=.*evaluating)(?=.*saving).*; in all \d",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What one run says."""
    folder: Path = tmp_path_factory.mktemp("stream")
    base_model: BaseModelFiles = write_tiny_bert(folder / "tiny-bert")
    recorder = Recorder()
    train(text_job(base_model, folder / "job", epochs=2, learning_rate=1e-9), text_network, recorder)
    return recorder.text


@pytest.mark.parametrize("words", TOLD.values(), ids=TOLD)
def test_the_stream_tells(told: str, words: str) -> None:
    assert re.search(words, told)


def test_no_text_of_a_row_is_in_the_stream(told: str) -> None:
    assert not [text for text in text_table(90)["text"] if text in told]
