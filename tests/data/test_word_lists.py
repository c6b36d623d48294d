"""Lists of words in a cell: JSON, lists whose quotes were changed on the way, and everything else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.data.doctor.cell_faults import CellFault
from bert_training.data.doctor.word_lists import read_quoted_words, read_words

QUOTES = ['""', "''", "\u201c\u201d", "\u2018\u2019", "\u201d\u201d", "\u201e\u201c", "\u00ab\u00bb"]
words = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\\"), max_size=6), max_size=5
)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("['Ana', 'foi']", ["Ana", "foi"]),
        ("[\u201cAna\u201d,\u201cfoi\u201d]", ["Ana", "foi"]),
        (' [\u2018Ana\u2019 , "foi"]\n', ["Ana", "foi"]),
        ("""['D\\'Ávila', "d'água", 'disse: "não"']""", ["D'Ávila", "d'água", 'disse: "não"']),
        ("['d'água', 'x']", ["d'água", "x"]),
        ("[',', ']', '\u201c']", [",", "]", "\u201c"]),
        (r"['a\\b', 'a\tb', 'caf\xe9', 'caf\u00e9']", ["a\\b", "a\tb", "café", "café"]),
        ("[\u201c''\u201d, '\"\"']", ["''", '""']),
        (r"['\ud83d\ude00']", ["\U0001f600"]),
    ],
)
def test_changed_quotes_are_read(raw: str, read: list[str]) -> None:
    assert read_quoted_words(raw) == read
    fault = read_words(raw, "tokens")
    assert isinstance(fault, CellFault)
    assert (fault.code, fault.fix) == ("wrong_quotes", "straighten_quotes")


@pytest.mark.parametrize(
    "raw",
    [
        "[Ana, foi]",
        "['Ana', foi]",
        "['Ana', 3]",
        "['Ana', None]",
        "['Ana', ['foi']]",
        "['Ana' 'foi']",
        "['Ana' 'foi', 'ali']",
        "['Ana', 'foi'",
        "['Ana', 'foi'] x",
        "('Ana', 'foi')",
        "__import__('os')",
        r"['a\q']",
        "[",
        "['" + "a', '" * 20_000,
        "[" * 100_000,
    ],
)
def test_nothing_else_is_guessed(raw: str) -> None:
    assert read_quoted_words(raw) is None
    fault = read_words(raw, "tokens")
    assert isinstance(fault, CellFault)
    assert fault.code in {"not_json", "not_strings"}


@settings(max_examples=200, deadline=None)
@given(words, st.sampled_from(QUOTES))
def test_a_list_in_other_quotes_is_the_list(items: list[str], quotes: str) -> None:
    clean = ["".join(letter for letter in item if letter not in "".join(QUOTES) + ",]") for item in items]
    raw = "[" + ", ".join(f"{quotes[0]}{item}{quotes[1]}" for item in clean) + "]"
    assert read_quoted_words(raw) == (clean or None)


@settings(max_examples=200, deadline=None)
@given(words)
def test_a_list_as_python_writes_it_is_the_list(items: list[str]) -> None:
    clean = [item.replace("'", "").replace('"', "") for item in items]
    assert read_quoted_words(repr(clean)) in (clean, None)
    assert read_words(json.dumps(items), "tokens") == items


@pytest.mark.parametrize(("item", "shown"), [("null", "null"), ("3", "3"), ('["a"]', "[\u2026]"), ("{}", "{\u2026}")])
def test_an_item_that_is_no_text_is_named(item: str, shown: str) -> None:
    fault = read_words(f'["Ana", {item}]', "tokens")
    assert isinstance(fault, CellFault)
    assert fault.values == {"position": 2, "value": shown}
