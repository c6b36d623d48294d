"""The faults of a workbook of texts and labels, by kind."""

import random
from collections.abc import Callable

from tests.data.planted_book import Book
from tests.data.planting import (
    DATE,
    GARBLED,
    NUMBER,
    SHARED,
    TRUTH,
    Findings,
    Planter,
    drawn,
    in_cell,
    repeated_text,
    swapped_columns,
)

PLACEHOLDERS = ("-", "n/a", "xxx", "teste", "...", "sem texto", "null", "N/A", "?")


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


def garbled_labels(book: Book, chance: random.Random) -> Findings:
    """Garble the accents in the label of three rows."""
    rows = book.pick(chance, 3)
    for row in rows:
        book[f"B{row}"] = GARBLED
    return [("mojibake", f"B{row}") for row in rows]


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
    "garbled labels": garbled_labels,
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
