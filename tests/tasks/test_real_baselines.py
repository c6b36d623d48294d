"""The baselines on real data: a floor as strong as the figures measured beside the data, and planted errors found."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from bert_training.data.figures.entities import ENTITIES
from bert_training.data.figures.labels import LABELS
from bert_training.data.proof.suspects import linear_suspects
from bert_training.ml.network.base_model import BaseModelFiles
from bert_training.ml.proof.baselines import judge_baselines
from bert_training.ml.reporting import RunReport
from bert_training.tasks.text_classification import network as text_network
from bert_training.tasks.text_classification.baseline import LinearTexts
from bert_training.tasks.token_classification.baseline import LinearTagger, TaggedSentences
from tests.ml.runs import Recorder, text_job
from tests.shared_data import shared_data

pytestmark = pytest.mark.long


def read_texts(name: str) -> pd.DataFrame:
    sheet = pd.read_excel(shared_data(f"text_cls/{name}.xlsx"), engine="calamine").astype(str)
    return pd.DataFrame({"row": range(2, 2 + len(sheet)), "text": sheet["texto"], "label": sheet["label"]})


@pytest.mark.parametrize(
    ("name", "accuracy", "f1_macro"),
    [
        ("andamentos_processuais_legalnlp", 0.778, 0.672),
        ("banking77_en", 0.894, 0.895),
        ("b2w_sentimento_10k", 0.778, 0.663),
        ("sms_spam_en", 0.987, 0.973),
        ("tjal_decisoes", 0.756, 0.69),
    ],
)
def test_texts_reach_what_a_plain_linear_model_does(name: str, accuracy: float, f1_macro: float) -> None:
    table = read_texts(name)
    names = sorted(set(table["label"]))
    labels = np.array([names.index(label) for label in table["label"]])
    train, test = train_test_split(np.arange(len(table)), test_size=0.2, random_state=42, stratify=labels)
    linear = LinearTexts(table["text"].tolist(), labels, names, seed=42)
    linear.fit(train)
    figures = LABELS.figures(linear.answer(test), names)
    assert (figures["accuracy"] or 0) >= accuracy
    assert (figures["f1_macro"] or 0) >= f1_macro


def test_entities_of_lener_br_are_found_as_by_a_crf() -> None:
    table = pd.read_parquet(shared_data("token_cls/lener_br.parquet"))
    names = sorted({tag for tags in table["tags"] for tag in tags})
    linear = LinearTagger(TaggedSentences(table, names), seed=42)
    linear.fit(np.flatnonzero(table["split"] == "train"))
    answers = linear.answer(np.flatnonzero(table["split"] == "test"))
    kinds = sorted({name[2:] for name in names if name != "O"})
    assert (ENTITIES.figures(answers, kinds)["f1"] or 0) >= 0.75


@pytest.mark.parametrize(("name", "first_50"), [("banking77_en", 45), ("b2w_sentimento_10k", 28), ("sms_spam_en", 45)])
def test_planted_label_errors_come_first(tmp_path: Path, name: str, first_50: int) -> None:
    table = read_texts(name)
    names = sorted(set(table["label"]))
    chance = np.random.default_rng(0)
    planted = chance.choice(len(table), len(table) * 3 // 100, replace=False)
    for row in planted:
        table.loc[row, "label"] = chance.choice([other for other in names if other != table["label"][row]])
    nowhere = BaseModelFiles(name="none", folder=Path("nowhere"), revision="test")
    job = text_job(nowhere, tmp_path, table=table)
    job.label_names[:] = names
    found = judge_baselines(job, text_network, RunReport(Recorder(), clock=lambda: 0.0))
    errors = linear_suspects(found, names=names, judged=len(table))
    assert errors is not None
    first = {suspect["row"] - 2 for suspect in errors["suspects"][:50]}
    assert len(first & set(planted.tolist())) >= first_50
