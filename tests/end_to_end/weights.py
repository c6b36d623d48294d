"""Looks for pieces of a weight file in what a worker has sent: as they are, in base64 or in hexadecimal digits."""

import base64
import re
from collections.abc import Iterator

# Any 63 bytes in a row that come from the file hold one whole block of 32, whatever they begin with.
BLOCK_BYTES = 32
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{44,}")
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{64,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def leaked_blocks(sent: bytes, weights: bytes) -> list[int]:
    """Return the offsets of the blocks of `weights` that occur anywhere in `sent`, in one of the three forms."""
    windows = {text[start : start + BLOCK_BYTES] for text in _readings(sent) for start in range(len(text))}
    blocks = range(0, len(weights) - BLOCK_BYTES + 1, BLOCK_BYTES)
    return [start for start in blocks if weights[start : start + BLOCK_BYTES] in windows]


def _readings(sent: bytes) -> Iterator[bytes]:
    yield sent
    for run in _BASE64.findall(sent):
        for skipped in range(4):  # where a group of four characters begins is not known
            text = run[skipped:].translate(_URL_SAFE)
            yield base64.b64decode(text[: len(text) // 4 * 4])
    for run in _HEXADECIMAL.findall(sent):
        for skipped in range(2):
            text = run[skipped:]
            yield bytes.fromhex(text[: len(text) // 2 * 2].decode())
