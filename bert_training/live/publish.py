"""Rings the viewers of a run after a commit: a doorbell without data, what has changed they read from the database.

Rings in this process directly and in others through the channel layer, from a thread of its own. Never fails or holds
up the caller: a lost ring costs a viewer POLL_SECONDS (live/feed.py), not correctness.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

Listener = Callable[[], None]

GROUP = "runs"  # every process with viewers listens to it
GATHER_SECONDS = 0.02  # rings within it travel together: one message costs 0.15 ms of processor time
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


def ring(run_id: int) -> None:
    """Tell the viewers of a run that there is something new. To be called after the commit, from synchronous code."""
    with _lock:
        listeners = list(_listeners.get(run_id, ()))
    for listener in listeners:
        listener()
    layer = get_channel_layer()
    # The in-memory layer reaches this process only, which has just been rung.
    if layer is not None and not isinstance(layer, InMemoryChannelLayer):
        far_bell.ring(run_id)


class FarBell:
    """Rings the viewers of other processes: who commits only leaves a note, and many notes become one message.

    Sent by who commits, a ring cost a worker's batch 2.5 ms under a WSGI server, which has no event loop; a message for
    each run cost as much processor time as a claim.
    """

    def __init__(self) -> None:
        self._noted: set[int] = set()
        self._news = threading.Event()
        self._thread: threading.Thread | None = None

    def ring(self, run_id: int) -> None:
        """Leave a note; the thread is started with the first one of this process."""
        with _lock:
            self._noted.add(run_id)
            if self._thread is None or not self._thread.is_alive():  # a fork takes no thread along
                self._thread = threading.Thread(target=self._send_for_ever, name="far-bell", daemon=True)
                self._thread.start()
        self._news.set()

    def _send_for_ever(self) -> None:
        loop = asyncio.new_event_loop()
        while True:
            self._news.wait()
            time.sleep(GATHER_SECONDS)
            self._news.clear()
            with _lock:
                runs, self._noted = self._noted, set()
            layer = get_channel_layer()
            if layer is not None and not layer_health.is_quiet():
                loop.run_until_complete(_send(layer, runs))


async def _send(layer: BaseChannelLayer, runs: set[int]) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await layer.group_send(GROUP, {"type": "runs.changed", "runs": sorted(runs)})
    except (RedisError, OSError, TimeoutError) as error:
        layer_health.note_failure(error)


far_bell = FarBell()


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
