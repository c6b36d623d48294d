"""Takes HTTP requests for `portal.server`: one that is too long, too slow or malformed never reaches the application.

daphne collects a whole body before the application sees its headers: 400 MB from a stranger filled memory and disk.
Twisted calls these methods, hence their names. Import it after daphne.server, which chooses the event loop.
"""

import logging
from typing import Any
from urllib.parse import unquote

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_noop
from twisted.web import http

from bert_training.contract.enums import ErrorCode
from bert_training.contract.limits import API_PREFIX
from portal.flow import Flow
from portal.middleware import BODY_TOO_LARGE, allowed_body_bytes
from portal.refusals import compose_refusal, serialize

logger = logging.getLogger(__name__)

# Below any real line (a modem had 5 KiB/s): who sends less holds a connection and a temporary file on purpose.
SLOWEST_BYTES_PER_SECOND = 4096
# Closing with unread bytes makes the system reset the connection, and the caller may lose the answer. So a caller is
# heard out for these bytes, then has to wait, and is cut after these seconds: curl reads its 413 in 10 ms.
LINGER_BYTES = 512 * 1024
LINGER_SECONDS = 2.0
LOGGED_CHARACTERS = 200

NOT_VALID = gettext_noop("The request is not valid.")
TOO_SLOW = gettext_noop("The request arrived too slowly.")
HEADERS_TOO_LARGE = gettext_noop("The address or a header of the request is too long.")
OUR_FAULT = gettext_noop("Something went wrong on the portal.")


class PortalRequest(WebRequest):  # type: ignore[misc]  # the library has no types
    """One request, from its headers on."""

    body_bytes = 0
    limit = 0

    def __init__(self, channel: "PortalChannel", queued: object = False) -> None:
        # Twisted would parse forms too, in memory and before the application does it.
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self.flow = Flow()

    def gotLength(self, length: int | None) -> None:
        """Judge the headers, which are complete; a length of None means a body in chunks."""
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")  # daphne believes anybody who names the root path
        cookie = settings.SESSION_COOKIE_NAME.encode()
        is_identified = self.requestHeaders.hasHeader(b"Authorization") or cookie in self.received_cookies
        self.limit = allowed_body_bytes(self.channel.path, is_identified=is_identified)
        if length is not None and length > self.limit:
            self.requestHeaders.removeHeader(b"Expect")  # otherwise Twisted invites the body now
            self.channel.refuse(413, ErrorCode.TOO_LARGE, BODY_TOO_LARGE, limit=self.limit)
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body; past the limit, which only a body in chunks can reach, refuse the rest."""
        self.body_bytes += len(data)
        if self.body_bytes <= self.limit:
            super().handleContentChunk(data)
        elif not self.channel.is_refused:
            self.channel.refuse(413, ErrorCode.TOO_LARGE, BODY_TOO_LARGE, limit=self.limit)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Write a part of the answer, having asked to hear how the caller reads when it comes in parts."""
        if message.get("more_body") and not self.producer and self.channel is not None and not self.finished:
            self.registerProducer(self.flow, True)
        super().handle_reply(message)

    def finish(self) -> None:
        """End the answer."""
        if self.producer:
            self.unregisterProducer()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        """Let go of an application that waits for the caller to read."""
        self.flow.stopProducing()
        super().connectionLost(reason)

    def cut(self) -> None:
        """End the connection at once."""
        if self.channel is not None:
            self.channel.transport.abortConnection()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Say daphne's own errors in the portal's form; an answer that has begun can only be cut off."""
        if self.finished or self.channel is None:
            return
        if self._response_started:
            # daphne would raise here and, worse, never again look after applications that have ended.
            self.channel.loseConnection()
            return
        fault = (ErrorCode.INTERNAL, OUR_FAULT) if status >= 500 else (ErrorCode.INVALID_FIELD, NOT_VALID)
        response = compose_refusal(status, *fault, path=path_of(self.uri), headers=headers_of(self))
        headers = [(name.encode("latin1"), value.encode("latin1")) for name, value in response.items()]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": response.content})


class PortalChannel(http.HTTPChannel):  # type: ignore[misc]
    """One TCP connection; requests come one after the other."""

    is_refused = False  # the last answer has been given; what still comes in is dropped
    is_answering = False  # a whole request is with the application
    lingered_bytes = 0
    waited_seconds = 0.0
    deadline: Any = None  # Twisted's delayed call

    @property
    def path(self) -> str:
        """The path of the request whose headers are being read, an address of the API while it is not known."""
        target: bytes | None = getattr(self, "_path", None)
        return API_PREFIX if target is None else path_of(target)

    def connectionMade(self) -> None:
        """Wait for the first request, though not for ever."""
        super().connectionMade()
        self._start_deadline()

    def connectionLost(self, reason: Any) -> None:
        """Forget what was waited for."""
        self._stop_deadline()
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:
        """Read on; the first bytes of a request start its time."""
        if self.is_refused:
            self._drop(data)
            return
        if self.deadline is None and not self.is_answering:
            self._start_deadline()
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Read a line of the head."""
        if not self.is_refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        """Read a piece of the body, or of the request after this one."""
        if not self.is_refused:
            super().rawDataReceived(data)

    def headerReceived(self, line: bytes) -> bool:
        """Refuse a length of thousands of digits: Python refuses to read such a number, with an exception."""
        name, _colon, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and len(value.strip()) > len(str(2**63)):
            self._respondToBadRequestAndDisconnect()
            return False
        is_right: bool = super().headerReceived(line)
        return is_right

    def lineLengthExceeded(self, line: bytes) -> None:
        """Say why; Twisted only closes."""
        status = 431 if self.requests else 414
        self.refuse(status, ErrorCode.TOO_LARGE, HEADERS_TOO_LARGE, limit=self.MAX_LENGTH)

    def allContentReceived(self) -> None:
        """Hand the request to the application, which may take its time."""
        if self.is_refused:
            return
        self._stop_deadline()
        self.is_answering = True
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """Go on with the next request."""
        self.is_answering = False
        super().requestDone(request)

    def _respondToBadRequestAndDisconnect(self) -> None:  # private to Twisted, but its only door
        self.refuse(400, ErrorCode.INVALID_FIELD, NOT_VALID)

    def refuse(self, status: int, code: ErrorCode, message: str, **extra: Any) -> None:
        """Answer an unfinished request and close the connection."""
        if self.is_refused:
            return
        self.is_refused = True
        self._stop_deadline()
        self.setTimeout(None)
        headers = headers_of(self.requests[-1]) if self.requests else {}
        response = compose_refusal(status, code, message, path=self.path, headers=headers, **extra)
        self._log_refusal(response)
        self.transport.write(serialize(response))
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()
        self.deadline = self.callLater(LINGER_SECONDS, self.transport.abortConnection)

    def _log_refusal(self, response: HttpResponse) -> None:
        entry = {"status": response.status_code, "path": self.path[:LOGGED_CHARACTERS]}
        entry |= {"client": getattr(self.getPeer(), "host", ""), "request_id": response["X-Request-ID"]}
        logger.info("request refused", extra=entry)

    def _drop(self, data: bytes) -> None:
        self.lingered_bytes += len(data)
        if self.lingered_bytes > LINGER_BYTES:
            self.transport.pauseProducing()

    def _start_deadline(self) -> None:
        self.waited_seconds = 0.0
        self._wait(settings.REQUEST_SECONDS)

    def _wait(self, seconds: float) -> None:
        self.waited_seconds += seconds
        self.deadline = self.callLater(seconds, self._judge_speed)

    def _stop_deadline(self) -> None:
        if self.deadline is not None and self.deadline.active():
            self.deadline.cancel()
        self.deadline = None

    def _judge_speed(self) -> None:
        """Cut a request that is not complete by now; each piece of a body buys time."""
        body_bytes = self.requests[-1].body_bytes if self.requests else 0
        more_seconds = settings.REQUEST_SECONDS + body_bytes / SLOWEST_BYTES_PER_SECOND - self.waited_seconds
        if more_seconds > 0:
            self._wait(more_seconds)
        elif self.requests:
            self.refuse(408, ErrorCode.TOO_SLOW, TOO_SLOW)
        else:
            self.loseConnection()  # it never asked for anything


class PortalFactory(HTTPFactory):  # type: ignore[misc]
    """Makes a connection's channel; HTTP/2, which daphne would offer behind TLS only, is not spoken."""

    protocol = PortalChannel

    def buildProtocol(self, addr: Any) -> Any:
        """Let our channel make our requests."""
        channel = super().buildProtocol(addr)
        channel.requestFactory = PortalRequest
        return channel


def path_of(target: bytes) -> str:
    """Return the path in a request's target as the application sees it."""
    return unquote(target.partition(b"?")[0].decode("latin1"))


def headers_of(request: http.Request) -> dict[str, str]:
    """Return the headers that an error answer depends on."""
    names = ("Accept-Language", "Cookie", "X-Request-ID")
    # As bytes: Twisted would read text as UTF-8 and raise where it is none.
    found = {name: request.requestHeaders.getRawHeaders(name.encode(), [b""])[0] for name in names}
    return {name: value.decode("latin1") for name, value in found.items() if value}
