"""The split: the same on every machine, shares kept, every class in each split."""

import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.contract.enums import Split
from bert_training.data.split import split_digest, split_rows

STRATA = ["a"] * 100 + ["b"] * 40 + ["c"] * 3 + ["d"] * 2 + ["e"]


def counts(strata: list[str], splits: list[Split], stratum: str) -> Counter[Split]:
    return Counter(split for name, split in zip(strata, splits, strict=True) if name == stratum)


def test_a_split_never_changes() -> None:
    splits = split_rows(STRATA, train_share=0.7, seed=42)
    digest = split_digest(range(2, len(STRATA) + 2), splits)
    assert digest == "444f0bb73c27461da8b623b3f47b44839f8a0c37cfd679766eb0cb77a8261a1b"


def test_the_hash_seed_of_the_process_does_not_matter() -> None:
    program = (
        "from bert_training.data.split import *;"
        "print(split_digest(range(300), split_rows(['x','y','z']*100, train_share=.7, seed=1)))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1


def test_each_class_keeps_its_share() -> None:
    splits = split_rows(STRATA, train_share=0.7, seed=42)
    assert counts(STRATA, splits, "a") == {Split.TRAIN: 70, Split.VALIDATION: 15, Split.TEST: 15}
    assert counts(STRATA, splits, "b") == {Split.TRAIN: 28, Split.VALIDATION: 6, Split.TEST: 6}


def test_a_class_of_three_rows_is_in_every_split() -> None:
    assert counts(STRATA, split_rows(STRATA, train_share=0.9, seed=7), "c") == dict.fromkeys(Split, 1)


def test_the_odd_rows_go_to_validation_and_test_in_turn() -> None:
    strata = [name for name in "abcdefghij" for _ in range(10)]  # 7 train, 3 left in each
    splits = split_rows(strata, train_share=0.7, seed=3)
    assert Counter(splits) == {Split.TRAIN: 70, Split.VALIDATION: 15, Split.TEST: 15}


def test_another_seed_gives_another_split() -> None:
    assert split_rows(STRATA, train_share=0.7, seed=1) != split_rows(STRATA, train_share=0.7, seed=2)


def test_classes_too_small_for_three_splits_share_them() -> None:
    splits = split_rows(["a", "b", "c", "d", "d"], train_share=0.6, seed=0)
    assert Counter(splits) == {Split.TRAIN: 3, Split.VALIDATION: 1, Split.TEST: 1}


@pytest.mark.parametrize(("rows", "expected"), [(0, []), (1, [Split.TRAIN]), (2, [Split.TRAIN, Split.TEST])])
def test_very_few_rows_follow_the_written_rule(rows: int, expected: list[Split]) -> None:
    assert sorted(split_rows(["a"] * rows, train_share=0.7, seed=0), reverse=True) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=3, max_size=80), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_whatever_the_data_no_split_is_empty_and_large_classes_are_everywhere(
    strata: list[str], share: float, seed: int
) -> None:
    splits = split_rows(strata, train_share=share, seed=seed)
    assert set(splits) == set(Split)
    for name, rows in Counter(strata).items():
        if rows >= 3:
            assert set(counts(strata, splits, name)) == set(Split)


def test_the_digest_is_that_of_the_written_manifest() -> None:
    manifest = b"2\ttrain\n5\tvalidation\n9\ttest\n"
    assert split_digest([2, 5, 9], [Split.TRAIN, Split.VALIDATION, Split.TEST]) == sha256(manifest).hexdigest()


def test_a_hundred_thousand_rows_take_no_noticeable_time() -> None:
    start = time.process_time()
    split_rows([f"c{index % 7}" for index in range(100_000)], train_share=0.7, seed=42)
    assert time.process_time() - start < 2  # measured 0.15
