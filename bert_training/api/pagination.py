"""Lists in pages: count, next, previous, results. Wrong numbers and unknown fields are errors, never ignored."""

from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from bert_training.api.errors import InvalidRequest
from bert_training.api.parsing import read_count

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module while it loads

PAGE_ROWS = 50
PAGE_ROWS_LIMIT = 500


class Pages(PageNumberPagination):
    """`page` from 1 on; `page_size` up to PAGE_ROWS_LIMIT, a larger one is cut down to it."""

    page_size = PAGE_ROWS
    page_size_query_param = "page_size"
    max_page_size = PAGE_ROWS_LIMIT

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has."""
        return read_count(request, self.page_size_query_param, PAGE_ROWS, minimum=1, maximum=PAGE_ROWS_LIMIT)

    def get_page_number(self, request: Request, paginator: Any) -> int:
        """Return the page asked for; one beyond the last is a 404."""
        return read_count(request, self.page_query_param, 1, minimum=1)


class Ordering(OrderingFilter):
    """`ordering=-created_at,name` over the fields that the view lists."""

    def get_ordering(self, request: Request, queryset: QuerySet[Model], view: "APIView") -> list[str] | None:
        """Return the fields to sort by; the id decides between equals, so that pages never overlap."""
        given = [part.strip() for part in request.query_params.get(self.ordering_param, "").split(",") if part.strip()]
        allowed: list[str] = list(getattr(view, "ordering_fields", []))
        for field in given:
            if field.removeprefix("-") not in allowed:
                message = _("Lists are ordered by: %(fields)s.") % {"fields": ", ".join(allowed)}
                raise InvalidRequest(message, path=self.ordering_param)
        return [*given, "-id"] if given else None
