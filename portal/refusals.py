"""Answers of the server in place of the application: composed as it would, then written as bytes."""

from collections.abc import Mapping
from contextvars import copy_context
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, parse_cookie
from django.utils import translation

from bert_training.contract.enums import ErrorCode
from portal.errors import refusal
from portal.middleware import request_id, security_headers


def compose_refusal(
    status: int, code: ErrorCode, message: str, *, path: str, headers: Mapping[str, str], **extra: Any
) -> HttpResponse:
    """Build what the application would answer: form, language, request id and headers as everywhere else."""
    request = HttpRequest()
    request.path = path
    request.META = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    request.COOKIES = parse_cookie(headers.get("Cookie", ""))

    def worded(request: HttpRequest) -> HttpResponse:
        with translation.override(translation.get_language_from_request(request)):
            return refusal(request, status, code, translation.gettext(message) % extra, **extra)

    # In a context of its own: the request's id must not stick to whatever the event loop does next.
    return copy_context().run(request_id(security_headers(worded)), request)


def serialize(response: HttpResponse) -> bytes:
    """Write a last answer as it goes over the wire."""
    head = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}"]
    head += [f"{name}: {value}" for name, value in response.items()]
    head += [f"Content-Length: {len(response.content)}", "Connection: close", "", ""]
    return "\r\n".join(head).encode("latin1") + response.content
