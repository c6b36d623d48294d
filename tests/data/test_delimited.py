"""What can be wrong with a .csv, and what is found out by itself: separator, encoding, decimal comma."""

from pathlib import Path

import pytest

from bert_training.data.checks import DatasetRefused, Problems
from bert_training.data.reading import delimited
from bert_training.data.reading.encoding import UTF_8, UTF_16, WINDOWS_1252, detect_encoding
from bert_training.data.reading.kinds import CELL_CHARACTERS
from bert_training.data.reading.sheet import Sheet
from bert_training.data.reading.spreadsheet import read_sheet
from bert_training.tasks.intake import Report
from tests.checking import check_file

LINES = ["texto;label", *(f"frase {index};{'ab'[index % 2]}" for index in range(8))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def report_of(path: Path, content: str | bytes) -> Report:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return check_file(path, display_name="a.csv")


def sheet_of(path: Path, content: str) -> Sheet:
    path.write_text(content, encoding="utf-8", newline="")
    return read_sheet(path, Problems(), display_name="a.csv")


def joined(*lines: str) -> str:
    return "\n".join([*LINES, *lines])


@pytest.mark.parametrize(
    ("content", "separator", "header"),
    [
        ("texto;nota\nbom, muito bom;1,5\nruim, sim;2,0\n", ";", ["texto", "nota"]),
        ('texto,label\n"a; b; c",x\n"d; e; f",y\n', ",", ["texto", "label"]),
        ("texto\tlabel\na, b\tx\nc, d\ty\n", "\t", ["texto", "label"]),
        ("texto\numa frase, curta\noutra frase\n", "", ["texto"]),
        ("sep=|\ntexto|label\na;b|c\n", "|", ["texto", "label"]),
        ('texto;label\n"a\nb";x\n"c\nd";y\n', ";", ["texto", "label"]),
        ("texto;label\ra;x\rb;y\r", ";", ["texto", "label"]),
    ],
)
def test_the_separator_is_found(path: Path, content: str, separator: str, header: list[str]) -> None:
    sheet = sheet_of(path, content)
    assert (sheet.separator, sheet.header, len(sheet.rows)) == (separator, header, 2 if "sep=" not in content else 1)


def test_rows_that_all_have_a_cell_without_a_header_are_no_rows(path: Path) -> None:
    """A comma in every text: read as it stands, the second half of each text would be its label."""
    rows = "".join(f"frase {at}, sim,{'ab'[at % 2]}\n" for at in range(8))
    for title in ("", "Relatório\n\n"):
        path.write_text(f"{title}texto,label\n{rows}", encoding="utf-8")
        report = check_file(path, display_name="a.csv", recipe=["find_header"])
        assert (report.valid, report.counts["ragged_row"]) == (False, 8)
        assert report.errors[0].row == 2 + title.count("\n")
    assert "ragged_row" not in report_of(path, f"texto,label,\n{rows}").counts


def test_the_hint_at_the_separator_is_no_row(path: Path) -> None:
    """Excel does not show it: the first text below the header stands in row 2, and on line 3."""
    report = report_of(path, "sep=;\ntexto;label\n;a\nb\n")
    assert [(problem.row, problem.cell, problem.values.get("line")) for problem in report.errors[:2]] == [
        (3, "", 4),
        (2, "A2", None),
    ]


def test_values_stay_as_they_are_written(path: Path) -> None:
    sheet = sheet_of(path, "texto;label\n001;NA\n 1e5 ;=1+1\n1.0;null\nTRUE; a\n")
    assert sheet.rows == [["001", "NA"], [" 1e5 ", "=1+1"], ["1.0", "null"], ["TRUE", " a"]]


def test_a_column_of_decimal_commas_becomes_numbers_and_it_is_said(path: Path) -> None:
    report = report_of(path, "texto;nota\n" + "".join(f"frase {index};{index % 2},0\n" for index in range(8)) + "x;1\n")
    assert report.columns_found == ["texto", "nota"]
    problems = Problems()
    sheet = read_sheet(path, problems, display_name="a.csv")
    assert [row[1] for row in sheet.rows[:2]] == [0.0, 1.0]
    assert problems.counts == {"decimal_comma": 1}
    assert sheet_of(path, "texto;nota\na;1,5\nb;ver 2,5\n").rows[0][1] == "1,5"


def test_rows_have_the_numbers_that_a_spreadsheet_program_shows(path: Path) -> None:
    sheet = sheet_of(path, '\ntexto;label\n"duas\nlinhas";a\n\n;\nb;c\n')
    assert (sheet.row_numbers, sheet.rows) == ([3, 6], [["duas\nlinhas", "a"], ["b", "c"]])
    assert sheet_of(path, "sep=;\ntexto;label\na;b\n").row_numbers == [2]


@pytest.mark.parametrize(
    ("line", "cells"), [("sobra;a;b", 3), ("falta", 1), ("a;b;;x", 4)], ids=["too long", "too short", "beyond blanks"]
)
def test_row_40_a_ragged_row_is_named_with_its_line(path: Path, line: str, cells: int) -> None:
    report = report_of(path, joined('"duas\nlinhas";a', line))
    assert [(problem.code, problem.row) for problem in report.errors] == [("ragged_row", 11)]
    assert report.errors[0].values == {"line": 12, "cells": cells, "columns": 2}
    assert check_file(path, display_name="a.csv", recipe=["leave_out_bad_rows"]).rows == 9


def test_blank_cells_beyond_the_header_do_not_matter(path: Path) -> None:
    assert report_of(path, joined("frase;a;;", "outra;b; ")).rows == 10


def test_titles_above_the_table_may_be_shorter_than_it(path: Path) -> None:
    path.write_text("Relatório\n\n" + "\n".join(LINES), encoding="utf-8")
    assert check_file(path, display_name="a.csv").errors[0].fix == "find_header"
    assert check_file(path, display_name="a.csv", recipe=["find_header"]).valid


@pytest.mark.parametrize("line", ['"aberta;a\nb;c', '"fechada" antes;a'])
def test_row_40_a_quotation_mark_that_is_not_closed_is_named_with_its_line(path: Path, line: str) -> None:
    report = report_of(path, joined('"duas\nlinhas";a', line))
    assert [(problem.code, problem.row, problem.values) for problem in report.errors] == [
        ("unclosed_quote", 11, {"line": 12})
    ]


@pytest.mark.parametrize(("length", "codes"), [(CELL_CHARACTERS, []), (CELL_CHARACTERS + 1, ["cell_too_long"])])
def test_row_25_a_cell_holds_a_million_characters(path: Path, length: int, codes: list[str]) -> None:
    report = report_of(path, joined("x" * length + ";a"))
    assert [problem.code for problem in report.errors] == codes


def test_row_40_a_line_without_end_is_not_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.data.reading.lines.LINE_CHARACTERS", 1000)
    report = report_of(path, joined("x" * 2000))
    assert [(problem.code, problem.row) for problem in report.errors] == [("line_too_long", 10)]


def test_row_39_an_encoding_other_than_utf_8_is_stated(path: Path) -> None:
    content = joined("não é só ação;a")
    for encoding, name in (("cp1252", "Windows-1252"), ("utf-16", "UTF-16")):
        report = report_of(path, content.encode(encoding))
        assert report.preview[-1]["text"] == "não é só ação"
        assert [problem.values for problem in report.warnings] == [{"encoding": name}]
    for encoding in ("utf-8", "utf-8-sig"):
        assert report_of(path, content.encode(encoding)).warnings == []


def test_row_39_bytes_that_fit_no_encoding_are_named_with_their_position(path: Path) -> None:
    start = "\n".join(LINES).encode("cp1252") + "\nnão".encode("cp1252")
    report = report_of(path, start + b"\x81;a\n")
    assert [problem.code for problem in report.errors] == ["encoding"]
    assert report.errors[0].values == {"position": len(start) + 1, "byte": "81"}


def test_row_39_a_damaged_utf_8_is_not_taken_for_windows_1252(path: Path) -> None:
    start = joined("não é só ação;a").encode()
    report = report_of(path, start + b"\n\xe3;b\n")
    assert report.errors[0].values == {"position": len(start) + 2, "byte": "E3"}


@pytest.mark.parametrize("position", [0, 1024 * 1024 - 1, 1024 * 1024, 3_000_000])
def test_encodings_are_told_apart_wherever_the_first_accent_stands(path: Path, position: int) -> None:
    for encoding, expected in (("utf-8", UTF_8), ("cp1252", WINDOWS_1252)):
        path.write_bytes(b"a" * position + "é".encode(encoding) + b"a" * 10)
        assert detect_encoding(path) == expected
    path.write_bytes("é".encode("utf-16"))
    assert detect_encoding(path) == UTF_16
    path.write_bytes("é".encode("utf-16") + b"a")
    with pytest.raises(DatasetRefused):
        detect_encoding(path)


def test_blank_lines_without_end_are_refused_as_too_many_rows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "ROWS", 100)
    report = report_of(path, b"texto;label\n" + b";\n" * 300)
    assert [problem.code for problem in report.errors] == ["too_many_rows"]
