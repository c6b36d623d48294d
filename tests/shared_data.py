"""Finds the real data that tests may read and must not copy: beside the checkout, or where BERT_SHARED_DATA says."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("BERT_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def shared_data(name: str) -> Path:
    """Return the path of a file or folder of the real data; the test is skipped where it is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"real data not here: {name} (set BERT_SHARED_DATA)")
    return path
