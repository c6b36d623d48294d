"""Judges the rows of a text classification: every text has a label, every label enough rows to learn and to test."""

import unicodedata
from collections import Counter, defaultdict

from bert_training.contract.limits import CLASSES
from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problem, Problems
from bert_training.data.repairs import NOTHING, Recipe
from bert_training.data.required import report_blanks
from bert_training.data.split import SMALLEST_STRATUM
from bert_training.data.table import ROW, Cells, Columns, select_rows

LABEL_CHARACTERS = 500  # longer labels mean that the columns are swapped
NAMES_SHOWN = 20


def check_texts(cells: Cells, problems: Problems, recipe: Recipe = NOTHING) -> Columns:
    """Return the canonical table (row, text, label) of the rows without an error."""
    wrong = report_blanks(cells, "text", problems) | report_blanks(cells, "label", problems)
    wrong |= _report_long_labels(cells, problems)
    columns: Columns = {ROW: cells.rows, "text": cells.texts["text"], "label": cells.texts["label"]}
    table = select_rows(columns, [index for index in range(len(cells.rows)) if index not in wrong])
    counts = Counter(table["label"])
    _judge_classes(counts, problems)
    if len(counts) <= CLASSES:
        _warn_similar_labels(counts, problems)
    _warn_duplicates(table, problems)
    return table


def _report_long_labels(cells: Cells, problems: Problems) -> set[int]:
    labels = cells.texts["label"]
    if max(map(len, labels), default=0) <= LABEL_CHARACTERS:
        return set()
    wrong = {index for index, label in enumerate(labels) if len(label) > LABEL_CHARACTERS}
    message = gettext_noop("The label has %(length)d characters; at most %(limit)d are taken.")
    repair = gettext_noop("Use a short name for the class. Are the columns swapped?")
    for index in sorted(wrong):
        values: dict[str, str | int] = {"length": len(labels[index]), "limit": LABEL_CHARACTERS}
        problems.error(
            cells.problem("label_too_long", message, column="label", index=index, repair=repair, values=values)
        )
    return wrong


def _judge_classes(counts: Counter[str], problems: Problems) -> None:
    """Refuse a set of classes that cannot be learned."""
    if len(counts) > CLASSES:
        message = gettext_noop("There are %(count)d different labels; at most %(limit)d are taken.")
        repair = gettext_noop("Are the columns for text and label swapped?")
        values: dict[str, str | int] = {"count": len(counts), "limit": CLASSES}
        problems.error(Problem("too_many_classes", message, repair, values))
        return
    if len(counts) == 1:
        message = gettext_noop("All rows have the label %(label)s; at least two classes are needed.")
        repair = gettext_noop("Add rows of another class.")
        problems.error(Problem("one_class", message, repair, {"label": excerpt(next(iter(counts)))}))
    small = sorted(label for label, count in counts.items() if count < SMALLEST_STRATUM)
    if small:
        message = gettext_noop("These labels have fewer than %(needed)d rows: %(labels)s.")
        repair = gettext_noop("Add rows, or join them to another class: training, validation and test need one each.")
        values = {"needed": SMALLEST_STRATUM, "labels": _listed(small, counts)}
        problems.error(Problem("class_too_small", message, repair, values))


def _warn_similar_labels(counts: Counter[str], problems: Problems) -> None:
    """Warn of labels that a person would read as the same word."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label in sorted(counts):
        alike[" ".join(unicodedata.normalize("NFKC", label).split()).casefold()].append(label)
    message = gettext_noop("These labels look alike but count as different classes: %(labels)s.")
    repair = gettext_noop("Write them the same way if they mean the same: capitals, spaces and accents count.")
    for labels in alike.values():
        if len(labels) > 1:
            named = ", ".join(f'"{excerpt(label)}" ({counts[label]})' for label in labels[:NAMES_SHOWN])
            problems.warning(Problem("similar_labels", message, repair, {"labels": named}))


def _warn_duplicates(table: Columns, problems: Problems) -> None:
    """Warn of texts that occur twice, and of those that do so under different labels."""
    labels_of: dict[str, str] = {}
    duplicates = 0
    conflicting = set()
    for text, label in zip(table["text"], table["label"], strict=True):
        first = labels_of.setdefault(text, label)
        if first != label:
            conflicting.add(text)
    duplicates = len(table["text"]) - len(labels_of)
    if duplicates:
        message = gettext_noop("%(count)d rows repeat the text of another row.")
        repair = gettext_noop(
            "Repeated texts may stand in training and test at once, which makes figures look too good."
        )
        problems.warning(Problem("duplicate_texts", message, repair, {"count": duplicates}), count=duplicates)
    if conflicting:
        message = gettext_noop("%(count)d texts occur with different labels.")
        repair = gettext_noop("Decide on one label for each; no model can learn both.")
        count = len(conflicting)
        problems.warning(Problem("conflicting_labels", message, repair, {"count": count}), count=count)


def _listed(labels: list[str], counts: Counter[str]) -> str:
    named = ", ".join(f'"{excerpt(label)}" ({counts[label]})' for label in labels[:NAMES_SHOWN])
    return named if len(labels) <= NAMES_SHOWN else f"{named}, \u2026 ({len(labels)})"
