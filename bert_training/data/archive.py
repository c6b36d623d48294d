"""Judges the container of an .xlsx before anything reads it: its real kind, its size unpacked, its XML.

Nothing is written to disk and no entry is opened by a path. Costs one inflation of the XML parts (CRC included).
"""

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Never

from bert_training.contract.limits import UPLOAD_BYTES
from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import DatasetRefused, Problem
from bert_training.data.package_parts import main_part

ENTRIES = 2000
UNPACKED_BYTES = 500 * 1024 * 1024
UNPACKED_RATIO = 200
RATIO_FLOOR_BYTES = 1024 * 1024  # below this a high ratio does no harm: 1,000 equal short rows compress 100:1
CHUNK_BYTES = 1024 * 1024

EXTENSIONS = frozenset({".xlsx", ".xlsm", ""})
XML_SUFFIXES = (".xml", ".rels", ".vml")
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
)

ACTIVE_CONTENT = {
    "vbaproject.bin": gettext_noop("macros"),
    "xl/externallinks/": gettext_noop("links to other files"),
    "xl/embeddings/": gettext_noop("embedded objects"),
    "xl/activex/": gettext_noop("controls"),
    "xl/media/": gettext_noop("pictures"),
}
SAVE_AS_XLSX = gettext_noop(
    "Open it in Excel or LibreOffice, choose Save as, Excel workbook (.xlsx), and send that file."
)

_CDATA = re.compile(rb"<!\[CDATA\[.*?\]\]>", re.DOTALL)
_HIDDEN = b"hidden="  # a row, a column or a sheet; where it does not occur nobody looks closer
_DECLARATIONS = ("<!DOCTYPE", "<!ENTITY")
_MARKERS = tuple(declaration.encode("ascii") for declaration in _DECLARATIONS)
_WIDE_MARKERS = tuple(mark.encode(encoding) for mark in _DECLARATIONS for encoding in ("utf-16-le", "utf-16-be"))
_OVERLAP_BYTES = max(map(len, _WIDE_MARKERS)) - 1


@dataclass(frozen=True)
class PackageFacts:
    """What the look at every part found: kinds of active content, and the parts in which something is hidden."""

    active: list[str]
    with_hidden: frozenset[str]


def check_package(path: Path, *, display_name: str = "") -> PackageFacts:
    """Refuse everything that is not a sound .xlsx within the limits. Raises DatasetRefused."""
    extension = PurePosixPath(display_name.replace("\\", "/")).suffix.lower()
    _check_kind(path, extension)
    with open_package(path) as package:
        entries = package.infolist()
        names = [entry.filename.replace("\\", "/").lower() for entry in entries]
        _check_entries(entries)
        _check_size(entries, path.stat().st_size)
        _check_workbook(package, extension)
        parts = [entry for entry in entries if entry.filename.lower().endswith(XML_SUFFIXES)]
        with_hidden = frozenset(entry.filename for entry in parts if _check_xml(package, entry))
    return PackageFacts(
        active=[kind for mark, kind in ACTIVE_CONTENT.items() if any(mark in name for name in names)],
        with_hidden=with_hidden,
    )


@contextmanager
def open_package(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the zip for reading; whatever is broken in it, now or later, becomes `file_damaged`."""
    try:
        with zipfile.ZipFile(path) as package:
            yield package
    except READ_ERRORS as error:
        raise damaged(str(error)) from error


def damaged(detail: str) -> DatasetRefused:
    """Say that the file is broken; `detail` is what the reader stumbled over."""
    message = gettext_noop("The file is damaged and cannot be read (%(detail)s).")
    repair = gettext_noop("Send it again; if that does not help, open it in Excel and save it under a new name.")
    return DatasetRefused(Problem("file_damaged", message, repair, {"detail": excerpt(detail, 200)}))


def _refuse(code: str, message: str, repair: str = "", **values: str | int) -> Never:
    raise DatasetRefused(Problem(code, message, repair, values))


def _check_kind(path: Path, extension: str) -> None:
    """Judge by the first bytes, never by the name alone."""
    size = path.stat().st_size
    if size == 0:
        _refuse("file_empty", gettext_noop("The file is empty."), gettext_noop("Choose the spreadsheet again."))
    if size > UPLOAD_BYTES:
        message = gettext_noop("The file has %(megabytes)d MB; at most %(limit)d MB are taken.")
        _refuse(
            "file_too_large",
            message,
            gettext_noop("Split the spreadsheet."),
            megabytes=size // 2**20,
            limit=UPLOAD_BYTES // 2**20,
        )
    with path.open("rb") as file:
        head = file.read(8)
        if head == OLE_MAGIC:
            _refuse_ole(file.read())
    if not head.startswith(ZIP_MAGICS):
        _refuse_other(extension)


def _refuse_ole(content: bytes) -> Never:
    """Tell a workbook locked by a password from the old .xls format: both are OLE containers."""
    if "EncryptedPackage".encode("utf-16-le") in content:
        message = gettext_noop("The workbook is protected by a password.")
        repair = gettext_noop("Open it in Excel, remove the password under File, Info, Protect workbook, and save it.")
        _refuse("encrypted", message, repair)
    _refuse("unsupported_format", gettext_noop("The file is in the old .xls format of Excel."), SAVE_AS_XLSX)


def _refuse_other(extension: str) -> Never:
    if extension in EXTENSIONS:
        message = gettext_noop("The file is no Excel workbook, whatever its name says.")
        _refuse("not_a_spreadsheet", message, SAVE_AS_XLSX)
    message = gettext_noop("Only Excel workbooks (.xlsx) can be read, not %(extension)s.")
    _refuse("unsupported_format", message, SAVE_AS_XLSX, extension=excerpt(extension, 20))


def _check_workbook(package: zipfile.ZipFile, extension: str) -> None:
    """Tell .xlsx from the other formats that are zip files."""
    names = package.namelist()
    if "content.xml" in names and "mimetype" in names:
        _refuse("unsupported_format", gettext_noop("The file is an OpenDocument file (.ods)."), SAVE_AS_XLSX)
    main = PurePosixPath(main_part(package))
    if "workbook" not in main.name:
        _refuse("not_a_spreadsheet", gettext_noop("The file is a zip archive without a workbook in it."), SAVE_AS_XLSX)
    if main.suffix == ".bin":
        _refuse("unsupported_format", gettext_noop("The file is in the .xlsb format of Excel."), SAVE_AS_XLSX)
    if extension not in EXTENSIONS:
        message = gettext_noop("The name ends in %(extension)s, but the file is an Excel workbook.")
        repair = gettext_noop("Let the name end in .xlsx.")
        _refuse("extension_mismatch", message, repair, extension=excerpt(extension, 20))


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > ENTRIES:
        message = gettext_noop("The file consists of %(count)d parts; at most %(limit)d are taken.")
        _refuse("too_many_parts", message, SAVE_AS_XLSX, count=len(entries), limit=ENTRIES)
    for entry in entries:
        if entry.flag_bits & 0x1:
            _refuse("encrypted", gettext_noop("Parts of the file are encrypted."), SAVE_AS_XLSX)
        if _leads_outside(entry):
            raise damaged("part with an unsafe name")
    if len({entry.filename for entry in entries}) < len(entries):
        raise damaged("two parts of the same name")


def _leads_outside(entry: zipfile.ZipInfo) -> bool:
    """Tell a name that would leave the folder if somebody unpacked it, or a symbolic link."""
    name = entry.filename.replace("\\", "/")
    return name.startswith("/") or ":" in name or ".." in name.split("/") or stat.S_ISLNK(entry.external_attr >> 16)


def _check_size(entries: list[zipfile.ZipInfo], file_bytes: int) -> None:
    """Compare declared sizes; they bind, because _check_xml fails on a part that is larger than declared."""
    if sum(entry.compress_size for entry in entries) > file_bytes:
        _refuse("too_many_parts", gettext_noop("Parts of the file overlap each other."), SAVE_AS_XLSX)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > UNPACKED_BYTES or (unpacked > RATIO_FLOOR_BYTES and unpacked > UNPACKED_RATIO * file_bytes):
        message = gettext_noop("Unpacked, the file would have %(megabytes)d MB, which its %(size)d KB do not explain.")
        repair = gettext_noop("Delete unused sheets, rows and formats, or split the spreadsheet.")
        _refuse("file_too_large_unpacked", message, repair, megabytes=unpacked // 2**20, size=file_bytes // 1024)


def _check_xml(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Refuse a part that declares a document type or entities; inside CDATA the same letters are mere text.

    Tells whether something in the part may be hidden.
    """
    tail, may_hide = b"", False
    with package.open(entry) as part:
        head = part.read(CHUNK_BYTES)
        markers = _WIDE_MARKERS if b"\x00" in head[:4] else _MARKERS
        while chunk := head or part.read(CHUNK_BYTES):
            head, window = b"", tail + chunk
            if any(marker in window for marker in markers):
                break
            may_hide = may_hide or _HIDDEN in window
            tail = window[-_OVERLAP_BYTES:]
        else:
            return may_hide
    content = _CDATA.sub(b"", package.read(entry))
    if any(marker in content for marker in markers):
        message = gettext_noop("The part %(part)s declares a document type, which no spreadsheet program writes.")
        _refuse("file_unsafe_xml", message, SAVE_AS_XLSX, part=excerpt(entry.filename, 100))
    return True
