"""Lets a base model without a padding token pad: what is padded is masked, so any token that it knows will do."""

from transformers import PreTrainedModel, PreTrainedTokenizerBase


def use_padding(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Name the padding token where tokenizer or network lack it: GPT-2 has none, and its head asks for one."""
    known = getattr(model.config, "pad_token_id", None)
    if tokenizer.pad_token_id is None:
        is_known = known is not None and 0 <= known < len(tokenizer)
        ids = (known if is_known else None, tokenizer.eos_token_id, tokenizer.sep_token_id, tokenizer.unk_token_id)
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(next((own for own in ids if own is not None), 0))
    if known is None:
        model.config.pad_token_id = tokenizer.pad_token_id
