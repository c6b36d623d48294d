"""What is kept, told and proved at the end of a run: calibrated on validation, one probability everywhere."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, pipeline

from bert_training.contract.enums import PredictionSource, Split
from bert_training.contract.messages import Result
from bert_training.data.predicting.predictions import EntityAnswers, LabelAnswers, Predictions, prediction_digest
from bert_training.ml import preparation, training
from bert_training.ml.machine import hardware
from bert_training.ml.machine.distributed import Processes
from bert_training.ml.training import BaseModelFiles, TrainingJob
from tests.ml.interruptions import release_at, run_twice
from tests.ml.runs import TEXT_LABELS, Recorder, run_text, run_tokens, text_job, text_table, token_job, token_table

SHORT: dict[str, Any] = {"epochs": 2, "use_class_weights": True}
NETWORK = PredictionSource.NETWORK


def noisy_texts() -> pd.DataFrame:
    """Texts of which every seventh has a wrong label: enough to be calibrated on, and never learned to the last."""
    table = text_table(200, shares=(6, 3, 1))
    table.loc[::7, "label"] = "saude"
    return table


def noisy_job(base_model: BaseModelFiles, folder: Path, **settings: Any) -> TrainingJob:
    return text_job(base_model, folder, table=noisy_texts(), **SHORT | settings)


def of_network(recorder: Recorder, split: Split) -> Predictions:
    (found,) = [part for part in recorder.answers if (part.source, part.split) == (NETWORK, split)]
    return found


def test_what_is_told_is_what_the_result_and_the_folder_say(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder, job = Recorder(), noisy_job(tiny_bert, tmp_path / "job")
    result = run_text(replace(job, units=[index // 2 * 2 for index in range(200)]), recorder)

    test = of_network(recorder, Split.TEST)
    assert test.rows.tolist() == job.table["row"].tolist()[4::5]
    assert test.units.tolist() == [row - row % 2 for row in test.rows.tolist()]
    assert len(of_network(recorder, Split.VALIDATION).rows) == 40
    assert {(part.source, part.split) for part in recorder.answers} >= {
        *((PredictionSource.FREQUENT, Split.TEST), (PredictionSource.LINEAR, Split.TEST))
    }
    run = json.loads((tmp_path / "job" / "final" / "run.json").read_text())
    assert result.prediction_digest == prediction_digest(recorder.answers) == run["prediction_digest"]
    assert result.calibration == run["calibration"]
    assert result.calibration is not None
    assert len(result.calibration["biases"]) == 3
    for name, figure in run["proof"]["figures"].items():
        assert result.metrics[name] == pytest.approx(figure["value"]), name
    assert run["proof"]["gain"]["over"] == "linear"
    Result.model_validate({**vars(result), "classes": [dict(row) for row in result.classes]}, extra="ignore")


def test_class_weights_that_are_all_equal_ask_for_no_biases(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    table = text_table(150)
    table["label"] = [TEXT_LABELS[index // 5 % 3] for index in range(150)]
    result = run_text(text_job(tiny_bert, tmp_path, table=table, **SHORT))
    assert result.calibration is not None
    assert result.calibration["biases"] == []


def test_the_labels_of_test_move_nothing_that_is_fitted(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    results = []
    for name in ("as they are", "all one"):
        job = noisy_job(tiny_bert, tmp_path / name)
        if name == "all one":
            job.table.loc[4::5, "label"] = "pessoal"
        results.append(run_text(job))
    as_they_are, all_one = results
    assert as_they_are.calibration == all_one.calibration is not None
    assert as_they_are.model_fingerprint == all_one.model_fingerprint
    assert as_they_are.prediction_digest != all_one.prediction_digest


def test_with_few_validation_rows_nothing_is_fitted_and_the_log_says_so(
    tiny_bert: BaseModelFiles, tmp_path: Path
) -> None:
    recorder = Recorder()
    result = run_text(text_job(tiny_bert, tmp_path / "job", epochs=1), recorder)
    assert result.calibration is None
    assert "Not calibrated: 18 validation rows are fewer than 30" in recorder.text
    assert "não foram calibradas" in (tmp_path / "job" / "final" / "README.md").read_text()


@pytest.mark.parametrize(
    "settings",
    [{"label_smoothing_factor": 0.1}, {"lora_r": 4, "use_class_weights": False}],
    ids=["smoothed", "lora"],
)
def test_the_pipeline_states_the_probabilities_that_were_told(
    tiny_bert: BaseModelFiles, tmp_path: Path, settings: dict[str, Any]
) -> None:
    recorder, job = Recorder(), noisy_job(tiny_bert, tmp_path / "job", **settings)
    result = run_text(job, recorder)

    classify = pipeline("text-classification", model=str(tmp_path / "job" / "final"), device="cpu", top_k=None)
    assert result.calibration is not None
    for first, split in ((3, Split.VALIDATION), (4, Split.TEST)):
        answers = of_network(recorder, split).answers
        assert isinstance(answers, LabelAnswers)
        rows: Any = classify(job.table["text"].tolist()[first::5])
        stated = [{answer["label"]: answer["score"] for answer in row} for row in rows]
        probabilities = [[row[label] for label in TEXT_LABELS] for row in stated]
        assert np.array(probabilities) == pytest.approx(answers.probabilities.astype(np.float64), abs=1e-3)


def test_the_pipeline_states_the_scores_of_entities(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder, job = Recorder(), token_job(tiny_bert, tmp_path / "job", table=token_table(160), **SHORT)
    result = run_tokens(job, recorder)

    find = pipeline(
        "token-classification", model=str(tmp_path / "job" / "final"), aggregation_strategy="first", device="cpu"
    )
    answers = of_network(recorder, Split.TEST).answers
    assert isinstance(answers, EntityAnswers)
    assert result.calibration is not None
    # where every tag belongs to an entity: the pipeline opens one at an I- too, strict IOB2 does not
    valid = np.flatnonzero(answers.invalid == 0).tolist()
    assert len(valid) > 20
    for row in valid:
        found = find(" ".join(job.table["tokens"].tolist()[4::5][row]))
        told = answers.predicted[row]
        assert [entity["entity_group"] for entity in found] == [kind for kind, _start, _end, _score in told]
        assert [float(entity["score"]) for entity in found] == pytest.approx([entity[3] for entity in told], abs=1e-3)


def test_the_adapter_alone_is_calibrated_too(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    result = run_text(noisy_job(tiny_bert, tmp_path / "job", lora_r=4))
    final, ids = tmp_path / "job" / "final", torch.tensor([[2, 6, 7, 8, 3]])
    base = AutoModelForSequenceClassification.from_pretrained(tiny_bert.folder, num_labels=3)
    adapted = PeftModel.from_pretrained(base, str(final / "adapter"))
    kept = AutoModelForSequenceClassification.from_pretrained(final)
    assert result.calibration is not None
    with torch.inference_mode():
        torch.testing.assert_close(adapted(input_ids=ids).logits, kept(input_ids=ids).logits, atol=1e-5, rtol=1e-5)


def test_a_network_that_was_shared_out_is_calibrated_as_a_whole_one(
    tiny_bert: BaseModelFiles, tmp_path: Path, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = {"dropout": 0.0, "adam_epsilon": 1e-4, "max_steps": 6}
    plain = run_text(noisy_job(tiny_bert, tmp_path / "plain", **exact))
    monkeypatch.setattr(training, "join_world", lambda device: processes)
    monkeypatch.setattr(preparation, "shall_shard", lambda settings, world: world is processes)
    shared = run_text(noisy_job(tiny_bert, tmp_path / "shared", **exact))
    assert plain.calibration is not None
    assert shared.calibration is not None
    assert shared.calibration["temperature"] == pytest.approx(plain.calibration["temperature"], abs=1e-3)
    assert shared.calibration["biases"] == pytest.approx(plain.calibration["biases"], abs=1e-3)
    assert shared.metrics == pytest.approx(plain.metrics, abs=1e-3)


WINDOWS = {"max_length": 8, "truncation_side": "none", "window_overlap": 2}


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="fp32"),
        pytest.param(WINDOWS, id="windows", marks=pytest.mark.long),
        pytest.param({"precision": "bf16"}, id="bf16"),
    ],
)
def test_the_same_run_twice_has_the_same_weights_and_the_same_predictions(
    tiny_bert: BaseModelFiles, tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it was stopped in between and gone on with."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : avx512_bf16\n")
    monkeypatch.setattr(hardware, "CPUINFO", cpuinfo)
    settings = {"precision": "fp32"} | settings
    first = run_text(noisy_job(tiny_bert, tmp_path / "first", **settings))
    again = run_text(noisy_job(tiny_bert, tmp_path / "again", **settings))
    resumed, _rest, _step = run_twice(run_text, noisy_job(tiny_bert, tmp_path / "resumed", **settings), release_at(20))
    assert first == again == resumed
    assert first.prediction_digest
    assert first.calibration is not None


TRAIN_ONCE = """
import sys
from pathlib import Path
from tests.ml.proof.test_final_judgement import noisy_job, run_text
from tests.ml.tiny_bert import write_tiny_bert
folder = Path(sys.argv[1])
result = run_text(noisy_job(write_tiny_bert(folder / "base"), folder / "job"))
print("result:", result.model_fingerprint, result.prediction_digest)
"""


@pytest.mark.long
@pytest.mark.processes
def test_two_processes_that_know_nothing_of_each_other_agree(tmp_path: Path) -> None:
    lines = []
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
        (tmp_path / seed).mkdir()
        ended = subprocess.run(
            [sys.executable, "-c", TRAIN_ONCE, str(tmp_path / seed)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        lines.append(ended.stdout.split("result: ")[1])
    assert lines[0] == lines[1]
