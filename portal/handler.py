"""Answers HTTP requests under ASGI in a few threads that stay, each with its database connection.

Django's own handler starts a thread and so a connection for every request (3 ms on PostgreSQL) and changes between
thread and event loop at most middlewares.
"""

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponseBase

# Each holds a connection: three such processes fit a PostgreSQL as it comes (100 connections).
REQUESTS_AT_ONCE = 32


class PortalHandler(ASGIHandler):
    """Runs middlewares and view together in one thread; at most REQUESTS_AT_ONCE, the others wait their turn."""

    def __init__(self) -> None:
        self._threads: deque[ThreadPoolExecutor] = deque()  # those without a request, each of one thread
        self._turns = asyncio.Semaphore(REQUESTS_AT_ONCE)
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain without a coroutine in it: all middlewares and views are synchronous."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request with a thread of its own for as long as it takes."""
        thread = self._threads.pop() if self._threads else ThreadPoolExecutor(1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            # By way of the thread: when a caller has left, its request may still be at work there.
            thread.submit(self._take_back, thread)

    def _take_back(self, thread: ThreadPoolExecutor) -> None:
        if len(self._threads) < REQUESTS_AT_ONCE:
            self._threads.append(thread)
        else:
            connections.close_all()
            thread.shutdown(wait=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the request's thread, at its turn."""
        async with self._turns:
            return await sync_to_async(self.get_response)(request)

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        """Send an answer; a stream, which may last for hours, keeps no connection and reads as the websockets do."""
        if not response.streaming:
            await super().send_response(response, send)
            return
        await sync_to_async(connections.close_all)()
        outside = asyncio.get_running_loop().create_task(super().send_response(response, send), context=Context())
        await outside
