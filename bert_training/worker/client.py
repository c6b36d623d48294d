"""Speaks the worker protocol over HTTP: one method an endpoint, messages in and out, no retries.

Turns every answer into a message or one of four errors, each a decision for the caller. No method sends a file.
"""

import json
import logging
import ssl
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2
from pydantic import ValidationError

from bert_training.contract.limits import IDLE_RETRY_AFTER_SECONDS, JSON_BODY_BYTES, PROTOCOL_VERSION
from bert_training.contract.messages import (
    ClaimedJob,
    ClaimRequest,
    CompleteAnswer,
    CompleteRequest,
    ErrorBody,
    HeartbeatAnswer,
    HeartbeatRequest,
    Message,
    ProgressAnswer,
    ProgressRequest,
)
from bert_training.contract.streams import LogBatch, MetricBatch, PredictionBatch, StreamAnswer
from bert_training.contract.tokens import hide_tokens, shown_prefix
from bert_training.worker.options import TokenSource
from bert_training.worker.tls import tls_context

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ANSWER_SECONDS = 60.0  # of a whole JSON answer: one that drips byte by byte never meets the read timeout
_OUTSIDE_STATUSES = frozenset({408, 414, 431})  # said by a server or proxy in front of the portal

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer", bound=Message)


class PortalError(Exception):
    """A call that was not answered with what it asked for."""


class Unavailable(PortalError):
    """Try again: no connection, 5xx, or too many requests. `is_outage` is false where others may well be served."""

    def __init__(self, message: str, *, retry_after: float | None = None, is_outage: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_outage = is_outage


class NotOurPortal(Unavailable):
    """Something else answered (a login page, a proxy, a wrong address): try again, but tell a person."""


class UntrustedPortal(Unavailable):
    """The TLS certificate was not accepted."""


class Unauthorized(PortalError):
    """The portal does not accept the token (401): keep working, try again with the token file.

    prefix: how the token that was sent begins; another thread may have read a new one since.
    """

    def __init__(self, message: str, *, prefix: str) -> None:
        super().__init__(message)
        self.prefix = prefix


class Refused(PortalError):
    """The portal understood and said no (other 4xx): the same request must not be repeated unchanged."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True)
class NothingToDo:
    """The answer to a claim when no job waits."""

    retry_after: float


@dataclass(frozen=True)
class TableStream:
    """A table under download: `is_partial` tells that it continues at the offset asked for."""

    is_partial: bool
    chunks: Iterator[bytes]


class PortalClient:
    """The portal as this worker sees it. Safe to use from several threads."""

    def __init__(self, api_url: str, token: TokenSource, *, instance: str, version: str, is_loopback: bool) -> None:
        self.token = token
        self._http = httpx2.Client(
            base_url=api_url,
            verify=tls_context() if api_url.startswith("https") else True,
            # trust_env gives HTTPS_PROXY and NO_PROXY; a portal on this computer is never behind a proxy.
            trust_env=not is_loopback,
            follow_redirects=False,
            timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers={
                "X-Worker-Protocol": str(PROTOCOL_VERSION),
                "X-Worker-Instance": instance,
                "User-Agent": f"bert-worker/{version}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def heartbeat(self, body: HeartbeatRequest, *, read_seconds: float | None = None) -> HeartbeatAnswer:
        """POST /workers/heartbeat; with `read_seconds` it waits for no more than that."""
        timeout = {} if read_seconds is None else {"timeout": httpx2.Timeout(read_seconds)}
        return self._post("/workers/heartbeat", body, HeartbeatAnswer, **timeout)

    def claim(self, body: ClaimRequest) -> ClaimedJob | NothingToDo:
        """POST /jobs/claim: a job, or how long the portal wants us to wait."""
        response, text = self._send("/jobs/claim", body)
        if response.status_code == 204:
            retry_after = _retry_after(response)
            return NothingToDo(IDLE_RETRY_AFTER_SECONDS if retry_after is None else retry_after)
        return _parse(ClaimedJob, response, text)

    def post_progress(self, job_id: int, body: ProgressRequest) -> ProgressAnswer:
        """POST /jobs/{id}/progress."""
        return self._post(f"/jobs/{job_id}/progress", body, ProgressAnswer)

    def complete(self, job_id: int, body: CompleteRequest) -> CompleteAnswer:
        """POST /jobs/{id}/complete."""
        return self._post(f"/jobs/{job_id}/complete", body, CompleteAnswer)

    def post_logs(self, body: LogBatch) -> StreamAnswer:
        """POST /logs/batch."""
        return self._post("/logs/batch", body, StreamAnswer)

    def post_metrics(self, body: MetricBatch) -> StreamAnswer:
        """POST /metrics."""
        return self._post("/metrics", body, StreamAnswer)

    def post_predictions(self, job_id: int, body: PredictionBatch) -> StreamAnswer:
        """POST /jobs/{id}/predictions."""
        return self._post(f"/jobs/{job_id}/predictions", body, StreamAnswer)

    @contextmanager
    def download_table(self, dataset_id: int, *, offset: int, table_sha256: str) -> Iterator[TableStream]:
        """GET /datasets/{id}/download?form=table, from `offset` on if the table is still the same."""
        headers = {"Range": f"bytes={offset}-", "If-Range": f'"{table_sha256}"'} if offset else {}
        url = f"/datasets/{dataset_id}/download"
        with self._exchange("GET", url, headers=headers, params={"form": "table"}) as response:
            if response.status_code not in (200, 206):
                _raise_for_status(response, _read_limited(response))
                raise NotOurPortal(f"The portal answered a download with {response.status_code}.")
            # As it arrives: larger pieces would be put together in memory, and lost when the line breaks.
            yield TableStream(response.status_code == 206, response.iter_bytes())

    @contextmanager
    def download_manifest(self, job_id: int) -> Iterator[Iterator[bytes]]:
        """GET /jobs/{id}/manifest, as it arrives."""
        with self._exchange("GET", f"/jobs/{job_id}/manifest", headers={}) as response:
            if response.status_code != 200:
                _raise_for_status(response, _read_limited(response))
                raise NotOurPortal(f"The portal answered a download with {response.status_code}.")
            yield response.iter_bytes()

    def _post(self, path: str, body: Message, answer: type[Answer], **extra: Any) -> Answer:
        response, text = self._send(path, body, **extra)
        return _parse(answer, response, text)

    def _send(self, path: str, body: Message, **extra: Any) -> tuple[httpx2.Response, bytes]:
        # Log lines have none any more; this is for the words of an error. 4 ms for 1 MB that has none.
        content = hide_tokens(body.model_dump_json()).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json"}
        with self._exchange("POST", path, headers=headers, content=content, **extra) as response:
            text = _read_limited(response)
        _raise_for_status(response, text)
        return response, text

    @contextmanager
    def _exchange(self, method: str, path: str, *, headers: dict[str, str], **extra: Any) -> Iterator[httpx2.Response]:
        request_id = uuid.uuid4().hex
        headers = {**headers, "Authorization": f"Bearer {self.token.current}", "X-Request-ID": request_id}
        try:
            with self._http.stream(method, path, headers=headers, **extra) as response:
                logger.debug("%s %s answered %s (request %s)", method, path, response.status_code, request_id)
                yield response
        except httpx2.HTTPError as error:
            raise _connection_error(error) from error


def read_retry_after(value: str | None, *, said_at: str | None = None) -> float | None:
    """Read a Retry-After header, seconds or a date; None when it says nothing useful.

    A date counts from the answer's own Date header, if it has one: this computer's clock may be wrong.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value.strip()[:9])
    moment = _read_date(value)
    if moment is None:
        return None
    return max(0.0, (moment - (_read_date(said_at or "") or datetime.now(UTC))).total_seconds())


def _read_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _retry_after(response: httpx2.Response) -> float | None:
    return read_retry_after(response.headers.get("retry-after"), said_at=response.headers.get("date"))


def _read_limited(response: httpx2.Response) -> bytes:
    """Read a JSON answer: at most JSON_BODY_BYTES and ANSWER_SECONDS, whatever the other side sends."""
    deadline = time.monotonic() + ANSWER_SECONDS
    text = bytearray()
    for chunk in response.iter_bytes():  # as it arrives, so that a drip is noticed
        text += chunk
        if len(text) > JSON_BODY_BYTES or time.monotonic() > deadline:
            raise NotOurPortal("An answer was longer or slower than the portal's can be; is another server in between?")
    return bytes(text)


def _parse(answer: type[Answer], response: httpx2.Response, text: bytes) -> Answer:
    try:
        return answer.model_validate_json(text)
    except ValidationError as error:
        kind = response.headers.get("content-type", "no type")
        raise NotOurPortal(
            f"The answer ({response.status_code}, {kind}) is not the portal's: is a sign-in page or proxy in between?"
        ) from error


def _raise_for_status(response: httpx2.Response, text: bytes) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        place = response.headers.get("location", "")[:200]
        raise NotOurPortal(f"The portal redirects to {place!r}. Redirects are refused: give --api-url as it really is.")
    retry_after = _retry_after(response)
    body = _error_body(text)
    code = body.code if body else ""
    if status >= 500 or status in _OUTSIDE_STATUSES:
        message = f"The portal answered {status} {code}".strip()
        raise Unavailable(message, retry_after=retry_after, is_outage=code != "storage_full")
    if status == 429:
        raise Unavailable("The portal asks to slow down (429).", retry_after=retry_after, is_outage=False)
    if status == 413:  # a proxy with a smaller limit says it in HTML, and halving the batch helps there too
        raise Refused(status, code or "too_large", "The request is too large.", {})
    if body is None:
        raise NotOurPortal(f"Something that is not the portal answered {status}: is --api-url right, is a proxy there?")
    if status == 401:
        sent = response.request.headers["Authorization"].removeprefix("Bearer ")
        raise Unauthorized(f"The portal does not accept the token: {body.message}", prefix=shown_prefix(sent))
    raise Refused(status, code, body.message, dict(body.model_extra or {}))


def _error_body(text: bytes) -> ErrorBody | None:
    try:
        return ErrorBody.model_validate(json.loads(text))
    except (ValueError, RecursionError):  # ValidationError is a ValueError
        return None


def _connection_error(error: httpx2.HTTPError) -> Unavailable:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return UntrustedPortal(f"The portal's TLS certificate is not trusted: {cause.verify_message}.")
        cause = cause.__cause__ or cause.__context__
    return Unavailable(f"The portal cannot be reached: {error or type(error).__name__}.")
