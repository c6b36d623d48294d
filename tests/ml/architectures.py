"""Tiny random networks of the architectures that people choose, for what must hold for each of them."""

from typing import Any

import torch
from transformers import (
    AlbertConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    CamembertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    PreTrainedModel,
    RobertaConfig,
    XLMRobertaConfig,
)

SIZE: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}
DISTILBERT: dict[str, Any] = {
    "vocab_size": 40,
    "dim": 16,
    "n_layers": 3,
    "n_heads": 2,
    "hidden_dim": 24,
    "max_position_embeddings": 40,
}
CONFIGS: dict[str, Any] = {
    "bert": lambda: BertConfig(**SIZE),
    "roberta": lambda: RobertaConfig(**SIZE),
    "camembert": lambda: CamembertConfig(**SIZE),
    "xlm-roberta": lambda: XLMRobertaConfig(**SIZE),
    "distilbert": lambda: DistilBertConfig(**DISTILBERT),
    "electra": lambda: ElectraConfig(**SIZE, embedding_size=8),
    "mpnet": lambda: MPNetConfig(**SIZE),
    "deberta-v2": lambda: DebertaV2Config(**SIZE, relative_attention=True, pos_att_type=["p2c", "c2p"]),
    "modernbert": lambda: ModernBertConfig(**SIZE, pad_token_id=0, cls_token_id=2, sep_token_id=3),
    "albert": lambda: AlbertConfig(**SIZE, embedding_size=8),
}
LAYERS = dict.fromkeys(CONFIGS, 3) | {"albert": 1}  # ALBERT's layers share their weights


def tiny_network(architecture: str, *, label_per_token: bool = False) -> PreTrainedModel:
    """Make a random network with a head of 3 labels; the same weights every time."""
    torch.manual_seed(3)
    auto = AutoModelForTokenClassification if label_per_token else AutoModelForSequenceClassification
    config = CONFIGS[architecture]()
    config.num_labels = 3
    model: PreTrainedModel = auto.from_config(config)  # type: ignore[no-untyped-call]
    return model
