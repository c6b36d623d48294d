"""Writes a run's log as server-sent events, over the same feed as the websocket."""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from django.db import Error as DatabaseAway

from bert_training.live import viewers
from bert_training.live.feed import Cursor, follow
from bert_training.live.viewers import Permission, Viewer

logger = logging.getLogger(__name__)

NO_METRICS = 2**62  # a cursor behind all points: a log stream does not read them
HEARTBEAT = ": still here\n\n"  # a comment; keeps proxies from closing a quiet connection


def read_event_id(text: str) -> int:
    """Return the cursor in Last-Event-ID; garbage begins at the start."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


async def log_events(run_id: int, *, after: int, viewer: Viewer, language: str) -> AsyncIterator[str]:
    """Yield `log` events (id = cursor) as lines arrive, comments in quiet times, and `end` when the run has ended.

    Ends without `end` when the viewer may no longer watch or the run is gone.
    """
    permission = Permission(viewer, run_id)
    try:
        # aclosing: a reader who leaves shall leave the feed at once, not when the garbage is collected.
        start = Cursor(logs=after, metrics=NO_METRICS)
        async with aclosing(follow(run_id, start, language=language, beat_seconds=viewers.RECHECK_SECONDS)) as frames:
            async for frame in frames:
                if frame.run is None or not await permission.holds():
                    return
                yield "".join(map(_log_event, frame.logs)) or HEARTBEAT
                if frame.run["finished"] and not frame.is_full:
                    yield _event("end", {"status": frame.run["status"]})
                    return
    except DatabaseAway as error:
        # The reader comes back by itself with its Last-Event-ID.
        logger.warning("event stream ended", extra={"run": run_id, "error": type(error).__name__})


def _log_event(line: dict[str, Any]) -> str:
    return f"id: {line['cursor']}\n{_event('log', line)}"


def _event(name: str, data: dict[str, Any]) -> str:
    # JSON escapes newlines, so data is one line and cannot forge another event.
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
