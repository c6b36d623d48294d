"""Flags come from the bytes of the sheet, however a program arranged its package."""

from pathlib import Path

import pytest

from bert_training.data.reading import cell_flags
from bert_training.data.reading.cell_flags import find_flagged_cells, find_hidden
from bert_training.data.table import CellFlag
from tests.data.packages import NAMESPACE, PACKAGE_RELATIONS, PARTS, RELATIONS, SHEET_PART, write_package

RELS = "xl/_rels/workbook.xml.rels"
ERROR = '<row r="2"><c r="A2" t="e"><v>#N/A</v></c><c r="B2"><f>A2</f></c></row>'
FLAGS = {("A", 2): CellFlag.ERROR, ("B", 2): CellFlag.FORMULA}
BOTH = frozenset("AB")


def sheet(rows: str, prefix: str = "") -> str:
    namespace = NAMESPACE.replace("xmlns", f"xmlns:{prefix[:-1]}") if prefix else NAMESPACE
    return f"<{prefix}worksheet {namespace}><{prefix}sheetData>{rows}</{prefix}sheetData></{prefix}worksheet>"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.xlsx"


def flags_of(path: Path, parts: dict[str, str], *, index: int = 0, letters: frozenset[str] = BOTH) -> object:
    return find_flagged_cells(write_package(path, parts), index, letters=letters)


def test_errors_and_formulas_are_told_apart(path: Path) -> None:
    assert flags_of(path, {SHEET_PART: sheet(ERROR)}) == FLAGS


def test_only_the_wanted_columns_are_looked_at(path: Path) -> None:
    assert flags_of(path, {SHEET_PART: sheet(ERROR)}, letters=frozenset("B")) == {("B", 2): CellFlag.FORMULA}


def test_a_prefix_before_every_tag_is_no_obstacle(path: Path) -> None:
    rows = ERROR.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
    assert flags_of(path, {SHEET_PART: sheet(rows, "x:")}) == FLAGS


@pytest.mark.parametrize(
    "relation",
    [
        '<Relationship Id="rId1" Target="/xl/worksheets/sheet1.xml"/>',
        "<Relationship Target='worksheets/sheet1.xml' Id='rId1'/>",
        '<Relationship Id="rId1" Target="worksheets\\sheet1.xml"/>',
        '<r:Relationship Id = "rId1" Target="worksheets/SHEET1.xml"></r:Relationship>',
    ],
)
def test_the_part_of_a_sheet_is_found_however_it_is_named(path: Path, relation: str) -> None:
    relations = f'<Relationships xmlns="{PACKAGE_RELATIONS}">{relation}</Relationships>'
    assert flags_of(path, {SHEET_PART: sheet(ERROR), RELS: relations}) == FLAGS


def test_the_second_sheet_is_the_second_of_the_workbook(path: Path) -> None:
    workbook = PARTS["xl/workbook.xml"].replace("</sheets>", '<sheet name="B" sheetId="9" r:id="rId7"/></sheets>')
    relations = PARTS[RELS].replace(
        "</Relationships>",
        f'<Relationship Id="rId7" Type="{RELATIONS}/worksheet" Target="worksheets/other.xml"/></Relationships>',
    )
    parts = {"xl/workbook.xml": workbook, RELS: relations, "xl/worksheets/other.xml": sheet(ERROR)}
    assert flags_of(path, parts) == {}
    assert flags_of(path, parts, index=1) == FLAGS


@pytest.mark.parametrize("relations", ["<Relationships/>", '<Relationship Id="rId1" Target="nowhere.xml"/>', ""])
def test_a_package_that_leads_nowhere_has_no_flags(path: Path, relations: str) -> None:
    assert flags_of(path, {SHEET_PART: sheet(ERROR), RELS: relations}) == {}
    assert flags_of(path, {SHEET_PART: sheet(ERROR)}, index=5) == {}


def test_cells_without_a_reference_have_no_flag(path: Path) -> None:
    assert flags_of(path, {SHEET_PART: sheet('<row><c t="e"><v>#N/A</v></c></row>')}) == {}


def test_a_formula_quoted_in_a_text_is_a_text(path: Path) -> None:
    rows = '<row r="2"><c r="A2" t="inlineStr"><is><t>&lt;f&gt; t="e" c&gt;</t></is></c></row>'
    assert flags_of(path, {SHEET_PART: sheet(rows)}) == {}


@pytest.mark.parametrize("chunk_bytes", [7, 64, 129, 1000])
def test_where_a_block_ends_does_not_matter(path: Path, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_flags, "CHUNK_BYTES", chunk_bytes)
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" t="e"><v>#N/A</v></c><c r="B{row}"><v>c&gt;{row}</v></c></row>'
        for row in range(1, 40)
    )
    assert flags_of(path, {SHEET_PART: sheet(rows)}) == {("A", row): CellFlag.ERROR for row in range(1, 40)}


def test_there_is_an_end_to_the_flags(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_flags, "FLAGGED_CELLS", 1)
    monkeypatch.setattr(cell_flags, "CHUNK_BYTES", 10)
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="e"><v>#N/A</v></c></row>' for row in range(1, 40))
    assert flags_of(path, {SHEET_PART: sheet(rows)}) == {("A", 1): CellFlag.ERROR}


@pytest.mark.parametrize(
    ("xml", "rows", "columns"),
    [
        ('<row r="2" hidden="1"><c r="A2"><v>1</v></c></row>', {2}, set()),
        ('<row spans="1:2" hidden="true" r="17"/><row r="3" hidden="0"/>', {17}, set()),
        ('<cols><col min="2" max="3" hidden="1"/><col max="5" hidden=\'true\' min="5"/></cols>', set(), {1, 2, 4}),
        ('<col min="2" max="99999" width="3"/><row r="1"><c r="A1"><v> hidden="1"</v></c></row>', set(), set()),
    ],
)
def test_hidden_rows_and_columns_are_found(path: Path, xml: str, rows: set[int], columns: set[int]) -> None:
    write_package(path, {SHEET_PART: sheet(xml)})
    assert find_hidden(path, 0) == (rows, columns)
