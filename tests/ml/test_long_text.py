"""Texts that are longer than the network: what is learned in each way of reading, and what the comparison says."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bert_training.contract.messages import LongText
from bert_training.ml.judging import long_text
from bert_training.ml.rows.cutting import cutting_for
from bert_training.ml.task_network import IGNORE
from bert_training.ml.training import BaseModelFiles, TrainingJob, TrainingResult
from bert_training.tasks.token_classification.network import build_network
from tests.ml.runs import LABEL_OF_MARKER, TAGS, Recorder, run_text, run_tokens, text_job, token_job, toy_settings
from tests.ml.tiny_bert import FILLERS, MARKERS

ROOM = 10
WINDOWS = {"max_length": ROOM + 2, "truncation_side": "none", "window_overlap": 4}


def decided_at_the_end(row_count: int = 150) -> pd.DataFrame:
    """Texts of 12 to 16 tokens, two windows, of which the last token decides the label."""
    chance = random.Random(1)
    rows = []
    for row in range(row_count):
        marker = chance.choice(MARKERS)
        words = [*chance.choices(FILLERS, k=chance.randint(11, 15)), marker]
        rows.append((row + 2, " ".join(words), LABEL_OF_MARKER[marker]))
    return pd.DataFrame(rows, columns=["row", "text", "label"])


def long_sentences(row_count: int = 60) -> pd.DataFrame:
    """Sentences of 22 words with one person of two words anywhere."""
    chance = random.Random(1)
    rows = []
    for row in range(row_count):
        before = row % 21
        tokens = [*chance.choices(FILLERS, k=before), chance.choice(("Ana", "Maria")), "Souza"]
        tokens += chance.choices(FILLERS, k=22 - len(tokens))
        rows.append((row + 2, tokens, [*["O"] * before, "B-PESSOA", "I-PESSOA", *["O"] * (20 - before)]))
    return pd.DataFrame(rows, columns=["row", "tokens", "tags"])


def job_decided_at_the_end(base_model: BaseModelFiles, folder: Path, side: str, **changes: Any) -> TrainingJob:
    settings = WINDOWS | {"truncation_side": side, "epochs": 6} | changes
    return text_job(base_model, folder, table=decided_at_the_end(), **settings)


def ways_of(result: TrainingResult) -> dict[str, dict[str, Any]]:
    assert result.long_text is not None
    LongText.model_validate(result.long_text)
    return {way["way"]: way for way in result.long_text["ways"]}


@pytest.mark.parametrize(
    ("side", "is_learned"),
    [
        pytest.param("right", False, marks=pytest.mark.long),
        ("none", True),
        pytest.param("middle", True, marks=pytest.mark.long),
    ],
)
def test_what_stands_at_the_end_is_learned_where_the_end_is_read(
    tiny_bert: BaseModelFiles, tmp_path: Path, side: str, is_learned: bool
) -> None:
    result = run_text(job_decided_at_the_end(tiny_bert, tmp_path / "job", side))
    assert ((result.metrics["accuracy"] or 0) > 0.9) is is_learned
    assert sum(row["support"] for row in result.classes) == 30  # documents, not windows


def test_the_comparison_says_which_way_loses_how_much(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    recorder = Recorder()
    job = job_decided_at_the_end(tiny_bert, tmp_path / "job", "left")
    job.table.loc[4:74:5, "text"] = "autor imposto"  # 15 of the 30 test rows: short, and read alike in every way
    job.table.loc[4:74:5, "label"] = "tributario"
    result = run_text(job, recorder)

    ways, lengths = ways_of(result), [len(text.split()) for text in job.table["text"][79::5]]
    assert list(ways) == ["right", "left", "middle", "none"]
    lost = 1 - ROOM * len(lengths) / sum(lengths)
    assert [way["unseen_share"] for way in ways.values()] == pytest.approx([lost, lost, lost, 0])
    assert ways["left"]["on_all"] == result.metrics["f1_macro"]
    assert ways["right"]["on_long"] < 0.7 < ways["left"]["on_long"]
    assert ways["right"]["on_long"] < ways["right"]["on_all"] < ways["left"]["on_all"]
    assert result.long_text is not None
    counts = [result.long_text[name] for name in ("test_rows", "long_rows", "compared_rows")]
    assert (result.long_text["truncation_side"], counts) == ("left", [30, 15, 15])
    assert "15 of them are read in every way by this network, trained with left" in recorder.text
    assert "Long texts compared in" in recorder.text


def test_with_few_long_rows_nothing_is_compared(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = job_decided_at_the_end(tiny_bert, tmp_path / "job", "left", epochs=1)
    job.table.loc[4:129:5, "text"] = "autor"  # 26 of the 30 test rows
    recorder = Recorder()
    assert run_text(job, recorder).long_text is None
    assert "Long texts" not in recorder.text


def test_of_many_long_rows_a_sample_is_compared(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_text, "MOST_ROWS", 7)
    results = [run_text(job_decided_at_the_end(tiny_bert, tmp_path / name, "left", epochs=1)) for name in "ab"]
    found = results[0].long_text
    assert found is not None
    assert (found["long_rows"], found["compared_rows"]) == (30, 7)
    assert found == results[1].long_text
    assert [way["on_all"] is None for way in found["ways"]] == [True, False, True, True]


def test_ways_are_not_compared_by_the_loss(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    job = job_decided_at_the_end(tiny_bert, tmp_path / "job", "left", epochs=1)
    result = run_text(replace(job, best_metric="loss", best_metric_is_higher=False))
    assert result.long_text is not None
    assert result.long_text["metric"] == "accuracy"
    assert ways_of(result)["left"]["on_all"] == result.metrics["accuracy"]


def test_very_long_rows_make_the_sample_smaller(
    tiny_bert: BaseModelFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_text, "MOST_TOKENS", 20)
    result = run_text(job_decided_at_the_end(tiny_bert, tmp_path / "job", "left", epochs=1))
    assert result.long_text is not None
    assert result.long_text["compared_rows"] == long_text.LEAST_ROWS


@pytest.mark.parametrize(("directive", "ended"), [("cancel", "canceled"), ("release", "released")])
def test_an_order_to_stop_is_obeyed_while_ways_are_compared(
    tiny_bert: BaseModelFiles, tmp_path: Path, directive: str, ended: str
) -> None:
    recorder = Recorder(order=lambda seen: directive if "Long texts:" in seen.text else "continue")
    result = run_text(job_decided_at_the_end(tiny_bert, tmp_path / "job", "right", epochs=1), recorder)
    assert result.ended == ended
    assert not (tmp_path / "job" / "final").exists()


def test_an_entity_on_the_border_of_two_windows_is_found(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    table = long_sentences()
    result = run_tokens(token_job(tiny_bert, tmp_path / "job", table=table, epochs=6, learning_rate=6e-3, **WINDOWS))

    network = build_network(tiny_bert, label_names=TAGS, settings=toy_settings(**WINDOWS))
    cutting = cutting_for(network.tokenizer, toy_settings(**WINDOWS), label_per_token=True)
    judged = [
        [piece.labels[piece.labels != IGNORE] for piece in cutting.cut(row)]
        for row in network.encode(table[4::5]).examples
    ]
    on_border = sum(len(labels) > 0 and labels[0] == TAGS.index("I-PESSOA") for pieces in judged for labels in pieces)
    assert on_border >= 1
    assert result.metrics["f1"] == 1.0
    assert ways_of(result)["right"]["on_all"] < 0.7
