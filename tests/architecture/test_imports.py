"""The import table of rules.py holds, and starting one part does not load another."""

import ast
import subprocess
import sys

import pytest

from tests.architecture.rules import IMPORTS_INSIDE_FUNCTIONS, ROWS, Row, row_for
from tests.architecture.source import OURS, ROOT, Import, Source, sources

PRODUCT = ("portal", "bert_training")

# What a fresh process that runs the first may never have loaded.
STARTS_WITHOUT = {
    "import django; django.setup(); import portal.urls, portal.asgi": ("torch", "transformers", "bert_training.ml"),
    "import bert_training.worker.__main__": ("django", "torch", "transformers", "pandas"),
    "import bert_training.tasks": ("django", "torch", "transformers"),
}


def forbidden(source: Source, row: Row) -> list[Import]:
    """Return the imports of a file that its row does not allow."""
    return [found for found in source.imports if not found.is_standard and not _is_allowed(found, row)]


def _is_allowed(found: Import, row: Row) -> bool:
    if found.package not in OURS:
        return found.package in row.theirs
    return any(found.module == name or found.module.startswith(f"{name}.") for name in row.ours)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.files)
def test_a_package_imports_only_what_its_row_allows(row: Row) -> None:
    mine = [source for source in sources(*PRODUCT) if row_for(source.name) is row]
    assert [
        f"{source.name}:{found.line} imports {found.module}" for source in mine for found in forbidden(source, row)
    ] == []


def test_every_file_of_the_product_is_covered_by_a_row() -> None:
    assert [source.name for source in sources(*PRODUCT) if row_for(source.name) is None] == []


@pytest.mark.parametrize(
    "statement",
    [
        "from bert_training import models",
        "import django.db",
        "def later():\n from bert_training.ml.training import train",
    ],
)
def test_the_table_notices_an_import_across_the_line(statement: str) -> None:
    source = Source("bert_training/contract/limits.py", ast.parse(statement))
    row = row_for(source.name)
    assert row is not None
    assert len(forbidden(source, row)) == 1


def test_imports_are_absolute_and_stand_at_the_top() -> None:
    deviations = [
        f"{source.name}:{found.line} imports {found.module}"
        for source in sources(*PRODUCT)
        for found in source.imports
        if found.module.startswith(".") or (found.is_inside_function and source.name not in IMPORTS_INSIDE_FUNCTIONS)
    ]
    assert deviations == []


@pytest.mark.parametrize("start", STARTS_WITHOUT)
def test_starting_a_part_does_not_load_another(start: str) -> None:
    unwanted = STARTS_WITHOUT[start]
    question = f"{start}; import sys; print([name for name in {unwanted!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", question], cwd=ROOT, capture_output=True, text=True)
    assert answer.stdout.strip().splitlines()[-1:] == ["[]"], answer.stderr
