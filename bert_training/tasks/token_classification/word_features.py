"""What a linear tagger sees of a word: its form, beginning, end and shape, those of its neighbours, and their pairs.

Made once for each form and put together by position, so that a corpus costs what its different words cost.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

NEIGHBOURS = (-2, -1, 1, 2)
PAIRS = (-2, -1, 0, 1)  # where a pair of words begins, seen from the word
LEAST_PAIRS = 2  # occurrences of a pair

_RUN = re.compile(r"(.)\1{2,}")
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")


class WordFeatures:
    """The words of sentences as numbers; `of` makes the features of some sentences.

    form: (T,) id of each of the T words.  starts: (N + 1,) where each sentence begins.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        forms: dict[str, int] = {}
        ids: list[int] = []
        lengths: list[int] = []
        for sentence in sentences:
            ids += [forms.setdefault(word, len(forms)) for word in sentence]
            lengths.append(len(sentence))
        self.form = np.array(ids, dtype=np.int64)
        self.form_count = len(forms)
        self.starts: NDArray[np.int64] = np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))])
        self.sentence = np.repeat(np.arange(len(lengths)), lengths)
        self._own, self._near, self._own_count = _of_forms(forms)
        self._pair, self._pair_count = self._number_pairs()
        near_count = self._own_count + 1
        self.count = self._own_count + len(NEIGHBOURS) * near_count + len(PAIRS) * self._pair_count

    def lengths(self, sentences: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many words each of these sentences has."""
        lengths: NDArray[np.int64] = self.starts[sentences + 1] - self.starts[sentences]
        return lengths

    def words_of(self, sentences: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of all words of these sentences, one after the other."""
        lengths = self.lengths(sentences)
        begins = np.repeat(self.starts[sentences] - (np.cumsum(lengths) - lengths), lengths)
        words: NDArray[np.int64] = begins + np.arange(len(begins))
        return words

    def of(self, words: NDArray[np.int64], *, width: int) -> csr_array:
        """Return the features of the words at these positions, (words, width); more than width share columns."""
        blocks = [self._own[self.form[words]]]
        base = self._own_count
        for offset in NEIGHBOURS:
            place, is_inside = self._at(words, offset)
            blocks.append(np.where(is_inside[:, None], self._near[self.form[place]], self._own_count) + base)
            base += self._own_count + 1
        for offset in PAIRS:
            place, is_inside = self._at(words, offset)
            blocks.append(np.where(is_inside, self._pair[place], 0)[:, None] + base)
            base += self._pair_count
        columns = np.concatenate(blocks, axis=1) % width
        ends = np.arange(len(words) + 1) * columns.shape[1]
        ones = np.ones(columns.size, dtype=np.float32)
        return csr_array((ones, columns.astype(np.int32).ravel(), ends.astype(np.int32)), shape=(len(words), width))

    def _at(self, words: NDArray[np.int64], offset: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the positions beside words, and whether they are still in the sentence."""
        place = np.clip(words + offset, 0, len(self.form) - 1)
        return place, (place == words + offset) & (self.sentence[place] == self.sentence[words])

    def _number_pairs(self) -> tuple[NDArray[np.int64], int]:
        """Number the pair of lower-case words that begins at each position; 0 = a rare one or none."""
        lower = self._own[self.form, 1].astype(np.int64)
        keys = np.append(lower[:-1] * self._own_count + lower[1:], -1)
        keys[np.append(self.sentence[1:] != self.sentence[:-1], True)] = -1
        kinds, pair, counts = np.unique(keys, return_inverse=True, return_counts=True)
        is_kept = (counts >= LEAST_PAIRS) & (kinds >= 0)
        return np.where(is_kept, np.cumsum(is_kept), 0)[pair], 1 + int(is_kept.sum())


def describe_form(word: str) -> list[str]:
    """Name what is seen of a form; the second is the word in lower case, which pairs are made of."""
    lower, shape = word.lower(), _shape(word)
    beginnings = [f"begins {lower[:length]}" for length in (2, 3, 4)]
    ends = [f"ends {lower[-length:]}" for length in (2, 3, 4)]
    return [f"is {word}", f"lower {lower}", f"shape {shape}", f"case {_case(word)}", *beginnings, *ends]


NEAR = [1, 2, 3, 4, 8]  # of describe_form, for neighbours: lower, shape, case, 2 first and 3 last letters


def _of_forms(forms: Iterable[str]) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Number the features of each form (V, 10), pick those of a neighbour, and count the kinds."""
    known: dict[str, int] = {}
    rows = [[known.setdefault(name, len(known)) for name in describe_form(form)] for form in forms]
    own = np.array(rows, dtype=np.int32).reshape(len(rows), -1)
    return own, own[:, NEAR], len(known)


def _shape(word: str) -> str:
    """Return "Xxx" for "Tribunal", "9.99" for "8.666": letters by case, digits as 9, at most two of a kind in a row."""
    letters = _LETTER.sub(lambda letter: "X" if letter[0].isupper() else "x", word)
    return _RUN.sub(r"\1\1", _DIGIT.sub("9", letters))


def _case(word: str) -> str:
    if word.isupper():
        return "upper"
    if word[:1].isupper():
        return "title"
    return "lower" if word.islower() else "digits" if word.isdigit() else "other"
