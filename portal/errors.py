"""Errors outside of a view: JSON of one shape under the API's prefix, a page elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from bert_training.contract.enums import ErrorCode
from bert_training.contract.limits import API_PREFIX
from portal.logs import current_request_id


def is_api(request: HttpRequest) -> bool:
    """Tell whether the caller expects JSON."""
    return request.path == API_PREFIX or request.path.startswith(API_PREFIX + "/")


def json_error(status: int, code: ErrorCode, message: str, **extra: Any) -> JsonResponse:
    """Build an error answer of the one shape."""
    body = {"code": code.value, "message": message, "errors": [], "request_id": current_request_id(), **extra}
    response = JsonResponse(
        body, status=status, content_type="application/json; charset=utf-8", json_dumps_params={"ensure_ascii": False}
    )
    response["Cache-Control"] = "no-store"
    return response


def refusal(request: HttpRequest, status: int, code: ErrorCode, message: str, **extra: Any) -> HttpResponse:
    """Build an error answer for whoever asks: the one shape for the API, one plain sentence for a page."""
    if is_api(request):
        return json_error(status, code, message, **extra)
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400 where Django refused the request before a view (a foreign Host header, too many fields)."""
    if is_api(request):
        return json_error(400, ErrorCode.INVALID_FIELD, _("The request is not valid."))
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    if is_api(request):
        return json_error(403, ErrorCode.FORBIDDEN, _("You may not do this."))
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404: an unknown address, or a row that the caller may not see."""
    if is_api(request):
        return json_error(404, ErrorCode.NOT_FOUND, _("There is nothing at this address."))
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without any detail; the log has it under the request id."""
    if is_api(request):
        return json_error(500, ErrorCode.INTERNAL, _("Something went wrong on the portal."))
    return render(request, "500.html", {"request_id": current_request_id()}, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form or session call whose CSRF token is missing or wrong."""
    if is_api(request):
        return json_error(403, ErrorCode.CSRF_FAILED, _("The CSRF token is missing or wrong."))
    return render(request, "403.html", {"is_csrf": True}, status=403)
