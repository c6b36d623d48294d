"""Finds texts that are the same or nearly the same, so that copies are told and never stand on both sides of a split.

Near-duplicates: two texts whose sets of words and word pairs (module shingles) have a Jaccard similarity of SIMILAR. So
one word of eight may differ, two of sixteen, five of forty, or a third of the text be missing; in less than eight
words none in the middle. All that are near to one of a group belong to it.

Candidates come from MinHash (texts that agree in all ROWS values of one of BANDS bands), each is verified on the whole
sets: nothing below SIMILAR is joined; a pair at 0.65 is found with a probability of 99 %, at 0.75 with 99.99 %.
Measured on 132,373 texts of 40 words: 4 s, 270 MB, 0.8 million pairs to verify. An exact join over the rarest shingles
(prefix filter) leaves 78 million pairs, and 10**11 where all texts share a formula; sets of five-letter shingles
instead of words take 12 s and 570 MB. Lower limits join more of what is merely written by the same formula: of 20,000
reviews with 2,000 planted copies, 4 % of the pairs found at 0.65 were not planted, 13 % at 0.6.

A chain of near texts can lead to one that has nothing in common with the first. A group of more than LARGEST_CHAIN
texts is therefore kept only if KEPT_SHARE of them resemble the one that ties most others; otherwise it is divided
by the next of the STRICTER similarities, in the end into texts of the same words.

Groups depend on the texts alone: not on the order of the rows, the machine or the hash seed.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bert_training.data.profiling.shingles import Hashes, Places, ShingleSets, cut_blocks, mix, shingle_texts, spread

SIMILAR = 0.65
STRICTER = (0.75, 0.85)
LARGEST_CHAIN = 20
RESEMBLES, KEPT_SHARE = 0.5, 0.9
BANDS, ROWS = 24, 4
LETTERS = 100_000_000  # of all texts together; a million rows of 8 words are half of it and cost 7 s and 450 MB

Similarities = NDArray[np.float32]


def exact_groups(texts: Sequence[str]) -> list[int]:
    """Return for each text the index of the first text that is the same to the letter. 132,373 texts cost 30 ms."""
    first: dict[str, int] = {}
    return [first.setdefault(text, index) for index, text in enumerate(texts)]


def can_compare(texts: Sequence[str]) -> bool:
    """Tell whether near_groups looks for more than exact duplicates: not in texts of more than LETTERS together."""
    return sum(map(len, texts)) <= LETTERS


def near_groups(texts: Sequence[str]) -> list[int]:
    """Return for each text the index of the first text of its group of near-duplicates, its own when it is alone.

    Texts that are the same to the letter are in one group, those without a word (only signs) in no larger one.
    """
    groups = np.array(exact_groups(texts), np.int64)
    if can_compare(texts):
        sets = shingle_texts(texts)
        worded = np.flatnonzero(sets.sizes)
        # Each different text once, in the order of their digests, which has nothing to do with the order of the rows.
        _, firsts, text_of = np.unique(sets.digests[worded], return_index=True, return_inverse=True)
        sets = sets.select(worded[firsts])
        groups[worded] = worded[_first_of_each(_group(sets)[text_of])]
    found: list[int] = groups.tolist()
    return found


def pack_groups(groups: Sequence[int]) -> bytes:
    """Write groups for the database: how far before each text the first of its group is; 0 compresses to nothing."""
    distances = np.arange(len(groups)) - np.array(groups, np.int64)
    return zlib.compress(distances.astype("<u4").tobytes())


def unpack_groups(data: bytes, rows: int) -> list[int]:
    """Read what pack_groups wrote for this many rows; raises ValueError when it is not that."""
    unpacker = zlib.decompressobj()
    try:
        distances = np.frombuffer(unpacker.decompress(bytes(data), 4 * rows + 1), "<u4")
    except (zlib.error, ValueError) as error:
        raise ValueError(f"These are not the packed groups of {rows} rows: {error}.") from error
    groups = np.arange(len(distances)) - distances.astype(np.int64)
    if len(groups) != rows or np.any(groups < 0) or np.any(groups[groups] != groups):
        raise ValueError(f"These are not the packed groups of {rows} rows, or they are damaged.")
    found: list[int] = groups.tolist()
    return found


def _group(sets: ShingleSets, similar: float = SIMILAR) -> Places:
    """Return for each text, all of which are different, the first of its group."""
    groups, pairs = _join_near(sets, similar)
    members = np.flatnonzero(_find_chains(sets, pairs, groups)[groups])
    stricter = next((limit for limit in STRICTER if limit > similar), None)
    if len(members):
        groups[members] = members if stricter is None else members[_group(sets.select(members), stricter)]
    return groups


def _join_near(sets: ShingleSets, similar: float) -> tuple[Places, Places]:
    """Return the first text of each text's group, and the pairs that tied the groups, (number of pairs, 2)."""
    groups = np.arange(len(sets.digests))
    found = [np.empty((0, 2), np.int64)]
    for band in range(BANDS):
        pairs = _candidates(_band_keys(sets, band))
        pairs = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]  # else a million copies cost 50 million comparisons
        found.append(pairs[_compare(sets, pairs) >= similar])
        groups = _connect(groups, found[-1])
    return groups, np.concatenate(found)


def _connect(groups: Places, pairs: Places) -> Places:
    """Join groups that a pair ties; returns the smallest text that each text is tied to."""
    while len(pairs):
        ends = np.sort(groups[pairs], axis=1)
        pairs, ends = pairs[ends[:, 0] != ends[:, 1]], ends[ends[:, 0] != ends[:, 1]]
        np.minimum.at(groups, ends[:, 1], ends[:, 0])
        while np.any((following := groups[groups]) != groups):
            groups = following
    return groups


def _find_chains(sets: ShingleSets, pairs: Places, groups: Places) -> NDArray[np.bool_]:
    """Tell for each group, by its first text, whether it is large and most of its texts do not resemble its centre."""
    texts = len(groups)
    ties = np.bincount(pairs.ravel(), minlength=texts)
    members = np.flatnonzero(np.bincount(groups, minlength=texts)[groups] > LARGEST_CHAIN)
    members = members[np.lexsort((members, -ties[members], groups[members]))]
    centres = members[_first_of_each(groups[members])]
    similarities = _compare(sets, np.stack([centres, members], axis=1))
    alike = np.bincount(groups[members], similarities >= RESEMBLES, minlength=texts)
    is_chain: NDArray[np.bool_] = alike < KEPT_SHARE * np.bincount(groups[members], minlength=texts)
    return is_chain


def _band_keys(sets: ShingleSets, band: int) -> Hashes:
    """Return the MinHash values of one band, joined into one number a text: similar texts often have the same."""
    keys = np.zeros(len(sets.digests), np.uint64)
    for row in range(ROWS):
        number = mix(np.array([band * ROWS + row + 1], np.uint64))[0]
        factor, mask = np.uint32(number >> np.uint64(32) | np.uint64(1)), np.uint32(number & np.uint64(2**32 - 1))
        keys = mix(keys + _smallest_values(sets, factor, mask))
    return keys


def _smallest_values(sets: ShingleSets, factor: np.uint32, mask: np.uint32) -> Hashes:
    """Return the smallest value of each text after its shingles were permuted, block by block to stay in the cache."""
    smallest = np.empty(len(sets.digests), np.uint64)
    for first, last in cut_blocks(sets.starts):
        begin, end = sets.starts[first], sets.starts[last]
        permuted = (sets.values[begin:end] ^ mask) * factor
        smallest[first:last] = np.minimum.reduceat(permuted, sets.starts[first:last] - begin)
    return smallest


def _candidates(keys: Hashes) -> Places:
    """Pair each text with the first one and with the one before it that have the same key; (number of pairs, 2)."""
    order = np.argsort(keys, kind="stable")
    is_same = np.diff(keys[order], prepend=~keys[order[:1]]) == 0
    firsts = np.maximum.accumulate(np.where(is_same, 0, np.arange(len(keys))))
    members = np.flatnonzero(is_same)
    return np.stack([order[np.concatenate([firsts[members], members - 1])], np.tile(order[members], 2)], axis=1)


def _compare(sets: ShingleSets, pairs: Places) -> Similarities:
    """Return the Jaccard similarity of the whole sets of each pair."""
    sizes = sets.sizes[pairs]
    common = np.zeros(len(pairs), np.int64)
    for first, last in cut_blocks(np.concatenate([[0], np.cumsum(sizes.sum(axis=1))])):
        tagged = [_tagged(sets, pairs[first:last, side], sizes[first:last, side]) for side in (0, 1)]
        both = np.sort(np.concatenate(tagged))
        shared = both[1:][both[1:] == both[:-1]] >> np.uint64(32)
        common[first:last] = np.bincount(shared.astype(np.int64), minlength=last - first)
    similarities: Similarities = np.divide(common, sizes.sum(axis=1) - common, dtype=np.float32)
    return similarities


def _tagged(sets: ShingleSets, texts: Places, sizes: Places) -> Hashes:
    """Return the shingles of some texts, each with the number of its pair in front."""
    places, _ = spread(sets.starts[texts], sizes)
    numbers = np.repeat(np.arange(len(texts), dtype=np.uint64), sizes)
    return (numbers << np.uint64(32)) | sets.values[places]


def _first_of_each(groups: Places) -> Places:
    """Return for each text the index of the first one with the same group number."""
    _, firsts, numbers = np.unique(groups, return_index=True, return_inverse=True)
    return firsts[numbers]
