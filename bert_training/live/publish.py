"""Rings the viewers of a run after a commit: a doorbell without data, what has changed they read from the database.

Rings in this process directly and in others through the channel layer. Never fails or holds up the caller: a lost
ring costs a viewer POLL_SECONDS (live/feed.py), not correctness.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from asgiref.sync import async_to_sync
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

Listener = Callable[[], None]

SEND_TIMEOUT_SECONDS = 1.0
QUIET_SECONDS = 5.0  # after a failure the layer is left alone this long, so that ingestion does not wait for it

_lock = threading.Lock()
_listeners: dict[int, set[Listener]] = {}


class LayerHealth:
    """Counts rings that the channel layer did not take, and leaves it alone for a while after each."""

    def __init__(self) -> None:
        self.failures = 0
        self._quiet_until = 0.0

    def is_quiet(self) -> bool:
        """Tell whether the layer failed a moment ago."""
        return time.monotonic() < self._quiet_until

    def note_failure(self, error: Exception) -> None:
        """Count a failure; the viewers in other processes find out by themselves."""
        self.failures += 1
        self._quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("channel layer away", extra={"failures": self.failures, "error": type(error).__name__})


layer_health = LayerHealth()


def group_name(run_id: int) -> str:
    """Name the group of a run's viewers."""
    return f"run.{run_id}"


def ring(run_id: int) -> None:
    """Tell the viewers of a run that there is something new. To be called after the commit, from synchronous code."""
    with _lock:
        listeners = list(_listeners.get(run_id, ()))
    for listener in listeners:
        listener()
    layer = get_channel_layer()
    # The in-memory layer reaches this process only, which has just been rung.
    if layer is None or isinstance(layer, InMemoryChannelLayer) or layer_health.is_quiet():
        return
    try:
        async_to_sync(_send)(layer, run_id)
    except (RedisError, OSError, TimeoutError) as error:
        layer_health.note_failure(error)


async def _send(layer: BaseChannelLayer, run_id: int) -> None:
    async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
        await layer.group_send(group_name(run_id), {"type": "run.changed"})


def add_listener(run_id: int, listener: Listener) -> None:
    """Have a function called at each ring in this process, from whichever thread rings."""
    with _lock:
        _listeners.setdefault(run_id, set()).add(listener)


def remove_listener(run_id: int, listener: Listener) -> None:
    """Undo add_listener."""
    with _lock:
        remaining = _listeners.get(run_id, set())
        remaining.discard(listener)
        if not remaining:
            _listeners.pop(run_id, None)
