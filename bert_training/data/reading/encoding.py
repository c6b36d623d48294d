"""Finds out in which encoding a text file is written: UTF-8, UTF-16 with its mark, or Windows-1252."""

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bert_training.contract.wording import gettext_noop
from bert_training.data.checks import DatasetRefused, Problem, Problems

BLOCK_BYTES = 1024 * 1024
SAVE_AS_UTF8 = gettext_noop("In Excel choose Save as, CSV UTF-8; or send the workbook itself (.xlsx).")


@dataclass(frozen=True)
class Encoding:
    """codec: as Python knows it.  name: as people know it."""

    codec: str
    name: str


UTF_8 = Encoding("utf-8-sig", "UTF-8")  # the mark at the beginning is no part of the first header
UTF_16 = Encoding("utf-16", "UTF-16")
WINDOWS_1252 = Encoding("cp1252", "Windows-1252")


def detect_encoding(path: Path) -> Encoding:
    """Return the encoding in which every byte of the file makes sense.

    Raises DatasetRefused(encoding) with the position of the first byte that fits none. A file that is UTF-8 but for
    some bytes is refused too: read as Windows-1252 all its accents would be wrong.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _checked(path, UTF_16)
    position = _first_bad_byte(path, UTF_8)
    if position is None:
        return UTF_8
    if head.startswith(codecs.BOM_UTF8) or _is_mostly_utf8(path, position):
        raise _refusal(path, position)
    return _checked(path, WINDOWS_1252)


def open_text(path: Path, encoding: Encoding) -> TextIO:
    """Open the file for reading; line ends stay as they are."""
    return path.open(encoding=encoding.codec, newline="")


def state_encoding(encoding: Encoding, problems: Problems) -> None:
    """Note an encoding that people may not expect, so that they look at the accents."""
    if encoding != UTF_8:
        message = gettext_noop("The file is not written in UTF-8; it was read as %(encoding)s.")
        repair = gettext_noop("Look at the accents in the preview.")
        problems.warning(Problem("other_encoding", message, repair, {"encoding": encoding.name}))


def _checked(path: Path, encoding: Encoding) -> Encoding:
    position = _first_bad_byte(path, encoding)
    if position is not None:
        raise _refusal(path, position)
    return encoding


def _first_bad_byte(path: Path, encoding: Encoding) -> int | None:
    """Return where the file stops making sense, from 0; reads in blocks."""
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    position = 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK_BYTES)
            kept = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return position - kept + error.start
            if not block:
                return None
            position += len(block)


def _is_mostly_utf8(path: Path, position: int) -> bool:
    """Tell whether more letters around the bad byte are sound UTF-8 than not; in Windows-1252 hardly any is."""
    start = max(0, position - BLOCK_BYTES // 2)
    with path.open("rb") as file:
        file.seek(start)
        text = file.read(BLOCK_BYTES).decode("utf-8", "replace")
    bad = text.count("\ufffd")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return beyond_ascii - bad > bad


def _refusal(path: Path, position: int) -> DatasetRefused:
    with path.open("rb") as file:
        file.seek(position)
        byte = file.read(1).hex().upper()
    message = gettext_noop("Byte %(position)d (hexadecimal %(byte)s) is no letter in UTF-8, UTF-16 or Windows-1252.")
    return DatasetRefused(Problem("encoding", message, SAVE_AS_UTF8, {"position": position + 1, "byte": byte}))
