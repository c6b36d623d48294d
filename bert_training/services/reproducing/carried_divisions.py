"""Carries the division of a run over to another dataset, so that a copy of the spreadsheet can prove the same result.

The same table has the same division. In another one each row goes where the row of the same number was, and in a file
that the portal gave out with ids where the row of its id was, however it was sorted since; a row that the first run did
not have takes no part, for nobody has said where it belongs.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Never

from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode, Split
from bert_training.data.splitting.manifest import SPLIT_OF, split_digest
from bert_training.data.table import ROW, ROW_ID
from bert_training.data.writing.own_columns import read_row_id
from bert_training.models import Dataset, Run
from bert_training.models.choices import SPLIT_LABELS
from bert_training.services.divisions import Division, Protection, division_of, grounds_of
from bert_training.services.errors import DatasetGone, InvalidRun
from bert_training.services.stored_files import read_table

IN_NO_SPLIT = "-"
NO_ROW = 0  # they count from 1


def carry_division(run: Run, dataset: Dataset) -> Division:
    """Return the division of a run for the rows of a dataset; raises InvalidRun, DatasetNotReady, DatasetGone."""
    if dataset.task != run.task:
        _refuse(_("The dataset is for another task than the run."))
    division = division_of(run)
    if dataset.table_sha256 == run.dataset.table_sha256:
        return division
    grounds = grounds_of(dataset)
    rows = grounds.rows
    letter_of: dict[int | None, str] = dict(zip(_rows_of(run), division.letters, strict=True))
    letters = "".join(letter_of.get(row, IN_NO_SPLIT) for row in _rows_before(run.dataset, dataset) or rows)
    splits = [SPLIT_OF[letter] for letter in letters]
    counts = Counter(splits)
    for split in Split:
        if not counts[split]:
            message = _("None of the rows that the run had for %(split)s is in this dataset: their numbers are others.")
            _refuse(message % {"split": SPLIT_LABELS[split]})
    facts = {
        **division.facts,
        "protection": (grounds.protection if _are_apart(grounds.units, letters) else Protection.EXACT).value,
        "groups": sum(1 for members in Counter(grounds.units).values() if members > 1),
        "rows": {split.value: counts[split] for split in Split},
        "left_out": letters.count(IN_NO_SPLIT),
    }
    return Division(letters=letters, digest=split_digest(rows, splits), facts=facts)


def _are_apart(units: Sequence[int], letters: str) -> bool:
    """Tell whether each unit of this dataset is in one split; the run was divided by those of its own dataset."""
    sides = {(unit, letter) for unit, letter in zip(units, letters, strict=True) if letter != IN_NO_SPLIT}
    return len(sides) == len({unit for unit, _letter in sides})


def _rows_before(first: Dataset, dataset: Dataset) -> list[int]:
    """Return for each row of a dataset that continues the first its number there by its id; nothing for others."""
    file = dataset.summary.get("continues")
    if not file or not first.sha256.startswith(file):
        return []
    known = map(read_row_id, read_table(dataset, [ROW_ID])[ROW_ID])
    return [found[1] if found and found[0] == file else NO_ROW for found in known]


def _rows_of(run: Run) -> list[int]:
    """Return the numbers of the rows of a run; without them nobody can tell which row of another dataset is which."""
    try:
        rows: list[int] = read_table(run.dataset, [ROW])[ROW]
    except DatasetGone:
        _refuse(
            _(
                "The data of the run are no longer stored, and this dataset has other rows: the split of the run "
                "cannot be carried over. Upload the very spreadsheet of that run."
            )
        )
    return rows


def _refuse(message: str) -> Never:
    raise InvalidRun(ErrorCode.INVALID_FIELD, message, errors=[{"path": "dataset", "message": message}])
