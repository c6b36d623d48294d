"""What is read from a sheet: which sheet, which columns, which text a cell becomes, why it is blank."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from bert_training.tasks.intake import Report
from tests.checking import check_file
from tests.data.packages import SHEET_PART, TEXTS, cell, sheet_xml, write_package
from tests.workbooks import workbook_of

BODY = TEXTS[1:]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.xlsx"


def report_of(path: Path, rows: Sequence[Sequence[object]], **options: object) -> Report:
    """Check a workbook of these rows as texts."""
    path.write_bytes(workbook_of(rows))
    return check_file(path, task="text-classification", **options)  # type: ignore[arg-type]  # options of each test


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.errors]


def sheet_of(book: Workbook) -> Worksheet:
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    return sheet


@pytest.mark.parametrize("header", ["Texto", "TEXTO", " texto ", "texto\u00a0", "t\u00e9xto", "Conteúdo", "TEXT\n"])
def test_a_header_matches_without_regard_to_case_accents_and_spaces(path: Path, header: str) -> None:
    assert report_of(path, [(header, "Rótulo"), *BODY]).valid


def test_a_missing_column_is_named_with_those_that_are_there(path: Path) -> None:
    report = report_of(path, [("id", "corpo", "label"), ("1", "x", "y")])
    assert codes(report) == ["missing_column"]
    assert report.errors[0].values == {"sheet": "Dados", "column": "texto", "found": "id, corpo, label"}
    assert report.columns_found == ["id", "corpo", "label"]


def test_a_title_above_the_header_is_pointed_out(path: Path) -> None:
    report = report_of(path, [("Relatório anual",), (), *TEXTS])
    assert codes(report) == ["missing_column"]
    assert report.errors[0].values["header_row"] == 3


@pytest.mark.parametrize("header", [("texto", "texto", "label"), ("Texto ", "TEXTO", "label")])
def test_two_columns_of_the_same_name_are_refused(path: Path, header: tuple[str, ...]) -> None:
    assert codes(report_of(path, [header, ("a", "b", "c")])) == ["duplicate_column"]


def test_the_exact_name_wins_over_one_that_is_only_alike(path: Path) -> None:
    report = report_of(path, [("Texto", "texto", "label"), *(("outro", text, label) for text, label in BODY)])
    assert report.preview[0]["text"] == "texto número 0"


def test_doubled_columns_that_nobody_needs_are_no_matter(path: Path) -> None:
    assert report_of(path, [("texto", "obs", "obs", "label"), *((a, "", "", b) for a, b in BODY)]).valid


def test_columns_can_be_chosen_and_joined(path: Path) -> None:
    rows = [
        ("título", "corpo", "classe dada"),
        *((f"t{index}", text, label) for index, (text, label) in enumerate(BODY)),
    ]
    report = report_of(path, rows, columns={"text": ["título", "CORPO"], "label": "classe dada"})
    assert report.valid
    assert report.columns == {"text": "título + corpo", "label": "classe dada"}
    assert report.preview[0] == {"row": 2, "text": "t0\ntexto número 0", "label": "a"}


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"text": "nada"}, "missing_column"),
        ({"grupo": "texto"}, "unknown_column"),
        ({"text": ["texto", "x"]}, "missing_column"),
        ({"text": ["texto", "label"]}, "column_taken_twice"),
        ({"group": "label"}, "column_taken_twice"),
    ],
)
def test_a_choice_of_columns_that_does_not_fit_is_refused(
    path: Path, columns: dict[str, str | list[str]], code: str
) -> None:
    assert codes(report_of(path, TEXTS, columns=columns)) == [code]


def test_an_empty_choice_means_the_usual_names(path: Path) -> None:
    assert report_of(path, TEXTS, columns={"text": "", "label": []}).valid


def test_rows_keep_their_numbers_past_blank_ones_and_an_offset(path: Path) -> None:
    rows = [(), (None, None, "texto", "label"), (), *((None, None, *row) for row in BODY), ("", "", " ", None)]
    report = report_of(path, rows)
    assert report.valid
    assert [row["row"] for row in report.preview] == list(range(4, 12))


def test_a_sheet_without_rows_says_so(path: Path) -> None:
    assert codes(report_of(path, [("texto", "label")])) == ["no_rows"]
    assert codes(report_of(path, [])) == ["no_rows"]


def test_the_first_visible_sheet_is_read_or_the_named_one(path: Path) -> None:
    book = Workbook()
    sheet_of(book).title = "Capa"
    sheet_of(book).sheet_state = "hidden"
    for title, label in (("Base", "um"), ("Outra", "dois")):
        sheet = book.create_sheet(title)
        for row in [*TEXTS, *((f"x{index}", label) for index in range(3))]:
            sheet.append(row)
    book.save(path)
    first = check_file(path, task="text-classification")
    assert (first.sheet, "um" in first.summary["labels"]) == ("Base", True)
    assert first.warnings[0].values["names"] == "Capa, Base, Outra"
    named = check_file(path, task="text-classification", sheet="Outra")
    assert "dois" in named.summary["labels"]
    missing = check_file(path, task="text-classification", sheet="Nenhuma")
    assert (codes(missing), missing.errors[0].values["found"]) == (["sheet_not_found"], "Capa, Base, Outra")


def test_every_kind_of_value_becomes_text_by_one_rule(path: Path) -> None:
    pairs = [
        (1, "1"),
        (1.0, "1"),
        (-3, "-3"),
        (2.5, "2.5"),
        (True, "verdadeiro"),
        (False, "falso"),
        (datetime.date(2026, 11, 20), "2026-11-20"),
        (datetime.datetime(2026, 11, 20, 13, 45), "2026-11-20 13:45:00"),
        (datetime.time(7, 30), "07:30:00"),
        ("1", "1"),
        ("NA", "NA"),
        ("null", "null"),
        ("None", "None"),
        ("nan", "nan"),
        (" a ", " a "),
    ]
    report = report_of(path, [("texto", "label"), *((f"t{index}", value) for index, (value, _) in enumerate(pairs))])
    assert [row["label"] for row in report.preview] == [text for _, text in pairs]


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("a_x0000_b", "ab"),
        ("a_x0007_b", "a\ufffdb"),
        ("a_xD800_b", "a\ufffdb"),
        ("a\u0081b", "a\ufffdb"),
        ("\u202eabc\u200d😀", "\u202eabc\u200d😀"),
    ],
)
def test_control_characters_are_replaced_and_counted(path: Path, escaped: str, text: str) -> None:
    write_package(path, {SHEET_PART: sheet_xml([*TEXTS, (escaped, "a")])})
    report = check_file(path, task="text-classification")
    assert report.preview[-1]["text"] == text
    assert report.counts.get("control_characters", 0) == (text not in escaped)


def test_a_windows_line_end_is_a_line_end(path: Path) -> None:
    write_package(path, {SHEET_PART: sheet_xml([*TEXTS, ("a_x000D_\nb", "a")])})
    report = check_file(path, task="text-classification")
    assert (report.preview[-1]["text"], report.warnings) == ("a\nb", [])


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ('<c r="B10"><f>IF(1,"a","b")</f><v/></c>', "formula_without_value"),
        ('<c r="B10"><f>A1</f></c>', "formula_without_value"),
        ('<c r="B10" t="e"><v>#N/A</v></c>', "error_cell"),
        ('<c r="B10" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "error_cell"),
        ('<c r="B10" s="1"/>', "empty_cell"),
        ('<c r="B10" t="str"><f>""</f><v></v></c>', "empty_cell"),
        (cell("B10", "\u00a0 \u200b"), "empty_cell"),
    ],
)
def test_a_blank_cell_is_reported_with_its_reason(path: Path, xml: str, code: str) -> None:
    row = f'<row r="10">{cell("A10", "x")}{xml}</row>'
    write_package(path, {SHEET_PART: sheet_xml(TEXTS, extra=row)})
    report = check_file(path, task="text-classification")
    assert codes(report) == [code]
    problem = report.errors[0]
    assert (problem.sheet, problem.row, problem.column, problem.cell) == ("Dados", 10, "label", "B10")


def test_a_formula_with_a_saved_value_is_its_value(path: Path) -> None:
    row = f'<row r="10">{cell("A10", "x")}<c r="B10" t="str"><f>"a"</f><v>a</v></c></row>'
    write_package(path, {SHEET_PART: sheet_xml(TEXTS, extra=row)})
    assert check_file(path, task="text-classification").preview[-1]["label"] == "a"


def test_flags_are_found_beyond_the_first_block_of_a_large_sheet(path: Path) -> None:
    rows = [*TEXTS, *((f"{index} " * 300, "a") for index in range(5000))]
    broken = f'<row r="5010">{cell("A5010", "x")}<c r="B5010" t="e"><v>#N/A</v></c></row>'
    write_package(path, {SHEET_PART: sheet_xml(rows, extra=broken)})
    assert codes(check_file(path, task="text-classification")) == ["error_cell"]


def test_merged_cells_are_stated(path: Path) -> None:
    book = Workbook()
    for row in TEXTS:
        sheet_of(book).append(row)
    sheet_of(book).merge_cells("B2:B3")
    book.save(path)
    report = check_file(path, task="text-classification")
    assert report.counts == {"merged_cells": 1}


@pytest.mark.parametrize(("length", "expected"), [(32_767, []), (32_768, ["cell_too_long"])])
def test_a_cell_holds_as_much_as_excel_allows(path: Path, length: int, expected: list[str]) -> None:
    write_package(path, {SHEET_PART: sheet_xml([*TEXTS, ("x" * length, "a")])})
    assert codes(check_file(path, task="text-classification")) == expected


def test_too_many_columns_are_refused(path: Path) -> None:
    assert codes(report_of(path, [[f"c{index}" for index in range(201)], ["x"]])) == ["too_many_columns"]


def test_too_many_rows_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.data.reading.workbooks.ROWS", 7)
    assert codes(report_of(path, TEXTS)) == ["too_many_rows"]


def test_markup_is_text(path: Path) -> None:
    markup = '<script>alert("x")</script>'
    report = report_of(path, [("texto", "label"), *((f"{markup}{index}", f"-{index % 2}") for index in range(6))])
    assert report.valid
    assert report.preview[0] == {"row": 2, "text": f"{markup}0", "label": "-0"}
