"""Judges the classes of a text classification: enough of them, enough rows of each, and not the texts by mistake."""

from collections import Counter

from bert_training.contract.limits import CLASSES
from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import DatasetRefused, Problem, Problems, Values
from bert_training.data.repairs import Fix, Recipe
from bert_training.data.splitting.split import SMALLEST_STRATUM
from bert_training.data.table import Cells

ROWS_PER_TEXT = 3  # fewer rows a text, on the average, and the "texts" are no classes
ALL_DIFFERENT_ROWS = 10


def refuse_swapped_columns(cells: Cells) -> None:
    """Refuse short texts that repeat beside long labels that do not: somebody took one for the other."""
    texts, labels = cells.texts["text"], cells.texts["label"]
    few = len(texts) // ROWS_PER_TEXT
    if sum(map(len, labels)) <= sum(map(len, texts)) or len(set(texts)) > min(few, CLASSES):
        return
    if 2 * len(set(labels)) > len(labels):
        message = gettext_noop("The columns seem to be swapped: %(text)s holds few short names, %(label)s long texts.")
        repair = gettext_noop("Let the two columns change places.")
        values: Values = {name: excerpt(cells.headers.get(name, name)) for name in ("text", "label")}
        fix = Fix.SWAP_COLUMNS.value
        raise DatasetRefused(Problem("swapped_columns", message, repair, values, sheet=cells.sheet, fix=fix))


def settle_classes(cells: Cells, indexes: list[int], problems: Problems, recipe: Recipe) -> list[int]:
    """Refuse a set of classes that cannot be learned, or leave rows out as the recipe says; returns what stays."""
    labels = cells.texts["label"]
    counts = Counter(labels[index] for index in indexes)
    small = {label for label, count in counts.items() if count < SMALLEST_STRATUM}
    right = [index for index in indexes if labels[index] not in small] if small else indexes
    if small and Fix.LEAVE_OUT_RARE_CLASSES in recipe:
        problems.repaired(Fix.LEAVE_OUT_RARE_CLASSES, len(indexes) - len(right))
        _judge_number(cells, Counter(labels[index] for index in right), problems)
        return right
    _judge_number(cells, counts, problems)
    if not small or _are_no_classes(counts):
        return indexes
    rare = [index for index in indexes if labels[index] in small]
    problems.errors_at(rare, lambda index: _too_small(cells, index, counts))
    if Fix.LEAVE_OUT_BAD_ROWS not in recipe:
        return indexes
    problems.repaired(Fix.LEAVE_OUT_BAD_ROWS, len(rare))
    _judge_number(cells, Counter(labels[index] for index in right), problems)
    return right


def _are_no_classes(counts: Counter[str]) -> bool:
    """Tell values that cannot be meant as classes: too many, or a different one in every row."""
    return len(counts) > CLASSES or len(counts) == counts.total() >= ALL_DIFFERENT_ROWS


def _judge_number(cells: Cells, counts: Counter[str], problems: Problems) -> None:
    values: Values
    if len(counts) > CLASSES:
        message = gettext_noop("There are %(count)d different labels; at most %(limit)d are taken.")
        values = {"count": len(counts), "limit": CLASSES}
    elif _are_no_classes(counts):
        message = gettext_noop("Each of the %(count)d rows has a label of its own; a class needs %(needed)d rows.")
        values = {"count": len(counts), "needed": SMALLEST_STRATUM}
    elif len(counts) == 1:
        message = gettext_noop("All rows have the label %(label)s; at least two classes are needed.")
        repair = gettext_noop("Add rows of another class.")
        problems.error(Problem("one_class", message, repair, {"label": excerpt(next(iter(counts)))}, cells.sheet))
        return
    else:
        return
    repair = gettext_noop("Are the columns for text and label swapped?")
    problems.error(Problem("too_many_classes", message, repair, values, cells.sheet))


def _too_small(cells: Cells, index: int, counts: Counter[str]) -> Problem:
    label = cells.texts["label"][index]
    return cells.problem(
        "class_too_small",
        gettext_noop('The label "%(label)s" has too few rows: %(count)d; at least %(needed)d are needed.'),
        column="label",
        index=index,
        repair=gettext_noop("Add rows, or join them to another class: training, validation and test need one each."),
        values={"count": counts[label], "label": excerpt(label), "needed": SMALLEST_STRATUM},
        fix=Fix.LEAVE_OUT_RARE_CLASSES.value,
    )
