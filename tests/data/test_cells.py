"""Values as text, cleaned in blocks; what counts as blank; sentences that stay short."""

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert_training.data import cells
from bert_training.data.cells import clean_cell, clean_column, excerpt, is_blank, to_text, to_texts
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
        (7, "7"),
        (datetime.datetime(1899, 12, 31), "1899-12-31"),
        (datetime.timedelta(hours=26), "1 day, 2:00:00"),
        ("", ""),
    ],
)
def test_numbers_and_times_have_one_written_form(value: object, text: str) -> None:
    assert to_text(value) == text


def test_a_column_of_mixed_values_is_text_throughout() -> None:
    assert to_texts(["a", 1.0, True, ""]) == ["a", "1", "verdadeiro", ""]
    assert to_texts([]) == []


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0", "\u200b\ufeff", " \u3000\u00ad "])
def test_what_nobody_can_see_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " a", "\u00a0.", "0", "😀", "\u0301"])
def test_what_somebody_can_see_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_a_dirty_cell_is_found_in_whichever_block_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "ROWS_PER_SCAN", 3)
    texts = [f"linha {index}" for index in range(10)]
    for place in (0, 2, 3, 9):
        texts[place] = f"a\x07{place}"
    cleaned, changed = clean_column(texts)
    assert changed == 4
    assert [place for place, text in enumerate(cleaned) if "\ufffd" in text] == [0, 2, 3, 9]


@given(st.lists(st.text(st.characters(), max_size=6), max_size=12))
def test_the_search_in_blocks_finds_all_that_cleaning_would_change(texts: list[str]) -> None:
    assert clean_column(list(texts))[0] == [clean_cell(text) for text in texts]


def test_ordinary_portuguese_is_left_alone() -> None:
    text = "Ação nº 12 — “§ 3º”, ½ R$ 1.000,00\n\tfim … ª"
    assert clean_column([text]) == ([text], 0)


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
