"""Sends a long text in pieces while it is being read, under WSGI and ASGI alike."""

from collections.abc import AsyncIterator, Iterator

from channels.db import database_sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest


def sent_in(request: HttpRequest, pieces: Iterator[str]) -> Iterator[str] | AsyncIterator[str]:
    """Read as the server at hand needs it: under ASGI a plain iterator would be collected before it is sent."""
    return _awaited(pieces) if isinstance(request, ASGIRequest) else pieces


async def _awaited(pieces: Iterator[str]) -> AsyncIterator[str]:
    while piece := await database_sync_to_async(_next_of)(pieces):
        yield piece


def _next_of(pieces: Iterator[str]) -> str:
    """Return the next piece, empty at the end: StopIteration cannot leave a coroutine."""
    return next(pieces, "")
