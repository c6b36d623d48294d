"""The model folder: loads offline with the real names, says where it came from, holds no pickle."""

import errno
import json
from pathlib import Path

import pytest
import yaml
from safetensors import SafetensorError
from transformers import pipeline

from bert_training.data.digest import file_digest
from bert_training.ml.keeping.folders import whole_folder
from bert_training.ml.training import BaseModelFiles, TrainingResult
from tests.ml.runs import TEXT_LABELS, run_text, run_tokens, text_job, token_job


@pytest.fixture
def job_dir(tmp_path: Path) -> Path:
    return tmp_path / "job"


@pytest.fixture
def result(tiny_bert: BaseModelFiles, job_dir: Path) -> TrainingResult:
    return run_text(text_job(tiny_bert, job_dir, epochs=8))


def test_the_pipeline_of_texts_answers_with_the_real_names(result: TrainingResult, job_dir: Path) -> None:
    classify = pipeline("text-classification", model=str(job_dir / "final"), device="cpu")
    answers = classify(["o autor pede salario", "a parte pede imposto no processo"])
    assert [answer["label"] for answer in answers] == ["pessoal", "tributario"]


def test_the_pipeline_of_entities_answers_with_the_real_names(tiny_bert: BaseModelFiles, job_dir: Path) -> None:
    run_tokens(token_job(tiny_bert, job_dir, epochs=6))
    find = pipeline("token-classification", model=str(job_dir / "final"), aggregation_strategy="simple", device="cpu")
    found = {(entity["entity_group"], entity["word"]) for entity in find("o autor Ana Souza no Brasilia")}
    assert ("PESSOA", "Ana Souza") in found


def test_the_folder_holds_exactly_what_it_promises(result: TrainingResult, job_dir: Path) -> None:
    assert {path.name for path in (job_dir / "final").iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "run.json", "README.md")
    }
    assert sorted(path.name for path in job_dir.iterdir()) == ["checkpoints", "final"]


def test_run_json_holds_figures_labels_and_provenance(result: TrainingResult, job_dir: Path) -> None:
    run = json.loads((job_dir / "final" / "run.json").read_text(encoding="utf-8"))
    assert run["model_fingerprint"] == result.model_fingerprint == file_digest(job_dir / "final" / "model.safetensors")
    assert run["labels"] == TEXT_LABELS
    assert run["test"]["metrics"] == result.metrics
    assert run["rows"] == {"train": 54, "validation": 18, "test": 18}
    assert run["provenance"]["dataset_sha256"] == "ab" * 32
    assert (run["base_model"]["name"], run["machine"]["precision"]) == ("tiny-bert", "fp32")


def test_the_card_has_a_head_that_tools_read_and_a_table_of_classes(result: TrainingResult, job_dir: Path) -> None:
    _, head, body = (job_dir / "final" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    facts = yaml.safe_load(head)
    figures = {item["type"]: item["value"] for item in facts["model-index"][0]["results"][0]["metrics"]}
    assert (facts["language"], facts["pipeline_tag"], facts["base_model"]) == ("pt", "text-classification", "tiny-bert")
    assert figures == {name: value for name, value in result.metrics.items() if value is not None}
    assert "| classe | precisão | recall | F1 | exemplos |" in body
    assert result.model_fingerprint in body


def test_a_class_without_test_rows_says_so_in_the_card(tiny_bert: BaseModelFiles, job_dir: Path) -> None:
    job = text_job(tiny_bert, job_dir, epochs=1)
    rare = job.table["label"] == "saude"
    splits = ["train" if is_rare else split for is_rare, split in zip(rare, job.splits, strict=True)]
    job.splits[:] = splits

    result = run_text(job)

    assert [row["f1"] is None for row in result.classes] == [False, True, False]
    assert "| saude | sem exemplos | sem exemplos | sem exemplos | 0 |" in (job_dir / "final" / "README.md").read_text()


def test_an_unfinished_folder_never_takes_the_name(tmp_path: Path) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "final") as unfinished:
            (unfinished / "model.safetensors").write_bytes(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_as_such_by_whoever_meets_it(tmp_path: Path) -> None:
    def write() -> None:
        with whole_folder(tmp_path / "final"):
            raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    with pytest.raises(OSError, match="No space left") as caught:
        write()
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_a_folder_replaces_the_older_one_whole(tmp_path: Path) -> None:
    for name in ("old.txt", "new.txt"):
        with whole_folder(tmp_path / "final") as unfinished:
            (unfinished / name).write_text("x")
    assert [path.name for path in (tmp_path / "final").iterdir()] == ["new.txt"]
