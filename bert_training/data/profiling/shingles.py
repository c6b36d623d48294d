"""Turns texts into what near-duplicates have in common: the set of their words and pairs of neighbouring words.

Letters count without case and accents, a number with its points, strokes and colons is one word (a date, a process
number), everything else parts words. Sets of 32-bit hashes in numpy; the same on every machine, in any hash seed.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Shingles = NDArray[np.uint32]
Places = NDArray[np.int64]

LETTERS_PER_BLOCK = 2_000_000  # 16 MB in each of the passing arrays
VALUES_PER_BLOCK = 1_000_000  # 4 MB of shingles, few enough for the processor's cache
CODES = 0x10000  # what lies above (emoji, ancient scripts) parts words
SEPARATOR, JOINER, DROPPED, FIRST_LETTER = 0, 1, 2, 3  # a joiner parts words but not the digits of a number
JOINERS = ".,/-:"
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True)
class ShingleSets:
    """The shingles of N texts below each other.

    values: rising within a text, each once.  starts: N + 1 places; text i has values[starts[i]:starts[i + 1]].
    digests: one number a text; texts with the same words in the same order have the same.
    """

    values: Shingles
    starts: Places
    digests: Hashes

    @property
    def sizes(self) -> Places:
        """Return how many shingles each text has; 0 where there is no word."""
        return np.diff(self.starts)

    def select(self, indexes: Places) -> "ShingleSets":
        """Take some texts, in the order given."""
        sizes = self.sizes[indexes]
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        values = np.empty(starts[-1], np.uint32)
        for first, last in cut_blocks(starts):
            places, _ = spread(self.starts[:-1][indexes[first:last]], sizes[first:last])
            values[starts[first] : starts[last]] = self.values[places]
        return ShingleSets(values, starts, self.digests[indexes])


def shingle_texts(texts: Sequence[str]) -> ShingleSets:
    """Make the sets, a block of texts at a time. 132,373 texts of 40 words cost 2 s and 45 MB."""
    blocks = [_shingle_block(block) for block in _blocks(texts)]
    empty = np.empty(0, np.uint64)
    sizes = np.concatenate([np.zeros(1, np.int64), *(block.sizes for block in blocks)])
    return ShingleSets(
        np.concatenate([np.empty(0, np.uint32), *(block.values for block in blocks)]),
        np.cumsum(sizes),
        np.concatenate([empty, *(block.digests for block in blocks)]),
    )


def spread(starts: Places, sizes: Places) -> tuple[Places, Places]:
    """Return all places of the ranges that begin at `starts`, and where each range begins among them, with the end."""
    ends = np.cumsum(sizes)
    offsets = np.repeat(starts - (ends - sizes), sizes)
    return np.arange(len(offsets)) + offsets, np.concatenate([np.zeros(1, np.int64), ends])


def cut_blocks(starts: Places) -> Iterator[tuple[int, int]]:
    """Cut ranges that lie one after the other into blocks of about VALUES_PER_BLOCK values; yields first and end."""
    wanted = np.arange(VALUES_PER_BLOCK, starts[-1], VALUES_PER_BLOCK)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(starts, wanted), [len(starts) - 1]]))
    yield from pairwise(cuts.tolist())


def mix(values: Hashes) -> Hashes:
    """Scatter numbers over 64 bits (the end of splitmix64)."""
    for shift, factor in zip((np.uint64(30), np.uint64(27)), _MIXERS, strict=True):
        values = (values ^ (values >> shift)) * factor
    return values ^ (values >> np.uint64(31))


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first, letters = 0, 0
    for index, text in enumerate(texts):
        letters += len(text) + 1
        if letters >= LETTERS_PER_BLOCK:
            yield texts[first : index + 1]
            first, letters = index + 1, 0
    if first < len(texts):
        yield texts[first:]


def _shingle_block(texts: Sequence[str]) -> ShingleSets:
    words, counts = _hash_words(texts)
    places = np.repeat(np.arange(len(texts)), counts)  # the text of each word
    ends = np.cumsum(counts)
    order = np.arange(len(words)) - np.repeat(ends - counts, counts)
    digests = _sums(mix(words ^ order.astype(np.uint64) * _FACTOR), counts)
    has_next = places[:-1] == places[1:]
    pairs = mix(words[:-1] * _FACTOR + words[1:])[has_next]
    tagged = np.concatenate([_tag(words, places), _tag(pairs, places[:-1][has_next])])
    tagged.sort()
    tagged = tagged[np.diff(tagged, prepend=np.uint64(2**64 - 1)) != 0]
    sizes = np.bincount((tagged >> np.uint64(32)).astype(np.int64), minlength=len(texts))
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return ShingleSets(tagged.astype(np.uint32), starts, digests)


def _tag(hashes: Hashes, places: Places) -> Hashes:
    """Put the number of the text in front of the upper half of the hash."""
    return (places.astype(np.uint64) << np.uint64(32)) | (hashes >> np.uint64(32))


def _hash_words(texts: Sequence[str]) -> tuple[Hashes, Places]:
    """Return a hash for each word, text after text, and how many words each text has."""
    codes = np.frombuffer("\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), "<u4")
    lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    text_ends = np.cumsum(lengths)
    letters = _letters()[np.minimum(codes, CODES - 1)]
    keep = (letters != DROPPED) & ~_inside_numbers(letters)
    kept_before = np.cumsum(keep)
    letters = letters[keep]
    is_letter = letters >= FIRST_LETTER
    begins = np.flatnonzero(is_letter & ~np.concatenate([[False], is_letter[:-1]]))
    stops = np.flatnonzero(is_letter & ~np.concatenate([is_letter[1:], [False]])) + 1
    places, starts = spread(begins, stops - begins)
    within = np.arange(len(places)) - np.repeat(starts[:-1], stops - begins)
    values = mix(letters[places].astype(np.uint64) + within.astype(np.uint64) * _FACTOR)
    bounds = np.searchsorted(begins, kept_before[text_ends - 1])
    return mix(_sums(values, stops - begins)), np.diff(bounds, prepend=0)


def _inside_numbers(letters: Shingles) -> NDArray[np.bool_]:
    """Tell which joiners stand between two digits: 1.234,56 and 03/05/2026 are one word each."""
    is_digit = (letters >= FIRST_LETTER + ord("0")) & (letters <= FIRST_LETTER + ord("9"))
    inside = np.zeros(len(letters), np.bool_)
    inside[1:-1] = (letters[1:-1] == JOINER) & is_digit[:-2] & is_digit[2:]
    return inside


def _sums(values: Hashes, sizes: Places) -> Hashes:
    """Add up each of the ranges that lie one after the other, modulo 2**64; an empty one gives 0."""
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    ends = np.cumsum(sizes)
    sums: Hashes = total[ends] - total[ends - sizes]
    return sums


@cache
def _letters() -> Shingles:
    """Return for each code what it counts as: a letter without case and accent, DROPPED, or SEPARATOR. 50 ms, once."""
    return np.array([_letter(chr(code)) for code in range(CODES)], np.uint32)


def _letter(character: str) -> int:
    if character in JOINERS:
        return JOINER
    if unicodedata.combining(character):
        return DROPPED
    base = unicodedata.normalize("NFKD", character)[0].lower()[0]
    return FIRST_LETTER + ord(base) if base.isalnum() else SEPARATOR
