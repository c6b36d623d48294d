"""Splits rows into train, validation and test: the same on every machine, with every stratum's share kept.

No random generator whose stream could differ between versions: inside a stratum, rows are ordered by the SHA-256 of
"seed:index". Rule for a stratum of n >= 3 rows: round(n * train_share) train, but at least one row each for validation
and test; the rest is halved, the odd row going to validation and test in turn. Strata below 3 rows are pooled and
split by the same rule; a pool of two goes to train and test, of one to train.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256

from bert_training.contract.enums import Split

SMALLEST_STRATUM = 3  # one row for each split


def split_rows(strata: list[str], *, train_share: float, seed: int) -> list[Split]:
    """Return the split of each row. strata: one name a row. 100,000 rows cost 0.1 s."""
    splits = [Split.TRAIN] * len(strata)
    odd_to_validation = True
    for indexes in _groups(strata):
        ordered = sorted(indexes, key=lambda index: sha256(b"%d:%d" % (seed, index)).digest())
        train, validation, test = _sizes(len(ordered), train_share, odd_to_validation=odd_to_validation)
        if validation != test:
            odd_to_validation = not odd_to_validation
        for index in ordered[train : train + validation]:
            splits[index] = Split.VALIDATION
        for index in ordered[train + validation :]:
            splits[index] = Split.TEST
    return splits


def split_digest(rows: Sequence[int], splits: Sequence[Split]) -> str:
    """Return the SHA-256 (hex) of the manifest: a line "row<TAB>split" for each row, in the order of the table."""
    lines = (f"{row}\t{Split(split).value}\n" for row, split in zip(rows, splits, strict=True))
    return sha256("".join(lines).encode("ascii")).hexdigest()


def _groups(strata: list[str]) -> Iterator[list[int]]:
    """Yield the row indexes of each stratum in the order of names, the pool of the small ones last."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for index, stratum in enumerate(strata):
        members[stratum].append(index)
    pool: list[int] = []
    for stratum in sorted(members):
        if len(members[stratum]) >= SMALLEST_STRATUM:
            yield members[stratum]
        else:
            pool += members[stratum]
    if pool:
        yield pool


def _sizes(rows: int, train_share: float, *, odd_to_validation: bool) -> tuple[int, int, int]:
    if rows < SMALLEST_STRATUM:
        return (1, 0, rows - 1)
    train = min(max(round(rows * train_share), 1), rows - 2)
    half, odd = divmod(rows - train, 2)
    validation = half + (odd if odd_to_validation else 0)
    return train, validation, rows - train - validation
