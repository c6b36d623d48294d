"""Every format gives the same table, and whatever the name says the bytes decide."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bert_training.data.checks import Problems
from bert_training.data.reading.kinds import FileKind
from bert_training.data.reading.spreadsheet import read_sheet
from bert_training.data.repairs import Fix
from bert_training.tasks.intake import Report
from tests.checking import TOKEN, check_file
from tests.data.old_workbooks import ods_cell, ods_rows, write_ods, write_ole, xls_stream
from tests.workbooks import workbook_of

HEADER = ("texto", "label")
ROWS = [(f'texto número {index}, "citado"; com\numa quebra', "ab"[index % 2]) for index in range(6)]
RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
SENTENCES = [(["Maria", "mora", "aqui"], ["B-PESSOA", "O", "O"]), (["Em", "Rio", "Branco"], ["O", "B-LOC", "I-LOC"])]


def delimited(separator: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows([HEADER, *ROWS])
    return lambda path: path.write_bytes(buffer.getvalue().encode(encoding))


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


def parquet(path: Path) -> None:
    pq.write_table(pa.table({name: [record[name] for record in RECORDS] for name in HEADER}), path)


FILES: list[tuple[str, FileKind, Callable[[Path], object]]] = [
    ("a.xlsx", FileKind.XLSX, lambda path: path.write_bytes(workbook_of([HEADER, *ROWS]))),
    ("a.ods", FileKind.ODS, lambda path: write_ods(path, ods_rows([HEADER, *ROWS]).replace("\n", "</text:p><text:p>"))),
    ("a.xls", FileKind.XLS, lambda path: write_ole(path, {"Workbook": xls_stream([HEADER, *ROWS])})),
    ("a.csv", FileKind.CSV, delimited(",")),
    ("semicolon.csv", FileKind.CSV, delimited(";")),
    ("a.tsv", FileKind.TSV, delimited("\t")),
    ("a.txt", FileKind.CSV, delimited("|")),
    ("bom.csv", FileKind.CSV, delimited(";", "utf-8-sig")),
    ("utf16.csv", FileKind.TSV, delimited("\t", "utf-16")),
    (
        "utf16-be.csv",
        FileKind.CSV,
        lambda path: delimited(";", "utf-16-be")(path) and path.write_bytes(b"\xfe\xff" + path.read_bytes()),
    ),
    ("windows.csv", FileKind.CSV, delimited(";", "cp1252")),
    ("sep.csv", FileKind.CSV, lambda path: path.write_bytes(b"sep=|\r\n" + _bytes_of(delimited("|"), path))),
    ("a.jsonl", FileKind.JSONL, text("\n".join(map(json.dumps, RECORDS)))),
    ("a.ndjson", FileKind.JSONL, text("\n\n".join(map(json.dumps, RECORDS)) + "\n")),
    ("a.json", FileKind.JSON, text(json.dumps(RECORDS, ensure_ascii=False))),
    ("pretty.json", FileKind.JSON, text(json.dumps({"version": 1, "data": RECORDS}, indent=2))),
    ("data.json", FileKind.JSON, text(json.dumps({"data": RECORDS}))),
    ("lines.json", FileKind.JSONL, text("\n".join(map(json.dumps, RECORDS)))),
    ("a.parquet", FileKind.PARQUET, parquet),
    ("without name", FileKind.PARQUET, parquet),
]


def _bytes_of(make: Callable[[Path], object], path: Path) -> bytes:
    make(path)
    return path.read_bytes()


@pytest.mark.parametrize(("name", "kind", "make"), FILES, ids=[name for name, _, _ in FILES])
def test_every_format_gives_the_same_table(
    tmp_path: Path, name: str, kind: FileKind, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "upload")
    report = check_file(tmp_path / "upload", display_name=name)
    assert report.valid, report.errors
    assert [(row["text"], row["label"]) for row in report.preview] == ROWS
    sheet = read_sheet(tmp_path / "upload", Problems(), display_name=name)
    assert (sheet.kind, sheet.header) == (kind, list(HEADER))


def ods(path: Path, rows: str) -> Report:
    return check_file(write_ods(path, ods_rows([HEADER, *ROWS]) + rows), display_name="a.ods")


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ('table:formula="of:=NA()" office:value-type="string" office:string-value="" calcext:value-type="error"', 0),
        ('table:formula="of:=A1"', 1),
        ("", 2),
    ],
)
def test_a_blank_cell_of_an_ods_is_reported_with_its_reason(tmp_path: Path, attributes: str, code: int) -> None:
    row = f"<table:table-row>{ods_cell('x')}<table:table-cell {attributes}/></table:table-row>"
    report = ods(tmp_path / "a", f'<table:table-row table:number-rows-repeated="3"/>{row}')
    expected = ("error_cell", "formula_without_value", "empty_cell")[code]
    assert [(problem.code, problem.cell) for problem in report.errors] == [(expected, "B11")]


def test_an_ods_that_is_no_sound_xml_is_damaged(tmp_path: Path) -> None:
    """The reader is lenient; whoever looks for hidden and merged cells is not."""
    row = '<table:table-row table:visibility="collapse"><table:table-cell a="1" a="2"/></table:table-row>'
    assert [problem.code for problem in ods(tmp_path / "a", row).errors] == ["file_damaged"]


def test_hidden_and_merged_cells_of_an_ods_are_known(tmp_path: Path) -> None:
    hidden = f'<table:table-row table:visibility="filter" table:number-rows-repeated="2">{ods_cell("x")}'
    hidden += f"{ods_cell('a')}</table:table-row>"
    spanned = ods_cell("b", 'table:number-rows-spanned="2"')
    merged = f"<table:table-row>{ods_cell('y')}{spanned}</table:table-row>"
    below = f"<table:table-row>{ods_cell('z')}<table:covered-table-cell/></table:table-row>"
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    path = write_ods(tmp_path / "a.ods", columns + ods_rows([HEADER, *ROWS]) + hidden + merged + below)
    sheet = read_sheet(path, Problems())
    assert (set(sheet.hidden_rows), set(sheet.hidden_columns)) == ({8, 9}, {1})
    assert sheet.merged == [((9, 1), (10, 1))]
    repaired = read_sheet(path, Problems(), recipe=frozenset({Fix.FILL_MERGED, Fix.LEAVE_OUT_HIDDEN}))
    assert [list(row) for row in repaired.rows[-2:]] == [["y", "b"], ["z", "b"]]
    assert repaired.row_numbers[-2:] == [10, 11]


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        (
            "a.conll",
            "-DOCSTART- -X- O\n\n# texto 1\nMaria NNP B-PESSOA\nmora\u00a0em V O\n# S O\n\n\nEm P O\n\n",
            {4: (["Maria", "mora\u00a0em", "#"], ["B-PESSOA", "O", "O"]), 9: (["Em"], ["O"])},
        ),
        ("a.txt", "Maria\tB-PER\nmora\tO\n\nEm\tO\n", {1: (["Maria", "mora"], ["B-PER", "O"]), 4: (["Em"], ["O"])}),
        ("a.iob", "Maria N\r\nmora V\r\n\r\nEm P", {1: (["Maria", "mora"], ["N", "V"]), 4: (["Em"], ["P"])}),
    ],
)
def test_words_with_their_tags_become_sentences(
    tmp_path: Path, name: str, content: str, rows: dict[int, tuple[list[str], list[str]]]
) -> None:
    (tmp_path / "upload").write_bytes(content.encode())
    sheet = read_sheet(tmp_path / "upload", Problems(), display_name=name)
    assert (sheet.kind, sheet.header) == (FileKind.CONLL, ["tokens", "tags"])
    assert dict(zip(sheet.row_numbers, map(tuple, sheet.rows), strict=True)) == rows


def test_sentences_are_a_dataset_for_tokens(tmp_path: Path) -> None:
    lines = [
        f"{word} {tag}" for words, tags in SENTENCES * 2 for word, tag in [*zip(words, tags, strict=True), ("", "")]
    ]
    (tmp_path / "a.bio").write_text("\n".join(lines).replace("\n \n", "\n\n"))
    report = check_file(tmp_path / "a.bio", task=TOKEN, display_name="a.bio")
    assert (report.valid, [row["row"] for row in report.preview]) == (True, [1, 5, 9, 13])


def test_a_word_without_a_tag_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("Maria B-PER\n\nmora\nO juiz O\n")
    report = check_file(tmp_path / "a.conll", task=TOKEN, display_name="a.conll")
    assert [(problem.code, problem.row) for problem in report.errors[:2]] == [("ragged_row", 3), ("ragged_row", 4)]
