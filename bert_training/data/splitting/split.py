"""Splits rows into train, validation and test: the same on every machine, shares kept, no unit divided.

A unit is one row, or rows that must stay together (module units). No random generator whose stream could differ between
versions: order is that of the SHA-256 of "seed:index", of a unit's first row. The rule:

1. Each stratum of n >= 3 rows gets its sizes: round(n * train share) train, but at least one row each for validation
   and test; the rest is dealt out by their shares, rounding carried on to the next stratum (halves: the odd row goes to
   validation and test in turn). Strata below 3 rows are pooled under the same rule; a pool of two goes to train and
   test, of one to train.
2. Units of several rows first, the largest first: each whole into the split of which the greatest part stays free, of
   those that have room for it; so units are spread by the shares, and the largest go where they weigh least. A unit for
   which none has room goes where most room is left.
3. Single rows fill each stratum to its sizes. Where large units have overdrawn a split, the rows go one after the other
   by rule 2.
Before room counts need: a split that is empty, in all or in a stratum, gets one of the last units that could fill it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from math import floor

from bert_training.contract.enums import Split

SMALLEST_STRATUM = 3  # one row for each split

# A row in no split is None: it takes no part.
Splits = list[Split | None]

# Of equals, train first; the figures that people trust come from test, so it comes before validation.
PREFERENCE = (Split.TRAIN, Split.TEST, Split.VALIDATION)
STRENGTH = {Split.TRAIN: 0, Split.VALIDATION: 1, Split.TEST: 2}


@dataclass(frozen=True)
class Shares:
    """Shares of the rows, sum 1. A share of 0 means that the split gets no row; train has some always."""

    train: float
    validation: float
    test: float

    def of(self, split: Split) -> float:
        """Return the share of one split."""
        return {Split.TRAIN: self.train, Split.VALIDATION: self.validation, Split.TEST: self.test}[split]

    @property
    def splits(self) -> list[Split]:
        """Return the splits that get rows, in the order of PREFERENCE."""
        return [split for split in PREFERENCE if self.of(split) > 0]

    def without(self, given: Collection[Split]) -> "Shares":
        """Return the shares of what is divided when the splits of `given` have their rows already."""
        left = {split: 0.0 if split in given else self.of(split) for split in Split}
        total = sum(left.values())
        return Shares(**{split.value: share / total for split, share in left.items()})


def divide_rows(
    strata: Sequence[str],
    shares: Shares,
    *,
    seed: int,
    units: Sequence[int],
    fixed: Sequence[Split | None] | None = None,
) -> Splits:
    """Return the split of each row, None for those that are left out.

    fixed: what the user's own files or manifest say; then nothing moves, rows are only left out (keep_apart), and a
    split that they do not have is taken from their training rows, by its share.
    """
    if fixed is None:
        return list(split_rows(strata, shares, seed=seed, units=units))
    splits = keep_apart(fixed, units)
    given = {split for split in fixed if split is not None and split != Split.TRAIN}
    part = [index for index, split in enumerate(splits) if split is Split.TRAIN]
    if part and len(given) < len(STRENGTH) - 1:
        chosen = split_rows(
            [strata[index] for index in part],
            shares.without(given),
            seed=seed,
            units=[units[index] for index in part],
            numbers=part,
        )
        for index, split in zip(part, chosen, strict=True):
            splits[index] = split
    return splits


def keep_apart(fixed: Sequence[Split | None], units: Sequence[int]) -> Splits:
    """Leave out the rows whose unit also has rows in a split that weighs more: test over validation over train."""
    strongest: dict[int, int] = {}
    for split, unit in zip(fixed, units, strict=True):
        if split is not None:
            strongest[unit] = max(strongest.get(unit, 0), STRENGTH[split])
    return [
        split if split is not None and STRENGTH[split] == strongest[unit] else None
        for split, unit in zip(fixed, units, strict=True)
    ]


def split_rows(
    strata: Sequence[str],
    shares: Shares,
    *,
    seed: int,
    units: Sequence[int] | None = None,
    numbers: Sequence[int] | None = None,
) -> list[Split]:
    """Return the split of each row. strata: one name a row; units: rows of the same number stay together.

    numbers: the indexes that the rows have in the whole table, where these are not all.  100,000 rows cost 0.2 s.
    """

    def draw(index: int) -> bytes:
        return sha256(b"%d:%d" % (seed, index if numbers is None else numbers[index])).digest()

    splits = [Split.TRAIN] * len(strata)
    stratum_of = _strata(strata, shares)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for index, unit in enumerate(range(len(strata)) if units is None else units):
        members[unit].append(index)
    large = _count_units(members.values(), strata, stratum_of)
    whole = _join(stratum_of.values(), shares, units=len(members))
    for indexes, parts in sorted(large, key=lambda unit: (-len(unit[0]), draw(unit[0][0]))):
        split = _place(parts, whole)
        for index in indexes:
            splits[index] = split
    for stratum in dict.fromkeys(stratum_of.values()):
        ordered = iter(sorted(stratum.singles, key=draw))
        for split, rows in _sizes_of_singles(stratum, whole).items():
            for index in islice(ordered, rows):
                splits[index] = split
    return splits


@dataclass(eq=False)
class _Stratum:
    """How far a stratum (or, for the rule of need, all rows together) is filled.

    room: rows that each split still wants, below 0 where a large unit has overdrawn it.  units: not placed yet.
    """

    room: dict[Split, int]
    units: int = 0
    singles: list[int] = field(default_factory=list)  # indexes of the rows that are alone
    sizes: dict[Split, int] = field(init=False)  # what the room was in the beginning
    empty: set[Split] = field(init=False)  # wants rows and has none yet

    def __post_init__(self) -> None:
        self.sizes = dict(self.room)
        self.empty = {split for split, rows in self.room.items() if rows > 0}

    def needs(self, split: Split) -> bool:
        """Tell whether a split without a row gets one of the last units, or none."""
        return split in self.empty and self.units <= len(self.empty)

    def put(self, split: Split, *, rows: int, units: int) -> None:
        """Note that some units went to a split."""
        self.room[split] -= rows
        self.units -= units
        if rows:
            self.empty.discard(split)


_Parts = Mapping[_Stratum, int]  # rows of one unit in each stratum that it touches


def _strata(strata: Sequence[str], shares: Shares) -> dict[str, _Stratum]:
    """Return the stratum of each name, in the order of names, with room for its rows; small ones share the last."""
    counts = Counter(strata)
    smallest = len(shares.splits)  # one row for each split
    large = [name for name in sorted(counts) if counts[name] >= smallest]
    small = [name for name in sorted(counts) if counts[name] < smallest]
    found, carry = {}, 0.0
    for name in large:
        room, carry = _sizes(counts[name], shares, carry)
        found[name] = _Stratum(room)
    if small:
        room, _ = _sizes(sum(counts[name] for name in small), shares, carry)
        found |= dict.fromkeys(small, _Stratum(room))
    return found


def _sizes(rows: int, shares: Shares, carry: float) -> tuple[dict[Split, int], float]:
    """Return how many rows each split gets, by the rule's first sentence, and what rounding leaves for the next."""
    others = shares.splits[1:]
    if rows <= len(others):
        return dict.fromkeys(shares.splits, 0) | dict.fromkeys(shares.splits[:rows], 1), carry
    train = min(max(round(rows * shares.train), 1), rows - len(others))
    sizes, rest = {Split.TRAIN: train}, rows - train
    if len(others) == 1:
        return sizes | {others[0]: rest}, carry
    wanted = rest * (shares.validation / (shares.validation + shares.test)) + carry
    rounded = floor(wanted + 0.5)
    validation = min(max(rounded, 1), rest - 1)
    return sizes | {Split.VALIDATION: validation, Split.TEST: rest - validation}, wanted - rounded


def _count_units(
    units: Collection[list[int]], strata: Sequence[str], stratum_of: Mapping[str, _Stratum]
) -> list[tuple[list[int], _Parts]]:
    """Note in each stratum its units and single rows; return those of several rows with their strata."""
    large: list[tuple[list[int], _Parts]] = []
    for indexes in units:
        if len(indexes) == 1:
            stratum = stratum_of[strata[indexes[0]]]
            stratum.singles.append(indexes[0])
            stratum.units += 1
            continue
        parts = Counter(stratum_of[strata[index]] for index in indexes)
        for stratum in parts:
            stratum.units += 1
        large.append((indexes, parts))
    return large


def _join(strata: Collection[_Stratum], shares: Shares, *, units: int) -> _Stratum:
    """Return what all strata together want."""
    different = set(strata)
    return _Stratum({split: sum(stratum.room[split] for stratum in different) for split in shares.splits}, units)


def _choose(parts: _Parts, whole: _Stratum) -> Split:
    """Return where a unit goes: where it is needed, else by the room that it would leave in the worst of its strata."""

    def merit(split: Split) -> tuple[bool, int, bool, float]:
        needed = sum(stratum.needs(split) for stratum in parts)
        left = [(stratum.room[split] - rows, stratum.sizes[split]) for stratum, rows in parts.items()]
        fits = all(room >= 0 for room, _ in left)
        room = min(room / max(size, 1) for room, size in left) if fits else min(room for room, _ in left)
        return whole.needs(split), needed, fits, room

    return max(whole.room, key=merit)


def _place(parts: _Parts, whole: _Stratum) -> Split:
    """Choose the split of one unit and note it."""
    split = _choose(parts, whole)
    for stratum, rows in parts.items():
        stratum.put(split, rows=rows, units=1)
    whole.put(split, rows=sum(parts.values()), units=1)
    return split


def _sizes_of_singles(stratum: _Stratum, whole: _Stratum) -> dict[Split, int]:
    """Return how many of the stratum's single rows each split gets, in the order train, validation, test."""
    is_last = whole.units == len(stratum.singles)
    stays_empty = any(stratum.room[split] == 0 for split in whole.empty)
    if min(stratum.room.values()) >= 0 and not (is_last and stays_empty):
        sizes = dict(stratum.room)
        for split, rows in sizes.items():
            stratum.put(split, rows=rows, units=rows)
            whole.put(split, rows=rows, units=rows)
    else:
        sizes = Counter(_place({stratum: 1}, whole) for _ in stratum.singles)
    return {split: sizes.get(split, 0) for split in Split}
