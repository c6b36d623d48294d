"""The manifest of a run, which row is in which split: as the lines that are digested, and as one letter a row.

A row in no split (None) takes no part: it has no line.
"""

from collections.abc import Sequence
from hashlib import sha256

from bert_training.contract.enums import Split

# How a row's split is stored: one letter.
LETTER_OF: dict[Split | None, str] = {Split.TRAIN: "t", Split.VALIDATION: "v", Split.TEST: "e", None: "-"}
SPLIT_OF = {letter: split for split, letter in LETTER_OF.items()}


def split_digest(rows: Sequence[int], splits: Sequence[Split | None]) -> str:
    """Return the SHA-256 (hex) of the manifest."""
    return sha256(manifest_bytes(rows, splits)).hexdigest()


def manifest_bytes(rows: Sequence[int], splits: Sequence[Split | None]) -> bytes:
    """Write the manifest: a line "row<TAB>split" for each row that takes part, in the order of the table."""
    pairs = zip(rows, splits, strict=True)
    return "".join(f"{row}\t{split.value}\n" for row, split in pairs if split is not None).encode("ascii")


def read_manifest(content: bytes) -> dict[int, Split]:
    """Read what manifest_bytes wrote: row -> split. Raises ValueError."""
    pairs = (line.split("\t") for line in content.decode("ascii").splitlines())
    return {int(row): Split(split) for row, split in pairs}
