"""Plants one fault of every kind at a random place of a clean workbook, and says where it must be found.

A planter changes the book and returns the findings that must follow: (code, cell), the cell "" where a whole column or
file is meant.
"""

import random
from collections.abc import Callable

from tests.data.planted_book import Book

Findings = list[tuple[str, str]]
Planter = Callable[[Book, random.Random], Findings]

A_LONG_TIME_AGO = 43_000  # a date as Excel keeps it: 2017-09-22
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


def repeated_text(book: Book, chance: random.Random) -> Findings:
    """Copy a row over another."""
    first, second = book.pick(chance, 2)
    book[f"A{second}"], book[f"B{second}"] = book[f"A{first}"], book[f"B{first}"]
    return [("duplicate_texts", f"A{second}")]


def swapped_columns(book: Book, chance: random.Random) -> Findings:
    """Write texts into the column of labels and labels into that of texts."""
    book.rows = [[label, text] for text, label in book.rows]
    return [("swapped_columns", "")]


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
