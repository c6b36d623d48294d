"""Plants one fault of every kind at a random place of a clean workbook, and says where it must be found.

A planter changes the book and returns the findings that must follow: (code, cell), the cell "" where a whole column or
file is meant.
"""

import json
import random
from collections.abc import Callable

from tests.data.planted_book import Book

Findings = list[tuple[str, str]]
Planter = Callable[[Book, random.Random], Findings]

A_LONG_TIME_AGO = 43_000  # a date as Excel keeps it: 2017-09-22
PLACEHOLDERS = ("-", "n/a", "xxx", "teste", "...", "sem texto", "null", "N/A", "?")
GARBLED = "situação não é “boa”".encode().decode("cp1252", "ignore")


def in_cell(code: str, column: str, value: str) -> Planter:
    """Plant a value that is a fault wherever it stands."""

    def plant(book: Book, chance: random.Random) -> Findings:
        (row,) = book.pick(chance)
        book[f"{column}{row}"] = value
        return [(code, f"{column}{row}")]

    return plant


def drawn(code: str, column: str, xml: str) -> Planter:
    """Plant a cell that is no text: a formula, an error, a number."""

    def plant(book: Book, chance: random.Random) -> Findings:
        (row,) = book.pick(chance)
        book.drawn[f"{column}{row}"] = xml.format(at=f"{column}{row}")
        return [(code, f"{column}{row}")]

    return plant


FORMULA = '<c r="{at}"><f>CONCAT(C1,D1)</f></c>'
ERROR = '<c r="{at}" t="e"><v>#REF!</v></c>'
ERROR_OF_FORMULA = '<c r="{at}" t="e"><f>C1/0</f><v>#DIV/0!</v></c>'
NUMBER = '<c r="{at}"><v>1234.5</v></c>'
DATE = f'<c r="{{at}}" s="1"><v>{A_LONG_TIME_AGO}</v></c>'
TRUTH = '<c r="{at}" t="b"><v>1</v></c>'


def merged(column: str) -> Planter:
    """Merge a cell with the one below it, which thereby loses its value."""

    def plant(book: Book, chance: random.Random) -> Findings:
        pairs = sorted(set(book.free) & {row - 1 for row in book.free})
        row = chance.choice(pairs)
        book[f"{column}{row + 1}"] = ""
        book.merged.append(f"{column}{row}:{column}{row + 1}")
        return [("merged_cells", f"{column}{row + 1}")]

    return plant


def hidden_row(book: Book, chance: random.Random) -> Findings:
    """Hide a row."""
    (row,) = book.pick(chance)
    book.hidden_rows.add(row)
    return [("hidden_row", f"A{row}")]


def hidden_column(book: Book, chance: random.Random) -> Findings:
    """Hide one of the two columns."""
    book.hidden_columns.add(chance.choice((1, 2)))
    return [("hidden_column", "")]


def placeholder(book: Book, chance: random.Random) -> Findings:
    """Write something in place of a text."""
    (row,) = book.pick(chance)
    book[f"A{row}"] = chance.choice(PLACEHOLDERS)
    return [("placeholder_text", f"A{row}")]


def garbled_text(book: Book, chance: random.Random) -> Findings:
    """Read a few words of a text as Windows-1252 that were UTF-8."""
    (row,) = book.pick(chance)
    words = book[f"A{row}"].split(" ")
    words.insert(chance.randrange(len(words) + 1), GARBLED)
    book[f"A{row}"] = " ".join(words)
    return [("mojibake", f"A{row}")]


def control_character(book: Book, chance: random.Random) -> Findings:
    """Write half a surrogate pair, which .xlsx escapes."""
    (row,) = book.pick(chance)
    book[f"A{row}"] += chance.choice(("_xD83D_", "_xDE00_"))
    return [("control_characters", f"A{row}")]


def renamed_column(book: Book, chance: random.Random) -> Findings:
    """Give a column a name that nobody would guess."""
    book.header[chance.randrange(2)] = "coluna qualquer"
    return [("missing_column", "")]


def title_above(book: Book, chance: random.Random) -> Findings:
    """Put a title above the header."""
    book.title = [["Relatório", ""]] * chance.randrange(1, 4)
    return [("missing_column", "")]


def column_twice(book: Book, chance: random.Random) -> Findings:
    """Add a column of the same name."""
    book.header.append(book.header[chance.randrange(2)])
    book.rows = [[*row, "x"] for row in book.rows]
    return [("duplicate_column", "")]


def no_rows(book: Book, chance: random.Random) -> Findings:
    """Leave only the header."""
    book.rows = []
    return [("no_rows", "")]


SHARED: dict[str, Planter] = {
    "empty text": in_cell("empty_cell", "A", ""),
    "empty answer": in_cell("empty_cell", "B", ""),
    "text of spaces": in_cell("empty_cell", "A", "  \n "),
    "answer of invisible characters": in_cell("empty_cell", "B", "\u00a0\u200b"),
    "text from a formula without value": drawn("formula_without_value", "A", FORMULA),
    "answer from a formula without value": drawn("formula_without_value", "B", FORMULA),
    "error in a text": drawn("error_cell", "A", ERROR),
    "error of a formula in an answer": drawn("error_cell", "B", ERROR_OF_FORMULA),
    "error as mere text": in_cell("error_cell", "A", "#N/D"),
    "merged texts": merged("A"),
    "merged answers": merged("B"),
    "hidden row": hidden_row,
    "hidden column": hidden_column,
    "control character": control_character,
    "cell too long": in_cell("cell_too_long", "A", "a b" * 11_000),
    "column of another name": renamed_column,
    "title above the header": title_above,
    "column twice": column_twice,
    "no rows": no_rows,
}


# --- texts and labels


def repeated_text(book: Book, chance: random.Random) -> Findings:
    """Copy a row over another."""
    first, second = book.pick(chance, 2)
    book[f"A{second}"], book[f"B{second}"] = book[f"A{first}"], book[f"B{first}"]
    return [("duplicate_texts", f"A{second}")]


def contradiction(book: Book, chance: random.Random) -> Findings:
    """Copy a text over that of a row with another answer."""
    (first,) = book.pick(chance)
    second = chance.choice([row for row in book.free if book[f"B{row}"] != book[f"B{first}"]])
    book[f"A{second}"] = book[f"A{first}"]
    return [("conflicting_labels", f"B{row}") for row in sorted((first, second))]


def respelled(change: Callable[[str], str]) -> Planter:
    """Write the label of three rows of a class in another way."""

    def plant(book: Book, chance: random.Random) -> Findings:
        label = chance.choice(
            sorted({book[f"B{row}"] for row in book.free if change(book[f"B{row}"]) != book[f"B{row}"]})
        )
        rows = sorted(chance.sample([row for row in book.free if book[f"B{row}"] == label], 3))
        for row in rows:
            book[f"B{row}"] = change(label)
        return [("similar_labels", f"B{row}") for row in rows]

    return plant


def with_accent(label: str) -> str:
    """Put an accent on the last vowel, composed of two characters."""
    at = max(label.rfind(vowel) for vowel in "aeiouAEIOU")
    return label[: at + 1] + "\u0301" + label[at + 1 :] if at >= 0 else label


def decomposed_label(book: Book, chance: random.Random) -> Findings:
    """Give a class an accent, and write it as two characters in three rows."""
    label = chance.choice(sorted({book[f"B{row}"] for row in book.free}))
    for row in book.rows:
        row[1] = f"{label} única" if row[1] == label else row[1]
    rows = sorted(chance.sample([row for row in book.free if book[f"B{row}"].endswith(" única")], 3))
    for number in rows:
        book[f"B{number}"] = f"{label} u\u0301nica"
    return [("similar_labels", f"B{number}") for number in rows]


def rare_class(rows: int) -> Planter:
    """Invent a class of too few rows."""

    def plant(book: Book, chance: random.Random) -> Findings:
        chosen = book.pick(chance, rows)
        for row in chosen:
            book[f"B{row}"] = "assunto que ninguém mais tem"
        return [("class_too_small", f"B{row}") for row in chosen]

    return plant


def one_class(book: Book, chance: random.Random) -> Findings:
    """Give every row the same label."""
    for row in book.rows:
        row[1] = "único"
    return [("one_class", "")]


def all_labels_distinct(book: Book, chance: random.Random) -> Findings:
    """Number the rows in the label column."""
    for number, row in enumerate(book.rows):
        row[1] = f"pedido {number}"
    return [("too_many_classes", "")]


def swapped_columns(book: Book, chance: random.Random) -> Findings:
    """Write texts into the column of labels and labels into that of texts."""
    book.rows = [[label, text] for text, label in book.rows]
    return [("swapped_columns", "")]


def turned_label(book: Book, chance: random.Random) -> Findings:
    """Write the label of three rows as a number."""
    rows = book.pick(chance, 3)
    for row in rows:
        book.drawn[f"B{row}"] = f'<c r="B{row}"><v>7</v></c>'
    return [("turned_into_text", f"B{rows[0]}")]


TEXT_FAULTS: dict[str, Planter] = {
    **SHARED,
    "placeholder": placeholder,
    "garbled accents": garbled_text,
    "number as a text": drawn("turned_into_text", "A", NUMBER),
    "date as a text": drawn("turned_into_text", "A", DATE),
    "true as a text": drawn("turned_into_text", "A", TRUTH),
    "numbers as labels": turned_label,
    "repeated text": repeated_text,
    "contradiction": contradiction,
    "label in capitals": respelled(str.upper),
    "label with a space behind": respelled(lambda label: label + " "),
    "label with two spaces, one that does not break": respelled(lambda label: "\u00a0 " + label),
    "label with another accent": respelled(with_accent),
    "label with an invisible character": respelled(lambda label: label[:2] + "\u200b" + label[2:]),
    "label in another Unicode form": decomposed_label,
    "class of one row": rare_class(1),
    "class of two rows": rare_class(2),
    "label too long": in_cell("label_too_long", "B", "r" * 501),
    "one class": one_class,
    "all labels distinct": all_labels_distinct,
    "swapped columns": swapped_columns,
}


# --- tokens and tags


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
