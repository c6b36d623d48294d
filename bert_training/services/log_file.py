"""The whole log of a run as text, a page of the table at a time: one line a record, oldest first."""

import re
from collections.abc import Iterator

from bert_training.models import Run
from bert_training.services.frequent_events import record_export
from bert_training.services.telemetry import logs_since

LINES_AT_ONCE = 2_000  # of up to 16 KiB: a log of 256 MiB is never in memory whole
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")  # what clean_line leaves of terminal output


def run_log(run: Run) -> Iterator[str]:
    """Note that the log is taken out, and return it in pieces: "time - attempt - level - message", times in UTC."""
    record_export(run, what="log")
    return _pieces(run.pk)


def _pieces(run_id: int) -> Iterator[str]:
    after = 0
    while lines := logs_since(run_id, after=after, limit=LINES_AT_ONCE):
        yield "".join(
            f"{line['ts']} - {line['attempt']} - {line['level']} - {_COLOURS.sub('', line['message'])}\n"
            for line in lines
        )
        after = lines[-1]["cursor"]
