"""One-click repairs of token files: offered where a fault was planted, gone with the recipe, one table each time."""

import random
from pathlib import Path

import pytest

from bert_training.data.repairs import Fix
from bert_training.tasks.intake import Report
from tests.checking import TOKEN, check_file
from tests.data.planted_book import book_of, sample_rows
from tests.data.token_faults import TOKEN_FAULTS

REPAIRS = {
    "list in curly quotes": Fix.STRAIGHTEN_QUOTES,
    "list as Python writes it": Fix.STRAIGHTEN_QUOTES,
    "tag b-PESSOA": Fix.MEND_TAGS,
    "all tags with an underscore": Fix.MEND_TAGS,
    "all tags plain names": Fix.RUNS_TO_ENTITIES,
    "all tags parts of speech": Fix.WORDS_TO_ENTITIES,
    "type in small letters": Fix.UNIFY_LABELS,
    "repeated words and tags": Fix.LEAVE_OUT_DUPLICATES,
    "same words, other tags": Fix.LEAVE_OUT_CONTRADICTIONS,
    "garbled accents": Fix.MEND_MOJIBAKE,
    "swapped columns": Fix.SWAP_COLUMNS,
    "tag X": Fix.LEAVE_OUT_BAD_ROWS,
}


def offered(report: Report) -> set[str]:
    """Return the repairs that a report offers, not those it did."""
    return {group.fix for group in report.groups if group.code != "repaired"}


@pytest.mark.parametrize(("kind", "fix"), REPAIRS.items())
def test_a_repair_is_offered_and_mends_the_fault(kind: str, fix: Fix, tmp_path: Path) -> None:
    book = book_of(sample_rows(TOKEN), TOKEN)
    TOKEN_FAULTS[kind](book, random.Random(kind))
    path = book.write(tmp_path / "planted.xlsx")
    assert offered(check_file(path, task=TOKEN)) == {fix}

    tables = [tmp_path / "first", tmp_path / "second"]
    reports = [check_file(path, task=TOKEN, recipe=[fix], table_path=table) for table in tables]
    assert all(report.valid for report in reports)
    assert [warning.fix for warning in reports[0].warnings if warning.code == "repaired"] == [fix]
    assert len({report.table_sha256 for report in reports}) == 1
    if fix != Fix.LEAVE_OUT_BAD_ROWS:  # the rows that were left out are still named
        assert offered(reports[0]) <= {""}
