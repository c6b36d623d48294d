"""Judges the rows of a token classification: two JSON lists of the same length, words and their IOB2 tags."""

from collections import Counter

from bert_training.contract.wording import gettext_noop
from bert_training.data.bio import entity_types
from bert_training.data.cell_faults import CellFault, report_errors
from bert_training.data.cells import is_blank
from bert_training.data.checks import Problem, Problems
from bert_training.data.personal_data import mask_words
from bert_training.data.repairs import NOTHING, Fix, Recipe
from bert_training.data.required import report_bad_cells
from bert_training.data.split import SMALLEST_STRATUM
from bert_training.data.table import ROW, Cells, Columns
from bert_training.data.word_lists import read_quoted_words, read_words
from bert_training.tasks.token_classification.tags import settle_tags

TYPES = 400  # two tags a type and O stay below the 1,000 names that a result may carry

# index of the row -> its words, or its tags
WordLists = dict[int, list[str]]


def check_tokens(cells: Cells, problems: Problems, recipe: Recipe = NOTHING) -> Columns:
    """Return the canonical table (row, tokens, tags) of the rows without an error, tags repaired."""
    tokens = _read_column(cells, "tokens", problems, recipe)
    tags = _read_column(cells, "tags", problems, recipe)
    both = sorted(tokens.keys() & tags.keys())
    faults = {index: fault for index in both if (fault := _row_fault(tokens[index], tags[index]))}
    report_errors(cells, faults, problems)
    settled = settle_tags(cells, {index: tags[index] for index in both if index not in faults}, problems, recipe)
    table: Columns = {
        ROW: [cells.rows[index] for index in settled],
        "tokens": [tokens[index] for index in settled],
        "tags": list(settled.values()),
    }
    if Fix.MASK_PERSONAL_DATA in recipe:
        table["tokens"], masked = mask_words(table["tokens"])
        problems.repaired(Fix.MASK_PERSONAL_DATA, masked)
    _judge_entities(table, problems)
    _warn_duplicates(table, problems)
    return table


def _read_column(cells: Cells, column: str, problems: Problems, recipe: Recipe) -> WordLists:
    """Read the lists of a column; what is wrong with a cell becomes an error of its row."""
    blank = report_bad_cells(cells, column, problems)
    lists: WordLists = {}
    faults: dict[int, CellFault] = {}
    straightened = 0
    for index, raw in enumerate(cells.texts[column]):
        if index in blank:
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
        message = gettext_noop("%(tokens)d tokens, but %(tags)d tags.")
        repair = gettext_noop("Give every token exactly one tag.")
        return CellFault("length_mismatch", "tags", message, repair, {"tokens": len(tokens), "tags": len(tags)})
    empty = next((place for place, token in enumerate(tokens, start=1) if is_blank(token)), None)
    if empty is not None:
        repair = gettext_noop("Delete the token and its tag.")
        return CellFault(
            "empty_token", "tokens", gettext_noop("Token %(position)d is empty."), repair, {"position": empty}
        )
    return None


def _judge_entities(table: Columns, problems: Problems) -> None:
    """Refuse a table without enough rows or entities; warn of types too rare for all three splits."""
    rows = len(table[ROW])
    if rows == 0:
        return  # what is wrong with the rows has been said already
    if rows < SMALLEST_STRATUM:
        message = gettext_noop("Only %(count)d rows can be used; at least %(needed)d are needed.")
        repair = gettext_noop("Add rows: training, validation and test need one each.")
        problems.error(Problem("too_few_rows", message, repair, {"count": rows, "needed": SMALLEST_STRATUM}))
    counts = Counter(kind for tags in table["tags"] for kind in entity_types(tags))
    if not counts:
        message = gettext_noop("No entity is marked: all tags are O.")
        problems.error(Problem("no_entities", message, gettext_noop("Mark entities with B-TYPE and I-TYPE.")))
    if len(counts) > TYPES:
        message = gettext_noop("There are %(count)d entity types; at most %(limit)d are taken.")
        problems.error(Problem("too_many_classes", message, "", {"count": len(counts), "limit": TYPES}))
        return
    rare = sorted(kind for kind, count in counts.items() if count < SMALLEST_STRATUM)
    if rare:
        message = gettext_noop("These entity types occur in fewer than %(needed)d rows: %(types)s.")
        repair = gettext_noop("Their figures will say little: validation or test may hold none of them.")
        values: dict[str, str | int] = {"needed": SMALLEST_STRATUM, "types": ", ".join(rare[:20])}
        problems.warning(Problem("rare_entities", message, repair, values))


def _warn_duplicates(table: Columns, problems: Problems) -> None:
    distinct = {tuple(tokens) for tokens in table["tokens"]}
    duplicates = len(table["tokens"]) - len(distinct)
    if duplicates:
        message = gettext_noop("%(count)d rows repeat the tokens of another row.")
        repair = gettext_noop(
            "Repeated texts may stand in training and test at once, which makes figures look too good."
        )
        problems.warning(Problem("duplicate_texts", message, repair, {"count": duplicates}), count=duplicates)
