"""The split: the same on every machine, shares kept, every class in each split, no unit divided."""

import subprocess
import sys
import time
from collections import Counter, defaultdict
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.contract.enums import Split
from bert_training.data.profiling.duplicates import near_groups
from bert_training.data.splitting.manifest import manifest_bytes, read_manifest, split_digest
from bert_training.data.splitting.split import Shares, divide_rows, split_rows
from bert_training.data.splitting.units import groups_of_names, join_groups
from tests.data.near_duplicates import make_texts, plant_copies

SHARES = Shares(0.7, 0.15, 0.15)
STRATA = ["a"] * 100 + ["b"] * 40 + ["c"] * 3 + ["d"] * 2 + ["e"]


def counts(strata: list[str], splits: list[Split], stratum: str) -> Counter[Split]:
    return Counter(split for name, split in zip(strata, splits, strict=True) if name == stratum)


def test_a_split_never_changes() -> None:
    splits = split_rows(STRATA, SHARES, seed=42)
    digest = split_digest(range(2, len(STRATA) + 2), splits)
    assert digest == "444f0bb73c27461da8b623b3f47b44839f8a0c37cfd679766eb0cb77a8261a1b"


def test_the_hash_seed_of_the_process_does_not_matter() -> None:
    program = (
        "from bert_training.data.splitting.split import *;"
        "from bert_training.data.splitting.manifest import split_digest;"
        "print(split_digest(range(300), split_rows(['x','y','z']*100, Shares(.7,.15,.15), seed=1)))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1


def test_each_class_keeps_its_share() -> None:
    splits = split_rows(STRATA, SHARES, seed=42)
    assert counts(STRATA, splits, "a") == {Split.TRAIN: 70, Split.VALIDATION: 15, Split.TEST: 15}
    assert counts(STRATA, splits, "b") == {Split.TRAIN: 28, Split.VALIDATION: 6, Split.TEST: 6}


def test_a_class_of_three_rows_is_in_every_split() -> None:
    assert counts(STRATA, split_rows(STRATA, Shares(0.9, 0.05, 0.05), seed=7), "c") == dict.fromkeys(Split, 1)


def test_the_odd_rows_go_to_validation_and_test_in_turn() -> None:
    strata = [name for name in "abcdefghij" for _ in range(10)]  # 7 train, 3 left in each
    splits = split_rows(strata, SHARES, seed=3)
    assert Counter(splits) == {Split.TRAIN: 70, Split.VALIDATION: 15, Split.TEST: 15}


def test_another_seed_gives_another_split() -> None:
    assert split_rows(STRATA, SHARES, seed=1) != split_rows(STRATA, SHARES, seed=2)


def test_classes_too_small_for_three_splits_share_them() -> None:
    splits = split_rows(["a", "b", "c", "d", "d"], Shares(0.6, 0.2, 0.2), seed=0)
    assert Counter(splits) == {Split.TRAIN: 3, Split.VALIDATION: 1, Split.TEST: 1}


@pytest.mark.parametrize(("rows", "expected"), [(0, []), (1, [Split.TRAIN]), (2, [Split.TRAIN, Split.TEST])])
def test_very_few_rows_follow_the_written_rule(rows: int, expected: list[Split]) -> None:
    assert sorted(split_rows(["a"] * rows, SHARES, seed=0), reverse=True) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=3, max_size=80), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_whatever_the_data_no_split_is_empty_and_large_classes_are_everywhere(
    strata: list[str], share: float, seed: int
) -> None:
    splits = split_rows(strata, Shares(share, (1 - share) / 2, (1 - share) / 2), seed=seed)
    assert set(splits) == set(Split)
    for name, rows in Counter(strata).items():
        if rows >= 3:
            assert set(counts(strata, splits, name)) == set(Split)


def test_the_digest_is_that_of_the_written_manifest() -> None:
    manifest = b"2\ttrain\n5\tvalidation\n9\ttest\n"
    assert split_digest([2, 5, 9], [Split.TRAIN, Split.VALIDATION, Split.TEST]) == sha256(manifest).hexdigest()


def test_a_hundred_thousand_rows_take_no_noticeable_time() -> None:
    start = time.process_time()
    split_rows([f"c{index % 7}" for index in range(100_000)], SHARES, seed=42)
    assert time.process_time() - start < 2  # measured 0.15


# --- units that stay together

strata_with_units = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from("abc")).map(lambda unit: [unit[1]] * unit[0]), min_size=1, max_size=60
)
mixed_units = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=9), min_size=1, max_size=40)
shares_of_all = st.tuples(st.floats(0.05, 1), st.floats(0.05, 1), st.floats(0.05, 1)).map(
    lambda weights: Shares(*(weight / sum(weights) for weight in weights))
)
seeds = st.integers(0, 2**32 - 1)


def laid_out(units: list[list[str]], seed: int) -> tuple[list[str], list[int]]:
    """Return strata and units of rows whose units lie scattered over the table."""
    rows = [(stratum, number) for number, unit in enumerate(units) for stratum in unit]
    rows.sort(key=lambda row: sha256(repr((seed, row)).encode()).digest())
    return [stratum for stratum, _ in rows], [number for _, number in rows]


@settings(max_examples=100, deadline=None)
@given(mixed_units, shares_of_all, seeds)
def test_no_unit_is_ever_divided_and_every_row_has_one_split(units: list[list[str]], shares: Shares, seed: int) -> None:
    strata, of_row = laid_out(units, seed)
    splits = split_rows(strata, shares, seed=seed, units=of_row)
    assert len(splits) == len(strata)
    assert len(set(zip(of_row, splits, strict=True))) == len(units)
    assert len(set(splits)) == min(len(units), 3)


@settings(max_examples=100, deadline=None)
@given(strata_with_units, shares_of_all, seeds)
def test_a_class_with_three_units_is_everywhere_and_shares_err_by_less_than_two_units(
    units: list[list[str]], shares: Shares, seed: int
) -> None:
    strata, of_row = laid_out(units, seed)
    splits = split_rows(strata, shares, seed=seed, units=of_row)
    plain = split_rows(strata, shares, seed=seed)
    for name in set(strata):
        own = [unit for unit in units if unit[0] == name]
        if len(own) < 3 or strata.count(name) < 3:
            continue
        got, wanted = counts(strata, splits, name), counts(strata, plain, name)
        assert set(got) == set(Split)
        assert all(abs(got[split] - wanted[split]) < 2 * max(map(len, own)) for split in Split)


@settings(max_examples=60, deadline=None)
@given(mixed_units, shares_of_all, seeds)
def test_the_names_of_units_do_not_matter(units: list[list[str]], shares: Shares, seed: int) -> None:
    strata, of_row = laid_out(units, seed)
    renamed = [1000 - 7 * unit for unit in of_row]
    assert split_rows(strata, shares, seed=seed, units=of_row) == split_rows(strata, shares, seed=seed, units=renamed)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=80), shares_of_all, seeds)
def test_without_units_the_split_is_the_one_of_always(strata: list[str], shares: Shares, seed: int) -> None:
    alone = list(range(len(strata)))
    assert split_rows(strata, shares, seed=seed, units=alone) == split_rows(strata, shares, seed=seed)


def test_units_leave_the_shares_as_they_are_where_they_fit() -> None:
    strata = ["a"] * 100 + ["b"] * 40
    units = [index // 5 for index in range(140)]
    splits = split_rows(strata, SHARES, seed=42, units=units)
    assert counts(strata, splits, "a") == {Split.TRAIN: 70, Split.VALIDATION: 15, Split.TEST: 15}


def test_units_are_spread_by_the_shares_and_the_largest_stay_out_of_the_small_splits() -> None:
    """Otherwise validation and test would know single rows only, and would not be like the data."""
    sizes = [30, *[3] * 100, *[1] * 670]
    units = [unit for unit, size in enumerate(sizes) for _ in range(size)]
    splits = split_rows(["a"] * 1000, SHARES, seed=42, units=units)
    assert Counter(splits) == {Split.TRAIN: 700, Split.VALIDATION: 150, Split.TEST: 150}
    assert splits[0] == Split.TRAIN
    spread = Counter(splits[30:330])
    assert all(abs(spread[split] / 300 - SHARES.of(split)) < 0.05 for split in Split)


def test_single_rows_make_up_for_a_unit_that_is_too_large() -> None:
    strata, units = ["a"] * 100, [0] * 90 + list(range(1, 11))
    splits = split_rows(strata, SHARES, seed=42, units=units)
    assert Counter(splits) == {Split.TRAIN: 90, Split.VALIDATION: 5, Split.TEST: 5}


def test_named_shares_are_kept_over_many_small_classes() -> None:
    strata = [f"c{index % 20}" for index in range(400)]
    counted = Counter(split_rows(strata, Shares(0.8, 0.05, 0.15), seed=1))
    assert counted == {Split.TRAIN: 320, Split.VALIDATION: 20, Split.TEST: 60}


def test_with_two_splits_nothing_goes_to_the_third() -> None:
    splits = split_rows(STRATA, Shares(0.8, 0.0, 0.2), seed=1)
    assert set(splits) == {Split.TRAIN, Split.TEST}


def test_the_split_with_units_never_changes() -> None:
    units = [index // 3 for index in range(len(STRATA))]
    splits = split_rows(STRATA, SHARES, seed=42, units=units)
    digest = split_digest(range(2, len(STRATA) + 2), splits)
    assert digest == "34ee0ad2f2f05a39e43d70f9d68d67037865e985d20df07a4c760ca7a7780678"


def test_planted_near_duplicates_never_cross_a_split() -> None:
    planted = plant_copies(make_texts(150, seed=5), copies=150, seed=6)
    strata = [f"class {family % 4}" for family in planted.families]
    units = join_groups([near_groups(planted.texts)])
    splits = split_rows(strata, SHARES, seed=42, units=units)
    sides: defaultdict[int, set[Split]] = defaultdict(set)
    for family, split in zip(planted.families, splits, strict=True):
        sides[family].add(split)
    assert [family for family, found in sides.items() if len(found) > 1] == []
    assert 0.65 < splits.count(Split.TRAIN) / len(splits) < 0.75


# --- what connects rows


def test_rows_are_joined_over_several_groupings() -> None:
    texts, processes = [0, 0, 2, 3, 4], [0, 1, 1, 3, 3]
    assert join_groups([texts, processes]) == [0, 0, 0, 3, 3]


def test_rows_without_a_group_name_are_alone() -> None:
    assert groups_of_names(["p1", "", " p1 ", "  ", "p2"]) == [0, 1, 0, 3, 4]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 30).flatmap(
        lambda rows: st.lists(st.lists(st.integers(0, rows - 1), min_size=rows, max_size=rows), min_size=1, max_size=3)
    )
)
def test_joined_units_are_the_connected_rows(groupings: list[list[int]]) -> None:
    units = join_groups(groupings)
    connected = {index: {index} for index in range(len(units))}
    for grouping in groupings:
        for index, other in enumerate(grouping):
            together = connected[index] | connected[other]
            for row in together:
                connected[row] = together
    assert units == [min(connected[index]) for index in range(len(units))]


# --- what the user fixed


T, V, E = Split.TRAIN, Split.VALIDATION, Split.TEST


def test_of_a_unit_in_several_given_splits_test_wins_over_validation_over_training() -> None:
    fixed = [T, V, E, T, V, T, None]
    units = [0, 0, 0, 1, 1, 2, 2]
    splits = divide_rows("aaaaaaa", SHARES, seed=1, units=units, fixed=fixed)
    assert splits == [None, None, E, None, V, T, None]


def test_given_files_stay_as_they_are() -> None:
    fixed = [T] * 10 + [V] * 4 + [E] * 4
    assert divide_rows("a" * 18, SHARES, seed=1, units=range(18), fixed=fixed) == fixed


def test_a_split_that_no_file_gives_is_taken_from_the_training_rows_by_its_share() -> None:
    fixed = [T] * 85 + [E] * 50
    splits = divide_rows("a" * 135, SHARES, seed=1, units=range(135), fixed=fixed)
    assert Counter(splits) == {T: 70, V: 15, E: 50}
    assert splits[85:] == [E] * 50


def test_rows_that_are_left_out_have_no_line() -> None:
    content = manifest_bytes([2, 3, 10_000_002], [T, None, V])
    assert content == b"2\ttrain\n10000002\tvalidation\n"
    assert read_manifest(content) == {2: T, 10_000_002: V}
