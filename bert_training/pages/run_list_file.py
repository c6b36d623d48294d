"""The list of runs as a file for the reader's spreadsheet program: every column, whichever the page shows."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from bert_training.models import Run
from bert_training.services.csv_form import Value, reader_form
from bert_training.services.frequent_events import record_list_export

# About 2 s of work and 2 MB; who needs more narrows the list down.
LISTED_IN_FILE = 10_000


def write_list(runs: Sequence[Run]) -> HttpResponse:
    """Return the file of runs that were made ready for a list."""
    record_list_export("runs", rows=len(runs))
    heads = (
        _("Number"),
        _("Run"),
        _("Status"),
        _("Deciding figure"),
        _("Test result"),
        _("Verdict"),
        _("Data"),
        _("Base model"),
        _("Task"),
        _("Tags"),
        _("Notes"),
        _("Owner"),
        _("Created"),
        _("Duration in seconds"),
        _("In the archive since"),
    )
    content = reader_form().file([heads, *map(_row, runs)])
    name = _("Runs") + ".csv"
    headers = {
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "",
        "Cache-Control": "no-store",
    }
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def _row(run: Run) -> tuple[Value, ...]:
    facts: Any = run
    return (
        run.pk,
        run.name,
        str(run.get_status_display()),
        facts.headline.label if facts.headline else "",
        run.headline_value,
        str(facts.verdict_label),
        run.dataset.name,
        run.base_model,
        str(run.get_task_display()),
        ", ".join(tag.name for tag in run.tags.all()),
        run.notes,
        run.owner.get_username(),
        _moment(run.created_at),
        run.duration_seconds or None,
        _moment(run.archived_at) if run.archived_at else "",
    )


def _moment(moment: Any) -> str:
    """Write a time as spreadsheet programs know it in every language."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"
