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

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(rf"^(bert[wu]_)([0-9A-Za-z]{{{SECRET_CHARACTERS}}})([0-9A-Za-z]{{{CHECKSUM_CHARACTERS}}})$")


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


def _checksum(text: str) -> str:
    value = zlib.crc32(text.encode("ascii"))
    digits = []
    for _ in range(CHECKSUM_CHARACTERS):
        value, digit = divmod(value, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
