"""Log records as one JSON object a line, each with the id of the request that caused it, none with a token."""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from bert_training.contract.tokens import hide_tokens

_request_id: ContextVar[str] = ContextVar("request_id", default="")

# What every LogRecord has; everything else came in through `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# Whoever has such an address may take an account: Django logs the address of a request that failed.
_ONE_TIME_LINK = re.compile(r"(/invitation/|/password-reset/[\w-]+/)[\w-]+")


def current_request_id() -> str:
    """Return the id of the request being answered, empty outside of one."""
    return _request_id.get()


def set_request_id(request_id: str) -> None:
    """Remember the id for this request's context (thread or async task)."""
    _request_id.set(request_id)


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, request id and the extras; newlines inside stay inside the string."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current_request_id():
            entry["request_id"] = current_request_id()
        entry |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        entry.pop("request", None)  # django.request attaches the whole request object
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        written = json.dumps(entry, ensure_ascii=False, default=str)
        return hide_tokens(_ONE_TIME_LINK.sub(r"\1...", written))
