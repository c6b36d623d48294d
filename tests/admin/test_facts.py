"""JSON facts are shown in the reader's language, escaped, to a limited depth and length."""

from typing import Any

import pytest
from django.utils import translation

from bert_training.admin.facts import SHOWN_ENTRIES, facts_table, shown_fact, shown_figure, shown_size
from tests.admin.rows import CANARY


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.mark.parametrize("facts", [{CANARY: 1}, {"a": CANARY}, {"a": {CANARY: [CANARY]}}, {"a": [{"b": CANARY}]}])
def test_names_and_values_are_escaped_at_every_depth(facts: dict[str, Any]) -> None:
    assert CANARY not in facts_table(facts)
    assert "&lt;script&gt;" in facts_table(facts)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), ("", "-"), ([], "-"), ({}, "-"), (True, "yes"), (False, "no"), (0, "0"), (5e-5, "0.00005")],
)
def test_a_value_is_written_for_people(value: Any, shown: str) -> None:
    assert shown_fact(value) == shown


def test_numbers_follow_the_language() -> None:
    with translation.override("pt-br"):
        assert (shown_fact(0.5), shown_figure(0.91234), shown_size(1_300_000_000)) == ("0,5", "0,9123", "1,3 GB")


def test_a_figure_that_is_not_there_is_a_dash() -> None:
    assert shown_figure(None) == "-"


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (440_000_000, "440 MB"),
        (1_300_000_000, "1.3 GB"),
        (10**16, "10000 TB"),
    ],
)
def test_a_size_has_the_unit_in_which_people_know_it(size_bytes: int, shown: str) -> None:
    assert shown_size(size_bytes) == shown


def test_facts_that_are_sizes_are_shown_as_sizes() -> None:
    table = facts_table({"gpu": [{"memory_bytes": 17_000_000_000}], "disk_free": 5_000_000_000})
    assert "17.0 GB" in table
    assert "5.0 GB" in table


def test_known_names_are_replaced_by_their_labels() -> None:
    assert "Learning rate" in facts_table({"learning_rate": 1}, labels={"learning_rate": "Learning rate"})


def test_endless_facts_are_cut_in_depth_and_length() -> None:
    deep: dict[str, Any] = {}
    for _level in range(500):
        deep = {"deeper": deep}
    assert facts_table(deep).count("<table") < 10
    assert facts_table({str(number): number for number in range(1000)}).count("<tr>") == SHOWN_ENTRIES
