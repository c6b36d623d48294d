"""What the supervisor prints: time, level, message. A token never gets through, wherever it comes from."""

import logging
import re
import sys

_TOKEN = re.compile(r"(bert[wu]_[0-9A-Za-z]{8})[0-9A-Za-z]+")


def hide_tokens(text: str) -> str:
    """Replace every token in a text by its first characters."""
    return _TOKEN.sub(r"\1[hidden]", text)


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
