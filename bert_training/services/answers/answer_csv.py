"""The rows that somebody found, as a file for their spreadsheet program: all of them, in the order of the spreadsheet.

Written piece by piece: the texts of 100,000 rows are never in memory together.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from bert_training.contract.enums import Split
from bert_training.data.figures.shapes import Entity
from bert_training.data.listing.label_list import LabelList
from bert_training.data.parquet import read_rows
from bert_training.models import Run
from bert_training.models.choices import SPLIT_LABELS
from bert_training.services.answers.answer_words import FATE_LABELS, plain_text
from bert_training.services.answers.row_lists import LabelRow, RowList, SentenceRow
from bert_training.services.csv_form import Value, reader_form
from bert_training.services.doubting.doubted_labels import label_text
from bert_training.services.frequent_events import record_export
from bert_training.services.profile_words import row_names
from bert_training.services.stored_files import stored_copy
from bert_training.tasks import TASKS

AT_ONCE = 8_192

Texts = Mapping[int, str]
Line = list[Value]


def open_rows_csv(run: Run, split: Split, found: RowList, *, has_texts: bool) -> IO[bytes]:
    """Write the rows into a file that goes when it is closed. has_texts: who asks may see them, and they are there.

    Raises DatasetGone, StorageAway.
    """
    form = reader_form()
    file = tempfile.TemporaryFile(prefix="bert-csv-")  # noqa: SIM115 - the caller closes it
    file.write(form.mark)
    file.write(form.lines([_head(found, has_texts=has_texts)]).encode())
    with _table_of(run, has_texts=has_texts) as table:
        for places in _pieces(found):
            texts = _texts(run, table, found.numbers(places))
            lines = [[*line, texts.get(row, "")] if has_texts else line for row, line in _lines(found, places, split)]
            file.write(form.lines(lines).encode())
    record_export(run, what="rows", split=split.value, texts=has_texts)
    file.seek(0)
    return file


def _head(found: RowList, *, has_texts: bool) -> list[str]:
    own = [_("Text")] if has_texts else []
    if isinstance(found.answers, LabelList):
        answer = [_("In the spreadsheet"), _("Answer of the model"), _("Right"), _("Probability")]
    else:
        answer = [_("What became of it"), _("In the spreadsheet"), _("Words"), _("Answer of the model"), _("Words")]
        answer.append(_("Probability"))
    return [_("Row"), _("Split"), *answer, *own]


def _table_of(run: Run, *, has_texts: bool) -> AbstractContextManager[Path | None]:
    return stored_copy(run.dataset.table_key, run.dataset.table_sha256) if has_texts else nullcontext()


def _pieces(found: RowList) -> Iterator[list[int]]:
    """Yield places in the order of the spreadsheet, so that each piece of the table is read about once."""
    ordered = [place for _row, place in sorted(zip(found.numbers(found.places), found.places, strict=True))]
    for start in range(0, len(ordered), AT_ONCE):
        yield ordered[start : start + AT_ONCE]


def _texts(run: Run, table: Path | None, rows: Sequence[int]) -> Texts:
    if table is None:
        return {}
    name = TASKS[run.task].columns[0].name
    return {row: plain_text(values[name]) for row, values in read_rows(table, frozenset(rows), [name]).items()}


def _lines(found: RowList, places: Sequence[int], split: Split) -> Iterator[tuple[int, Line]]:
    """Yield the number of a row and its line: one a row, of sentences one an entity."""
    label = str(SPLIT_LABELS[split])
    if isinstance(found.answers, LabelList):
        for row in found.labels(places):
            yield row.row, [row_names([row.row]), label, *_label_line(row)]
        return
    for sentence in found.sentences(places):
        for line in _entity_lines(sentence):
            yield sentence.row, [row_names([sentence.row]), label, *line]


def _label_line(row: LabelRow) -> Line:
    certainty = None if row.certainty is None else round(row.certainty, 4)
    return [row.given, row.answered, _("yes") if row.is_right else _("no"), certainty]


def _entity_lines(sentence: SentenceRow) -> Iterator[Line]:
    if not sentence.entities:
        yield ["", label_text(""), "", label_text(""), "", None]
    for each in sentence.entities:
        score = None if each.score is None else round(each.score, 4)
        yield [str(FATE_LABELS[each.fate]), *_side(each.gold), *_side(each.predicted), score]


def _side(entity: Entity | None) -> tuple[str, str]:
    """Name an entity and its words, counted from 1."""
    if entity is None:
        return label_text(""), ""
    kind, start, end = entity
    return kind, str(start + 1) if end - start == 1 else _("%(first)s to %(last)s") % {"first": start + 1, "last": end}
