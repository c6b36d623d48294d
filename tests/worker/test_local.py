"""Training at a terminal: what is printed and left, what is refused in words, and how it goes on after a stop."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bert_training.worker.exits import LocalExit
from bert_training.worker.local import training
from bert_training.worker.local.__main__ import main
from bert_training.worker.local.training import LocalReporter
from bert_training.worker.trainer_orders import CONTINUE, RELEASE
from tests.ml.tiny_bert import MARKERS, write_tiny_bert

ROWS = 36
WORDS = ("agravo", "apelo", "laudo", "perito", "contrato", "prazo")

Train = Callable[..., int]


def stopped_at_step_4(reporter: LocalReporter) -> str:
    """Order what a person does who presses Ctrl-C after the fourth step."""
    return RELEASE if reporter.step >= 4 else CONTINUE


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Train on a small spreadsheet; further arguments as at a terminal."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(training, "on_stop_signals", lambda handler: None)
    write_tiny_bert(tmp_path / "base" / "tiny--bert")
    lines = [f"{WORDS[n % 6]} {WORDS[n // 6]} {MARKERS[n % 3]};{MARKERS[n % 3]}" for n in range(ROWS)]
    (tmp_path / "rows.csv").write_text("\n".join(["text;label", *lines]), encoding="utf-8")
    fixed = ["--task", "text-classification", "--base-model", "tiny/bert", "--base-models-dir", str(tmp_path / "base")]
    small = [f"--set={pair}" for pair in ("epochs=2", "max_length=16", "batch_size=8")]

    def run(*arguments: str, file: str = "rows.csv", output: str = "out") -> int:
        places = [str(tmp_path / file), "--output", str(tmp_path / output), "--device", "cpu"]
        return main([*places, *fixed, *small, *arguments])

    return run


def test_a_spreadsheet_becomes_a_model_without_portal_database_or_key(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train() == LocalExit.COMPLETED
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (tmp_path / "out" / "final" / "model.safetensors").exists()
    rows = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    assert {"validation", "test"} <= set(rows["split"])
    printed = capsys.readouterr().out
    assert result["model_fingerprint"] in printed
    assert "Deciding figure: f1_macro" in printed
    assert train() == LocalExit.COMPLETED  # trains nothing, shows the same
    printed = capsys.readouterr().out
    assert result["model_fingerprint"] in printed
    assert "Epoch" not in printed


def test_stopped_and_started_again_it_ends_as_if_it_had_not_been_stopped(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(LocalReporter, "directive", stopped_at_step_4)
        assert train() == LocalExit.STOPPED
    assert "The same command goes on" in capsys.readouterr().out
    assert train() == LocalExit.COMPLETED
    assert "Resumed after step" in capsys.readouterr().out
    assert train(output="undisturbed") == LocalExit.COMPLETED
    results = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("out", "undisturbed")]
    assert results[0]["model_fingerprint"] == results[1]["model_fingerprint"]


def test_a_folder_of_another_training_is_left_alone(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "job.json").write_text(json.dumps({"identity": "another", "task": "text-classification"}))
    assert train() == LocalExit.REFUSED
    assert "holds another training" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--set", "epochs=0"), "epochs must be a whole number from 1"),
        (("--set", "epoch=3"), "There is no hyperparameter epoch"),
        (("--set", "epochs"), "NAME=VALUE"),
        (("--preset", "fastest"), "no such preset"),
        (("--columns", "text"), "not JSON"),
        (("--columns", "[1]"), "not a JSON object"),
        (("--columns", '{"text": 3}'), "must name a header"),
        (("--test-file", "nowhere.csv"), "There is no file nowhere.csv"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_read(
    train: Train, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], words: str
) -> None:
    assert train(*arguments) == LocalExit.REFUSED
    assert words in capsys.readouterr().err


def test_what_is_wrong_with_the_spreadsheet_is_said_with_its_place(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (tmp_path / "rows.csv").read_text().splitlines()
    (tmp_path / "bad.csv").write_text("\n".join([*rows, "um texto sem classe;"]))
    assert train(file="bad.csv") == LocalExit.REFUSED
    assert f"ERROR - B{ROWS + 2}:" in capsys.readouterr().out
