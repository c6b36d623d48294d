"""A user's own workbook with added columns: what is not about them stays as it was, whoever wrote the file."""

import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table

from bert_training.data.checks import Problems
from bert_training.data.reading.sheet import Sheet
from bert_training.data.reading.spreadsheet import read_sheet
from bert_training.data.writing.annotate import NewColumn, annotate
from bert_training.data.writing.own_columns import ROW_ID_HEADER
from bert_training.data.writing.sheet_ranges import widen_table
from bert_training.data.writing.workbook import ColumnLook
from tests.data.packages import NAMESPACE, SHEET_PART, cell, write_package
from tests.shared_data import shared_data

NOTE = "=1+1 & <ção> \U0001f469\u200d\u2696"
COLUMNS = (NewColumn("Portal: problems", ColumnLook(60)), NewColumn(ROW_ID_HEADER, ColumnLook(20, is_hidden=True)))
SOUND = {
    "crafted": ("crafted_dimensao_falsa_1048576", "crafted_linha_perdida_no_fim", "crafted_titulo_acima_do_cabecalho"),
    "real": (
        "real_inlineStr_cdata",
        "real_nonstandard-xml-ns-prefix",
        "real_sample.strict",
        "real_minimal_package",
        "real_Tables",
        "real_formula_stress_test",
        "real_rich_text_stress",
        "real_xlsx-stream-d-date-cell",
        "real_xxe_in_schema",
        "real_picture",
        "real_merged_range",
        "real_InvalidPrintTitles",
    ),
}


def read(path: Path, name: str = "dados.xlsx") -> Sheet:
    return read_sheet(path, Problems(), display_name=name)


def notes_of(sheet: Sheet) -> Any:
    rows = frozenset(sheet.row_numbers)
    return lambda row: (NOTE if row % 2 else "", f"0123456789ab:{row}") if row in rows else ()


def annotated(path: Path, *, name: str = "dados.xlsx") -> Path:
    """Add the columns, check that they and all others can be read, return the new file."""
    sheet, target = read(path, name), path.with_name("annotated.xlsx")
    annotate(sheet, target, columns=COLUMNS, texts_of=notes_of(sheet))
    again = read(target)
    assert again.row_numbers == sheet.row_numbers
    assert again.header == [*sheet.header, *[""] * (len(again.header) - 2 - len(sheet.header)), *_headers()]
    assert [list(row[: len(sheet.header)]) for row in again.rows] == [list(row) for row in sheet.rows]
    assert [tuple(row[-2:]) for row in again.rows] == [notes_of(sheet)(row) for row in sheet.row_numbers]
    return target


def _headers() -> list[str]:
    return [column.header for column in COLUMNS]


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def sheet_after(folder: Path, sheet: str) -> bytes:
    """Annotate a sheet given as XML; returns the XML that came out, in which the cells of a row stand in order."""
    xml = parts_of(annotated(write_package(folder / "dados.xlsx", {SHEET_PART: sheet})))[SHEET_PART]
    for row in ElementTree.fromstring(xml).iterfind("{*}sheetData/{*}row"):  # noqa: S314 - the test wrote it
        references = [found.get("r", "").rstrip("0123456789") for found in row.iterfind("{*}c")]
        named = [reference for reference in references if reference]
        assert named == sorted(set(named), key=lambda letters: (len(letters), letters))
    return xml


def sheet_of(rows: str, *, before: str = "") -> str:
    return f"<worksheet {NAMESPACE}>{before}<sheetData>{rows}</sheetData></worksheet>"


HEADER = f'<row r="1">{cell("A1", "texto")}{cell("B1", "label")}</row>'
BODY = f'<row r="2">{cell("A2", "um")}{cell("B2", "a")}</row><row r="3">{cell("A3", "dois")}{cell("B3", "b")}</row>'


@pytest.mark.parametrize("name", [name for names in SOUND.values() for name in names])
def test_workbooks_of_all_kinds_of_programs_keep_every_part_but_the_sheet(name: str, tmp_path: Path) -> None:
    path = tmp_path / "dados.xlsx"
    path.write_bytes((shared_data("nasty_xlsx") / f"{name}.xlsx").read_bytes())
    before, after = parts_of(path), parts_of(annotated(path))
    assert list(after) == list(before)
    changed = [part for part in before if before[part] != after[part]]
    assert len(changed) == 1
    assert changed[0].endswith("sheet1.xml")


def styled_workbook(path: Path) -> Path:
    """What an office makes of a list: colours, widths, formulas, filter, frozen pane, comment, a second sheet."""
    book = Workbook()
    sheet: Any = book.active
    for row in [("texto", "label", "soma"), ("um", "a", "=1+1"), ("dois", "b", "=C2*2")]:
        sheet.append(row)
    sheet["C1"].font, sheet["C1"].fill = Font(bold=True), PatternFill("solid", fgColor="FFFF00")
    sheet["B2"].comment = Comment("conferir", "ana")
    sheet.column_dimensions["A"].width, sheet.freeze_panes, sheet.auto_filter.ref = 80, "A2", "A1:C3"
    sheet.row_dimensions[2].height = 40
    book.create_sheet("outra").append(["=1+2", "fica"])
    book.save(path)
    return path


def test_styles_formulas_filters_and_other_sheets_stay(tmp_path: Path) -> None:
    target = annotated(styled_workbook(tmp_path / "dados.xlsx"))
    book = load_workbook(target)
    sheet = book.worksheets[0]
    assert [sheet["C2"].value, sheet["C3"].value, book["outra"]["A1"].value] == ["=1+1", "=C2*2", "=1+2"]
    assert (sheet.freeze_panes, sheet.row_dimensions[2].height) == ("A2", 40)
    assert sheet.auto_filter.ref == "A1:E3"  # or sorting by it would tear the ids from their rows
    assert (sheet.column_dimensions["A"].width, sheet["B2"].comment.text) == (80, "conferir")
    assert (sheet.column_dimensions["D"].width, sheet.column_dimensions["E"].hidden) == (60, True)
    assert (sheet["D1"].font.b, sheet["D1"].fill.fgColor.rgb) == (True, "00FFFF00")  # as the header beside it
    assert (sheet["D3"].value, sheet["D3"].data_type) == (NOTE, "s")
    assert sheet.dimensions == "A1:E3"


def workbook_with_table(path: Path, *, ref: str = "A1:B3") -> Path:
    book = Workbook()
    sheet: Any = book.active
    for row in [("texto", "label"), ("um", "a"), ("dois", "b")]:
        sheet.append(row)
    sheet.add_table(Table(displayName="Pedidos", ref=ref))
    other = book.create_sheet("outra")
    other.append(("x", "y"))
    other.append((1, 2))
    other.add_table(Table(displayName="Outra", ref="A1:B2"))
    book.save(path)
    return path


def test_a_table_takes_the_new_columns_in_so_that_sorting_moves_them(tmp_path: Path) -> None:
    book: Any = load_workbook(annotated(workbook_with_table(tmp_path / "dados.xlsx")))
    table = book.worksheets[0].tables["Pedidos"]
    assert (table.ref, table.autoFilter.ref, table.tableColumns[-1].id) == ("A1:D3", "A1:D3", 4)
    assert [column.name for column in table.tableColumns] == ["texto", "label", *_headers()]
    assert book["outra"].tables["Outra"].ref == "A1:B2"


def test_a_table_that_does_not_hold_all_columns_stays_as_it_is(tmp_path: Path) -> None:
    before = parts_of(workbook_with_table(tmp_path / "dados.xlsx", ref="A1:A3"))
    after = parts_of(annotated(tmp_path / "dados.xlsx"))
    assert [name for name in before if before[name] != after[name]] == ["xl/worksheets/sheet1.xml"]


def test_a_table_is_widened_once_however_often_a_file_comes_back(tmp_path: Path) -> None:
    first = read(annotated(workbook_with_table(tmp_path / "dados.xlsx")))
    annotate(first, tmp_path / "again.xlsx", columns=COLUMNS, texts_of=notes_of(first))
    again, table = parts_of(tmp_path / "again.xlsx"), "xl/tables/table1.xml"
    assert again[table] == parts_of(first.path)[table]


@pytest.mark.parametrize("kind", ['tableType="queryTable"', 'headerRowCount="0"'])
def test_a_table_that_a_query_fills_is_left_alone(kind: str) -> None:
    xml = f'<table {kind} ref="A1:B3"><tableColumns count="1"><tableColumn id="1" name="a"/></tableColumns></table>'
    assert widen_table(xml.encode(), [(2, "x")], 1) == xml.encode()


def test_a_filter_over_some_columns_stays(tmp_path: Path) -> None:
    for tail in ('<autoFilter ref="A1:A3"/>', '<autoFilter ref="A2:B3"/>', '<autoFilter ref="B2"/>'):
        xml = sheet_of(HEADER + BODY).replace("</worksheet>", f"{tail}</worksheet>")
        assert tail.encode() in sheet_after(tmp_path, xml)


def test_a_file_that_comes_back_has_its_columns_written_anew(tmp_path: Path) -> None:
    first = read(annotated(styled_workbook(tmp_path / "dados.xlsx")))
    target = tmp_path / "again.xlsx"
    annotate(first, target, columns=COLUMNS, texts_of=lambda row: ("" if row == 3 else "new", f"ba9876543210:{row}"))
    again = read(target)
    assert again.header == first.header
    assert [list(row[-2:]) for row in again.rows] == [["new", "ba9876543210:2"], ["", "ba9876543210:3"]]
    assert b"1+1 &amp; " not in parts_of(target)["xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize(
    "rows",
    [
        re.sub(r' r="[A-Z]?\d"', "", HEADER + BODY),  # neither rows nor cells say where they are
        (HEADER + BODY).replace('"', "'"),
        (HEADER + BODY).replace("<row ", "\n  <row\n spans='1:2' ").replace("</row>", "\n  </row >"),
        HEADER + BODY.replace('<row r="3">', '<row r="3" customFormat="1" s="3">'),
        HEADER + BODY.replace('</row><row r="3">', '<c r="C2"/><c r="D2" s="1"/></row><row r="3">'),  # styled blanks
        HEADER + '<row r="4"/><row r="5"></row>' + BODY.replace('2"', '6"').replace('3"', '7"'),
        f"<!-- </row><row r='9'> --><row r=\"1\">{cell('A1', 'texto')}{cell('B1', 'label')}</row>{BODY}",
        HEADER + BODY.replace(">dois<", "><![CDATA[</row></sheetData><c r='Z9'>]]><"),
        HEADER + BODY.replace("<is>", '<is><r><rPr><color rgb="FF0000"/></rPr>').replace("</is>", "</r></is>"),
        HEADER + BODY.replace("</row>", '<extLst><ext uri="x"/></extLst></row>'),
    ],
)
def test_rows_are_found_however_they_are_written(rows: str, tmp_path: Path) -> None:
    sheet_after(tmp_path, sheet_of(rows))


def test_the_tags_of_a_sheet_may_have_a_prefix(tmp_path: Path) -> None:
    plain = sheet_of(HEADER + BODY, before='<cols><col min="1" max="1" width="9"/></cols>')
    prefixed = re.sub(r"<(/?)(?=\w)", r"<\1x:", plain).replace(" xmlns=", " xmlns:x=")
    assert b'<x:c r="C3" t="inlineStr"><x:is><x:t' in sheet_after(tmp_path, prefixed)


@pytest.mark.parametrize(
    ("cols", "expected"),
    [
        ("", "3-3 4-4"),
        ("<cols/>", "3-3 4-4"),
        ('<cols><col min="1" max="2" width="9"/></cols>', "1-2 3-3 4-4"),
        ('<cols><col min="1" max="16384" width="9"/></cols>', "1-2 3-3 4-4 5-16384"),
        ('<cols><col min="2" max="3" width="9"></col><col min="4" max="9" width="9"/></cols>', "2-2 3-3 4-4 5-9"),
        ("<cols><col max='3' min='3' width='9'/><col max='7' min='6'/></cols>", "3-3 4-4 6-7"),
    ],
)
def test_no_column_is_described_twice(cols: str, expected: str, tmp_path: Path) -> None:
    xml = sheet_after(tmp_path, sheet_of(HEADER + BODY, before=cols)).decode()
    spans = [(re.search(r"min=.(\d+)", col), re.search(r"max=.(\d+)", col)) for col in re.findall(r"<col [^>]*>", xml)]
    assert " ".join(f"{low[1]}-{high[1]}" for low, high in spans if low and high) == expected
    assert xml.count("<cols>") == 1


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [("A1:B3", "A1:D3"), ("A1", "A1:D1"), ("A1:XFD1048576", "A1:XFD1048576"), ("A1:D3", "A1:D3"), ("B2:AA9", "B2:AA9")],
)
def test_the_dimension_reaches_the_new_columns(dimension: str, expected: str, tmp_path: Path) -> None:
    before = f'<dimension ref="{dimension}"/>'
    assert f'ref="{expected}"'.encode() in sheet_after(tmp_path, sheet_of(HEADER + BODY, before=before))


def test_a_sheet_that_is_larger_than_one_piece_is_edited_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bert_training.data.writing.sheet_edit.CHUNK_BYTES", 100)
    rows = [f'<row r="{row}">{cell(f"A{row}", "TEXT")}{cell(f"B{row}", "a")}</row>' for row in range(2, 50)]
    hidden = f"<![CDATA[{'</row><row r=' * 20}]]>"
    sheet_after(tmp_path, sheet_of(HEADER + "".join(rows).replace("TEXT", hidden)))


def test_columns_stand_behind_a_merged_area(tmp_path: Path) -> None:
    merged = '<mergeCells count="1"><mergeCell ref="B3:F3"/></mergeCells>'
    xml = sheet_of(HEADER + BODY).replace("</worksheet>", f"{merged}</worksheet>")
    assert b'<c r="G1"' in sheet_after(tmp_path, xml)


def test_formulas_that_were_never_computed_are_not_written_over(tmp_path: Path) -> None:
    """The reader shows no cell in their column, for it has neither a header nor a saved value."""
    formula = '<c r="C2" s="0"><f>1+1</f><v/></c>'
    after = sheet_after(tmp_path, sheet_of(HEADER + BODY.replace("</row>", f"{formula}</row>", 1)))
    assert formula.encode() in after
    assert b'<c r="D1"' in after


def test_a_title_merged_to_the_last_column_gives_a_new_workbook_beside_its_cells(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.create_sheet("Dados", 0)
    sheet.append(["texto", "label"])
    sheet.append(["a", "b"])
    sheet.merge_cells("B1:XFD1")
    book.save(tmp_path / "upload.xlsx")
    assert load_workbook(annotated(tmp_path / "upload.xlsx")).worksheets[0].max_column == 4


def test_xml_that_cannot_be_edited_becomes_a_new_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bert_training.data.writing.sheet_edit.HEAD_BYTES", -1)
    target = annotated(styled_workbook(tmp_path / "dados.xlsx"))
    assert "xl/comments/comment1.xml" not in parts_of(target)


def test_a_file_whose_rows_are_all_broken_gives_a_workbook_of_its_header(tmp_path: Path) -> None:
    (tmp_path / "dados.csv").write_text("texto;label\na;b;c\n", encoding="utf-8")
    annotate(read(tmp_path / "dados.csv", "dados.csv"), tmp_path / "new.xlsx", columns=COLUMNS, texts_of=lambda _: ())
    assert load_workbook(tmp_path / "new.xlsx").worksheets[0].max_row == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dados.csv", "texto;label;valor\n=1+1;a;1,5\n\ndois;b;007\n".encode("windows-1252")),
        ("dados.tsv", b"texto\tlabel\n-1\ta\n@x\tb\n"),
        ("dados.jsonl", b'{"texto": "um", "label": "a"}\n{"texto": "dois", "label": "b"}\n'),
    ],
)
def test_other_formats_become_a_new_workbook_of_texts(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    sheet, target = read(tmp_path / name, name), tmp_path / "annotated.xlsx"
    assert not annotate(sheet, target, columns=COLUMNS, texts_of=notes_of(sheet))
    book: Any = load_workbook(target).active
    assert {entry.data_type for row in book.iter_rows() for entry in row if entry.value is not None} == {"s"}
    again = read(target)
    assert [list(row)[:2] for row in again.rows] == [[str(value) for value in row[:2]] for row in sheet.rows]
    assert [row[-1] for row in again.rows] == [f"0123456789ab:{row}" for row in sheet.row_numbers]


def test_a_text_that_is_too_long_for_excel_still_gives_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "dados.csv").write_text("texto,label\n" + "palavra " * 9000 + ",a\num,b\n", encoding="utf-8")
    sheet = read(tmp_path / "dados.csv", "dados.csv")
    annotate(sheet, tmp_path / "annotated.xlsx", columns=COLUMNS, texts_of=notes_of(sheet))
    assert read(tmp_path / "annotated.xlsx").rows[0][0] == ("palavra " * 9000)[:32_766] + "\u2026"
