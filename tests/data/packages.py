"""Builds .xlsx packages part by part, so that tests can write what no spreadsheet program would."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from bert_training.data.table import column_letter

NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"

PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook {NAMESPACE} xmlns:r="{RELATIONS}">'
    '<sheets><sheet name="Dados" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
SHEET_PART = "xl/worksheets/sheet1.xml"
TEXTS = [("texto", "label"), *((f"texto número {index}", "ab"[index % 2]) for index in range(8))]


def cell(reference: str, text: str) -> str:
    """Write a cell that holds its text inline."""
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def sheet_xml(rows: Sequence[Sequence[str]], *, extra: str = "", before: str = "") -> str:
    """Write a sheet of texts. extra: rows as XML after them. before: XML in front of the rows."""
    lines = [
        f'<row r="{number}">'
        + "".join(cell(f"{column_letter(at)}{number}", text) for at, text in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, start=1)
    ]
    return f"<worksheet {NAMESPACE}>{before}<sheetData>{''.join(lines)}{extra}</sheetData></worksheet>"


def write_package(path: Path, parts: Mapping[str, str | bytes] | None = None, *, without: Sequence[str] = ()) -> Path:
    """Write a package of the usual parts and a sheet of eight texts; `parts` replaces some or adds others."""
    content: dict[str, str | bytes] = {**PARTS, SHEET_PART: sheet_xml(TEXTS), **(parts or {})}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in content.items():
            if name not in without:
                package.writestr(name, part)
    return path
