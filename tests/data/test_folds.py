"""Parts for cross-validation: every row once out of sample, no unit divided, classes spread, the same everywhere."""

from collections import Counter, defaultdict
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.contract.enums import Split
from bert_training.data.splitting.folds import fold_rows, splits_of_fold

STRATA = ["a"] * 100 + ["b"] * 40 + ["c"] * 3 + ["d"] * 2 + ["e"]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[int]]:
    """Strata and units of up to 60 rows; some units are large, some touch several strata."""
    rows = draw(st.integers(10, 60))
    strata = draw(st.lists(st.sampled_from("abcd"), min_size=rows, max_size=rows))
    first: dict[int, int] = {}
    units = [first.setdefault(name, index) for index, name in enumerate(draw(st.permutations(range(rows))))]
    for index in draw(st.lists(st.integers(0, rows - 1), max_size=rows)):
        units[index] = units[index // 3]
    return strata, units


@settings(max_examples=60, deadline=None)
@given(tables(), st.integers(3, 10), st.integers(0, 5))
def test_every_row_is_out_of_sample_once_and_no_unit_is_divided(
    table: tuple[list[str], list[int]], count: int, seed: int
) -> None:
    strata, units = table
    folds = fold_rows(strata, count, seed=seed, units=units)
    parts_of_unit = defaultdict(set)
    for unit, fold in zip(units, folds, strict=True):
        parts_of_unit[unit].add(fold)
    assert all(len(parts) == 1 for parts in parts_of_unit.values())
    assert len(set(folds)) == min(count, len(set(units)))
    tested: Counter[int] = Counter()
    for fold in set(folds):
        splits = splits_of_fold(strata, folds, fold, train_share=0.8, seed=seed, units=units)
        tested.update(index for index, split in enumerate(splits) if split is Split.TEST)
        sides = defaultdict(set)
        for unit, split in zip(units, splits, strict=True):
            sides[unit].add(split)
        assert all(len(side) == 1 for side in sides.values())
        assert None not in splits
    assert tested == Counter(range(len(strata)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcde"), min_size=10, max_size=200), st.integers(3, 10), st.integers(0, 5))
def test_of_single_rows_every_part_gets_its_share_of_every_class(strata: list[str], count: int, seed: int) -> None:
    folds = fold_rows(strata, count, seed=seed, units=range(len(strata)))
    for stratum in set(strata):
        rows = Counter(dict.fromkeys(range(count), 0))
        rows.update(fold for name, fold in zip(strata, folds, strict=True) if name == stratum)
        assert max(rows.values()) - min(rows.values()) <= 1
    sizes = Counter(folds)
    assert max(sizes.values()) - min(sizes.get(fold, 0) for fold in range(count)) <= 1


def test_single_rows_make_up_for_large_units() -> None:
    units = [0] * 20 + list(range(20, 100))
    folds = fold_rows(["a"] * 100, 5, seed=1, units=units)
    assert sorted(Counter(folds).values()) == [20] * 5


def test_the_parts_never_change() -> None:
    units = [*range(0, 20), *[20] * 5, *range(25, len(STRATA))]
    folds = fold_rows(STRATA, 5, seed=42, units=units)
    assert sha256(bytes(folds)).hexdigest() == "ee3cf371ce6ac0ed335870bceda83886ae0b8bb50365683ca7cd39e97f838b19"


def test_another_seed_makes_other_parts() -> None:
    units = range(len(STRATA))
    assert fold_rows(STRATA, 5, seed=1, units=units) != fold_rows(STRATA, 5, seed=2, units=units)
