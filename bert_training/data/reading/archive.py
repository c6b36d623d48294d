"""Judges a zip container (.xlsx, .ods) before anything reads it: its real kind, its size unpacked, its XML.

Nothing is written to disk and no entry is opened by a path. Inflates no more than the beginning of each XML part: a
document type can stand nowhere else, and checksums and declared sizes bind the reader too (calamine; tested).
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.reading.kinds import FileKind
from bert_training.data.reading.package_parts import main_part
from bert_training.data.reading.refusals import SAVE_AS_XLSX, damaged, no_table, refuse, too_large_unpacked

ENTRIES = 2000
UNPACKED_BYTES = 500 * 1024 * 1024
UNPACKED_RATIO = 200
RATIO_FLOOR_BYTES = 1024 * 1024  # below this a high ratio does no harm: 1,000 equal short rows compress 100:1
PROLOG_BYTES = 64 * 1024

XML_SUFFIXES = (".xml", ".rels", ".vml")
ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
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
    "basic/": gettext_noop("macros"),
    "object ": gettext_noop("embedded objects"),
    "pictures/": gettext_noop("pictures"),
}

_BEFORE_ROOT = ((b"<?", b"?>"), (b"<!--", b"-->"))  # what may stand before the first element


@dataclass(frozen=True)
class PackageFacts:
    """What the look at the container found: the kind, and active content by name."""

    kind: FileKind
    active: list[str]


def check_package(path: Path) -> PackageFacts:
    """Refuse everything that is not a sound workbook within the limits. Raises DatasetRefused."""
    with open_package(path) as package:
        entries = package.infolist()
        names = [entry.filename.replace("\\", "/").lower() for entry in entries]
        _check_entries(entries)
        _check_size(entries, path.stat().st_size)
        kind = _kind_of(package)
        for entry in entries:
            if entry.filename.lower().endswith(XML_SUFFIXES):
                _check_prolog(package, entry)
    active = {kind: None for mark, kind in ACTIVE_CONTENT.items() if any(mark in name for name in names)}
    return PackageFacts(kind, list(active))


@contextmanager
def open_package(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the zip for reading; whatever is broken in it, now or later, becomes `file_damaged`."""
    try:
        with zipfile.ZipFile(path) as package:
            yield package
    except READ_ERRORS as error:
        raise damaged(str(error)) from error


def _kind_of(package: zipfile.ZipFile) -> FileKind:
    """Tell the workbooks from the other files that are zips."""
    names = package.namelist()
    if "mimetype" in names and "content.xml" in names:
        if package.read("mimetype").startswith(ODS_TYPE):
            return FileKind.ODS
        raise no_table()
    main = PurePosixPath(main_part(package))
    if "workbook" not in main.name:
        refuse("not_a_spreadsheet", gettext_noop("The file is a zip archive without a workbook in it."), SAVE_AS_XLSX)
    if main.suffix == ".bin":
        refuse("unsupported_format", gettext_noop("The file is in the .xlsb format of Excel."), SAVE_AS_XLSX)
    return FileKind.XLSX


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > ENTRIES:
        message = gettext_noop("The file consists of %(count)d parts; at most %(limit)d are taken.")
        refuse("too_many_parts", message, SAVE_AS_XLSX, count=len(entries), limit=ENTRIES)
    for entry in entries:
        if entry.flag_bits & 0x1:
            refuse("encrypted", gettext_noop("Parts of the file are encrypted."), SAVE_AS_XLSX)
        if _leads_outside(entry):
            raise damaged("part with an unsafe name")
    if len({entry.filename for entry in entries}) < len(entries):
        raise damaged("two parts of the same name")


def _leads_outside(entry: zipfile.ZipInfo) -> bool:
    """Tell a name that would leave the folder if somebody unpacked it, or a symbolic link."""
    name = entry.filename.replace("\\", "/")
    return name.startswith("/") or ":" in name or ".." in name.split("/") or stat.S_ISLNK(entry.external_attr >> 16)


def _check_size(entries: list[zipfile.ZipInfo], file_bytes: int) -> None:
    """Compare declared sizes; they bind, because the reader fails on a part that is larger than declared."""
    if sum(entry.compress_size for entry in entries) > file_bytes:
        refuse("too_many_parts", gettext_noop("Parts of the file overlap each other."), SAVE_AS_XLSX)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > UNPACKED_BYTES or (unpacked > RATIO_FLOOR_BYTES and unpacked > UNPACKED_RATIO * file_bytes):
        raise too_large_unpacked(unpacked, file_bytes)


def _check_prolog(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse a part that declares a document type, and with it entities, before its first element."""
    with package.open(entry) as part:
        prolog = part.read(PROLOG_BYTES).replace(b"\x00", b"")  # UTF-16, with or without its mark
    place = _past_comments(prolog)
    # Comments that fill all that was read would hide what follows them.
    if prolog.startswith(b"<!", place) if place >= 0 else entry.file_size > PROLOG_BYTES:
        message = gettext_noop("The part %(part)s declares a document type, which no spreadsheet program writes.")
        refuse("file_unsafe_xml", message, SAVE_AS_XLSX, part=excerpt(entry.filename, 100))


def _past_comments(prolog: bytes) -> int:
    """Return where the first element or declaration begins; -1 when comments and instructions are all there is."""
    place = prolog.find(b"<")
    while place >= 0:
        begin, end = next((pair for pair in _BEFORE_ROOT if prolog.startswith(pair[0], place)), (b"", b""))
        if not begin:
            break
        closed = prolog.find(end, place + len(begin))
        place = prolog.find(b"<", closed) if closed >= 0 else -1
    return place
