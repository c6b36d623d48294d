"""Settles entity types that a person would read as the same word: PESSOA, Pessoa, pessoa."""

from collections import Counter
from collections.abc import Mapping

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problems
from bert_training.data.doctor.bio import OUTSIDE
from bert_training.data.doctor.cell_faults import CellFault, report_warnings
from bert_training.data.doctor.label_spelling import usual_spellings
from bert_training.data.repairs import Fix, Recipe
from bert_training.data.table import Cells


def settle_types(
    cells: Cells, tags: Mapping[int, list[str]], problems: Problems, recipe: Recipe
) -> dict[int, list[str]]:
    """Name each row (index -> IOB2 tags) with a rarer spelling, or write the usual one where the recipe says so."""
    counts = Counter(tag[2:] for row in tags.values() for tag in row if tag != OUTSIDE)
    usual = usual_spellings(counts)
    rarer = {prefix + name for name in usual for prefix in ("B-", "I-")}
    found = {index: row for index, row in tags.items() if not rarer.isdisjoint(row)} if usual else {}
    if Fix.UNIFY_LABELS in recipe:
        problems.repaired(Fix.UNIFY_LABELS, len(found))
        return dict(tags) | {index: [_unified(tag, usual) for tag in row] for index, row in found.items()}
    report_warnings(cells, {index: _fault(row, usual, counts) for index, row in found.items()}, problems)
    return dict(tags)


def _unified(tag: str, usual: Mapping[str, str]) -> str:
    return tag[:2] + usual[tag[2:]] if tag[2:] in usual else tag


def _fault(row: list[str], usual: Mapping[str, str], counts: Counter[str]) -> CellFault:
    name = next(tag[2:] for tag in row if tag[2:] in usual)
    message = gettext_noop(
        'The type "%(type)s" (words: %(count)d) differs from "%(usual)s" (words: %(usual_count)d) only in capitals, '
        "accents or invisible characters; they count as two types."
    )
    repair = gettext_noop("Write them the same way if they mean the same.")
    values: dict[str, str | int] = {"type": excerpt(name), "count": counts[name]}
    values |= {"usual": excerpt(usual[name]), "usual_count": counts[usual[name]]}
    return CellFault("similar_labels", "tags", message, repair, values, Fix.UNIFY_LABELS.value)
