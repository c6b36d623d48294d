"""Cleans text that comes from outside before it is stored or shown: no control bytes, no lone surrogates."""

import re

from bert_training.contract.limits import LINE_BYTES

# Colour codes (SGR) stay, the log view turns them into classes; every other escape sequence is dropped.
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?]{0,32}[@-ln-~]|\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|[@-Z\\^_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\ud800-\udfff]")
CUT_MARK = " [...]"


def clean_line(message: str) -> str:
    """Make one log line safe to store: one line, no control bytes but tab and colour codes, at most LINE_BYTES.

    A carriage return or newline becomes a space, NUL vanishes, other control bytes and lone surrogates become U+FFFD.
    """
    if len(message) <= LINE_BYTES // 4 and message.isprintable():  # nearly all lines: 0.1 us instead of 0.6
        return message
    message = message.replace("\r", " ").replace("\n", " ").replace("\x00", "")
    return cut_line(_CONTROLS.sub("\ufffd", _ESCAPES.sub("", message)))


def cut_line(message: str) -> str:
    """Cut a line to LINE_BYTES of UTF-8, ending in a mark when something was cut."""
    encoded = message.encode("utf-8", "replace")
    if len(encoded) <= LINE_BYTES:
        return message
    return encoded[: LINE_BYTES - len(CUT_MARK)].decode("utf-8", "ignore") + CUT_MARK


def clean_name(text: str, *, characters: int = 200) -> str:
    """Clean a name that somebody gave: no control bytes, no space around it, cut to what its column holds."""
    return clean_text(text).strip()[:characters]


def clean_text(text: str) -> str:
    """Replace control bytes and lone surrogates in a text of several lines (names, cells); keeps tab and newline."""
    return _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n").replace("\x00", "").replace("\x1b", "\ufffd"))
