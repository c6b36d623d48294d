"""What of a text counts when texts are compared: its words and pairs of neighbours, without case, accents and signs."""

import numpy as np
import pytest

from bert_training.data.profiling import shingles
from bert_training.data.profiling.shingles import shingle_texts

SAME_WORDS = [
    ("AÇÃO", "acao"),
    ("ação", "ac\u0327a\u0303o"),
    ("1.234,56", "123456"),
    ("03/05/2026", "03-05-2026"),
    ("Olá, mundo!", "ola  mundo"),
    ("fim.", "fim 👍"),
]
OTHER_WORDS = [("ab", "a b"), ("a b", "b a"), ("12 34", "1234"), ("a.b", "ab"), ("a", "")]


@pytest.mark.parametrize(("left", "right"), SAME_WORDS)
def test_texts_of_the_same_words_have_one_digest(left: str, right: str) -> None:
    assert len(set(shingle_texts([left, right]).digests.tolist())) == 1


@pytest.mark.parametrize(
    ("left", "right"), [("ab", "a b"), ("a b", "b a"), ("12 34", "1234"), ("a.b", "ab"), ("a", "")]
)
def test_texts_of_other_words_have_not(left: str, right: str) -> None:
    assert len(set(shingle_texts([left, right]).digests.tolist())) == 2


def test_each_word_and_each_pair_counts_once() -> None:
    sets = shingle_texts(["um dois três", "um um um", "!", "nº 1.234/2026"])
    assert sets.sizes.tolist() == [5, 2, 0, 3]


def test_the_size_of_the_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"texto número {number} da série" for number in range(50)]
    order = np.arange(49, -1, -1)
    whole = shingle_texts(texts).select(order)
    monkeypatch.setattr(shingles, "LETTERS_PER_BLOCK", 100)
    monkeypatch.setattr(shingles, "VALUES_PER_BLOCK", 10)
    parts = shingle_texts(texts).select(order)
    assert whole.values.tolist() == parts.values.tolist()
    assert (whole.starts.tolist(), whole.digests.tolist()) == (parts.starts.tolist(), parts.digests.tolist())
