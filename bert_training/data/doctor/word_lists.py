"""Reads a list of words from a cell: JSON; and, when asked, lists whose quotes a word processor or Python has changed.

The latter by a strict parser of our own, never eval: quoted texts between square brackets, or nothing.
"""

import json
import re

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import clean_cell, excerpt
from bert_training.data.doctor.cell_faults import CellFault
from bert_training.data.repairs import Fix

_DOUBLE = '"\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb'
_SINGLE = "'\u2018\u2019\u201a\u201b\u2032\u00b4`"
# A quote ends its item only before a comma or the bracket, so that ['d'água'] is read as it was meant.
_ITEM = re.compile(
    rf"\s*(?:[{_DOUBLE}](?P<double>(?:\\.|[^\\])*?)[{_DOUBLE}]|[{_SINGLE}](?P<single>(?:\\.|[^\\])*?)[{_SINGLE}])"
    r"\s*(?P<end>[,\]])",
    re.DOTALL,
)
# 'Ana' 'foi' without a comma, as numpy prints it, is no item.
_NO_COMMA = {"double": re.compile(rf"[{_DOUBLE}]\s*[{_DOUBLE}]"), "single": re.compile(rf"[{_SINGLE}]\s*[{_SINGLE}]")}
_NOT_IN_JSON = re.compile(r"""\\(?:(?P<same>["\\/bfnrtu])|(?P<single>')|x(?P<byte>[0-9a-fA-F]{2}))|(?P<quote>")""")

_QUOTE_ALL = gettext_noop("Put every item between double quotes.")


def read_words(raw: str, column: str) -> list[str] | CellFault:
    """Read a JSON list of texts, or say what is wrong with the cell. An empty list is a list."""
    try:
        parsed = json.loads(raw)
    except RecursionError:
        return CellFault("not_strings", column, gettext_noop("The list holds lists inside lists."), _QUOTE_ALL)
    except ValueError as error:
        return _not_json(raw, column, error)
    if not isinstance(parsed, list):
        message = gettext_noop("The cell holds a single value instead of a list.")
        return CellFault("not_a_list", column, message, gettext_noop('Write it as ["first", "second"].'))
    if not set(map(type, parsed)) <= {str}:
        position, item = next((place, item) for place, item in enumerate(parsed, start=1) if not isinstance(item, str))
        message = gettext_noop("Item %(position)d of the list is no text but %(value)s.")
        return CellFault("not_strings", column, message, _QUOTE_ALL, {"position": position, "value": _shown(item)})
    return [clean_cell(item) for item in parsed] if "\\u" in raw else parsed


def read_quoted_words(raw: str) -> list[str] | None:
    """Read a list of texts between quotes of any kind; None for everything else, also where the reading is unclear."""
    raw = raw.strip()
    if not raw.startswith("["):
        return None
    words, place, end = [], 1, ""
    while end != "]":
        item = _ITEM.match(raw, place)
        if item is None:
            return None
        kind = "single" if item["double"] is None else "double"
        if _NO_COMMA[kind].search(item[kind]):
            return None
        try:
            words.append(clean_cell(json.loads(f'"{_NOT_IN_JSON.sub(_as_json, item[kind])}"', strict=False)))
        except ValueError:
            return None
        place, end = item.end(), item["end"]
    return words if place == len(raw) else None


def _not_json(raw: str, column: str, error: ValueError) -> CellFault:
    if read_quoted_words(raw) is not None:
        message = gettext_noop("The list is written with curly or single quotes; JSON wants straight double ones.")
        repair = gettext_noop('Write it as ["first", "second"], or have the quotes straightened.')
        return CellFault("wrong_quotes", column, message, repair, fix=Fix.STRAIGHTEN_QUOTES.value)
    message = gettext_noop("The cell is no JSON list: it cannot be read from character %(position)d on.")
    repair = gettext_noop('Write the cell as ["first", "second"].')
    position = error.pos + 1 if isinstance(error, json.JSONDecodeError) else 1
    return CellFault("not_json", column, message, repair, {"position": position})


def _shown(item: object) -> str:
    """Write an item for a sentence; lists and objects may be deep and are not shown."""
    if isinstance(item, list):
        return "[\u2026]"
    return "{\u2026}" if isinstance(item, dict) else excerpt(json.dumps(item), 20)


def _as_json(match: re.Match[str]) -> str:
    """Turn an escape of Python, or a quote that needs none there, into JSON."""
    if match["quote"]:
        return '\\"'
    if match["byte"]:
        return f"\\u00{match['byte']}"
    return "'" if match["single"] else match[0]
