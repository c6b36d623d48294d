"""Finds labels that a person would read as the same word: other capitals, accents, spaces or Unicode form."""

from collections import Counter, defaultdict

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt, normalized
from bert_training.data.checks import Problem, Problems, Values
from bert_training.data.repairs import Fix, Recipe
from bert_training.data.table import Cells


def usual_spellings(labels: Counter[str]) -> dict[str, str]:
    """Return rarer spelling -> the most frequent one, of equally frequent ones the first by code points."""
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for label in labels:
        alike[normalized(label)].append(label)
    return {
        spelling: min(spellings, key=lambda label: (-labels[label], label))
        for spellings in alike.values()
        for spelling in sorted(spellings)
        if spelling != min(spellings, key=lambda label: (-labels[label], label))
    }


def settle_spelling(
    cells: Cells, column: str, indexes: list[int], *, needed: int, problems: Problems, recipe: Recipe
) -> list[int]:
    """Name each cell with a rarer spelling, or write the usual one into it where the recipe says so.

    A spelling with fewer than `needed` rows is an error, because it would be a class too small. Returns the indexes of
    the rows without an error.
    """
    labels = cells.texts[column]
    counts = Counter(labels[index] for index in indexes)
    usual = usual_spellings(counts)
    rarer = [index for index in indexes if labels[index] in usual] if usual else []
    if Fix.UNIFY_LABELS in recipe:
        for index in rarer:
            labels[index] = usual[labels[index]]
        problems.repaired(Fix.UNIFY_LABELS, len(rarer))
        return indexes
    too_small = {index for index in rarer if counts[labels[index]] < needed}
    problems.errors_at(sorted(too_small), lambda index: _describe(cells, column, index, counts=counts, usual=usual))
    others = [index for index in rarer if index not in too_small]
    problems.warnings_at(others, lambda index: _describe(cells, column, index, counts=counts, usual=usual))
    return [index for index in indexes if index not in too_small] if too_small else indexes


def _describe(cells: Cells, column: str, index: int, *, counts: Counter[str], usual: dict[str, str]) -> Problem:
    message = gettext_noop(
        'The label "%(label)s" (rows: %(count)d) differs from "%(usual)s" (rows: %(usual_count)d) only in capitals, '
        "accents, spaces or invisible characters; they count as two classes."
    )
    label = cells.texts[column][index]
    values: Values = {"label": excerpt(label), "count": counts[label]}
    values |= {"usual": excerpt(usual[label]), "usual_count": counts[usual[label]]}
    return cells.problem(
        "similar_labels",
        message,
        column=column,
        index=index,
        repair=gettext_noop("Write them the same way if they mean the same."),
        values=values,
        fix=Fix.UNIFY_LABELS.value,
    )
