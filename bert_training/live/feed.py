"""Follows a run for any number of viewers: one wake-up and one database read serve all who stand at the same place.

The database is the only truth: rings are hints, and every POLL_SECONDS a feed looks by itself.
"""

import asyncio
import contextlib
import contextvars
import json
import logging
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer
from django.utils import translation
from redis.exceptions import RedisError

from bert_training.live.publish import GROUP, Listener, add_listener, remove_listener
from bert_training.models import Run
from bert_training.services.run_state import RUN_STATE_DEFERRED, RUN_STATE_RELATED, run_state
from bert_training.services.telemetry import PAGE_RECORDS, telemetry_since

logger = logging.getLogger(__name__)

POLL_SECONDS = 5.0
# Rings within this time become one frame: at 400 lines/s a viewer gets 13 frames/s instead of 400.
COALESCE_SECONDS = 0.075


@dataclass(frozen=True)
class Cursor:
    """How far a viewer has read."""

    logs: int = 0
    metrics: int = 0


@dataclass(frozen=True)
class Frame:
    """What came after a cursor, and the state of the run; `next` is where to go on, `run` None = it is gone."""

    logs: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    run: dict[str, Any] | None
    next: Cursor

    @property
    def is_full(self) -> bool:
        """Tell whether more may be waiting."""
        return len(self.logs) >= PAGE_RECORDS or len(self.metrics) >= PAGE_RECORDS

    @cached_property
    def text(self) -> str:
        """The frame as JSON, written once for all viewers who share it."""
        shown = {"logs": self.logs, "metrics": self.metrics, "run": self.run}
        return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def read_frame(run_id: int, cursor: Cursor, language: str) -> Frame:
    """Read records after a cursor and the run's state, its words in the viewer's language."""
    run = Run.objects.select_related(*RUN_STATE_RELATED).defer(*RUN_STATE_DEFERRED).filter(pk=run_id).first()
    if run is None:
        return Frame([], [], None, cursor)
    found = telemetry_since(run_id, logs_after=cursor.logs, metrics_after=cursor.metrics, limit=PAGE_RECORDS)
    with translation.override(language):
        state = run_state(run)
    following = Cursor(
        logs=found.logs[-1]["cursor"] if found.logs else cursor.logs,
        metrics=found.metrics[-1]["cursor"] if found.metrics else cursor.metrics,
    )
    return Frame(found.logs, found.metrics, state, following)


async def follow(
    run_id: int, cursor: Cursor, *, language: str, beat_seconds: float | None = None
) -> AsyncGenerator[Frame]:
    """Yield a frame at once, then one at each ring and at least every POLL_SECONDS, for ever; frames may be empty.

    A run with much to tell comes in frames of at most PAGE_RECORDS of each kind without waiting between them.
    beat_seconds: yield at least this often; between two looks at the database the same frame again, without a query.
    Raises django.db.Error when the database is away.
    """
    async with _joined(run_id) as feed:
        while True:
            version = feed.version
            frame = await feed.read(cursor, language)
            cursor = frame.next
            yield frame
            if not frame.is_full:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(beat_seconds):
                        await feed.wait_for_news(version)


@dataclass
class Feed:
    """The viewers of one run in one event loop. `version` grows with each wake-up."""

    run_id: int
    viewers: int = 0
    version: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)
    _reads: dict[tuple[Cursor, str], asyncio.Task[Frame]] = field(default_factory=dict)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _listener: Listener = lambda: None

    def start(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()

        def ring_here() -> None:
            with contextlib.suppress(RuntimeError):  # the loop ended under its feed: nobody is left to be rung
                loop.call_soon_threadsafe(self._rung.set)

        self._listener = ring_here
        add_listener(self.run_id, ring_here)
        self._tasks = [_detached(self._wake_viewers()), _detached(self._listen_to_layer())]

    def stop(self) -> None:
        """End listening; the last viewer has gone and shall not wait for a layer that may be away."""
        remove_listener(self.run_id, self._listener)
        for task in self._tasks:
            task.cancel()

    async def read(self, cursor: Cursor, language: str) -> Frame:
        """Read after a cursor, sharing the read with viewers who stand there too.

        Only reads begun after the newest wake-up are shared (`_wake` forgets the others): an older one may have begun
        before the commit that rang, and would hide its rows until the next ring.
        """
        key = (cursor, language)
        task = self._reads.get(key)
        if task is None:
            task = self._reads[key] = _detached(database_sync_to_async(read_frame)(self.run_id, cursor, language))
            task.add_done_callback(lambda done: self._keep_or_forget(key, done))
        # A viewer who leaves must not take the read away from the others.
        return await asyncio.shield(task)

    def _keep_or_forget(self, key: tuple[Cursor, str], done: asyncio.Task[Frame]) -> None:
        """Keep only a frame that more viewers will ask for: not a failure, and no page of somebody catching up."""
        is_worth_keeping = not done.cancelled() and done.exception() is None and not done.result().is_full
        if not is_worth_keeping and self._reads.get(key) is done:
            del self._reads[key]

    async def wait_for_news(self, seen_version: int) -> None:
        """Return at the next wake-up, at once when there was one since `seen_version`."""
        while self.version == seen_version:
            await self._news.wait()

    def _wake(self) -> None:
        self.version += 1
        self._reads.clear()
        self._news.set()
        self._news = asyncio.Event()

    async def _wake_viewers(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._rung.wait()
            self._rung.clear()
            self._wake()
            await asyncio.sleep(COALESCE_SECONDS)

    async def _listen_to_layer(self) -> None:
        """Hear rings of other processes; a layer that is away is asked again, until then polling serves."""
        layer = get_channel_layer()
        if layer is None or isinstance(layer, InMemoryChannelLayer):
            return
        while not _is_cancelled():
            try:
                await self._listen(layer)
            except (RedisError, OSError) as error:
                logger.warning("channel layer away", extra={"run": self.run_id, "error": type(error).__name__})
                await asyncio.sleep(POLL_SECONDS)

    async def _listen(self, layer: BaseChannelLayer) -> None:
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        try:
            while not _is_cancelled():
                message = await layer.receive(channel)
                if self.run_id in message["runs"]:
                    self._rung.set()
        finally:
            await layer.group_discard(GROUP, channel)


def _is_cancelled() -> bool:
    """Tell whether this task was told to end, also where the Redis client swallowed it: while it subscribes."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _detached(coroutine: Any) -> asyncio.Task[Any]:
    """Start a task in a context of its own: it outlives the request or socket that was the first to need it."""
    task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(coroutine, context=contextvars.Context())
    return task


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, Feed]] = weakref.WeakKeyDictionary()


@contextlib.asynccontextmanager
async def _joined(run_id: int) -> AsyncIterator[Feed]:
    """Take part in a run's feed; the first viewer starts it, the last one ends it."""
    feeds = _feeds.setdefault(asyncio.get_running_loop(), {})
    feed = feeds.get(run_id)
    if feed is None:
        feed = feeds[run_id] = Feed(run_id)
        feed.start()
    feed.viewers += 1
    try:
        yield feed
    finally:
        feed.viewers -= 1
        if feed.viewers == 0:
            feeds.pop(run_id)
            feed.stop()
