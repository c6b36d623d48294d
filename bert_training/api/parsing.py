"""Reads bodies and query parameters strictly: what is not plain, finite, shallow JSON is refused with a reason."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeVar

import pydantic
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from bert_training.api.errors import InvalidRequest
from bert_training.contract.enums import ErrorCode
from bert_training.contract.limits import JSON_BODY_BYTES, JSON_DEPTH
from bert_training.services.errors import ServiceError

Body = TypeVar("Body", bound=pydantic.BaseModel)

RECORDS_PER_PAGE = 500
MOST_LINES_PER_PAGE = 2_000  # of up to 16 KiB
MOST_POINTS_PER_PAGE = 5_000
LARGEST_CURSOR = 2**62
# Only these escapes can bring NUL or half a character into a text; raw ones are no valid JSON or no UTF-8.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


class JsonRenderer(JSONRenderer):
    """Writes JSON and says its charset."""

    charset = "utf-8"


class StrictJsonParser(BaseParser):
    """Parses application/json by `parse_json`."""

    media_type = "application/json"
    accepts_any_text = False

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Read at most JSON_BODY_BYTES; raises ServiceError too_large, InvalidRequest."""
        refuse_encoding((parser_context or {})["request"])
        body = stream.read(JSON_BODY_BYTES + 1)
        if len(body) > JSON_BODY_BYTES:
            raise too_large(JSON_BODY_BYTES)
        return parse_json(body, accepts_any_text=self.accepts_any_text)


class TelemetryJsonParser(StrictJsonParser):
    """For log lines: a strange character in a text never blocks the stream; it is replaced here or by the service."""

    accepts_any_text = True


class FormParser(MultiPartParser):
    """Parses multipart/form-data, sent as it is."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        """Refuse a compressed body, then parse."""
        refuse_encoding((parser_context or {})["request"])
        return super().parse(stream, media_type, parser_context)


def refuse_encoding(request: Request) -> None:
    """Refuse a compressed body: its true size would be known only after unpacking it."""
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        message = _("The body must be sent without Content-Encoding.")
        raise ServiceError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, message, http_status=415)


def too_large(limit: int) -> ServiceError:
    """Build the refusal of a body above `limit` bytes."""
    message = _("The request is larger than %(limit)s bytes.") % {"limit": limit}
    return ServiceError(ErrorCode.TOO_LARGE, message, http_status=413, limit=limit)


def parse_json(body: bytes, *, accepts_any_text: bool = False) -> Any:
    """Parse one JSON value of finite numbers, at most JSON_DEPTH deep, without a repeated key.

    NUL and lone surrogates in texts are refused; with accepts_any_text lone surrogates become U+FFFD and NUL passes.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
        )
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, an integer of more than 4,300 digits
        message = _("The body is not valid JSON: %(reason)s.") % {"reason": error}
        raise InvalidRequest(message, code=ErrorCode.INVALID_JSON) from None
    _check_depth(value)
    return _clean(value, replace=accepts_any_text) if _SUSPECT.search(body) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        repeated, _times = Counter(name for name, _value in pairs).most_common(1)[0]
        message = _("The key %(name)s stands twice in one object.") % {"name": repeated[:100]}
        raise InvalidRequest(message, path=repeated[:100], code=ErrorCode.DUPLICATE_KEY)
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:20]} is too large")
    return number


def _check_depth(value: Any) -> None:
    level = [value]
    for _depth in range(JSON_DEPTH):
        level = [inner for outer in level for inner in _values(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise _too_deep()


def _values(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> InvalidRequest:
    message = _("The body is nested deeper than %(limit)s levels.") % {"limit": JSON_DEPTH}
    return InvalidRequest(message, code=ErrorCode.TOO_DEEP)


def _clean(value: Any, *, replace: bool) -> Any:
    """Return the value with its texts cleaned; depth is bounded by now."""
    if isinstance(value, str):
        return _LONE_SURROGATES.sub("\ufffd", value) if replace else _plain(value)
    if isinstance(value, list):
        return [_clean(inner, replace=replace) for inner in value]
    if isinstance(value, dict):
        return {_clean(name, replace=replace): _clean(inner, replace=replace) for name, inner in value.items()}
    return value


def _plain(text: str) -> str:
    if "\x00" in text or _LONE_SURROGATES.search(text):
        raise InvalidRequest(_("A text contains NUL or half a character."), code=ErrorCode.INVALID_JSON)
    return text


def read_body(request: Request, message: type[Body], *, may_be_empty: bool = False) -> Body:
    """Parse a JSON body into a message of the contract. Raises pydantic.ValidationError, InvalidRequest."""
    if request.META.get("CONTENT_LENGTH") in (None, "", "0") and not may_be_empty:
        raise InvalidRequest(_("The body is empty; a JSON object is needed."), code=ErrorCode.INVALID_JSON)
    # By way of JSON: only there strict types take a word for an enum and ISO 8601 for a time (0.3 ms for 500 lines).
    return message.model_validate_json(json.dumps(request.data))


def read_count(request: Request, name: str, default: int, *, maximum: int = LARGEST_CURSOR, minimum: int = 0) -> int:
    """Return a whole number of the query; above the maximum it is cut down to it."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 40 or int(text) < minimum:
        raise InvalidRequest(_("This must be a whole number from %(minimum)s on.") % {"minimum": minimum}, path=name)
    return min(int(text), maximum)


def read_choice(request: Request, name: str, choices: list[str]) -> str:
    """Return one of the choices from the query, empty when it is not given."""
    text = request.query_params.get(name, "")
    if text and text not in choices:
        raise InvalidRequest(_("This must be one of: %(expected)s.") % {"expected": ", ".join(choices)}, path=name)
    return text


def refuse_nul(request: HttpRequest) -> None:
    """Refuse NUL anywhere in the query: databases refuse it later with a fault of ours."""
    query: MultiValueDict[str, str] = request.GET
    for name, values in query.lists():
        if any("\x00" in text for text in (name, *values)):
            raise InvalidRequest(_("A text contains NUL or half a character."), path=name.replace("\x00", ""))
