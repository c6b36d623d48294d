"""Judging rows of a token classification: the JSON in the cells, the tags, the table as a whole."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_training.data.checks import DatasetRefused, Problem, Problems
from bert_training.data.repairs import Fix
from bert_training.data.table import Cells, Columns
from bert_training.tasks.token_classification.check import check_tokens
from bert_training.tasks.token_classification.spec import label_names, strata, summarize

GOOD = [(json.dumps(["Ana", "foi", str(index)]), '["B-PESSOA", "O", "O"]') for index in range(4)]


def judge(rows: list[tuple[str, str]], *recipe: Fix) -> tuple[Columns, Problems]:
    """Check rows as if they stood in columns A and B from row 2 on."""
    problems = Problems(frozenset(recipe))
    texts = {"tokens": [tokens for tokens, _ in rows], "tags": [tags for _, tags in rows]}
    cells = Cells("Dados", list(range(2, len(rows) + 2)), texts, letters={"tokens": "A", "tags": "B"})
    return check_tokens(cells, problems, frozenset(recipe)), problems


def only_error(tokens: str, tags: str) -> Problem:
    """Return the one error about a row among good ones; the others must be untouched by it."""
    table, problems = judge([*GOOD, (tokens, tags)])
    assert len(table["row"]) == len(GOOD)
    (problem,) = problems.errors
    assert problem.row == 6
    return problem


def test_good_rows_pass_without_a_word() -> None:
    table, problems = judge(GOOD)
    assert (problems.error_count, problems.warnings) == (0, [])
    assert table["tokens"][0] == ["Ana", "foi", "0"]
    assert label_names(table) == ["B-PESSOA", "O"]
    assert summarize(table)["labels"] == {"PESSOA": 4}


@pytest.mark.parametrize(
    ("tokens", "code"),
    [
        ("Ana foi", "not_json"),
        ('["Ana", "foi"', "not_json"),
        ("['Ana', 'foi']", "wrong_quotes"),
        ("[\u201cAna\u201d, \u201cfoi\u201d]", "wrong_quotes"),
        ('{"a": 1}', "not_a_list"),
        ('"Ana"', "not_a_list"),
        ("3", "not_a_list"),
        ("null", "not_a_list"),
        ('["Ana", 3]', "not_strings"),
        ('["Ana", null]', "not_strings"),
        ('[["Ana"], ["foi"]]', "not_strings"),
        ("[NaN, 1]", "not_strings"),
        ("[]", "no_tokens"),
        ('["Ana", ""]', "empty_token"),
        ('["Ana", "\u00a0"]', "empty_token"),
        ('["Ana"]', "length_mismatch"),
        (" ", "empty_cell"),
        ("[" * 16_000, "not_strings"),
        ("[" * 200_000 + "]" * 200_000, "not_strings"),
        ("9" * 5000, "not_json"),
    ],
)
def test_a_cell_that_is_no_list_of_words_is_an_error_of_its_row(tokens: str, code: str) -> None:
    assert only_error(tokens, '["B-PESSOA", "O"]').code == code


@pytest.mark.parametrize("tag", ["X", "", "B-", "B-a b", "B-" + "x" * 99])
def test_a_tag_that_is_not_iob2_is_an_error_with_its_position(tag: str) -> None:
    problem = only_error('["Ana", "foi"]', json.dumps(["O", tag]))
    assert (problem.code, problem.cell, problem.values["position"]) == ("bad_tag", "B6", 2)


@pytest.mark.parametrize(
    ("tag", "mended"), [("B_PESSOA", "B-PESSOA"), ("b-PESSOA", "B-PESSOA"), ("S-PESSOA", "B-PESSOA"), ("o", "O")]
)
def test_a_tag_of_another_form_is_an_error_that_can_be_mended(tag: str, mended: str) -> None:
    row = ('["Ana", "foi"]', json.dumps(["O", tag]))
    problem = only_error(*row)
    assert (problem.code, problem.cell, problem.values["mended"]) == ("mendable_tag", "B6", mended)
    table, problems = judge([*GOOD, row], Fix(problem.fix))
    assert table["tags"][-1] == ["O", mended]
    assert problems.counts == {"repaired": 1}


def test_lists_of_different_length_are_named_with_both_lengths() -> None:
    problem = only_error('["a", "b", "c"]', '["O", "O"]')
    assert problem.values == {"tokens": 3, "tags": 2}


def test_changed_quotes_are_straightened_on_demand() -> None:
    row = ("[\u201cAna\u201d]", "['O']")
    _, problems = judge([*GOOD, row])
    assert [(problem.cell, problem.code) for problem in problems.errors] == [
        ("A6", "wrong_quotes"),
        ("B6", "wrong_quotes"),
    ]
    table, problems = judge([*GOOD, row], Fix(problems.errors[0].fix))
    assert (table["tokens"][-1], table["tags"][-1]) == (["Ana"], ["O"])
    assert problems.counts == {"repaired": 2}


def test_an_inside_tag_that_continues_nothing_is_repaired_and_stated_in_its_cell() -> None:
    table, problems = judge([*GOOD, ('["a", "b"]', '["I-LOCAL", "I-PESSOA"]')])
    assert table["tags"][-1] == ["B-LOCAL", "B-PESSOA"]
    (problem,) = [problem for problem in problems.warnings if problem.code == "tags_repaired"]
    assert (problem.cell, problem.values) == ("B6", {"position": 1, "tag": "I-LOCAL", "read": "B-LOCAL"})


@pytest.mark.parametrize(
    ("tags", "code", "mended"),
    [
        (["b-per", "i-per", "o"], "tags_other_form", ["B-per", "I-per", "O"]),
        (["B-PER", "E-PER", "S-LOC"], "tags_other_form", ["B-PER", "I-PER", "B-LOC"]),
        (["B-PER", "I-PER", "E-PER"], "tags_other_form", ["B-PER", "I-PER", "I-PER"]),
        (["PER", "PER", "O"], "tags_plain_names", ["B-PER", "I-PER", "O"]),
        (["e-mail", "e-mail", "O"], "tags_plain_names", ["B-e-mail", "I-e-mail", "O"]),
        (["ART", "N", "N"], "tags_every_word", ["B-ART", "B-N", "B-N"]),
    ],
)
def test_a_column_in_another_scheme_is_explained_once_and_converted_on_demand(
    tags: list[str], code: str, mended: list[str]
) -> None:
    rows = [(json.dumps(["a", "b", str(index)]), json.dumps(tags)) for index in range(60)]
    _, problems = judge(rows)
    (problem,) = problems.errors
    assert (problem.code, problem.values["count"], problem.row, problem.column) == (code, 60, None, "tags")
    table, problems = judge(rows, Fix(problem.fix))
    assert problems.error_count == 0
    assert problems.counts["repaired"] == 60
    assert table["tags"] == [mended] * 60


def test_escaped_nonsense_in_a_word_is_cleaned() -> None:
    table, problems = judge([*GOOD, (r'["a\u0000b", "\ud800"]', '["O", "O"]')])
    assert problems.error_count == 0
    assert table["tokens"][-1] == ["ab", "\ufffd"]


def test_personal_data_are_masked_word_by_word_on_demand() -> None:
    row = ('["CPF", "529.982.247-25"]', '["O", "B-PESSOA"]')
    table, problems = judge([*GOOD, row], Fix.MASK_PERSONAL_DATA)
    assert table["tokens"][-1] == ["CPF", "[CPF]"]
    assert problems.counts == {"repaired": 1}


def test_a_table_without_entities_is_refused() -> None:
    _, problems = judge([(tokens, '["O", "O", "O"]') for tokens, _ in GOOD])
    assert [problem.code for problem in problems.errors] == ["no_entities"]


def test_too_few_rows_are_refused() -> None:
    assert [problem.code for problem in judge(GOOD[:2])[1].errors] == ["too_few_rows"]


def test_too_many_types_are_refused() -> None:
    rows = [(json.dumps([str(index)]), json.dumps([f"B-T{index}"])) for index in range(401)]
    assert [problem.code for problem in judge(rows)[1].errors] == ["too_many_classes"]


def places(problems: Problems) -> list[tuple[str, str]]:
    """Return the cells of all warnings."""
    return [(problem.code, problem.cell) for problem in problems.warnings]


def test_rare_types_and_repeated_rows_are_named_and_no_errors() -> None:
    _, problems = judge([*GOOD, GOOD[0], ('["Roma"]', '["B-LOCAL"]')])
    assert problems.error_count == 0
    assert places(problems) == [("duplicate_texts", "A6"), ("rare_entities", "B7")]
    assert [problem.values for problem in problems.warnings] == [{"first": 2}, {"count": 1, "type": "LOCAL"}]


def test_repeated_rows_are_left_out_on_demand() -> None:
    table, problems = judge([*GOOD, GOOD[0]], Fix.LEAVE_OUT_DUPLICATES)
    assert table["row"] == [2, 3, 4, 5]
    assert problems.counts == {"repaired": 1}


def test_the_same_words_with_other_tags_contradict_each_other() -> None:
    rows = [*GOOD, *GOOD[:3], (GOOD[0][0], '["O", "O", "O"]')]
    _, problems = judge(rows)
    contradictions = [problem for problem in problems.warnings if problem.code == "conflicting_labels"]
    assert [problem.cell for problem in contradictions] == ["B2", "B6", "B9"]
    assert [problem.values["others"] for problem in contradictions] == ['"O" (B9)'] * 2 + ['"1 PESSOA" (B2)']
    table, problems = judge(rows, Fix.LEAVE_OUT_CONTRADICTIONS, Fix.LEAVE_OUT_DUPLICATES)
    assert table["row"] == [3, 4, 5]


def test_types_that_look_alike_are_named_and_unified_on_demand() -> None:
    rows = [*GOOD, ('["Eva", "Lima"]', '["B-Pessoa", "I-PESSOA"]')]
    _, problems = judge(rows)
    assert [problem.values["type"] for problem in problems.warnings if problem.code == "similar_labels"] == ["Pessoa"]
    table, problems = judge(rows, Fix.UNIFY_LABELS)
    assert table["tags"][-1] == ["B-PESSOA", "I-PESSOA"]
    assert problems.counts == {"repaired": 1}


def test_tags_in_the_column_of_words_are_columns_swapped() -> None:
    with pytest.raises(DatasetRefused) as refusal:
        judge([(tags, tokens) for tokens, tags in GOOD])
    assert (refusal.value.problem.code, refusal.value.problem.fix) == ("swapped_columns", "swap_columns")


@pytest.mark.parametrize("words", [[], ["O"]])
def test_empty_lists_and_the_article_o_are_no_swapped_columns(words: list[str]) -> None:
    rows = [(json.dumps(words), json.dumps(["O"] * len(words)))] * 5
    _table, problems = judge([*GOOD, *rows])
    assert problems.counts["no_tokens" if not words else "duplicate_texts"] >= 4


def test_a_table_of_which_nothing_is_left_is_refused() -> None:
    _, problems = judge([("x", "y")], Fix.LEAVE_OUT_BAD_ROWS)
    assert [problem.code for problem in problems.errors] == ["no_rows"]


def test_a_row_belongs_to_the_rarest_type_in_it() -> None:
    tags = [["B-A", "B-B"], ["B-A", "O"], ["O"], ["B-B", "B-C"], ["B-A", "I-A"]]
    assert strata({"row": list(range(5)), "tags": tags}) == ["B", "A", "O", "C", "A"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=8,
)
cells = st.text(max_size=30) | json_values.map(json.dumps) | st.lists(st.text(max_size=4)).map(json.dumps)


@settings(max_examples=150, deadline=None)
@given(cells, cells | st.lists(st.sampled_from(["O", "B-A", "I-A", "I-B"])).map(json.dumps))
def test_whatever_is_in_the_cells_a_row_is_either_sound_or_an_error(tokens: str, tags: str) -> None:
    table, problems = judge([*GOOD, (tokens, tags)])
    assert (len(table["row"]) == 5) == (problems.error_count == 0)
    for words, names in zip(table["tokens"], table["tags"], strict=True):
        assert len(words) == len(names) > 0
        "".join(words).encode()  # no lone surrogate is left
