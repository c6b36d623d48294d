"""The digest of a file: SHA-256 of its bytes."""

import hashlib
from pathlib import Path


def file_digest(path: Path | str) -> str:
    """Return the SHA-256 of the file as 64 hex digits; reads in blocks."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
