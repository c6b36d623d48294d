"""Finds the parts of an .xlsx by its relations: the workbook, and the sheet at a position. No XML parser: tags only.

Most programs write xl/workbook.xml, some put it into another folder; the relations alone are binding.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

USUAL_WORKBOOK = "xl/workbook.xml"

_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_SHEET_RELATION = re.compile(rb"""\s\w+:id\s*=\s*["']([^"']*)["']""")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_RELATION_ID = re.compile(rb"""\sId\s*=\s*["']([^"']*)["']""")
_RELATION_TYPE = re.compile(rb"""\sType\s*=\s*["']([^"']*)["']""")
_RELATION_TARGET = re.compile(rb"""\sTarget\s*=\s*["']([^"']*)["']""")


def main_part(package: zipfile.ZipFile) -> str:
    """Return the name of the package's main part, in lower case: xl/workbook.xml, word/document.xml ... or ""."""
    names = _names(package)
    for tag in _relations(package, names, ""):
        kind = _RELATION_TYPE.search(tag)
        if kind is not None and kind[1].endswith(b"/officeDocument"):
            return _target(tag, "")
    return USUAL_WORKBOOK if USUAL_WORKBOOK in names else ""


def sheet_part(package: zipfile.ZipFile, position: int) -> str | None:
    """Return the part of the workbook's sheet at this position, from 0; None when the relations lead nowhere."""
    names, workbook = _names(package), main_part(package)
    sheets = _SHEET.findall(package.read(names[workbook])) if workbook in names else []
    if position >= len(sheets):
        return None
    relation = _SHEET_RELATION.search(sheets[position])
    for tag in _relations(package, names, workbook):
        identifier = _RELATION_ID.search(tag)
        if relation and identifier and identifier[1] == relation[1]:
            return names.get(_target(tag, workbook))
    return None


def table_parts(package: zipfile.ZipFile, sheet: str) -> list[str]:
    """Return the parts of the tables that lie on the sheet of this part."""
    names, part = _names(package), sheet.replace("\\", "/").lower()
    kinds = ((tag, _RELATION_TYPE.search(tag)) for tag in _relations(package, names, part))
    tables = (_target(tag, part) for tag, kind in kinds if kind is not None and kind[1].endswith(b"/table"))
    return [names[table] for table in tables if table in names]


def _names(package: zipfile.ZipFile) -> dict[str, str]:
    """Map the names of parts as relations write them, without regard to case, to those in the zip."""
    return {name.replace("\\", "/").lower(): name for name in package.namelist()}


def _relations(package: zipfile.ZipFile, names: dict[str, str], part: str) -> Iterator[bytes]:
    """Yield the relations of a part; those of "" are the package's own."""
    folder = PurePosixPath(part).parent if part else PurePosixPath()
    name = names.get(str(folder / "_rels" / f"{PurePosixPath(part).name}.rels"))
    if name is not None:
        yield from _RELATION.findall(package.read(name))


def _target(tag: bytes, part: str) -> str:
    """Return where a relation of this part leads, as a name in lower case without a leading slash."""
    target = _RELATION_TARGET.search(tag)
    if target is None:
        return ""
    path = PurePosixPath("/", part).parent / target[1].decode("utf-8", "replace").replace("\\", "/")
    return str(path).lower().lstrip("/")
