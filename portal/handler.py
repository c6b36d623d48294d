"""Answers HTTP requests under ASGI in a few threads that stay, each with its database connection.

Django's own handler starts a thread and so a connection for every request (3 ms on PostgreSQL) and changes between
thread and event loop at most middlewares.
"""

import asyncio
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

# As many connections stay open between requests, as many more may be in use at once: one such process fits a PostgreSQL
# as it comes (100 connections) beside background work, two need more.
REQUESTS_AT_ONCE = 32


class PortalHandler(ASGIHandler):
    """Runs middlewares and view together in one thread; at most REQUESTS_AT_ONCE, the others wait their turn."""

    def __init__(self) -> None:
        self._threads: deque[ThreadPoolExecutor] = deque()  # those without a request, each of one thread
        self._turns = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._connected: set[int] = set()  # threads whose connection stays open; changed under the lock
        self._lock = threading.Lock()
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
            self._disconnect()
            thread.shutdown(wait=False)

    def _disconnect(self) -> None:
        connections.close_all()
        with self._lock:
            self._connected.discard(threading.get_ident())

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the request's thread, at its turn."""
        async with self._turns:
            answer = asyncio.create_task(sync_to_async(self._answer)(request))
            try:
                return await asyncio.shield(answer)
            except asyncio.CancelledError:
                await asyncio.wait([answer])  # the caller has left, the thread is still at work
                raise

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        """Answer within a turn. The thread is free only when the caller has the answer; so long few may be connected.

        200 callers at once held 200 connections otherwise, and a PostgreSQL with 100 refused all the others.
        """
        response = self.get_response(request)
        thread = threading.get_ident()
        with self._lock:
            if thread in self._connected or len(self._connected) < REQUESTS_AT_ONCE:
                self._connected.add(thread)
                return response
        connections.close_all()
        return response

    async def send_response(self, response: HttpResponseBase, send: Any) -> None:
        """Send an answer; a stream, which may last for hours, keeps no connection and reads as the websockets do.

        A file, which Django reads at once, is read here: their one thread may be waiting for the database.
        """
        if not (isinstance(response, StreamingHttpResponse) and response.is_async):
            await super().send_response(response, send)
            return
        await sync_to_async(self._disconnect)()
        outside = asyncio.get_running_loop().create_task(super().send_response(response, send), context=Context())
        await outside
