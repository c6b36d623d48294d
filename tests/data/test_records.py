"""What can be wrong with .jsonl and .json, always with the line; and the pair prompt and completion."""

import json
from pathlib import Path

import pytest

from bert_training.tasks.intake import Report
from tests.checking import TEXT, TOKEN, check_file

RECORDS = [{"texto": f"frase {index}", "label": "ab"[index % 2]} for index in range(8)]
LINES = [json.dumps(record) for record in RECORDS]
DEEP = "[" * 200_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def report_of(path: Path, content: str, name: str = "a.jsonl", *, task: str = TEXT) -> Report:
    path.write_text(content, encoding="utf-8")
    return check_file(path, display_name=name, task=task)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"texto": "a", "label": ', "invalid_json"),
        ("{'texto': 'a', 'label': 'b'}", "invalid_json"),
        ('{"texto": "a", "texto": "b", "label": "a"}', "duplicate_key"),
        ('{"texto": "a", "label": NaN}', "invalid_json"),
        ('{"texto": "a", "label": -Infinity}', "invalid_json"),
        (f'{{"texto": "a", "label": {"9" * 5000}}}', "invalid_json"),
        (f'{{"texto": {DEEP}', "invalid_json"),
        ('["texto", "label"]', "mixed_schema"),
        ('"texto"', "mixed_schema"),
        ("17", "mixed_schema"),
        ('{"frase": "a", "classe": "b"}', "empty_cell"),
    ],
)
def test_row_42_a_bad_line_is_named_with_its_number(path: Path, line: str, code: str) -> None:
    report = report_of(path, "\n".join([*LINES, "", line, LINES[0]]))
    assert {(problem.code, problem.row) for problem in report.errors} == {(code, 10)}
    assert report.errors[0].message % report.errors[0].values


def test_a_broken_line_refuses_the_file_whatever_is_left_out(path: Path) -> None:
    path.write_text("\n".join([*LINES, "{"]), encoding="utf-8")
    table = path.with_name("table.parquet")
    report = check_file(path, display_name="a.jsonl", table_path=table, recipe=["leave_out_bad_rows"])
    assert [(problem.code, problem.row, problem.fix) for problem in report.errors] == [("invalid_json", 9, "")]
    assert not table.exists()


def test_row_42_a_line_without_end_is_not_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.data.reading.lines.LINE_CHARACTERS", 1000)
    report = report_of(path, "\n".join([*LINES, '{"texto": "' + "x" * 2000]))
    assert [(problem.code, problem.row) for problem in report.errors] == [("line_too_long", 9)]


def test_row_42_records_may_have_keys_of_their_own_and_it_is_said(path: Path) -> None:
    report = report_of(path, "\n".join([*LINES, '{"texto": "x", "label": "a", "obs": "?"}', LINES[0]]))
    assert (report.rows, report.columns_found) == (10, ["texto", "label", "obs"])
    assert report.warnings[0].code == "other_keys"
    assert report.warnings[0].values == {"count": 2, "row": 9}


def test_too_many_keys_are_refused(path: Path) -> None:
    report = report_of(path, "\n".join(json.dumps({f"k{index}": 1}) for index in range(201)))
    assert [problem.code for problem in report.errors] == ["too_many_columns"]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ('[\n{"texto": "a",\n"label" "b"}]', "invalid_json", 3),
        ('[{"texto": "a"}', "invalid_json", 1),
        ("{}", "not_records", None),
        ("[]", "no_rows", None),
        ('{"texto": ["a"], "label": ["b"]}', "not_records", None),
        ("[1, 2]", "mixed_schema", None),
        (DEEP, "invalid_json", None),
        ("nada", "invalid_json", 1),
    ],
)
def test_what_is_no_list_of_records_is_explained(path: Path, content: str, code: str, line: int | None) -> None:
    report = report_of(path, content, "a.json")
    assert report.errors[0].code == code
    assert report.errors[0].values.get("line") == line


def test_values_of_every_kind_become_text_by_the_one_rule(path: Path) -> None:
    pairs = [(1, "1"), (1.0, "1"), (2.5, "2.5"), (True, "verdadeiro"), ("001", "001"), ([1, "é"], '[1, "é"]')]
    report = report_of(
        path, "\n".join(json.dumps({"texto": str(at), "label": value}) for at, (value, _) in enumerate(pairs))
    )
    assert [row["label"] for row in report.preview] == [text for _, text in pairs]
    report = report_of(path, "\n".join([*LINES, '{"texto": "x", "label": null}']))
    assert [(problem.code, problem.row, problem.cell) for problem in report.errors] == [("empty_cell", 9, "")]


def test_halves_of_letters_are_replaced(path: Path) -> None:
    report = report_of(path, "\n".join([*LINES, '{"texto": "a\\ud800b", "label": "a"}']))
    assert report.preview[-1]["text"] == "a\ufffdb"


def test_lists_of_tokens_are_taken_as_they_are(path: Path) -> None:
    records = [{"id": 1, "tokens": ["Maria", "mora", str(at)], "ner_tags": ["B-PESSOA", "O", "O"]} for at in range(4)]
    report = report_of(path, "\n".join(map(json.dumps, records)), task=TOKEN)
    assert report.valid
    assert report.preview[0] == {"row": 1, "tokens": "Maria mora 0", "tags": "B-PESSOA O O"}


def test_prompt_and_completion_are_text_and_label(path: Path) -> None:
    records = [{"prompt": f"frase {index}", "completion": f" {'ab'[index % 2]}"} for index in range(8)]
    report = report_of(path, "\n".join(map(json.dumps, records)))
    assert report.valid
    assert report.preview[0] == {"row": 1, "text": "frase 0", "label": "a"}
    assert report.counts == {"completion_space": 8}
