"""Finds texts that are the same or nearly the same, so that copies are told and never stand on both sides of a split.

Near-duplicates: texts whose sets of words and word pairs (data.shingles) have a Jaccard similarity of SIMILAR or more,
and, by the chain, whatever is near to one of them. One word of nine may differ, or a fifth of the text be missing.
Candidates come from MinHash signatures (BANDS bands of ROWS values), each is then verified on the whole sets, so that
nothing below SIMILAR is ever joined; a pair at 0.6 is found with a probability of 96 %, at 0.7 with 99.9 %.
MinHash and not an exact join over rare shingles, because its cost does not explode where texts share boilerplate.

Against chains that would join everything: a group of more than LARGEST_SHARE of the rows is divided again by the next
of the STRICTER similarities, and so on; what counts as one text stays together whatever its share.
Groups depend on the texts alone: not on the order of the rows, the machine or the hash seed.
"""

import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bert_training.data.shingles import Hashes, Places, ShingleSets, mix, shingle_texts, spread

SIMILAR = 0.6
STRICTER = (0.7, 0.8, 0.9)
LARGEST_SHARE = 0.05
LARGEST_ALWAYS_ALLOWED = 50  # rows
BANDS, ROWS = 24, 4
PAIRS_PER_BLOCK = 20_000
VALUES_PER_BLOCK = 1_000_000

Similarities = NDArray[np.float32]


def exact_groups(texts: Sequence[str]) -> list[int]:
    """Return for each text the index of the first text that is the same to the letter. 132,373 texts cost 30 ms."""
    first: dict[str, int] = {}
    return [first.setdefault(text, index) for index, text in enumerate(texts)]


def near_groups(texts: Sequence[str]) -> list[int]:
    """Return for each text the index of the first text of its group of near-duplicates, its own when it is alone.

    Texts that are the same to the letter are in one group; those without a word (only signs) in no larger one.
    """
    sets = shingle_texts(texts)
    groups = np.array(exact_groups(texts), np.int64)
    worded = np.flatnonzero(sets.sizes)
    if not len(worded):
        return exact_groups(texts)
    # Each different text once, in the order of their digests, which has nothing to do with the order of the rows.
    _, firsts, text_of = np.unique(sets.digests[worded], return_index=True, return_inverse=True)
    different = sets.select(worded[firsts])
    group_of_text = _group(different, np.bincount(text_of, minlength=len(firsts)), len(texts))
    groups[worded] = worded[_first_of_each(group_of_text[text_of])]
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


def _group(sets: ShingleSets, weights: Places, rows: int) -> Places:
    """Return a group number for each different text. weights: how many rows have it."""
    pairs, similarities = _similar_pairs(sets)
    limit = max(LARGEST_ALWAYS_ALLOWED, LARGEST_SHARE * rows)
    groups = connect(pairs, len(weights))
    for stricter in STRICTER:
        is_too_large = np.bincount(groups, weights, minlength=len(weights)) > limit
        if not np.any(is_too_large):
            return groups
        kept = ~is_too_large[groups[pairs[:, 0]]] | (similarities >= stricter)
        pairs, similarities = pairs[kept], similarities[kept]
        groups = connect(pairs, len(weights))
    is_too_large = np.bincount(groups, weights, minlength=len(weights)) > limit
    return np.where(is_too_large[groups], np.arange(len(groups)), groups)


def connect(pairs: Places, nodes: int) -> Places:
    """Return for each node the smallest node that a chain of pairs leads to. pairs: (number of pairs, 2)."""
    smallest = np.arange(nodes)
    while len(pairs):
        ends = smallest[pairs]
        pairs = pairs[ends[:, 0] != ends[:, 1]]
        ends = np.sort(smallest[pairs], axis=1)
        np.minimum.at(smallest, ends[:, 1], ends[:, 0])
        while np.any((following := smallest[smallest]) != smallest):
            smallest = following
    return smallest


def _similar_pairs(sets: ShingleSets) -> tuple[Places, Similarities]:
    """Return pairs of texts and their Jaccard similarity, of at least SIMILAR."""
    nodes = len(sets.digests)
    seen = np.empty(0, np.int64)
    found, similarities = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for band in range(BANDS):
        codes = np.setdiff1d(_candidates(_band_keys(sets, band), nodes), seen, assume_unique=True)
        seen = np.sort(np.concatenate([seen, codes]))
        for start in range(0, len(codes), PAIRS_PER_BLOCK):
            pairs = np.stack(np.divmod(codes[start : start + PAIRS_PER_BLOCK], nodes), axis=1)
            values = _jaccard(sets, pairs)
            found.append(pairs[values >= SIMILAR])
            similarities.append(values[values >= SIMILAR])
    return np.concatenate(found), np.concatenate(similarities)


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
    for first, last in _text_blocks(sets.starts):
        begin, end = sets.starts[first], sets.starts[last]
        permuted = (sets.values[begin:end] ^ mask) * factor
        smallest[first:last] = np.minimum.reduceat(permuted, sets.starts[first:last] - begin)
    return smallest


def _text_blocks(starts: Places) -> Iterator[tuple[int, int]]:
    """Cut the texts so that each block has about VALUES_PER_BLOCK shingles."""
    texts = len(starts) - 1
    wanted = np.arange(VALUES_PER_BLOCK, starts[-1], VALUES_PER_BLOCK)
    cuts = np.unique(np.concatenate([[0], np.searchsorted(starts, wanted), [texts]])).tolist()
    yield from pairwise(cuts)


def _candidates(keys: Hashes, nodes: int) -> Places:
    """Pair each text with the first one and with the one before it that have the same key; a pair is a * nodes + b."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_same = np.concatenate([[False], ordered[1:] == ordered[:-1]])
    firsts = np.maximum.accumulate(np.where(is_same, 0, np.arange(nodes)))
    members = np.flatnonzero(is_same)
    return np.unique(np.concatenate([order[firsts[members]], order[members - 1]]) * nodes + np.tile(order[members], 2))


def _jaccard(sets: ShingleSets, pairs: Places) -> Similarities:
    """Compare the whole sets of each pair."""
    sizes = sets.sizes[pairs]
    tagged = [_tagged(sets, pairs[:, side], sizes[:, side]) for side in (0, 1)]
    both = np.sort(np.concatenate(tagged))
    shared = both[1:][both[1:] == both[:-1]] >> np.uint64(32)
    common = np.bincount(shared.astype(np.int64), minlength=len(pairs))
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
