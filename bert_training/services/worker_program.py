"""Packs the program that a GPU PC runs: the worker with what it imports, as this very portal has it, and no Django.

So a PC gets the version that fits, without an account at a code host and without the portal's own files.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

FOLDER = "bert-worker"
PACKAGES = ("contract", "data", "ml", "tasks", "worker")
FILES = ("bert_training/__init__.py", "requirements/constraints.txt", "requirements/worker.txt", "LICENSE")
SUFFIXES = {".py", ".csv"}
SAME_DATE = (1980, 1, 1, 0, 0, 0)  # the same program gives the same bytes
TORCH = re.compile(r"^torch==(\S+)$", re.MULTILINE)


def worker_program() -> bytes:
    """Return the program as a .zip, to be unpacked into a folder of its own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files():
            entry = zipfile.ZipInfo(path.relative_to(settings.BASE_DIR).as_posix(), SAME_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return packed.getvalue()


def _files() -> Iterator[Path]:
    yield from (settings.BASE_DIR / name for name in FILES)
    for package in PACKAGES:
        found = (settings.BASE_DIR / "bert_training" / package).rglob("*")
        yield from sorted(path for path in found if path.suffix in SUFFIXES and path.is_file())


def torch_version() -> str:
    """Return the version of torch that the program is tried with."""
    found = TORCH.search((settings.BASE_DIR / "requirements" / "worker.txt").read_text(encoding="utf-8"))
    assert found is not None  # a test reads the file
    return found[1]
