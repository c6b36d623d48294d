"""Finds labels that a person would read as the same word: other capitals, accents, spaces or Unicode form."""

from collections import Counter, defaultdict
from collections.abc import Sequence

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


def settle_spelling(cells: Cells, column: str, indexes: Sequence[int], *, problems: Problems, recipe: Recipe) -> None:
    """Name each cell with a rarer spelling, or write the usual one into it where the recipe says so."""
    labels = cells.texts[column]
    counts = Counter(labels[index] for index in indexes)
    usual = usual_spellings(counts)
    rarer = [index for index in indexes if labels[index] in usual] if usual else []
    if Fix.UNIFY_LABELS in recipe:
        for index in rarer:
            labels[index] = usual[labels[index]]
        problems.repaired(Fix.UNIFY_LABELS, len(rarer))
        return
    message = gettext_noop(
        'The label "%(label)s" (%(count)d rows) differs from "%(usual)s" (%(usual_count)d rows) only in capitals, '
        "accents, spaces or invisible characters; they count as two classes."
    )
    repair = gettext_noop("Write them the same way if they mean the same.")

    def describe(index: int) -> Problem:
        label = labels[index]
        values: Values = {"label": excerpt(label), "count": counts[label]}
        values |= {"usual": excerpt(usual[label]), "usual_count": counts[usual[label]]}
        fix = Fix.UNIFY_LABELS.value
        return cells.problem(
            "similar_labels", message, column=column, index=index, repair=repair, values=values, fix=fix
        )

    problems.warnings_at(rarer, describe)
