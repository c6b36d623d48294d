"""Lengths in tokens: every limit ends a bar, so that what it cuts off is counted exactly."""

import pytest

from bert_training.contract.messages import TokenLengths
from bert_training.data.profiling.token_lengths import LIMITS, count_token_lengths, share_cut

LENGTHS = [2, 128, 129, 200, 201, 256, 257, 512, 513, 9000]


@pytest.mark.parametrize(("limit", "cut"), [(128, 8), (200, 6), (256, 4), (512, 2)])
def test_what_a_limit_cuts_off_is_counted_exactly(limit: int, cut: int) -> None:
    assert share_cut(count_token_lengths(LENGTHS, [], max_length=200), limit) == cut / len(LENGTHS)


def test_a_limit_that_ends_no_bar_is_not_guessed() -> None:
    assert share_cut(count_token_lengths(LENGTHS, [], max_length=200), 199) is None


def test_the_most_frequent_classes_have_counts_of_their_own() -> None:
    classes = [f"c{index}" for index in range(30)] + ["c29"] * 3
    counted = count_token_lengths([5] * 32 + [600], classes, max_length=64)
    assert len(counted["classes"]) == 20
    assert (sum(counted["classes"]["c29"]), counted["classes"]["c29"][-1]) == (4, 1)


@pytest.mark.parametrize("lengths", [[], [0], [1, 40], LENGTHS])
@pytest.mark.parametrize("max_length", [8, 64, 512, 8192])
def test_what_is_counted_is_a_message_of_the_contract(lengths: list[int], max_length: int) -> None:
    counted = count_token_lengths(lengths, ["x" * 5000] * len(lengths), max_length=max_length)
    assert TokenLengths.model_validate(counted).counts == counted["counts"]
    assert sum(counted["counts"]) == len(lengths)
    assert {limit + 1 for limit in (*LIMITS, max_length)} <= set(counted["edges"])


@pytest.mark.parametrize(
    "wrong", [{"edges": [0, 5, 5, 9]}, {"counts": [1]}, {"classes": {"a": [1]}}, {"edges": []}, {"max_length": -1}]
)
def test_counts_that_do_not_fit_their_edges_are_refused(wrong: dict[str, object]) -> None:
    right = {"max_length": 4, "edges": [0, 5, 9], "counts": [1, 2], "classes": {"a": [1, 1]}}
    assert TokenLengths.model_validate(right).max_length == 4
    with pytest.raises(ValueError, match="validation error"):
        TokenLengths.model_validate(right | wrong)
