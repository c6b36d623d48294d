"""The part of a report that quotes rows, the surest wrong answers: only for who may see texts and asked for them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from bert_training.data.figures.shapes import Entity
from bert_training.data.listing.label_list import LabelList, Order
from bert_training.models import Run
from bert_training.services.answers.answer_words import FATE_LABELS, plain_text
from bert_training.services.answers.row_lists import Asked, RowList, find_rows
from bert_training.services.doubting.doubted_labels import label_text
from bert_training.services.profile_words import row_names
from bert_training.services.proving.figure_words import share_text
from bert_training.services.reporting.blocks import Block, Grid, Paragraph, Section
from bert_training.services.stored_files import read_some_rows
from bert_training.tasks import TASKS

SHOWN = 10
CHARACTERS = 400  # of a text; the rest is in the spreadsheet
WORDS_OF_A_ROW = 5  # its columns: none holds numbers to compare


def examples_section(run: Run) -> Section:
    """Quote the surest wrong answers on test; raises ServiceError not_found, DatasetGone, StorageAway."""
    found = find_rows(run, Asked(order=Order.SURE))
    places = found.places[:SHOWN]
    texts = _texts(run, found.numbers(places))
    lines = list(_label_lines(found, places) if isinstance(found.answers, LabelList) else _lines(found, places))
    heads = [_("Row"), _("In the spreadsheet"), _("Answer of the model"), _("Probability"), _("Text")]
    rows = [[row_names([row]), *line, texts.get(row, "")] for row, line in lines]
    blocks: list[Block] = [Grid(heads, rows, words=WORDS_OF_A_ROW)]
    note = _("These texts are from the data: whoever gets this report reads them.")
    nothing: list[Block] = [Paragraph(_("No test row was answered wrong."))]
    return Section(_("Examples of errors, the surest first"), [Paragraph(note), *blocks] if rows else nothing)


def _texts(run: Run, rows: Sequence[int]) -> Mapping[int, str]:
    name = TASKS[run.task].columns[0].name
    return {row: _cut(values[name]) for row, values in read_some_rows(run.dataset, set(rows)).items()}


def _cut(value: Any) -> str:
    text = " ".join(plain_text(value).split())
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]} …"


def _label_lines(found: RowList, places: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    for row in found.labels(places):
        yield row.row, [row.given, row.answered, share_text(row.certainty)]


def _lines(found: RowList, places: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    """Yield one line an error of each sentence."""
    for sentence in found.sentences(places):
        for error in sentence.errors:
            answered = f"{_kind(error.predicted)} ({FATE_LABELS[error.fate]})"
            yield sentence.row, [_kind(error.gold), answered, share_text(error.score)]


def _kind(entity: Entity | None) -> str:
    return label_text(entity[0] if entity else "")
