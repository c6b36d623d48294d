"""Judges the rows of a token classification: two JSON lists of the same length, words and their IOB2 tags."""

import json
from collections import Counter

from bert_training.contract.wording import gettext_noop
from bert_training.data.bio import entity_types, first_bad_tag, repair_tags
from bert_training.data.cells import clean_cell, excerpt, is_blank
from bert_training.data.checks import Problem, Problems
from bert_training.data.repairs import NOTHING, Recipe
from bert_training.data.required import report_blanks
from bert_training.data.split import SMALLEST_STRATUM
from bert_training.data.table import ROW, Cells, Columns

TAG_CHARACTERS = 100
TYPES = 400  # two tags a type and O stay below the 1,000 names that a result may carry


def check_tokens(cells: Cells, problems: Problems, recipe: Recipe = NOTHING) -> Columns:
    """Return the canonical table (row, tokens, tags) of the rows without an error, tags repaired."""
    wrong = report_blanks(cells, "tokens", problems) | report_blanks(cells, "tags", problems)
    table: Columns = {ROW: [], "tokens": [], "tags": []}
    turned_tags: Counter[int] = Counter()
    for index, row in enumerate(cells.rows):
        if index in wrong:
            continue
        tokens = _parse_list(cells, "tokens", index, problems)
        tags = _parse_list(cells, "tags", index, problems)
        if tokens is None or tags is None or not _is_sound_row(cells, index, problems, tokens=tokens, tags=tags):
            continue
        repaired, turned = repair_tags(tags)
        if turned:
            turned_tags[row] = turned
        for name, value in ((ROW, row), ("tokens", tokens), ("tags", repaired)):
            table[name].append(value)
    _warn_repaired(turned_tags, problems)
    _judge_entities(table, problems)
    _warn_duplicates(table, problems)
    return table


def _parse_list(cells: Cells, column: str, index: int, problems: Problems) -> list[str] | None:
    """Read a JSON list of texts from a cell; what is wrong with it becomes an error and None."""
    raw = cells.texts[column][index]
    message, repair = "", ""
    values: dict[str, str | int] = {}
    try:
        parsed = json.loads(raw)
    except RecursionError:
        code, message = "not_strings", gettext_noop("The list holds lists inside lists.")
    except ValueError as error:
        code, message = "not_json", gettext_noop("The cell is no JSON list (%(detail)s).")
        values = {"detail": excerpt(str(error))}
        repair = _quoting_hint(raw)
    else:
        if not isinstance(parsed, list):
            code, message = "not_a_list", gettext_noop("The cell holds a single value instead of a list.")
            repair = gettext_noop('Write it as ["first", "second"].')
        elif not all(isinstance(item, str) for item in parsed):
            position = next(place for place, item in enumerate(parsed, start=1) if not isinstance(item, str))
            code, message = "not_strings", gettext_noop("Item %(position)d of the list is no text.")
            values = {"position": position}
            repair = gettext_noop("Put every item between double quotes.")
        else:
            return [clean_cell(item) for item in parsed] if "\\u" in raw else parsed
    problems.error(cells.problem(code, message, column=column, index=index, repair=repair, values=values))
    return None


def _quoting_hint(raw: str) -> str:
    if raw.lstrip().startswith(("['", "[\u201c", "[\u2018", "('", "[\u201d")):
        return gettext_noop('JSON wants straight double quotes: ["first", "second"].')
    return gettext_noop('Write the cell as ["first", "second"].')


def _is_sound_row(cells: Cells, index: int, problems: Problems, *, tokens: list[str], tags: list[str]) -> bool:
    """Compare the two lists of a row; notes the first thing that is wrong."""
    values: dict[str, str | int] = {}
    column, repair = "tokens", ""
    if not tokens or not tags:
        code, message = "no_tokens", gettext_noop("The list is empty.")
        column = "tags" if tokens else "tokens"
        repair = gettext_noop("Fill it in or delete the row.")
    elif len(tokens) != len(tags):
        code, message = "length_mismatch", gettext_noop("%(tokens)d tokens, but %(tags)d tags.")
        values = {"tokens": len(tokens), "tags": len(tags)}
        column, repair = "tags", gettext_noop("Give every token exactly one tag.")
    elif any(is_blank(token) for token in tokens):
        code, message = "empty_token", gettext_noop("Token %(position)d is empty.")
        values = {"position": next(place for place, token in enumerate(tokens, start=1) if is_blank(token))}
        repair = gettext_noop("Delete the token and its tag.")
    elif (bad := first_bad_tag(tags)) is not None or max(map(len, tags)) > TAG_CHARACTERS:
        position = bad if bad is not None else max(range(len(tags)), key=lambda place: len(tags[place]))
        code, message = "bad_tag", gettext_noop("Tag %(position)d is %(tag)s, which is not O, B-TYPE or I-TYPE.")
        values = {"position": position + 1, "tag": excerpt(tags[position], 40)}
        column, repair = "tags", gettext_noop("Tags are O outside, B-TYPE where an entity begins, I-TYPE inside it.")
    else:
        return True
    problems.error(cells.problem(code, message, column=column, index=index, repair=repair, values=values))
    return False


def _warn_repaired(turned_tags: Counter[int], problems: Problems) -> None:
    if turned_tags:
        message = gettext_noop("%(count)d tags I- continued no entity (first in row %(first)d); they were read as B-.")
        repair = gettext_noop("Nothing to do if that is what was meant.")
        count = turned_tags.total()
        values: dict[str, str | int] = {"count": count, "first": min(turned_tags)}
        problems.warning(Problem("tags_repaired", message, repair, values), count=count)


def _judge_entities(table: Columns, problems: Problems) -> None:
    """Refuse a table without enough rows or entities; warn of types too rare for all three splits."""
    rows = len(table[ROW])
    if rows == 0:
        return  # every row has its own error already
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
