"""Files that want to harm or merely are no spreadsheet: each gets one clear answer, at once."""

import io
import socket
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_training.contract.limits import UPLOAD_BYTES
from bert_training.data.reading.file_kind import OLE_MAGIC
from bert_training.tasks.intake import Report
from tests.checking import check_file, check_in_child
from tests.data.old_workbooks import MANIFEST, ods_cell, ods_rows, write_ods, write_ole, xls_stream
from tests.data.packages import PARTS, RELATIONS, SHEET_PART, TEXTS, cell, sheet_xml, write_package

Maker = Callable[[Path], object]
FETCH = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'


def check(path: Path, display_name: str = "dados.xlsx") -> Report:
    return check_file(path, task="text-classification", display_name=display_name)


def package(**parts: str | bytes) -> Maker:
    """Return a maker of a package with these parts replaced: sheet, workbook, strings."""
    names = {"sheet": SHEET_PART, "workbook": "xl/workbook.xml", "strings": "xl/sharedStrings.xml"}
    names["styles"] = "xl/styles.xml"
    return lambda path: write_package(path, {names.get(name, name): part for name, part in parts.items()})


def ods(rows: str = "", *, before: str = "", styles: str = "") -> Maker:
    """Return a maker of an .ods with these rows below the usual ones."""
    return lambda path: write_ods(path, ods_rows(TEXTS) + rows, {"styles.xml": styles}, before=before)


def half_an_ods(path: Path) -> None:
    whole = write_ods(path, ods_rows(TEXTS)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def locked_ods(path: Path) -> None:
    entry = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    manifest = f'<manifest:manifest xmlns:manifest="{MANIFEST}">{entry}</manifest:manifest>'
    write_ods(path, "", {"META-INF/manifest.xml": manifest, "content.xml": "\x01\x02 no XML"})


def locked_xls(path: Path) -> None:
    file_pass = struct.pack("<HHHHH", 0x002F, 6, 1, 1, 1)
    write_ole(path, {"Workbook": xls_stream(TEXTS, globals_extra=file_pass)})


def content(data: bytes) -> Maker:
    return lambda path: path.write_bytes(data)


def many_parts(path: Path) -> None:
    write_package(path, {f"xl/x{index}.bin": b"" for index in range(2001)})


def unsafe_name(name: str) -> Maker:
    return lambda path: write_package(path, {name: b"x"})


def symbolic_link(path: Path) -> None:
    write_package(path)
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("xl/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")


def truncated(path: Path) -> None:
    whole = write_package(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def wrong_checksum(path: Path) -> None:
    data = bytearray(write_package(path).read_bytes())
    start = data.index(SHEET_PART.encode())
    data[start - 16] ^= 0xFF  # CRC in the local header ...
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(SHEET_PART.encode()))
    data[central + 16] ^= 0xFF  # ... and in the directory
    path.write_bytes(bytes(data))


def lying_size(path: Path) -> None:
    """Declare 10 bytes for a sheet that has thousands."""
    data = bytearray(write_package(path).read_bytes())
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(SHEET_PART.encode()))
    data[central + 24 : central + 28] = struct.pack("<I", 10)
    path.write_bytes(bytes(data))


def same_name_twice(path: Path) -> None:
    write_package(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET_PART, sheet_xml(TEXTS))


def without_part(name: str) -> Maker:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for part in PARTS:
                if part != name:
                    archive.writestr(part, PARTS[part])

    return make


def larger_than_allowed(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(UPLOAD_BYTES + 1)


def zip_of(*names: str, rels: str = "") -> bytes:
    """Zip parts of one byte; `rels` is the main part that the package's relations name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if rels:
            archive.writestr("_rels/.rels", PARTS["_rels/.rels"].replace("xl/workbook.xml", rels))
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


CASES: list[tuple[str, str, str, Maker]] = [
    ("row 1: nothing in it", "file_empty", "a.xlsx", content(b"")),
    ("more bytes than an upload may have", "file_too_large", "a.xlsx", larger_than_allowed),
    ("row 2: a PDF", "not_a_spreadsheet", "a.xlsx", content(b"%PDF-1.7 ...")),
    ("row 2: an HTML table", "not_a_spreadsheet", "a.xlsx", content(b"<html><table></table></html>")),
    ("row 2: a program", "not_a_spreadsheet", "a.xlsx", content(b"MZ\x90\x00")),
    ("row 2: a picture named csv", "not_a_spreadsheet", "a.csv", content(b"\x89PNG\r\n\x1a\n" + bytes(100))),
    ("row 2: a program named csv", "not_a_spreadsheet", "a.csv", content(b"MZ" + bytes(range(256)))),
    ("row 2: a web page named csv", "not_a_spreadsheet", "a.csv", content(b"\xef\xbb\xbf\n<!DOCTYPE html><table>")),
    ("row 2: a gzip named jsonl", "not_a_spreadsheet", "a.jsonl", content(b"\x1f\x8b\x08\x00" + bytes(50))),
    (
        "row 2: some other zip",
        "not_a_spreadsheet",
        "a.xlsx",
        content(zip_of("word/document.xml", rels="word/document.xml")),
    ),
    ("row 2: an empty zip", "not_a_spreadsheet", "a.xlsx", content(zip_of())),
    ("row 3: an .xls that is cut off", "file_damaged", "a.xls", content(OLE_MAGIC + "Workbook".encode("utf-16-le"))),
    ("row 3: a letter in the old format", "not_a_spreadsheet", "a.xls", content(OLE_MAGIC + b"WordDocument")),
    ("row 3: an .odt", "not_a_spreadsheet", "a.ods", content(zip_of("mimetype", "content.xml"))),
    ("row 3: an .xls with a password", "encrypted", "a.xls", locked_xls),
    ("row 3: an .ods cut in half", "file_damaged", "a.ods", half_an_ods),
    ("row 3: an .ods with a password", "encrypted", "a.ods", locked_ods),
    ("row 3: an .xlsb", "unsupported_format", "a.xlsb", content(zip_of("xl/workbook.bin", rels="xl/workbook.bin"))),
    ("row 3: a password", "encrypted", "a.xlsx", content(OLE_MAGIC + "EncryptedPackage".encode("utf-16-le"))),
    ("row 4: a csv named xlsx", "extension_mismatch", "a.xlsx", content(b"texto;label\na;b\n")),
    ("row 4: a text without columns named xlsx", "not_a_spreadsheet", "a.xlsx", content(b"texto\n")),
    ("row 4: a csv named parquet", "extension_mismatch", "a.parquet", content(b"texto;label\na;b\n")),
    ("row 4: records named csv", "extension_mismatch", "a.csv", content(b'{"texto": "a", "label": "b"}\n')),
    ("row 4: an xlsx named csv", "extension_mismatch", "a.csv", package()),
    ("row 4: an ods named csv", "extension_mismatch", "a.csv", ods()),
    ("row 4: a parquet named xlsx", "extension_mismatch", "a.xlsx", content(b"PAR1" + bytes(20) + b"PAR1")),
    ("row 5: cut in half", "file_damaged", "a.xlsx", truncated),
    ("row 5: wrong checksum", "file_damaged", "a.xlsx", wrong_checksum),
    ("row 5: no sheet inside", "file_damaged", "a.xlsx", without_part(SHEET_PART)),
    ("row 6: a bomb", "file_too_large_unpacked", "a.xlsx", package(sheet=b" " * 30_000_000)),
    ("row 6: a part larger than declared", "file_damaged", "a.xlsx", lying_size),
    ("row 7: too many parts", "too_many_parts", "a.xlsx", many_parts),
    ("row 9: entities in the sheet", "file_unsafe_xml", "a.xlsx", package(sheet=LAUGHS + sheet_xml(TEXTS))),
    ("row 9: entities in the workbook", "file_unsafe_xml", "a.xlsx", package(workbook=LAUGHS)),
    ("row 9: entities in UTF-16", "file_unsafe_xml", "a.xlsx", package(strings=LAUGHS.encode("utf-16"))),
    (
        "row 9: entities in UTF-16 without its mark",
        "file_unsafe_xml",
        "a.xlsx",
        package(sheet=LAUGHS.encode("utf-16-be")),
    ),
    (
        "row 9: entities behind comments",
        "file_unsafe_xml",
        "a.xlsx",
        package(sheet=f"<?xml?><!-- > -->\n<!--<x>-->{LAUGHS}"),
    ),
    (
        "row 9: entities behind a comment that only looks closed",
        "file_unsafe_xml",
        "a.xlsx",
        package(sheet=f"<!--><x -->{LAUGHS}"),
    ),
    (
        "row 9: entities behind a long comment",
        "file_unsafe_xml",
        "a.xlsx",
        package(sheet=f"<!--{'x' * 70_000}-->{LAUGHS}"),
    ),
    (
        "row 10: an entity from a file",
        "file_unsafe_xml",
        "a.xlsx",
        package(strings='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><sst>&e;</sst>'),
    ),
    ("row 6: a bomb of an ods", "file_too_large_unpacked", "a.ods", ods("", styles=" " * 30_000_000)),
    ("row 9: entities in an ods", "file_unsafe_xml", "a.ods", ods(before=LAUGHS)),
    ("row 9: entities in the styles", "file_unsafe_xml", "a.xlsx", package(styles=LAUGHS)),
    ("row 10: an entity from an address", "file_unsafe_xml", "a.xlsx", package(styles=FETCH)),
    ("row 12: a path upwards", "file_damaged", "a.xlsx", unsafe_name("../../x")),
    ("row 12: an absolute path", "file_damaged", "a.xlsx", unsafe_name("/etc/x")),
    ("row 12: a drive", "file_damaged", "a.xlsx", unsafe_name("C:\\x")),
    ("row 12: a symbolic link", "file_damaged", "a.xlsx", symbolic_link),
    ("two parts of one name", "file_damaged", "a.xlsx", same_name_twice),
    ("broken XML", "file_damaged", "a.xlsx", package(sheet="<worksheet><sheetData><row><c")),
]


@pytest.mark.parametrize(("code", "name", "make"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_file_that_cannot_be_used_gets_one_clear_answer(tmp_path: Path, code: str, name: str, make: Maker) -> None:
    make(tmp_path / "upload")
    report = check(tmp_path / "upload", name)
    assert [problem.code for problem in report.errors] == [code]
    assert not report.valid
    assert report.errors[0].message % report.errors[0].values
    assert report.errors[0].repair % report.errors[0].values, "says what to do"


def test_parts_that_overlap_are_refused(tmp_path: Path) -> None:
    path = write_package(tmp_path / "a.xlsx", {"xl/a.bin": b"x" * 90_000, "xl/b.bin": bytes(range(256)) * 400})
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/a.bin"))
    data[central + 20 : central + 24] = struct.pack("<I", len(data))  # its bytes would reach over all others
    path.write_bytes(bytes(data))
    assert check(path).errors[0].code == "too_many_parts"


def test_a_workbook_in_another_folder_is_found_by_the_relations(tmp_path: Path) -> None:
    other = {"_rels/.rels": PARTS["_rels/.rels"].replace("xl/workbook.xml", "workbook.xml")}
    other["workbook.xml"] = PARTS["xl/workbook.xml"]
    relations = PARTS["xl/_rels/workbook.xml.rels"].replace("worksheets/", "xl/worksheets/")
    other["_rels/workbook.xml.rels"] = relations
    broken = f'<row r="10">{cell("A10", "x")}<c r="B10" t="e"><v>#N/A</v></c></row>'
    other[SHEET_PART] = sheet_xml(TEXTS, extra=broken)
    report = check(write_package(tmp_path / "a.xlsx", other, without=("xl/workbook.xml", "xl/_rels/workbook.xml.rels")))
    assert [problem.code for problem in report.errors] == ["error_cell"]


def test_a_forged_dimension_costs_nothing(tmp_path: Path) -> None:
    forged = sheet_xml(TEXTS, before='<dimension ref="A1:XFD1048576"/>')
    write_package(tmp_path / "a.xlsx", {SHEET_PART: forged})
    start = time.monotonic()
    report = check(tmp_path / "a.xlsx")
    assert (report.valid, report.rows) == (True, 8)
    assert time.monotonic() - start < 5  # 0.2 s alone; the machine that runs the tests is shared


def test_a_cell_in_the_last_corner_is_refused_and_not_laid_out(tmp_path: Path) -> None:
    corner = f'<row r="1048576">{cell("XFD1048576", "x")}</row>'
    write_package(tmp_path / "a.xlsx", {SHEET_PART: sheet_xml(TEXTS, extra=corner)})
    report = check_in_child(tmp_path / "a.xlsx", task="text-classification")  # the reader lays all cells out
    assert [problem.code for problem in report.errors] == ["file_too_complex"]


def test_a_document_type_quoted_as_text_is_text(tmp_path: Path) -> None:
    quoted = '<row r="10"><c r="A10" t="inlineStr"><is><t><![CDATA[<!DOCTYPE html>]]></t></is></c>' + cell("B10", "a")
    write_package(tmp_path / "a.xlsx", {SHEET_PART: sheet_xml(TEXTS, extra=quoted + "</row>")})
    report = check(tmp_path / "a.xlsx")
    assert report.valid
    assert report.preview[-1]["text"] == "<!DOCTYPE html>"


def test_macros_and_links_are_ignored_and_stated(tmp_path: Path) -> None:
    write_package(tmp_path / "a.xlsm", {"xl/vbaProject.bin": b"x", "xl/externalLinks/externalLink1.xml": "<x/>"})
    report = check(tmp_path / "a.xlsm", "a.xlsm")
    assert report.valid
    assert report.warnings[0].values == {"kinds": "macros, links to other files"}


def test_an_xls_with_macros_is_read_without_them(tmp_path: Path) -> None:
    streams = {"Workbook": xls_stream(TEXTS), "_VBA_PROJECT": b"Sub Auto_Open()"}
    report = check(write_ole(tmp_path / "a.xls", streams), "a.xls")
    assert report.valid
    assert report.warnings[0].values == {"kinds": "macros"}


def test_an_ods_with_macros_and_pictures_is_read_without_them(tmp_path: Path) -> None:
    parts = {"Basic/Standard/Module1.xml": "<x/>", "Pictures/1.png": "x", "Object 1/content.xml": "<x/>"}
    report = check(write_ods(tmp_path / "a.ods", ods_rows(TEXTS), parts), "a.ods")
    assert report.valid
    assert report.warnings[0].values == {"kinds": "macros, embedded objects, pictures"}


def test_an_xls_that_makes_the_reader_panic_is_damaged(tmp_path: Path) -> None:
    path = write_ole(tmp_path / "a.xls", {"Workbook": xls_stream(TEXTS)})
    data = bytearray(path.read_bytes())
    data[48:52] = struct.pack("<I", len(data) // 512)  # the directory would begin behind the end
    path.write_bytes(data)
    report = check_in_child(path, display_name="a.xls")
    assert [problem.code for problem in report.errors] == ["file_damaged"]


def test_an_ods_that_repeats_a_cell_without_end_is_ended(tmp_path: Path) -> None:
    cells = ods_cell("a", 'table:number-columns-repeated="200"')
    row = f'<table:table-row table:number-rows-repeated="1048576">{cells}</table:table-row>'
    report = check_in_child(write_ods(tmp_path / "a.ods", row), display_name="a.ods")
    assert [problem.code for problem in report.errors] == ["file_too_complex"]


def test_rows_repeated_below_the_data_cost_nothing(tmp_path: Path) -> None:
    blank = '<table:table-cell table:number-columns-repeated="16384"/>'
    row = f'<table:table-row table:visibility="collapse" table:number-rows-repeated="1048000">{blank}</table:table-row>'
    report = check(write_ods(tmp_path / "a.ods", ods_rows(TEXTS) + row), "a.ods")
    assert (report.valid, report.rows) == (True, 8)


def test_nothing_is_fetched_and_nothing_is_unpacked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        relation = f'<Relationship Id="rId9" Type="{RELATIONS}/externalLink" Target="{address}" TargetMode="External"/>'
        relations = PARTS["xl/_rels/workbook.xml.rels"].replace("</Relationships>", f"{relation}</Relationships>")
        entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{address}">]>'
        linked = write_package(tmp_path / "linked", {"xl/_rels/workbook.xml.rels": relations})
        fetched = write_package(tmp_path / "fetched", {SHEET_PART: entity + sheet_xml(TEXTS)})
        outside = write_package(tmp_path / "outside", {"../../bert-outside": b"x"})
        reports = [check(path) for path in (linked, fetched, outside)]
        with pytest.raises(TimeoutError):
            listener.accept()
    assert [report.valid for report in reports] == [True, False, False]
    assert not list(tmp_path.parent.parent.glob("bert-outside"))


def test_a_zip_in_a_zip_is_not_opened(tmp_path: Path) -> None:
    inner = zip_of("xl/workbook.xml")
    assert check(write_package(tmp_path / "a.xlsx", {"xl/inner.zip": inner, "xl/inner.xlsx": inner})).valid


def test_a_name_full_of_nonsense_does_not_matter(tmp_path: Path) -> None:
    write_package(tmp_path / "a.xlsx")
    names = (
        "",
        "../../etc/passwd",
        "CON",
        "a\u202excod.xlsx",
        "\x00.xlsx",
        "\ud800.xlsx",
        "x.\x00\ud800",
        "x.xlsx.exe",
    )
    for name in names:
        assert check(tmp_path / "a.xlsx", name).valid, name
