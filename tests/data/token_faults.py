"""The faults of a workbook of words and tags, by kind."""

import json
import random
from collections.abc import Callable

from tests.data.planted_book import Book
from tests.data.planting import GARBLED, SHARED, Findings, Planter, in_cell, repeated_text, swapped_columns


def in_lists(code: str, column: str, change: Callable[[list[str], random.Random], str]) -> Planter:
    """Change the list of a cell. change: items, chance -> what the cell holds then."""

    def plant(book: Book, chance: random.Random) -> Findings:
        (row,) = book.pick(chance)
        at = f"{column}{row}"
        book[at] = change(json.loads(book[at]), chance)
        return [(code, at)]

    return plant


def quoted(items: list[str], quotes: str) -> str:
    """Write a list with other quotes; what these quotes would end is taken out of its items."""
    clean = (item.replace(quotes[0], "").replace(quotes[1], "") or "x" for item in items)
    return "[" + ", ".join(f"{quotes[0]}{item}{quotes[1]}" for item in clean) + "]"


def with_item(items: list[str], chance: random.Random, item: object) -> str:
    """Put something else in place of an item."""
    changed: list[object] = list(items)
    changed[chance.randrange(len(changed))] = item
    return json.dumps(changed)


def without_one(items: list[str], chance: random.Random) -> str:
    """Lose an item."""
    lost = chance.randrange(len(items))
    return json.dumps([*items[:lost], *items[lost + 1 :], *(["x", "x"] if len(items) == 1 else [])])


def other_tag(code: str, tag: str) -> Planter:
    """Write a tag in another form."""
    return in_lists(code, "B", lambda tags, chance: with_item(tags, chance, tag))


def stray_inside(tags: list[str], chance: random.Random) -> str:
    """Let an I- tag begin an entity of a type of its own: nothing before it can be continued."""
    del chance
    return json.dumps(["I-PESSOA", *("O" for _ in tags[1:])])


def retagged(code: str, change: Callable[[str], str]) -> Planter:
    """Write all tags of the column in another way."""

    def plant(book: Book, chance: random.Random) -> Findings:
        for row in book.rows:
            row[1] = json.dumps([change(tag) for tag in json.loads(row[1])])
        return [(code, "")]

    return plant


def respelled_type(book: Book, chance: random.Random) -> Findings:
    """Write the type of the entities of three rows in small letters."""
    rows = [row for row in book.free if "B-PESSOA" in book[f"B{row}"]]
    chosen = sorted(chance.sample(rows, 3))
    for row in chosen:
        book[f"B{row}"] = book[f"B{row}"].replace("-PESSOA", "-Pessoa")
    return [("similar_labels", f"B{row}") for row in chosen]


def contradicting_tags(book: Book, chance: random.Random) -> Findings:
    """Copy the words of a row over another and tag them otherwise."""
    first, second = book.pick(chance, 2)
    book[f"A{second}"] = book[f"A{first}"]
    tags = json.loads(book[f"B{first}"])
    book[f"B{second}"] = json.dumps(["B-TEMPO" if tags[0] == "O" else "O", *("O" for _ in tags[1:])])
    return [("conflicting_labels", f"B{row}") for row in (first, second)]


def rare_type(book: Book, chance: random.Random) -> Findings:
    """Mark an entity of a type that no other row has."""
    (row,) = book.pick(chance)
    tags = json.loads(book[f"B{row}"])
    book[f"B{row}"] = json.dumps(["B-RARIDADE", *("O" for _ in tags[1:])])
    return [("rare_entities", f"B{row}")]


def garbled_word(items: list[str], chance: random.Random) -> str:
    """Garble the accents of a word."""
    return json.dumps([*items[:-1], GARBLED], ensure_ascii=False)


def control_in_word(book: Book, chance: random.Random) -> Findings:
    """Write half a surrogate pair into a word."""
    (row,) = book.pick(chance)
    book[f"A{row}"] = book[f"A{row}"].replace('"]', '_xD83D_"]')
    return [("control_characters", f"A{row}")]


TOKEN_FAULTS: dict[str, Planter] = {
    **SHARED,
    "list in curly quotes": in_lists("wrong_quotes", "A", lambda items, _: quoted(items, "\u201c\u201d")),
    "list in single curly quotes": in_lists("wrong_quotes", "B", lambda items, _: quoted(items, "\u2018\u2019")),
    "list as Python writes it": in_lists("wrong_quotes", "B", lambda items, _: repr(items)),
    "words instead of a list": in_lists(
        "not_json", "A", lambda items, _: " ".join(items).strip('[]"0123456789') or "x"
    ),
    "list without an end": in_lists("not_json", "B", lambda items, _: json.dumps(items)[:-1]),
    "list without commas": in_lists("not_json", "B", lambda items, _: str([*items, "O"]).replace("',", "'")),
    "number instead of a list": in_cell("not_a_list", "A", "17"),
    "null instead of a list": in_cell("not_a_list", "B", "null"),
    "object instead of a list": in_cell("not_a_list", "A", '{"tokens": ["a"]}'),
    "null in a list": in_lists("not_strings", "A", lambda items, chance: with_item(items, chance, None)),
    "number in a list": in_lists("not_strings", "A", lambda items, chance: with_item(items, chance, 3)),
    "list in a list": in_lists("not_strings", "B", lambda items, chance: with_item(items, chance, ["O"])),
    "list of 16,000 lists": in_cell("not_strings", "A", "[" * 16_000 + "]" * 16_000),
    "number of 5,000 digits": in_cell("not_json", "A", "9" * 5_000),
    "empty list": in_cell("no_tokens", "A", "[]"),
    "empty word": in_lists("empty_token", "A", lambda items, chance: with_item(items, chance, " \u00a0")),
    "tag lost": in_lists("length_mismatch", "B", without_one),
    "tag too many": in_lists("length_mismatch", "B", lambda items, _: json.dumps([*items, "O"])),
    "tag X": other_tag("bad_tag", "X"),
    "tag B-": other_tag("bad_tag", "B-"),
    "empty tag": other_tag("bad_tag", ""),
    "tag b-PESSOA": other_tag("mendable_tag", "b-PESSOA"),
    "tag B_PESSOA": other_tag("mendable_tag", "B_PESSOA"),
    "tag S-PESSOA": other_tag("mendable_tag", "S-PESSOA"),
    "tag o": other_tag("mendable_tag", "o"),
    "inside without beginning": in_lists("tags_repaired", "B", stray_inside),
    "all tags in small letters": retagged("tags_other_form", str.lower),
    "all tags with an underscore": retagged("tags_other_form", lambda tag: tag.replace("-", "_")),
    "all tags plain names": retagged("tags_plain_names", lambda tag: tag[2:] or tag),
    "all tags parts of speech": retagged("tags_every_word", lambda tag: tag[2:] or "N"),
    "no entity": retagged("no_entities", lambda tag: "O"),
    "type in small letters": respelled_type,
    "type of one row": rare_type,
    "repeated words and tags": repeated_text,
    "same words, other tags": contradicting_tags,
    "garbled accents": in_lists("mojibake", "A", garbled_word),
    "swapped columns": swapped_columns,
    "control character": control_in_word,
}
