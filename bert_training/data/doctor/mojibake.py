"""Finds and mends accents that were garbled by reading UTF-8 as Windows-1252 or Latin-1: "aÃ§Ã£o" was "ação".

Also quotes and dashes of Windows-1252 that were read as Latin-1, where they are control characters.

Precise rather than complete: only sequences that no language writes count as garbled. `IRMÃ” e` (a word in capitals
before a closing quote) is none, although its bytes would decode.
"""

import re

MOST_PASSES = 3  # text that was garbled twice or three times

_CP1252 = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xC0)}


def _characters(first: int, last: int) -> str:
    """Return how these bytes look when they are read as Latin-1 or as Windows-1252."""
    return "".join(chr(byte) + (_CP1252[byte] if _CP1252[byte] != chr(byte) else "") for byte in range(first, last + 1))


_TAIL = f"[{re.escape(_characters(0x80, 0xBF))}]"
# What may follow a word in capitals that ends in "Ã": a space that does not break, closing quotes, dots and dashes.
_AFTER_A_WORD = "\u00a0\u2019\u201d\u00bb\u2026\u2013\u2014\u2022"
# Dashes, quotes, the euro and trade mark signs: three bytes. Emoji: four.
_LONG = rf"\u00e2(?:[\u20ac\x80]{_TAIL}|[\u201a\x82]\u00ac|[\u201e\x84]\u00a2)|\u00f0[\u0178\x9f]{_TAIL}{_TAIL}"
_WINDOWS = "[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]"
_SEQUENCE = re.compile(rf"[ÂÃ]{_TAIL}|{_LONG}|{_WINDOWS}")
_GARBLED = re.compile(
    rf"Ã(?![{_AFTER_A_WORD}]){_TAIL}|Ã[\u2019\u201d\u2022](?=[^\W\d_])|(?<![A-ZÀ-Ý])Ã\u00a0|Â[\xa0-\xbf]|{_LONG}|{_WINDOWS}"
)
_LONE_A = re.compile(r"(?<!\w)Ã(?= )")  # "à" is Ã and a space that does not break, which editors make a plain one
# In UTF-8: Â or Ã before something that is neither ASCII nor a letter of Latin-1, â before a euro sign; controls.
# Each begins with one fixed byte: joined by | they would take five times as long.
_SUSPICIOUS = (
    re.compile(rb"\xc3(?:[\x82\x83][\xc2\xc5\xc6\xcb\xe2]|\xa2(?:\xe2[\x80\x82]|\xc2)|\xb0(?:\xc5\xb8|\xc2\x9f))"),
    re.compile(rb"\xc2[\x80-\x9f]"),
)
_BYTES = {ord(character): byte for byte, character in _CP1252.items() if character}


def may_be_garbled(block: bytes) -> bool:
    """Search many texts at once, in UTF-8: 2 ms a megabyte at most. False means that none of them is garbled."""
    return any(pattern.search(block) for pattern in _SUSPICIOUS)


def garbled_word(text: str) -> str:
    """Return the first word with garbled letters, "" if there is none."""
    match = _GARBLED.search(text)
    if match is None:
        return ""
    start = max(text.rfind(" ", 0, match.start()), text.rfind("\n", 0, match.start())) + 1
    end = text.find(" ", match.end())
    return text[start : end if end >= 0 else len(text)]


def mend(text: str) -> str:
    """Return the text as it was before it was garbled; text that is not garbled stays as it is."""
    for _ in range(MOST_PASSES):
        if not _GARBLED.search(text):
            break
        text = _LONE_A.sub("à", _SEQUENCE.sub(_decode, text))
    return text


def _decode(match: re.Match[str]) -> str:
    read = bytes(_BYTES.get(ord(character), ord(character)) for character in match[0])
    try:
        return read.decode("utf-8" if len(read) > 1 else "cp1252")
    except UnicodeDecodeError:
        return match[0]
