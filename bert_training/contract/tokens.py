"""The form of an access token: prefix, 43 base62 characters (256 bits), 6 base62 characters of CRC32.

A token with a wrong checksum is refused without a database query; only its SHA-256 is stored.
"""

import re
import secrets
import string
import zlib

WORKER_PREFIX = "bertw_"
USER_PREFIX = "bertu_"
SECRET_CHARACTERS = 43
CHECKSUM_CHARACTERS = 6
SHOWN_CHARACTERS = 8

HIDDEN = "[hidden]"

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(rf"^(bert[wu]_)([0-9A-Za-z]{{{SECRET_CHARACTERS}}})([0-9A-Za-z]{{{CHECKSUM_CHARACTERS}}})$")

# As long as it is more than may be shown, a piece of a token is one too.
_TOKEN = re.compile(rf"(bert[wu]_[0-9A-Za-z]{{{SHOWN_CHARACTERS}}})[0-9A-Za-z]+")
_BEGIN = re.compile(
    rf"(?:b|be|ber|bert|bert[wu]|bert[wu]_[0-9A-Za-z]{{0,{SECRET_CHARACTERS + CHECKSUM_CHARACTERS - 1}}})$"
)
_BEGIN_CHARACTERS = len(WORKER_PREFIX) + SECRET_CHARACTERS + CHECKSUM_CHARACTERS - 1


def make_token(prefix: str) -> str:
    """Draw a new token with the system's random source."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_CHARACTERS))
    return prefix + secret + _checksum(prefix + secret)


def is_well_formed(token: str) -> bool:
    """Tell whether prefix, length, alphabet and checksum are right."""
    match = _FORM.fullmatch(token)
    return match is not None and _checksum(match[1] + match[2]) == match[3]


def shown_prefix(token: str) -> str:
    """Return the part that may be shown and logged: the kind and the first characters of the secret."""
    return token[: len(WORKER_PREFIX) + SHOWN_CHARACTERS]


def hide_tokens(text: str) -> str:
    """Replace what may not be shown of every token in a text; 0.4 us for a line that has none."""
    return _TOKEN.sub(rf"\1{HIDDEN}", text) if WORKER_PREFIX in text or USER_PREFIX in text else text


class TokenMask:
    """Hides tokens in lines that come one after another, also where a token goes on in the next line or piece."""

    def __init__(self) -> None:
        self._begin = ""  # what may be the begin of a token, at the end of the line before

    def hide(self, line: str) -> str:
        """Return the line without tokens, and without the rest of one that the lines before began."""
        joined = self._begin + line.lstrip() if self._begin else line
        token = _TOKEN.match(joined) if self._begin else None
        if token is not None and token.end() > len(self._begin):
            line = HIDDEN + joined[token.end() :]
        begun = _BEGIN.search(joined, max(0, len(joined) - _BEGIN_CHARACTERS))
        self._begin = begun[0] if begun else ""
        return hide_tokens(line)


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode("ascii"))
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
