"""Writes the other workbook formats by hand: .ods (a zip of XML) and .xls (records in an OLE container)."""

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
CALC = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
SECTOR = 512
END_OF_CHAIN, FREE, FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def ods_cell(text: str, attributes: str = "") -> str:
    """Write one cell of text."""
    kind = 'office:value-type="string"' if text else ""
    return f"<table:table-cell {kind} {attributes}><text:p>{escape(text)}</text:p></table:table-cell>"


def ods_rows(rows: Sequence[Sequence[str]]) -> str:
    """Write rows of texts."""
    return "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in rows)


def write_ods(path: Path, body: str, parts: dict[str, str] | None = None, *, before: str = "") -> Path:
    """Write an .ods of one sheet. body: columns and rows as XML.  before: what stands in front of the document."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {NAMESPACES} {CALC}><office:body>'
        f'<office:spreadsheet><table:table table:name="Dados">{body}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = f'<manifest:manifest xmlns:manifest="{MANIFEST}"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in {
            "mimetype": ODS_TYPE,
            "META-INF/manifest.xml": manifest,
            "content.xml": content,
            **(parts or {}),
        }.items():
            package.writestr(name, part)
    return path


def xls_stream(rows: Sequence[Sequence[str]], *, globals_extra: bytes = b"") -> bytes:
    """Write the records of a workbook with one sheet of texts (BIFF8)."""
    name = "Dados"
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)) + globals_extra
    sheet_at = len(start) + 4 + 8 + len(name) + 4
    boundsheet = _record(0x0085, struct.pack("<IHBB", sheet_at, 0, len(name), 0) + name.encode("latin-1"))
    cells = b"".join(
        _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le"))
        for row, values in enumerate(rows)
        for column, text in enumerate(values)
    )
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + cells + _record(0x000A, b"")
    return start + boundsheet + _record(0x000A, b"") + sheet


def write_ole(path: Path, streams: dict[str, bytes]) -> Path:
    """Write an OLE container; every stream is padded to the size from which it has sectors of its own."""
    padded = {name: data.ljust(max(4096, -(-len(data) // SECTOR) * SECTOR), b"\x00") for name, data in streams.items()}
    fat, sectors, entries = [FAT_SECTOR, END_OF_CHAIN], b"", [_entry("Root Entry", 5, END_OF_CHAIN, 0, child=1)]
    for position, (name, data) in enumerate(padded.items(), start=1):
        first, count = len(fat), len(data) // SECTOR
        fat += [*range(first + 1, first + count), END_OF_CHAIN]
        right = position + 1 if position < len(padded) else FREE
        entries.append(_entry(name, 2, first, len(data), right=right))
        sectors += data
    assert len(fat) <= SECTOR // 4
    assert len(entries) <= 4
    header = OLE_HEADER + struct.pack("<I", 0) + struct.pack("<I", FREE) * 108
    table = b"".join(struct.pack("<I", sector) for sector in fat + [FREE] * (SECTOR // 4 - len(fat)))
    path.write_bytes(header + table + b"".join(entries).ljust(SECTOR, b"\x00") + sectors)
    return path


OLE_HEADER = struct.pack(
    "<8s16sHHHHH6xIIIIIIIII",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"",
    *(0x3E, 3, 0xFFFE, 9, 6),  # versions, byte order, sizes of sectors as powers of two
    *(0, 1, 1, 0, 4096),  # directory sectors (none in version 3), FAT sectors, first directory sector, -, cutoff
    *(END_OF_CHAIN, 0, END_OF_CHAIN, 0),  # no mini streams, no further FAT
)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _entry(name: str, kind: int, first: int, size: int, *, child: int = FREE, right: int = FREE) -> bytes:
    encoded = name.encode("utf-16-le") + b"\x00\x00"
    links = struct.pack("<HBBIII", len(encoded), kind, 1, FREE, right, child)
    return encoded.ljust(64, b"\x00") + links + bytes(36) + struct.pack("<IQ", first, size)
