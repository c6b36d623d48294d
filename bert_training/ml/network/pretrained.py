"""Loads network and tokenizer of a base model from its folder: no network access, no code from the model."""

from collections.abc import Sequence
from types import NoneType
from typing import Any

import torch
from tokenizers import Encoding
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from bert_training.ml.errors import BaseModelUnavailable
from bert_training.ml.job import TrainingSettings
from bert_training.ml.network.base_model import BaseModelFiles

# RoBERTa and its kin: the first position is the padding id + 1, so the last ones are fewer than the config says.
COUNTED_FROM_PADDING = frozenset(
    {
        *("roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer"),
        *("data2vec-text", "ibert", "xmod"),
    }
)


def load_model(
    auto_class: Any, base_model: BaseModelFiles, label_names: list[str], *, dropout: float | None = None
) -> PreTrainedModel:
    """Load the network in fp32 with a fresh head for these labels; auto_class: one of transformers' Auto classes.

    dropout: of every layer and of the head, None = as the base model has it.
    """
    # "some weights were not initialized" is what a fresh head is
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: PreTrainedModel = auto_class.from_pretrained(
            base_model.folder,
            id2label=dict(enumerate(label_names)),
            label2id={name: index for index, name in enumerate(label_names)},
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # a base model that was itself a classifier of other labels
            **_every_dropout(base_model, dropout),
        )
    except (OSError, ValueError, KeyError) as error:
        raise BaseModelUnavailable(_unusable(base_model, error)) from error
    return model


def load_tokenizer(
    base_model: BaseModelFiles, settings: TrainingSettings, *, takes_words: bool = False
) -> PreTrainedTokenizerBase:
    """Load a fast tokenizer that cuts at the side and length of the settings, as far as the network has positions.

    takes_words: it will be given lists of words instead of texts.
    """
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            base_model.folder,
            truncation_side="left" if settings.truncation_side == "left" else "right",  # it knows no other
            local_files_only=True,
            trust_remote_code=False,
        )
        limit = _positions(base_model)
    except (OSError, ValueError, KeyError) as error:
        raise BaseModelUnavailable(_unusable(base_model, error)) from error
    if not tokenizer.is_fast:
        raise BaseModelUnavailable(
            f"Base model {base_model.name!r} has no fast tokenizer. Copy its tokenizer.json too, or choose another."
        )
    # once and here: rows are tokenized whole, and two threads cannot use a tokenizer that one of them changes
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    if takes_words:
        _begin_words_with_space(tokenizer)
    tokenizer.model_max_length = min(settings.max_length, tokenizer.model_max_length, limit)
    return tokenizer


def tokenize_whole(
    tokenizer: PreTrainedTokenizerBase, rows: Sequence[str] | Sequence[list[str]], *, are_words: bool = False
) -> list[Encoding]:
    """Tokenize rows, neither cut nor with special tokens; texts in two thirds of the time that calling it takes.

    are_words: rows are lists of words instead of texts.
    """
    backend = tokenizer.backend_tokenizer
    encode = backend.encode_batch if are_words else backend.encode_batch_fast  # the fast one forgets the words
    encodings: list[Encoding] = encode(rows, is_pretokenized=are_words, add_special_tokens=False)
    return encodings


def _positions(base_model: BaseModelFiles) -> int:
    """Return how many tokens the network can tell apart by position; a large number for relative positions."""
    config = _config_of(base_model)
    positions = int(getattr(config, "max_position_embeddings", None) or 0)
    if positions <= 0:  # XLNet says -1
        return 10**9
    return positions - (config.pad_token_id + 1 if config.model_type in COUNTED_FROM_PADDING else 0)


def _every_dropout(base_model: BaseModelFiles, dropout: float | None) -> dict[str, float]:
    """Name every dropout probability of the architecture, also those that stand empty."""
    if dropout is None:
        return {}
    known = _config_of(base_model).to_dict()
    return {
        name: dropout for name, value in known.items() if "dropout" in name and type(value) in (float, int, NoneType)
    }


def _config_of(base_model: BaseModelFiles) -> Any:
    return AutoConfig.from_pretrained(base_model.folder, local_files_only=True, trust_remote_code=False)


def _begin_words_with_space(tokenizer: PreTrainedTokenizerBase) -> None:
    """Make a byte-level tokenizer (RoBERTa) see each word as a word's beginning, not as the rest of the one before."""
    backend = tokenizer.backend_tokenizer
    if isinstance(backend.pre_tokenizer, ByteLevel):
        backend.pre_tokenizer = ByteLevel(add_prefix_space=True, use_regex=backend.pre_tokenizer.use_regex)


def _unusable(base_model: BaseModelFiles, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return (
        f"Base model {base_model.name!r} in {base_model.folder} cannot be used for this task: {reason}. "
        "Choose another base model, or copy its folder again."
    )
