"""Filters of lists: a name that the list does not know, or a value that it cannot use, is an error, never ignored."""

from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from django_filters import BooleanFilter
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import SearchFilter
from rest_framework.request import Request

from bert_training.api.errors import InvalidRequest
from bert_training.contract.limits import SEARCH_CHARACTERS

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module while it loads

ALWAYS_KNOWN = frozenset({"page", "page_size", "ordering", "search"})
SWITCH_WORDS = frozenset({"true", "false"})


class Filters(DjangoFilterBackend):  # type: ignore[misc]  # the library has no types
    """The view's filters, strictly."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Model], view: "APIView") -> QuerySet[Model]:
        """Filter the rows. Raises InvalidRequest that names the parameter."""
        filterset = self.get_filterset(request, queryset, view)
        filters: dict[str, Any] = filterset.filters if filterset is not None else {}
        for name, value in request.query_params.items():
            if name not in filters and name not in ALWAYS_KNOWN:
                known = ", ".join(sorted({*filters, *ALWAYS_KNOWN}))
                raise InvalidRequest(_("This list is filtered by: %(known)s.") % {"known": known}, path=name[:100])
            if isinstance(filters.get(name), BooleanFilter) and value not in SWITCH_WORDS:
                raise InvalidRequest(_("This must be true or false."), path=name)
        filtered: QuerySet[Model] = super().filter_queryset(request, queryset, view)
        return filtered


class Search(SearchFilter):
    """`search=words`: rows in which each word stands somewhere, as plain text."""

    def get_search_terms(self, request: Request) -> list[str]:
        """Return the words. Raises InvalidRequest for a search that is too long."""
        if len(request.query_params.get(self.search_param, "")) > SEARCH_CHARACTERS:
            message = _("This may have at most %(max_length)s characters.") % {"max_length": SEARCH_CHARACTERS}
            raise InvalidRequest(message, path=self.search_param)
        terms: list[str] = super().get_search_terms(request)
        return terms
