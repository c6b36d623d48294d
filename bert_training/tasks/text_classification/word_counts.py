"""Counts the words and pairs of words of texts once, as a sparse table; TF-IDF is learned later, from some rows of it.

Nothing is stripped that means something in Portuguese: accents, "é" and "não é", numbers. Only capitals are folded.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

LETTERS = 20_000  # read of a text, some 3,000 words: a book in one cell must not decide how long a run takes
MOST_LETTERS = 60_000_000  # of all texts: 9 s of a processor and 1.3 GB; with more, less is read of the longest
LEAST_TEXTS = 2  # a word or pair of one text alone tells nothing about others

WORD = re.compile(r"\w+")


def count_words(texts: Sequence[str], *, most: int) -> csr_array:
    """Count words and pairs of neighbours in each text: (texts, kinds), float32.

    Kinds that one text alone has are left out; of more than `most` those in the fewest texts.

    65,000 reviews cost 1.2 s, 4,000 court decisions 0.4 s of a processor.
    """
    ids, lengths, kinds = _word_ids(texts)
    text_of_word = np.repeat(np.arange(len(lengths)), lengths)
    is_inside = text_of_word[1:] == text_of_word[:-1]  # the pair does not begin in one text and end in the next
    pairs, pair_ids = np.unique((ids[:-1] * kinds + ids[1:])[is_inside], return_inverse=True)
    columns = np.concatenate([ids, kinds + pair_ids]).astype(np.int32)  # scikit-learn takes no wider ones
    rows = np.concatenate([text_of_word, text_of_word[:-1][is_inside]]).astype(np.int32)
    ones = np.ones(len(columns), dtype=np.float32)
    counts = csr_array((ones, (rows, columns)), shape=(len(lengths), kinds + len(pairs)))
    counts.sum_duplicates()
    texts_of_kind = count_texts(counts)
    common = np.argsort(-texts_of_kind, kind="stable")[:most]
    return csr_array(counts[:, np.sort(common[texts_of_kind[common] >= LEAST_TEXTS])])


def count_texts(counts: csr_array) -> NDArray[np.int64]:
    """Count the texts that have each word or pair."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


def inverse_frequencies(counts: csr_array) -> NDArray[np.float32]:
    """Learn the weight of each word or pair from these texts: rarer ones weigh more, those of one text nothing."""
    texts = count_texts(counts)
    weights = np.log((1 + counts.shape[0]) / (1 + texts)) + 1
    return np.where(texts >= LEAST_TEXTS, weights, 0).astype(np.float32)


def weigh_words(counts: csr_array, weights: NDArray[np.float32]) -> csr_array:
    """Turn counts into TF-IDF: a word that comes ten times counts 1 + log 10 times, and each text has the length 1."""
    values = (1 + np.log(counts.data)) * weights[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    norms = np.sqrt(np.bincount(rows, weights=values**2, minlength=counts.shape[0]))
    values = (values / np.where(norms > 0, norms, 1)[rows]).astype(np.float32)
    return csr_array((values, counts.indices, counts.indptr), shape=counts.shape)


def letters_read(lengths: NDArray[np.int64]) -> int:
    """Return how many letters are read of each text at most, so that all together are no more than MOST_LETTERS."""
    rising = np.sort(np.minimum(lengths, LETTERS))
    shorter = np.cumsum(rising) - rising
    left = np.arange(len(rising), 0, -1)
    first_cut = int(np.searchsorted(shorter + rising * left, MOST_LETTERS, side="right"))
    return LETTERS if first_cut == len(rising) else int((MOST_LETTERS - shorter[first_cut]) // left[first_cut])


def _word_ids(texts: Sequence[str]) -> tuple[NDArray[np.int64], list[int], int]:
    """Number the words of all texts in a row. Returns the ids, how many words each text has, and how many kinds."""
    known: dict[str, int] = {}
    ids: list[int] = []
    lengths: list[int] = []
    letters = letters_read(np.array([len(text) for text in texts], dtype=np.int64))
    for text in texts:
        words = WORD.findall(text[:letters].lower())
        ids += [known.setdefault(word, len(known)) for word in words]
        lengths.append(len(words))
    return np.array(ids, dtype=np.int64), lengths, len(known)
