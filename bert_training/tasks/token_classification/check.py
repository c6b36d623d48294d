"""Judges the rows of a token classification: two JSON lists of the same length, words and their IOB2 tags."""

from collections import Counter

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import excerpt, is_blank
from bert_training.data.checks import DatasetRefused, Problem, Problems, Values
from bert_training.data.doctor.bio import OUTSIDE, entity_types, is_bio, name_entities
from bert_training.data.doctor.cell_faults import CellFault, report_errors, report_warnings
from bert_training.data.doctor.repeats import UsableRows, settle_repeats
from bert_training.data.doctor.required import report_bad_cells
from bert_training.data.doctor.word_lists import read_quoted_words, read_words
from bert_training.data.profiling.personal_data import mask_words
from bert_training.data.repairs import NOTHING, Fix, Recipe
from bert_training.data.splitting.split import SMALLEST_STRATUM
from bert_training.data.table import ROW, Cells, Columns
from bert_training.tasks.token_classification.tags import settle_tags

BETWEEN_WORDS = "\x00"  # no word holds one
TYPES = 400  # two tags a type and O stay below the 1,000 names that a result may carry

# index of the row -> its words, or its tags
WordLists = dict[int, list[str]]


def check_tokens(cells: Cells, problems: Problems, recipe: Recipe = NOTHING) -> Columns:
    """Return the canonical table (row, tokens, tags) of the rows without an error; raises DatasetRefused."""
    tokens = _read_column(cells, "tokens", problems, recipe)
    tags = _read_column(cells, "tags", problems, recipe)
    _refuse_swapped_columns(cells, tokens)
    both = sorted(tokens.keys() & tags.keys())
    faults = {index: fault for index in both if (fault := _row_fault(tokens[index], tags[index]))}
    report_errors(cells, faults, problems)
    tags = settle_tags(cells, {index: tags[index] for index in both if index not in faults}, problems, recipe)
    if Fix.LEAVE_OUT_BAD_ROWS in recipe:
        problems.repaired(Fix.LEAVE_OUT_BAD_ROWS, len(cells.rows) - len(tags))
    if Fix.MASK_PERSONAL_DATA in recipe:
        masked, count = mask_words([tokens[index] for index in tags])
        tokens = dict(zip(tags, masked, strict=True))
        problems.repaired(Fix.MASK_PERSONAL_DATA, count)
    tags = _settle_repeats(cells, tokens, tags, problems=problems, recipe=recipe)
    _judge_entities(cells, tags, problems)
    return {
        ROW: [cells.rows[index] for index in tags],
        "tokens": [tokens[index] for index in tags],
        "tags": list(tags.values()),
    }


def _read_column(cells: Cells, column: str, problems: Problems, recipe: Recipe) -> WordLists:
    """Read the lists of a column; what is wrong with a cell becomes an error of its row."""
    bad = report_bad_cells(cells, column, problems)
    lists: WordLists = {}
    faults: dict[int, CellFault] = {}
    straightened = 0
    for index, raw in enumerate(cells.texts[column]):
        if index in bad:
            continue
        found = read_words(raw, column)
        if isinstance(found, CellFault) and found.fix in recipe:
            found = read_quoted_words(raw) or found
            straightened += 1
        if isinstance(found, CellFault):
            faults[index] = found
        else:
            lists[index] = found
    problems.repaired(Fix.STRAIGHTEN_QUOTES, straightened)
    report_errors(cells, faults, problems)
    return lists


def _row_fault(tokens: list[str], tags: list[str]) -> CellFault | None:
    """Compare the two lists of a row; returns the first thing that is wrong."""
    if not tokens or not tags:
        repair = gettext_noop("Fill it in or delete the row.")
        return CellFault("no_tokens", "tags" if tokens else "tokens", gettext_noop("The list is empty."), repair)
    if len(tokens) != len(tags):
        message = gettext_noop("The lists differ in length. Tokens: %(tokens)d. Tags: %(tags)d.")
        repair = gettext_noop("Give every token exactly one tag.")
        return CellFault("length_mismatch", "tags", message, repair, {"tokens": len(tokens), "tags": len(tags)})
    if any(map(is_blank, tokens)):
        empty = next(place for place, token in enumerate(tokens, start=1) if is_blank(token))
        repair = gettext_noop("Delete the token and its tag.")
        return CellFault(
            "empty_token", "tokens", gettext_noop("Token %(position)d is empty."), repair, {"position": empty}
        )
    return None


def _refuse_swapped_columns(cells: Cells, tokens: WordLists) -> None:
    """Refuse words that are tags: somebody took one column for the other. O alone may be the Portuguese article."""
    tagged = sum(bool(words) and all(map(is_bio, words)) for words in tokens.values())
    tag = next((word for words in tokens.values() for word in words if is_bio(word) and word != OUTSIDE), None)
    if 2 * tagged <= len(tokens) or tag is None:
        return
    message = gettext_noop("The columns seem to be swapped: %(tokens)s holds tags such as %(tag)s.")
    values: Values = {"tokens": excerpt(cells.headers.get("tokens", "tokens")), "tag": tag}
    repair = gettext_noop("Let the two columns change places.")
    raise DatasetRefused(
        Problem("swapped_columns", message, repair, values, sheet=cells.sheet, fix=Fix.SWAP_COLUMNS.value)
    )


def _settle_repeats(
    cells: Cells, tokens: WordLists, tags: WordLists, *, problems: Problems, recipe: Recipe
) -> WordLists:
    """Note rows of the same words, or leave them out where the recipe says so; returns the tags of those that stay."""
    indexes = list(tags)
    texts = [BETWEEN_WORDS.join(tokens[index]) for index in indexes]
    answers = [name_entities(tags[index]) for index in indexes]
    rows = UsableRows(cells, indexes, texts, answers, "tokens", "tags")
    return {index: tags[index] for index in settle_repeats(rows, problems, recipe)}


def _judge_entities(cells: Cells, tags: WordLists, problems: Problems) -> None:
    """Refuse too few rows or entities, and too many types; warn of types too rare for all three splits."""
    types = {index: entity_types(row) for index, row in tags.items()}
    counts = Counter(name for found in types.values() for name in found)
    _judge_numbers(len(tags), counts, problems)
    rare = {name for name, count in counts.items() if count < SMALLEST_STRATUM}
    if rare and len(counts) <= TYPES:
        found = {index: min(names & rare) for index, names in types.items() if names & rare}
        report_warnings(cells, {index: _rare(name, counts[name]) for index, name in found.items()}, problems)


def _judge_numbers(rows: int, counts: Counter[str], problems: Problems) -> None:
    values: Values
    if not rows:
        if not problems.error_count:  # else it has been said what is wrong with them
            problems.error(Problem("no_rows", gettext_noop("No row is left that can be used.")))
        return
    if rows < SMALLEST_STRATUM:
        message = gettext_noop("Only %(count)d rows can be used; at least %(needed)d are needed.")
        repair = gettext_noop("Add rows: training, validation and test need one each.")
        values = {"count": rows, "needed": SMALLEST_STRATUM}
        problems.error(Problem("too_few_rows", message, repair, values))
    if not counts:
        message = gettext_noop("No entity is marked: all tags are O.")
        problems.error(Problem("no_entities", message, gettext_noop("Mark entities with B-TYPE and I-TYPE.")))
    if len(counts) > TYPES:
        message = gettext_noop("There are %(count)d entity types; at most %(limit)d are taken.")
        values = {"count": len(counts), "limit": TYPES}
        problems.error(Problem("too_many_classes", message, "", values))


def _rare(name: str, count: int) -> CellFault:
    message = gettext_noop(
        "The type %(type)s is too rare for training, validation and test; rows that hold it: %(count)d."
    )
    repair = gettext_noop("Add rows, or join it to another type: validation or test may hold none of them.")
    return CellFault("rare_entities", "tags", message, repair, {"count": count, "type": name})
