"""The code in a kept model's card reads a long text as the network was judged."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bert_training.data.long_text_card import long_text_section
from bert_training.ml.network.probabilities import softmax
from bert_training.ml.training import BaseModelFiles
from bert_training.tasks.text_classification.network import build_network
from tests.ml.runs import TEXT_LABELS, run_text, run_tokens, text_job, token_job, toy_settings
from tests.ml.test_evaluation import judge_of

READING: dict[str, Any] = {"max_length": 16, "window_overlap": 6}
LONG_TEXT = "Escreva aqui um texto longo."
TEXT = " ".join(["o autor pede salario no processo", "a parte pede imposto"] * 4)


def run_card_code(final: Path, text: str) -> dict[str, Any]:
    """Run the last Python block of the card as a script; returns its names."""
    blocks = re.findall(r"```python\n(.*?)```", (final / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    script = final.parent / "card.py"
    code = blocks[-1].replace("caminho/da/pasta", str(final)).replace(LONG_TEXT, text)
    script.write_text(code, encoding="utf-8")
    return runpy.run_path(str(script))


@pytest.mark.parametrize("side", ["right", "left", "middle", "none"])
def test_the_card_reads_a_long_text_as_it_was_judged(tiny_bert: BaseModelFiles, tmp_path: Path, side: str) -> None:
    reading = READING | {"truncation_side": side}
    run_text(text_job(tiny_bert, tmp_path / "job", epochs=1, **reading))
    final = tmp_path / "job" / "final"
    names = run_card_code(final, TEXT)

    kept = BaseModelFiles(name="kept", folder=final, revision="1")
    network = build_network(kept, label_names=TEXT_LABELS, settings=toy_settings(**reading))
    row = network.encode(pd.DataFrame({"row": [2], "text": [TEXT], "label": ["saude"]})).examples
    (logits,) = judge_of(network, batch_size=4, **reading).predict(row)
    judged = softmax(logits.astype(np.float64))

    if "resposta" in names:
        assert names["resposta"].tolist() == pytest.approx(judged, abs=1e-5)
    else:
        (answer,) = names["modelo"](TEXT, truncation=True)
        assert (answer["label"], answer["score"]) == (
            TEXT_LABELS[np.argmax(judged)],
            pytest.approx(judged.max(), abs=1e-5),
        )
    assert json.loads((final / "run.json").read_text())["reading"] == reading


def test_the_card_finds_entities_beyond_the_first_window(tiny_bert: BaseModelFiles, tmp_path: Path) -> None:
    run_tokens(token_job(tiny_bert, tmp_path / "job", epochs=6, truncation_side="none", **READING))
    text = "o autor pede que a parte seja ouvida no processo a parte pede que o autor Ana Souza no Brasilia"
    names = run_card_code(tmp_path / "job" / "final", text)
    assert ("PESSOA", "Ana Souza") in {(found["entity_group"], found["word"]) for found in names["modelo"](text)}


def test_the_pipeline_is_not_told_to_read_what_it_cannot() -> None:
    section = long_text_section("token-classification", {"max_length": 128, "truncation_side": "middle"})
    assert "as palavras do meio ficaram sem resposta" in section
    assert "stride=64" in section
