"""Judges the rows of a text classification: every text has a label, every label enough rows to learn and to test.

Each repair has its place: personal data, rows that cannot be used, spelling of labels, copies, rare classes.
"""

from collections.abc import Sequence
from dataclasses import replace

from bert_training.contract.wording import gettext_noop
from bert_training.data.checks import Problem, Problems, Values
from bert_training.data.doctor.label_spelling import settle_spelling
from bert_training.data.doctor.placeholders import report_placeholders
from bert_training.data.doctor.repeats import UsableRows, settle_repeats
from bert_training.data.doctor.required import report_bad_cells
from bert_training.data.profiling.personal_data import mask_column
from bert_training.data.repairs import NOTHING, Fix, Recipe
from bert_training.data.splitting.split import SMALLEST_STRATUM
from bert_training.data.table import ROW, Cells, Columns, select_rows
from bert_training.tasks.text_classification.classes import refuse_swapped_columns, settle_classes

LABEL_CHARACTERS = 500  # longer labels are no names


def check_texts(cells: Cells, problems: Problems, recipe: Recipe = NOTHING) -> Columns:
    """Return the canonical table (row, text, label) of the rows without an error; raises DatasetRefused."""
    refuse_swapped_columns(cells)
    cells = _masked(cells, problems, recipe)
    indexes = _usable(cells, problems, recipe)
    report_placeholders(cells, "text", indexes, problems)
    texts, labels = ([cells.texts[name][index] for index in indexes] for name in ("text", "label"))
    indexes = settle_repeats(UsableRows(cells, indexes, texts, labels, "text", "label"), problems, recipe)
    indexes = settle_classes(cells, indexes, problems, recipe)
    return select_rows({ROW: cells.rows, "text": cells.texts["text"], "label": cells.texts["label"]}, indexes)


def _masked(cells: Cells, problems: Problems, recipe: Recipe) -> Cells:
    """Mask personal data in the texts, where the recipe says so; also what problems show of them."""
    if Fix.MASK_PERSONAL_DATA not in recipe:
        return cells
    texts, masked = mask_column(cells.texts["text"])
    problems.repaired(Fix.MASK_PERSONAL_DATA, masked)
    return replace(cells, texts={**cells.texts, "text": texts})


def _usable(cells: Cells, problems: Problems, recipe: Recipe) -> list[int]:
    """Note the rows with an error and settle the spelling of labels; returns the indexes of the other rows."""
    wrong = report_bad_cells(cells, "text", problems) | report_bad_cells(cells, "label", problems)
    wrong.update(_report_long_labels(cells, problems))
    right = [index for index in range(len(cells.rows)) if index not in wrong] if wrong else list(range(len(cells.rows)))
    usable = settle_spelling(cells, "label", right, needed=SMALLEST_STRATUM, problems=problems, recipe=recipe)
    if Fix.LEAVE_OUT_BAD_ROWS in recipe:
        problems.repaired(Fix.LEAVE_OUT_BAD_ROWS, len(cells.rows) - len(usable))
    return usable


def _report_long_labels(cells: Cells, problems: Problems) -> Sequence[int]:
    labels = cells.texts["label"]
    wrong = [index for index, label in enumerate(labels) if len(label) > LABEL_CHARACTERS]
    message = gettext_noop("The label has %(length)d characters; at most %(limit)d are taken.")
    repair = gettext_noop("Use a short name for the class. Are the columns swapped?")

    def describe(index: int) -> Problem:
        values: Values = {"length": len(labels[index]), "limit": LABEL_CHARACTERS}
        return cells.problem("label_too_long", message, column="label", index=index, repair=repair, values=values)

    problems.errors_at(wrong, describe)
    return wrong
