"""Settles the tags of all rows: converts those the recipe speaks of, explains other ways to tag, repairs slips.

Where most of the rows that mark anything are tagged in another way, one sentence says so, instead of 4,000 errors.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt
from bert_training.data.checks import Problem, Problems
from bert_training.data.doctor.bio import OUTSIDE, is_bio, mend_tag, repair_tags, runs_to_entities, words_to_entities
from bert_training.data.doctor.cell_faults import CellFault, report_errors, report_warnings
from bert_training.data.repairs import Fix, Recipe
from bert_training.data.table import Cells
from bert_training.tasks.token_classification.type_names import settle_types

TAGS_SHOWN = 8

# index of the row -> its tags
Tags = Mapping[int, list[str]]

_FORM = gettext_noop("Tags are O outside, B-TYPE where an entity begins, I-TYPE inside it.")
_SCHEMES = {
    Fix.MEND_TAGS: (
        "tags_other_form",
        gettext_noop(
            "The tags are written in another form (%(tags)s) than O, B-TYPE and I-TYPE. Rows concerned: %(count)d."
        ),
        gettext_noop("Have them rewritten: nothing is lost, each of these forms says where an entity begins."),
    ),
    Fix.RUNS_TO_ENTITIES: (
        "tags_plain_names",
        gettext_noop(
            "The tags are plain names (%(tags)s), which do not say where an entity begins. Rows concerned: %(count)d."
        ),
        gettext_noop("Have each run of one name read as one entity; two that stand side by side become one."),
    ),
    Fix.WORDS_TO_ENTITIES: (
        "tags_every_word",
        gettext_noop(
            "Every word has a tag (%(tags)s), as for parts of speech; none is outside. Rows concerned: %(count)d."
        ),
        gettext_noop("Have each word read as an entity of its own. F1, precision and recall then all count words."),
    ),
}


def settle_tags(cells: Cells, tags: Tags, problems: Problems, recipe: Recipe) -> dict[int, list[str]]:
    """Return the rows whose tags are IOB2, perhaps after a repair; the others are reported."""
    settled = _convert(tags, problems, recipe)
    others = _others(settled)
    marked = sum(set(row) != {OUTSIDE} for row in settled.values())
    if 2 * len(others) > marked:
        problems.error(_explain(cells, others, settled))
        return {}  # the few rows that happen to fit would be judged as if they were all
    report_errors(cells, {index: _fault(row) for index, row in others.items()}, problems)
    sound = {index: row for index, row in settled.items() if index not in others}
    return _repair(cells, settle_types(cells, sound, problems, recipe), problems)


def _convert(tags: Tags, problems: Problems, recipe: Recipe) -> dict[int, list[str]]:
    """Apply the repairs of the recipe, the most careful first, to the rows that are not IOB2."""
    conversions: dict[Fix, Callable[[list[str]], list[str]]] = {
        Fix.MEND_TAGS: _mended,
        Fix.RUNS_TO_ENTITIES: runs_to_entities,
        Fix.WORDS_TO_ENTITIES: words_to_entities,
    }
    converted = dict(tags)
    for fix, convert in conversions.items():
        if fix in recipe:
            rows = {index: convert(row) for index, row in _others(converted).items()}
            done = {index: row for index, row in rows.items() if all(map(is_bio, row))}
            converted |= done
            problems.repaired(fix, len(done))
    return converted


def _others(tags: Tags) -> dict[int, list[str]]:
    """Return the rows that are not IOB2; each different tag is looked at once."""
    good = {tag for tag in set().union(*tags.values()) if is_bio(tag)}
    return {index: row for index, row in tags.items() if not good.issuperset(row)}


def _mended(row: list[str]) -> list[str]:
    return [mend_tag(tag) or tag for tag in row]


def _explain(cells: Cells, others: Tags, settled: Tags) -> Problem:
    """Say in one sentence how the column is tagged and what can be done."""
    counts = Counter(tag for row in others.values() for tag in row if not is_bio(tag))
    fix = _scheme(counts, settled)
    code, message, repair = _SCHEMES[fix]
    named = ", ".join(excerpt(tag, 20) for tag, _ in counts.most_common(TAGS_SHOWN))
    column = cells.headers.get("tags", "tags")
    values: dict[str, str | int] = {"count": len(others), "tags": named}
    return Problem(code, message, repair, values, sheet=cells.sheet, column=column, fix=fix.value)


def _scheme(counts: Counter[str], settled: Tags) -> Fix:
    """Tell which conversion would read most of these tags."""
    every = {tag: mend_tag(tag) or "" for tag in set().union(*settled.values())}
    begins = any(mended.startswith("B-") for mended in every.values())  # without, "e-mail" is a name and not E-MAIL
    if begins and 2 * sum(count for tag, count in counts.items() if every[tag]) > counts.total():
        return Fix.MEND_TAGS
    return Fix.RUNS_TO_ENTITIES if OUTSIDE in every.values() else Fix.WORDS_TO_ENTITIES


def _fault(row: list[str]) -> CellFault:
    """Name the first tag that is not IOB2; the portal offers to mend those that can be read as such."""
    position, tag = _first_other(row)
    values: dict[str, str | int] = {"position": position + 1, "tag": excerpt(tag, 40)}
    if all(map(is_bio, _mended(row))):
        message = gettext_noop("Tag %(position)d is %(tag)s; it would be written %(mended)s.")
        values["mended"] = mend_tag(tag) or tag
        return CellFault("mendable_tag", "tags", message, _FORM, values, Fix.MEND_TAGS.value)
    message = gettext_noop("Tag %(position)d is %(tag)s, which is not O, B-TYPE or I-TYPE.")
    return CellFault("bad_tag", "tags", message, _FORM, values)


def _first_other(row: Iterable[str]) -> tuple[int, str]:
    """Return position and text of the first tag that cannot be mended, else of the first that is not IOB2."""
    others = [(position, tag) for position, tag in enumerate(row) if not is_bio(tag)]
    return next((other for other in others if mend_tag(other[1]) is None), others[0])


def _repair(cells: Cells, tags: Tags, problems: Problems) -> dict[int, list[str]]:
    """Let each I- that continues nothing begin an entity, and say so in its cell."""
    repaired, faults = {}, {}
    message = gettext_noop("Tag %(position)d, %(tag)s, continues no entity; it was read as %(read)s.")
    repair = gettext_noop("Nothing to do if that is what was meant.")
    for index, row in tags.items():
        repaired[index], turned = repair_tags(row)
        if turned:
            tag = row[turned[0]]
            values: dict[str, str | int] = {"position": turned[0] + 1, "tag": tag, "read": "B-" + tag[2:]}
            faults[index] = CellFault("tags_repaired", "tags", message, repair, values)
    report_warnings(cells, faults, problems)
    return repaired
