"""Values as text, cleaned in blocks; what counts as blank; sentences that stay short."""

import datetime
import math

import pytest

from bert_training.data.cells import excerpt, is_blank, to_text
from bert_training.data.checks import DatasetRefused, Problem, Problems


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e15, "1000000000000000.0"),
        (123456789012.0, "123456789012"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (math.inf, "inf"),
        (math.nan, ""),
        (7, "7"),
        (datetime.datetime(1899, 12, 31), "1899-12-31"),
        (datetime.timedelta(hours=26), "1 day, 2:00:00"),
        ("", ""),
    ],
)
def test_numbers_and_times_have_one_written_form(value: object, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0", "\u200b\ufeff", " \u3000\u00ad "])
def test_what_nobody_can_see_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " a", "\u00a0.", "0", "😀", "\u0301"])
def test_what_somebody_can_see_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("a\nb\tc") == "a b c"
    assert excerpt("x" * 100, 10) == "x" * 9 + "…"
    assert excerpt("a\x00b\ud800") == "ab\ufffd"


def test_problems_are_all_counted_and_fifty_of_each_kind_kept() -> None:
    problems = Problems()
    for number in range(60):
        problems.error(Problem("e", "Error %(number)d.", values={"number": number}))
        problems.warning(Problem("w", "Warning."), count=2)
    assert (len(problems.errors), len(problems.warnings)) == (50, 50)
    assert (problems.counts, problems.error_count) == ({"e": 60, "w": 120}, 60)


def test_a_refusal_reads_as_a_sentence() -> None:
    refusal = DatasetRefused(Problem("code", "%(count)d parts.", values={"count": 3}))
    assert str(refusal) == "3 parts."
