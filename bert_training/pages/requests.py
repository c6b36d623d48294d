"""What every page needs of a request: that somebody is signed in, who it is, and which page of a list is wanted.

Rows ask access.py one by one; a page that is about no row asks for a role (`needs`).
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from bert_training import access
from bert_training.contract.enums import Role
from bert_training.services.errors import ServiceError

View = Callable[..., HttpResponseBase]

ROWS_PER_PAGE = 25
NUMBER_DIGITS = 18
TOO_MUCH = 429  # of a quota, or too often


def page(view: View) -> View:
    """Let only people who are signed in read a page."""
    return login_required(require_http_methods(["GET", "HEAD"])(view))


def form_page(view: View) -> View:
    """Let only people who are signed in read and send a form (CSRF is checked for every POST)."""
    return login_required(require_http_methods(["GET", "HEAD", "POST"])(view))


def action(view: View) -> View:
    """Let only people who are signed in send a form that stands on another page."""
    return login_required(require_http_methods(["POST"])(view))


def needs(*roles: Role) -> Callable[[View], View]:
    """Refuse a page to those who hold none of these roles. Stands below `page`, which made sure that it is a person."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not any(access.has_role(person(request), role) for role in roles):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return asked

    return decorate


def person(request: HttpRequest) -> User:
    """Return who is signed in; `page` and `form_page` made sure that somebody is."""
    return cast(User, request.user)


def number_of(text: str) -> int | None:
    """Return the number of a row that an address or a form names, None where it names none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS else None


def page_of(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], per_page: int = ROWS_PER_PAGE) -> Page[Any]:
    """Return the page that `?page=` asks for; a wrong number gives the nearest page."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


def refused(response: HttpResponse, refusal: ServiceError | None) -> HttpResponse:
    """Answer 429, with Retry-After where it helps to wait, when a limit has refused what the form asked for."""
    if refusal is not None and refusal.http_status == TOO_MUCH:
        response.status_code = TOO_MUCH
        if "retry_after" in refusal.extra:
            response["Retry-After"] = str(refusal.extra["retry_after"])
    return response
