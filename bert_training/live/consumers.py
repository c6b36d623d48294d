"""The websocket of a run's page: the client says once how far it has read, then gets frames until it leaves.

Close codes: 4400 a message that is not understood, 4401 not signed in, 4404 not visible, 4429 too many sockets,
1013 the database is away, 1011 our own fault.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from types import SimpleNamespace
from typing import Annotated, Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseAway
from django.utils import translation
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bert_training.contract.enums import AuditKind
from bert_training.live.feed import Cursor, Frame, follow
from bert_training.live.viewers import Viewer, find_person, is_visible
from bert_training.models import Run
from bert_training.services.frequent_events import record_refusal
from bert_training.services.origin import Caller, Origin, calling_from

logger = logging.getLogger(__name__)

BAD_MESSAGE = 4400
NOT_SIGNED_IN = 4401
NOT_VISIBLE = 4404
TOO_MANY = 4429
TRY_AGAIN = 1013  # the database is away
OUR_FAULT = 1011

MESSAGE_BYTES = 4096
SOCKETS_PER_USER = 20
RECHECK_SECONDS = 4.0  # a permission that was withdrawn ends the view within 5 s

Position = Annotated[int, Field(ge=0, le=2**62)]

_open_sockets: Counter[int] = Counter()  # by user, in this process


class Positions(BaseModel):
    """How far the page has read."""

    model_config = ConfigDict(strict=True, extra="forbid")

    logs: Position
    metrics: Position


class Greeting(BaseModel):
    """The one message that a client may send."""

    model_config = ConfigDict(strict=True, extra="forbid")

    after: Positions


class RunConsumer(AsyncWebsocketConsumer):
    """One open run page."""

    # None is called so: the feed hears the channel layer for all pages of a run. Otherwise each page would subscribe
    # by itself, and none could be opened while Redis is away.
    channel_layer_alias = ""

    viewer: Viewer | None = None
    run_id: int
    frames: asyncio.Task[None] | None = None
    guard: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept first: only an accepted socket can tell its page by a code why it is closed."""
        await self.accept()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.run_id = self.scope["url_route"]["kwargs"]["run_id"]
        viewer = Viewer(user_id=user.pk, session_key=self.scope["session"].session_key)
        refusal = await database_sync_to_async(_refusal_at_the_door)(viewer, self.run_id)
        if refusal is None and _open_sockets[viewer.user_id] >= SOCKETS_PER_USER:
            refusal = TOO_MANY
        if refusal is not None:
            await self.close(refusal)
            return
        self.viewer = viewer
        _open_sockets[viewer.user_id] += 1
        self.guard = asyncio.create_task(self._watch_permission(viewer))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take the greeting and begin to send; anything else, and anything after it, closes the socket."""
        if self.viewer is None:
            return  # being closed
        try:
            greeting = _read_greeting(text_data)
        except ValueError:
            greeting = None
        if greeting is None or self.frames is not None:
            await self.close(BAD_MESSAGE)
            return
        cursor = Cursor(logs=greeting.after.logs, metrics=greeting.after.metrics)
        self.frames = asyncio.create_task(self._send_frames(cursor))

    async def disconnect(self, code: int) -> None:
        """Stop both tasks."""
        if self.viewer is not None:
            _open_sockets[self.viewer.user_id] -= 1
            if not _open_sockets[self.viewer.user_id]:
                del _open_sockets[self.viewer.user_id]
        tasks = [task for task in (self.frames, self.guard) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_frames(self, cursor: Cursor) -> None:
        try:
            async with aclosing(follow(self.run_id, cursor, language=_language_of(self.scope))) as frames:
                await self._send_each(frames)
        except DatabaseAway as error:
            # The page comes back by itself, to a portal that may have its database again.
            logger.warning("live view ended", extra={"run": self.run_id, "error": type(error).__name__})
            await self.close(TRY_AGAIN)
        except Exception:
            # A page whose frames end in silence would trust its open socket; closed, it comes back by itself.
            logger.exception("live view ended", extra={"run": self.run_id})
            await self.close(OUR_FAULT)

    async def _send_each(self, frames: AsyncIterator[Frame]) -> None:
        """Send what is new; when the run has been deleted, close."""
        shown: dict[str, Any] | None = None
        async for frame in frames:
            if frame.run is None:
                await self.close(NOT_VISIBLE)
                return
            if frame.logs or frame.metrics or frame.run != shown:
                shown = frame.run
                await self.send(text_data=frame.text)

    async def _watch_permission(self, viewer: Viewer) -> None:
        # A hundred pages that come back together after a restart shall not ask together: their questions and the
        # feeds' reads go through one thread.
        await asyncio.sleep(random.uniform(0, RECHECK_SECONDS))  # noqa: S311 - no secret
        while True:
            with suppress(DatabaseAway):  # unknown is not forbidden; asked again soon
                refusal = await database_sync_to_async(_refusal)(viewer, self.run_id)
                if refusal is not None:
                    await self.close(refusal)
                    return
            await asyncio.sleep(RECHECK_SECONDS)


def _refusal(viewer: Viewer, run_id: int) -> int | None:
    """Return the code to close with, None when the viewer may watch."""
    person = find_person(viewer)
    if person is None:
        return NOT_SIGNED_IN
    return None if is_visible(person, run_id) else NOT_VISIBLE


def _refusal_at_the_door(viewer: Viewer, run_id: int) -> int | None:
    """Return the code to close with, and note who asked for a run that is there and hidden from them."""
    refusal = _refusal(viewer, run_id)
    if refusal == NOT_VISIBLE and Run.objects.filter(pk=run_id).exists():
        with calling_from(Origin(find_caller=lambda: Caller(find_person(viewer)))):
            record_refusal(AuditKind.ACCESS_DENIED, target=Run(pk=run_id), status=refusal)
    return refusal


def _read_greeting(text: str | None) -> Greeting:
    """Parse the client's message; raises ValueError."""
    if text is None or len(text) > MESSAGE_BYTES:
        raise ValueError("not a short text message")
    try:
        return Greeting.model_validate_json(text)
    except ValidationError as error:
        raise ValueError("not a greeting") from error


def _language_of(scope: Mapping[str, Any]) -> str:
    """Return the language of the page that opened the socket, found as for a page."""
    headers = dict(scope.get("headers", []))
    accepted = headers.get(b"accept-language", b"").decode("latin-1")
    request: Any = SimpleNamespace(COOKIES=scope.get("cookies", {}), META={"HTTP_ACCEPT_LANGUAGE": accepted})
    return translation.get_language_from_request(request) or settings.LANGUAGE_CODE
