"""Judges what a file is: by its first bytes and its content, then by its name. Reads nothing but what it must.

A workbook may be called like another workbook (.xlsx that is an .ods); called .csv it is refused, and the reverse.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bert_training.contract.limits import UPLOAD_BYTES
from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.reading.archive import ZIP_MAGICS, check_package
from bert_training.data.reading.delimited import NO_SEPARATOR, detect_separator
from bert_training.data.reading.encoding import Encoding, detect_encoding, open_text
from bert_training.data.reading.kinds import WORKBOOKS, FileKind
from bert_training.data.reading.refusals import encrypted, no_table, refuse
from bert_training.data.reading.sentences import looks_like_sentences

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PARQUET_MAGIC, ENCRYPTED_PARQUET_MAGIC = b"PAR1", b"PARE"
OTHER_MAGICS = (
    *(b"%PDF", b"{\\rtf", b"MZ\x90", b"\x7fELF", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"\xfd7zXZ", b"ARROW1"),
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"SQLite format 3"),
)
SAMPLE_BYTES = 64 * 1024
FEW_CONTROLS = 2  # so many control bytes a text may have, and one in a hundred
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

RECORD_NAMES = frozenset({".jsonl", ".ndjson", ".json"})
SENTENCE_NAMES = frozenset({".conll", ".bio", ".iob", ".iob2"})
TAB_NAMES = frozenset({".tsv", ".tab"})
OPEN_NAMES = frozenset({".txt", ""})  # these say nothing: the content decides
TEXT_NAMES = RECORD_NAMES | SENTENCE_NAMES | TAB_NAMES | OPEN_NAMES | {".csv"}
FITTING_NAMES: dict[FileKind, frozenset[str]] = {
    **dict.fromkeys(WORKBOOKS, frozenset({".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".xlt", ".ods", ".ots", ""})),
    **dict.fromkeys((FileKind.CSV, FileKind.TSV), TAB_NAMES | OPEN_NAMES | {".csv"}),
    **dict.fromkeys((FileKind.JSON, FileKind.JSONL), RECORD_NAMES | OPEN_NAMES),
    FileKind.CONLL: SENTENCE_NAMES | TAB_NAMES | OPEN_NAMES,
    FileKind.PARQUET: frozenset({".parquet", ".pq", ""}),
}
ALL_NAMES = frozenset().union(*FITTING_NAMES.values())

_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\x0c\x1b")
_RECORDS = re.compile(r"\[?\s*\{\s*\"")
_MARKUP = re.compile(r"\s*<(?:!doctype|\?xml|html|head|body|table|meta|svg|script|style|div)\b", re.IGNORECASE)


@dataclass(frozen=True)
class FileFacts:
    """What a file is. encoding: of a text.  active: content that is ignored."""

    kind: FileKind
    encoding: Encoding | None = None
    active: tuple[str, ...] = ()


def judge_file(path: Path, display_name: str) -> FileFacts:
    """Tell what the file is. Raises DatasetRefused for what cannot be read or is called like something else."""
    extension = PurePosixPath(display_name.replace("\\", "/")).suffix.lower()
    _check_size(path.stat().st_size)
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if head.startswith(OLE_MAGIC):
        facts = FileFacts(FileKind.XLS, active=_judge_ole(path))
    elif head.startswith(ZIP_MAGICS):
        package = check_package(path)
        facts = FileFacts(package.kind, active=tuple(package.active))
    elif head.startswith((PARQUET_MAGIC, ENCRYPTED_PARQUET_MAGIC)):
        facts = FileFacts(FileKind.PARQUET)
    elif _is_binary(head):
        raise no_table()
    else:
        facts = _judge_text(path, extension)
    _check_name(facts.kind, extension)
    return facts


def _check_size(size: int) -> None:
    if size == 0:
        refuse("file_empty", gettext_noop("The file is empty."), gettext_noop("Choose the spreadsheet again."))
    if size > UPLOAD_BYTES:
        message = gettext_noop("The file has %(megabytes)d MB; at most %(limit)d MB are taken.")
        repair = gettext_noop("Split the spreadsheet.")
        refuse("file_too_large", message, repair, megabytes=size // 2**20, limit=UPLOAD_BYTES // 2**20)


def _judge_ole(path: Path) -> tuple[str, ...]:
    """Tell an old workbook from one that is locked by a password and from a letter; names what will be ignored."""
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise encrypted()
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise no_table()
    return (gettext_noop("macros"),) if "_VBA_PROJECT".encode("utf-16-le") in content else ()


def _is_binary(head: bytes) -> bool:
    if head.startswith(UTF_16_MARKS):
        return False
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return head.startswith(OTHER_MAGICS) or controls > max(FEW_CONTROLS, len(head) // 100)


def _judge_text(path: Path, extension: str) -> FileFacts:
    encoding = detect_encoding(path)
    with open_text(path, encoding) as file:
        sample = file.read(SAMPLE_BYTES)
    if _MARKUP.match(sample):
        raise no_table()
    kind = FileKind.CONLL if extension in SENTENCE_NAMES else _kind_of_text(sample, extension, path, encoding)
    return FileFacts(kind, encoding=encoding)


def _kind_of_text(sample: str, extension: str, path: Path, encoding: Encoding) -> FileKind:
    lines = [line.strip() for line in sample.splitlines() if line.strip()]
    if extension in RECORD_NAMES or (lines and _begins_records(lines[0])):
        return _kind_of_records(lines, extension)
    if extension in OPEN_NAMES | TAB_NAMES and looks_like_sentences(sample):
        return FileKind.CONLL
    separator, _ = detect_separator(path, encoding)
    if separator == NO_SEPARATOR and extension not in TEXT_NAMES:
        raise no_table()
    return FileKind.TSV if separator == "\t" else FileKind.CSV


def _begins_records(line: str) -> bool:
    """Tell whether a line is or begins JSON; the first cell of a table may begin with a bracket too."""
    return line in ("{", "[") or _RECORDS.match(line) is not None or isinstance(_json_of(line), dict | list)


def _kind_of_records(lines: list[str], extension: str) -> FileKind:
    """Tell one object a line from one list or object over the whole file."""
    first = lines[0] if lines else ""
    if first.startswith("["):
        return FileKind.JSON
    found = _json_of(first)
    if isinstance(found, dict):
        is_whole = len(lines) == 1 and (extension == ".json" or _holds_records(found))
        return FileKind.JSON if is_whole else FileKind.JSONL
    return FileKind.JSON if extension == ".json" or first == "{" else FileKind.JSONL


def _json_of(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _holds_records(found: dict[str, object]) -> bool:
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in found.values())


def _check_name(kind: FileKind, extension: str) -> None:
    """Refuse a name that says another format; one that says none (.exe, .htaccess) is only a name."""
    if extension in ALL_NAMES - FITTING_NAMES[kind]:
        message = gettext_noop("The name ends in %(extension)s, but the content is a file of the kind %(kind)s.")
        repair = gettext_noop("Let the name end in .%(kind)s.")
        refuse("extension_mismatch", message, repair, extension=excerpt(extension, 20), kind=kind.value)
