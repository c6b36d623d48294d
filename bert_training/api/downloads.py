"""Sends a stored file in pieces: single ranges, ETag, conditional requests; as an attachment that no browser opens.

Django's FileResponse knows no ranges, and under ASGI it would read the whole file into memory.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_etags
from django.utils.translation import gettext as _
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from bert_training.contract.enums import ErrorCode
from bert_training.services.errors import ServiceError

PIECE_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_UNSAFE_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069/\\]")


@dataclass(frozen=True)
class StoredFile:
    """A file to send: its bytes, how long they are and what names them for ever."""

    content: Any  # an open file of the storage: read, seek, close
    size: int
    etag: str
    name: str
    content_type: str


class AnyAccept(DefaultContentNegotiation):
    """Lets a file be asked for by whatever type the caller knows it as; errors are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Take the first renderer, which only errors use."""
        return renderers[0], renderers[0].media_type


class RangeNotSatisfiable(ServiceError):
    """The range begins behind the end."""

    http_status = 416

    def __init__(self, size: int) -> None:
        message = _("The file has only %(size)s bytes.") % {"size": size}
        super().__init__(ErrorCode.RANGE_NOT_SATISFIABLE, message, size=size)
        self.headers = {"Content-Range": f"bytes */{size}"}


def send_file(request: HttpRequest, stored: StoredFile) -> HttpResponseBase:
    """Answer 200 with the file, 206 with the range asked for, or 304 when the caller has it.

    Raises RangeNotSatisfiable. Several ranges, or one that is not understood, are answered with the whole file.
    """
    etag = f'"{stored.etag}"'
    if etag in _without_weak(parse_etags(request.headers.get("If-None-Match", ""))):
        stored.content.close()
        return _with_headers(HttpResponse(status=304), stored, etag)
    asked = read_range(request, stored.size, etag)
    first, last = asked or (0, stored.size - 1)
    response = StreamingHttpResponse(
        _pieces_for(request, stored.content, first, last - first + 1), status=206 if asked else 200
    )
    response["Content-Length"] = str(last - first + 1)
    if asked:
        response["Content-Range"] = f"bytes {first}-{last}/{stored.size}"
    return _with_headers(response, stored, etag)


def _without_weak(etags: list[str]) -> list[str]:
    return [etag.removeprefix("W/") for etag in etags]


def _with_headers(response: HttpResponseBase, stored: StoredFile, etag: str) -> HttpResponseBase:
    name = _UNSAFE_IN_NAMES.sub("_", stored.name) or "dataset"
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Content-Type"] = stored.content_type
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Content-Security-Policy"] = "sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def read_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """Return first and last byte, None for the whole file."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    condition = request.headers.get("If-Range")
    if match is None or match[0] == "bytes=-" or (condition is not None and condition != etag):
        return None
    if not match[1]:  # the last n bytes
        length = min(int(match[2]), size)
        if length == 0:
            raise RangeNotSatisfiable(size)
        return size - length, size - 1
    first, last = int(match[1]), min(int(match[2] or size), size - 1)
    if match[2] and int(match[2]) < first:
        return None
    if first >= size:
        raise RangeNotSatisfiable(size)
    return first, last


def _pieces_for(request: HttpRequest, content: Any, first: int, length: int) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Read as the server at hand needs it: under ASGI a plain iterator would be collected before it is sent."""
    if isinstance(request, ASGIRequest):
        return _pieces_async(content, first, length)
    return _pieces(content, first, length)


def _pieces(content: Any, first: int, length: int) -> Iterator[bytes]:
    with content:
        content.seek(first)
        while length > 0 and (piece := content.read(min(PIECE_BYTES, length))):
            length -= len(piece)
            yield piece


async def _pieces_async(content: Any, first: int, length: int) -> AsyncIterator[bytes]:
    pieces = _pieces(content, first, length)
    # In any thread: the sockets share one, which a slow store must not hold up.
    while piece := await sync_to_async(_next_piece, thread_sensitive=False)(pieces):
        yield piece


def _next_piece(pieces: Iterator[bytes]) -> bytes:
    """Return the next piece, empty at the end: StopIteration cannot leave a coroutine."""
    return next(pieces, b"")
