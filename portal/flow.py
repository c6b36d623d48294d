"""Lets the application wait for callers who read slowly, so that what they have not read does not fill the memory.

Stock daphne takes whatever the application sends: a page that stopped reading cost 8 MB of memory for each 8 MB of log.
Import it after daphne.server, which chooses the event loop. Twisted calls pause-, resume- and stopProducing.
"""

import asyncio
import logging
from typing import Any

from daphne.server import Server
from django.conf import settings

logger = logging.getLogger(__name__)


class Flow:
    """Whether the caller has read what it was sent; Twisted lets about 64 KiB wait before it says no."""

    def __init__(self) -> None:
        self._is_open = asyncio.Event()
        self._is_open.set()

    def pauseProducing(self) -> None:
        """The caller is behind."""
        self._is_open.clear()

    def resumeProducing(self) -> None:
        """The caller has read everything."""
        self._is_open.set()

    def stopProducing(self) -> None:
        """The connection is gone: nobody need wait."""
        self._is_open.set()

    async def wait(self) -> None:
        """Wait until the caller has caught up; raises TimeoutError when that takes longer than REQUEST_SECONDS."""
        if not self._is_open.is_set():
            async with asyncio.timeout(settings.REQUEST_SECONDS):
                await self._is_open.wait()


class PortalServer(Server):  # type: ignore[misc]  # the library has no types
    """daphne, but the application's `send` returns when the caller has room for more."""

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send one message, then wait; who does not read is cut off and may come back where it was."""
        await super().handle_reply(protocol, message)
        try:
            await protocol.flow.wait()
        except TimeoutError:
            logger.info("caller does not read", extra={"client": str(protocol.client_addr)})
            protocol.cut()
