"""Turns the values of cells into text by one rule, and cleans what no database or page can hold.

Whole number: no `.0`. TRUE and FALSE: `verdadeiro`, `falso`. Date: 2026-11-20; with a time of day 2026-11-20 13:45:00.
Text stays as it is: "NA", "null" and "nan" are words.
"""

import datetime
import json
import re
import unicodedata

from bert_training.contract.text import clean_text

WHOLE_NUMBER_LIMIT = 1e15  # a float holds every whole number below 9e15
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
WHITESPACE = " \t\n\r\x0b\x0c\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
BLANK = WHITESPACE + "\u202f\u205f\u3000" + INVISIBLE

_BLANK_LETTERS = frozenset(BLANK)
# Writers escape half of a surrogate pair as _xD83D_; no Unicode text holds one, so the reader leaves the escape.
_ESCAPED_SURROGATE = re.compile(r"_x[dD][89a-fA-F][0-9a-fA-F]{2}_")


def to_text(value: object) -> str:
    """Write one cell's value as text; a blank cell and "not a number" are "", a list of a record is JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=to_text)
    if value != value:
        return ""
    if isinstance(value, bool):
        return "verdadeiro" if value else "falso"
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_NUMBER_LIMIT:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def clean_cell(text: str) -> str:
    """Clean one text; a line ending of Windows becomes a newline."""
    return _ESCAPED_SURROGATE.sub("\ufffd", clean_text(text))


def is_blank(text: str) -> bool:
    """Tell whether a person would see nothing: empty, spaces, no-break spaces, zero-width characters."""
    return not text or (text[0] in _BLANK_LETTERS and not text.strip(BLANK))


def normalized(header: str) -> str:
    """Reduce a header to what people read: no accents, case, invisible characters or double spaces."""
    plain = unicodedata.normalize("NFKD", header)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter) and letter not in INVISIBLE)
    return " ".join(plain.split()).casefold()


def excerpt(text: str, characters: int = 80) -> str:
    """Shorten a text for a sentence and put it on one line; control characters never reach it."""
    shown = clean_cell(text[: 8 * characters]).replace("\n", " ").replace("\t", " ")  # an escape has 7 characters
    return shown if len(shown) <= characters else shown[: characters - 1] + "\u2026"
