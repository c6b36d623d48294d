"""What the supervisor prints: time, level, message. A token never gets through, wherever it comes from."""

import logging
import sys

from bert_training.contract.tokens import hide_tokens


class HidingFormatter(logging.Formatter):
    """Formats a record, its traceback too, without tokens."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the whole text of a record."""
        return hide_tokens(super().format(record))


def set_up_console(*, debug: bool) -> None:
    """Send this process's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HidingFormatter("%(asctime)s %(levelname)-7s %(message)s"))
    ours = logging.getLogger("bert_training.worker")
    ours.handlers = [handler]
    ours.propagate = False
    ours.setLevel(logging.DEBUG if debug else logging.INFO)
