"""Writes a tiny random BERT (14,000 parameters) with a vocabulary of its own, so that a test trains in a second."""

from pathlib import Path

import torch
from transformers import BertConfig, BertModel, BertTokenizer

from bert_training.ml.network.base_model import BaseModelFiles

FILLERS = ("o", "autor", "pede", "que", "a", "parte", "seja", "ouvida", "no", "processo")
MARKERS = ("imposto", "remedio", "salario")
NAMES = ("Ana", "Maria", "Bras", "##ilia", "Souza", "Lei", "8666")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (*SPECIAL, *FILLERS, *MARKERS, *NAMES)


def write_tiny_bert(folder: Path, *, dropout: float = 0.1, safetensors: bool = True) -> BaseModelFiles:
    """Write config, weights and tokenizer into `folder`; the same weights every time."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        initializer_range=0.1,  # of a network this small; 0.02 needs twice the epochs
    )
    model = BertModel(config)
    model.save_pretrained(folder)
    BertTokenizer(vocab={word: index for index, word in enumerate(WORDS)}, do_lower_case=False).save_pretrained(folder)
    if not safetensors:
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return BaseModelFiles(name="tiny-bert", folder=folder, revision="test")
