"""Finds texts that only fill a cell: "-", "n/a", "xxx", "teste", "sem texto". As labels the same words are words."""

import re
from collections.abc import Sequence
from functools import partial

from bert_training.contract.wording import gettext_noop
from bert_training.data.cells import BLANK
from bert_training.data.checks import Problems
from bert_training.data.doctor.cell_faults import CellFault
from bert_training.data.table import Cells

LONGEST = 24  # longer texts are not looked at, which makes the search cheap

_AROUND = f"[{re.escape(BLANK)}\\-\u2013\u2014._\u2026,;:!?*/()\\[\\]<>\"'\u201c\u201d\u2018\u2019]*"
_PLACEHOLDER = re.compile(
    rf"{_AROUND}(?:([^\W\d_])\1+|n[/.]?[ad]|null|none|nan|nil|nul[oa]|vazi[oa]|em branco|undefined|indefinido|tbd|"
    r"lorem ipsum|testes?(?: testes?)?|test|testing|(?:a )?preencher|asdf|qwerty|blabla|"
    r"n[aã]o (?:informad[oa]|consta|se aplica|preenchido|disponível|disponivel)|"
    r"sem (?:texto|dados|coment[aá]rios?|conte[uú]do|descri[cç][aã]o|informa[cç](?:[aã]o|[oõ]es)))"
    rf"{_AROUND}"
    # Signs that stand for nothing; a smiley or exclamation marks may well be a text.
    rf"|[{re.escape(BLANK)}\-\u2013\u2014._\u2026*?/]+",
    re.IGNORECASE,
)


def report_placeholders(cells: Cells, column: str, indexes: Sequence[int], problems: Problems) -> None:
    """Note every text that says nothing; its row is kept, since only a person knows. Blank cells shall not be asked."""
    message = gettext_noop("The cell holds a placeholder instead of a text.")
    fault = CellFault("placeholder_text", column, message, gettext_noop("Fill in the text or delete the row."))
    texts = cells.texts[column]
    short = [index for index in indexes if len(texts[index]) <= LONGEST]
    problems.warnings_at([index for index in short if is_placeholder(texts[index])], partial(fault.at, cells))


def is_placeholder(text: str) -> bool:
    """Tell a short text of dots and dashes, of one letter repeated, or of a word for "nothing here"."""
    return _PLACEHOLDER.fullmatch(text) is not None
