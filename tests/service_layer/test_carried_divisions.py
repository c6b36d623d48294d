"""The division of a run on another dataset: by the numbers of the rows, or refused in words."""

from collections.abc import Callable, Iterator

import pytest
from django.core.files.storage import default_storage
from django.utils.translation import override

from bert_training.contract.enums import Split
from bert_training.data.splitting.manifest import LETTER_OF
from bert_training.data.table import Columns
from bert_training.models import Run
from bert_training.services.divisions import division_of
from bert_training.services.errors import InvalidRun
from bert_training.services.reproducing.carried_divisions import carry_division
from tests.reproducing import changed_copy

pytestmark = pytest.mark.embedded


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with override("en"):
        yield


def drop_first(table: Columns) -> None:
    """Take the first row away, and add one at the end that no run has seen."""
    for name, values in table.items():
        values.append(values[-1] if name != "row" else values[-1] + 1)
        del values[0]


def renumber(table: Columns) -> None:
    """Give all rows other numbers."""
    table["row"] = [row + 1000 for row in table["row"]]


def test_each_row_goes_where_the_row_of_its_number_was_and_a_new_one_nowhere(run: Run) -> None:
    carried = carry_division(run, changed_copy(run.dataset, drop_first))
    first = division_of(run)
    assert carried.letters == first.letters[1:] + "-"
    assert carried.digest != first.digest
    assert carried.facts["left_out"] == 1
    assert carried.facts["rows"]["test"] == carried.letters.count(LETTER_OF[Split.TEST])


def test_a_copy_of_a_test_row_among_the_training_rows_is_no_longer_kept_apart(run: Run) -> None:
    letters = division_of(run).letters

    def repeat_the_test(table: Columns) -> None:
        table["text"][letters.index("t")] = table["text"][letters.index("e")]

    def touch(table: Columns) -> None:
        table["text"][letters.index("t")] = "Um texto que ninguém escreveu antes."

    def protection(change: Callable[[Columns], None]) -> str:
        return str(carry_division(run, changed_copy(run.dataset, change)).facts["protection"])

    assert (protection(touch), protection(repeat_the_test)) == ("near", "exact")


def test_rows_with_other_numbers_are_refused(run: Run) -> None:
    with pytest.raises(InvalidRun, match="their numbers are others"):
        carry_division(run, changed_copy(run.dataset, renumber))


def test_other_rows_are_refused_once_the_first_table_is_gone(run: Run) -> None:
    other = changed_copy(run.dataset, drop_first)
    default_storage.delete(run.dataset.table_key)
    with pytest.raises(InvalidRun, match="Upload the very spreadsheet"):
        carry_division(run, other)
