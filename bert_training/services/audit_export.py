"""Writes the audit to take home, as CSV or as a JSON object a line, newest first, a page of the table at a time.

Whoever takes it is noted in it before the first line.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from typing import Any

from django.db.models import QuerySet

from bert_training.contract.enums import AuditKind
from bert_training.models import AuditEvent
from bert_training.services.audit import record
from bert_training.services.csv_form import Value, reader_form
from bert_training.services.telemetry import iso_utc

ROWS_AT_ONCE = 1000
COLUMNS = (
    "id",
    "at",
    "kind",
    "actor_id",
    "actor_name",
    "worker_id",
    "worker_name",
    "token_prefix",
    "target_kind",
    "target_id",
    "facts",
    "request_id",
    "address",
)


class ExportForm(StrEnum):
    """How the audit is written; the values end the names of the files."""

    CSV = "csv"
    JSON_LINES = "jsonl"


def export_audit(events: QuerySet[AuditEvent], form: ExportForm, *, filters: Sequence[str]) -> Iterator[str]:
    """Note that the audit is taken out, and return it in pieces. events: in any order; filters: names of those set."""
    record(AuditKind.EXPORTED, what="audit", form=form, filters=filters)
    if form is ExportForm.JSON_LINES:
        return _pieces(events, _json_lines)
    csv_form = reader_form()  # now: when the pieces are asked for, the reader's language may be gone
    head = csv_form.mark.decode() + csv_form.lines([COLUMNS])
    return chain([head], _pieces(events, lambda rows: csv_form.lines(map(_csv_row, rows))))


def _pieces(events: QuerySet[AuditEvent], write: Callable[[list[dict[str, Any]]], str]) -> Iterator[str]:
    newest_first = events.order_by("-pk").values(*COLUMNS)
    page = list(newest_first[:ROWS_AT_ONCE])
    while page:
        yield write(page)
        page = list(newest_first.filter(pk__lt=page[-1]["id"])[:ROWS_AT_ONCE])


def _json_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps({**row, "at": iso_utc(row["at"])}, ensure_ascii=False) + "\n" for row in rows)


def _csv_row(row: dict[str, Any]) -> list[Value]:
    return [*{**row, "at": iso_utc(row["at"]), "facts": json.dumps(row["facts"], ensure_ascii=False)}.values()]
