"""Writes text into the cells of a sheet's XML, so that no spreadsheet program takes it for a formula or for markup."""

import re

CELL_CHARACTERS = 32_767  # Excel refuses to open longer cells
CUT_MARK = "\u2026"

_UNSAFE = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_LIKE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # Excel reads _x0041_ as A; its underscore is written _x005F_


def text_cell(reference: str, text: str, *, attributes: str = "", prefix: str = "") -> str:
    """Write one cell as inline text. prefix: of the sheet's namespace, "x:" or ""."""
    return (
        f'<{prefix}c r="{reference}"{attributes} t="inlineStr"><{prefix}is><{prefix}t xml:space="preserve">'
        f"{cell_text(text)}</{prefix}t></{prefix}is></{prefix}c>"
    )


def cell_text(text: str) -> str:
    """Escape one text for XML; what XML cannot hold becomes U+FFFD, what no cell can hold is cut."""
    if len(text) > CELL_CHARACTERS:
        text = text[: CELL_CHARACTERS - 1] + CUT_MARK
    if not _UNSAFE.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _ESCAPE_LIKE.sub("_x005F_", _FORBIDDEN.sub("\ufffd", text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
