"""Turns whatever a view raises into the one error form: code, message, errors, request_id and what a code adds.

A lost database and our own faults are left to the portal's middleware and handlers, which answer in the same form.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework import exceptions
from rest_framework.response import Response

from bert_training.access import NotVisible
from bert_training.contract.enums import AuditKind, ErrorCode
from bert_training.contract.limits import UNAVAILABLE_RETRY_AFTER_SECONDS, UPLOAD_BYTES
from bert_training.services.errors import ServiceError
from bert_training.services.frequent_events import record_refusal
from portal.logs import current_request_id

FieldErrors = list[dict[str, Any]]
ERRORS_NAMED = 50  # a body of a megabyte has room for 90,000 wrong fields: the answer was eight times as long
PATH_CHARACTERS = 200  # and for one whose name fills it

CODES: dict[type[Exception], ErrorCode] = {
    Http404: ErrorCode.NOT_FOUND,
    exceptions.NotFound: ErrorCode.NOT_FOUND,
    PermissionDenied: ErrorCode.FORBIDDEN,
    exceptions.PermissionDenied: ErrorCode.FORBIDDEN,
    exceptions.NotAuthenticated: ErrorCode.TOKEN_MISSING,
    exceptions.AuthenticationFailed: ErrorCode.TOKEN_UNKNOWN,
    exceptions.MethodNotAllowed: ErrorCode.METHOD_NOT_ALLOWED,
    exceptions.NotAcceptable: ErrorCode.NOT_ACCEPTABLE,
    exceptions.UnsupportedMediaType: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    exceptions.ParseError: ErrorCode.INVALID_FIELD,
    exceptions.ValidationError: ErrorCode.INVALID_FIELD,
}

# What the usual findings of pydantic mean, for people; the places are filled from the finding's context.
WORDS = {
    "missing": gettext_noop("This field is required."),
    "extra_forbidden": gettext_noop("There is no such field."),
    "bool_type": gettext_noop("This must be true or false."),
    "int_type": gettext_noop("This must be a whole number."),
    "float_type": gettext_noop("This must be a number."),
    "string_type": gettext_noop("This must be a text."),
    "list_type": gettext_noop("This must be a list."),
    "dict_type": gettext_noop("This must be an object with names and values."),
    "model_type": gettext_noop("This must be an object with names and values."),
    "greater_than_equal": gettext_noop("This must be at least %(ge)s."),
    "greater_than": gettext_noop("This must be greater than %(gt)s."),
    "less_than_equal": gettext_noop("This must be at most %(le)s."),
    "less_than": gettext_noop("This must be less than %(lt)s."),
    "string_too_short": gettext_noop("This needs at least %(min_length)s characters."),
    "string_too_long": gettext_noop("This may have at most %(max_length)s characters."),
    "too_long": gettext_noop("This may have at most %(max_length)s entries."),
    "enum": gettext_noop("This must be one of: %(expected)s."),
    "string_pattern_mismatch": gettext_noop("This must have the form %(pattern)s."),
    "finite_number": gettext_noop("This must be a number."),
    "datetime_type": gettext_noop("This must be a date with time in ISO 8601."),
    "datetime_parsing": gettext_noop("This must be a date with time in ISO 8601."),
    "datetime_from_date_parsing": gettext_noop("This must be a date with time in ISO 8601."),
    "literal_error": gettext_noop("This must be one of: %(expected)s."),
}


@dataclass(frozen=True)
class Problem:
    """An error answer before it is written down."""

    status: int
    code: ErrorCode
    message: str
    errors: FieldErrors = field(default_factory=list)
    extra: Mapping[str, Any] = field(default_factory=dict)


class InvalidRequest(ServiceError):
    """The request itself is wrong: unparsable, or a field with a wrong name or value."""

    def __init__(self, message: str, *, path: str = "", code: ErrorCode = ErrorCode.INVALID_FIELD) -> None:
        super().__init__(code, message, errors=[{"path": path, "message": message}] if path else [])


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an error of a view; None leaves it to Django, which logs it and calls `portal.errors`."""
    problem = find_problem(error)
    if problem is None:
        return None
    if isinstance(error, NotVisible):
        record_refusal(AuditKind.ACCESS_DENIED, target=error.row, status=problem.status)
    body = {"code": problem.code.value, "message": problem.message, "errors": problem.errors}
    response = Response({**body, "request_id": current_request_id(), **problem.extra}, status=problem.status)
    for name, value in _headers(problem, error).items():
        response[name] = value
    return response


def find_problem(error: Exception) -> Problem | None:
    """Say what an exception means to the caller; None for a fault of ours."""
    if isinstance(error, ServiceError):
        extra = {name: value for name, value in error.extra.items() if name != "errors"}
        return Problem(error.http_status, error.code, error.message, error.extra.get("errors", []), extra)
    if isinstance(error, pydantic.ValidationError):
        return _invalid_fields(error)
    if isinstance(error, RequestDataTooBig):
        message = _("The request is larger than %(limit)s bytes.") % {"limit": UPLOAD_BYTES}
        return Problem(413, ErrorCode.TOO_LARGE, message, extra={"limit": UPLOAD_BYTES})
    if isinstance(error, SuspiciousOperation):
        return Problem(400, ErrorCode.INVALID_FIELD, _("The request is not valid."))
    if isinstance(error, exceptions.ValidationError):
        errors = flatten_details(error.detail)
        return Problem(400, ErrorCode.INVALID_FIELD, first_message(errors), errors)
    return _framework_problem(error)


def _framework_problem(error: Exception) -> Problem | None:
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), None)
    if code is None:
        return None
    if isinstance(error, exceptions.APIException):
        return Problem(error.status_code, code, str(error.detail))
    if isinstance(error, PermissionDenied):
        return Problem(403, code, str(error) or _("You may not do this."))
    words = str(error.args[0]) if error.args and isinstance(error.args[0], str) else ""
    return Problem(404, code, words or _("There is nothing at this address."))


def _invalid_fields(error: pydantic.ValidationError) -> Problem:
    findings = error.errors(include_url=False, include_input=False)
    named = findings[:ERRORS_NAMED]
    errors = [{"path": ".".join(map(str, item["loc"]))[:PATH_CHARACTERS], "message": _words(item)} for item in named]
    is_unknown = any(item["type"] == "extra_forbidden" for item in findings)
    code = ErrorCode.UNKNOWN_FIELD if is_unknown else ErrorCode.INVALID_FIELD
    return Problem(400, code, first_message(errors), errors)


def _words(finding: Mapping[str, Any]) -> str:
    """Return pydantic's finding in the caller's language, its own English where it is an unusual one."""
    words = WORDS.get(finding["type"])
    return _(words) % finding.get("ctx", {}) if words else str(finding["msg"])


def first_message(errors: FieldErrors) -> str:
    """Return the sentence that stands above a list of wrong fields: the first of them."""
    if not errors:
        return _("The request is not valid.")
    path, message = errors[0]["path"], errors[0]["message"]
    return f"{path}: {message}" if path else str(message)


def flatten_details(detail: Any, path: str = "") -> FieldErrors:
    """Turn the framework's nested details into a list of {path, message}."""
    if isinstance(detail, Mapping):
        named = [(_join(path, str(name)), inner) for name, inner in detail.items()]
        return [entry for where, inner in named for entry in flatten_details(inner, where)]
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        return [entry for inner in detail for entry in flatten_details(inner, path)]
    return [{"path": path, "message": str(detail)}]


def _join(path: str, name: str) -> str:
    if name == "non_field_errors":
        return path
    return f"{path}.{name}" if path else name


def _headers(problem: Problem, error: Exception) -> dict[str, str]:
    headers = dict(getattr(error, "headers", {}))
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if "retry_after" in problem.extra:
        headers["Retry-After"] = str(math.ceil(problem.extra["retry_after"]))
    elif problem.status == 503:
        headers["Retry-After"] = str(UNAVAILABLE_RETRY_AFTER_SECONDS)
    return headers
